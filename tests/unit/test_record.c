// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/record.h"
#include "base/cleanup.h"
#include "kvg_policy.h"
#include "policy/policy.h"

#define SOME_WALL_OFFSET_NS 1795458220000000000LL /* 2026-11-23T18:23:40Z at boot */
#define SOME_ID             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void set_ipv4(__u8 ret[16], const char *text)
{
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	assert_int_equal(inet_pton(AF_INET, text, ret + 12), 1);
}

static struct kvg_record some_record(void)
{
	static const unsigned char digest[32] = {0xab, 0xcd};
	struct kvg_record record = {
		.refusal = {.cgroup_id = 4711,
			    .generation = 3,
			    .dport = htons(443),
			    .protocol = IPPROTO_TCP,
			    .family = AF_INET,
			    .reason = KVG_REASON_DESTINATION,
			    .hook = KVG_HOOK_CONNECT4,
			    .mode = KVG_MODE_ENFORCE},
		.owner = {.tgid = 4242, .uid = 1000, .comm = "curl"},
		.first_ns = 5123456789,
		.last_ns = 5123456789,
		.count = 1,
		.sport = htons(40312),
		.gate = "/payments.slice/app",
		.profile = "payments",
		.digest = digest,
	};

	set_ipv4(record.refusal.daddr, "203.0.113.9");
	set_ipv4(record.saddr, "10.0.0.2");
	return record;
}

static void format(const struct kvg_record *record, char **ret)
{
	size_t size;

	assert_int_equal(kvg_record_format_json(record, SOME_WALL_OFFSET_NS, ret, &size), 0);
	assert_int_equal(size, strlen(*ret));
	assert_int_equal((*ret)[size - 1], '\n');
	assert_ptr_equal(strchr(*ret, '\n'), *ret + size - 1);
}

static json_t *parse(const struct kvg_record *record)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	json_t *json;

	format(record, &line);
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static const char *text_at(json_t *json, const char *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(json, object), key));
}

static void assert_words(const struct kvg_record *record, const char *expected)
{
	char words[KVG_RECORD_WORDS_LEN];

	assert_string_equal(kvg_record_format_words(record, words), expected);
}

static void a_record_is_the_line_of_the_contract(void **state)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	struct kvg_record record = some_record();

	(void)state;
	format(&record, &line);
	assert_string_equal(
		line,
		"{\"@timestamp\":\"2026-11-23T18:23:45.123456Z\",\"event\":{\"kind\":\"event\","
		"\"category\":[\"network\"],\"type\":[\"denied\"],\"action\":\"egress-refused\","
		"\"outcome\":\"failure\",\"reason\":\"destination\"},\"network\":{\"type\":"
		"\"ipv4\","
		"\"transport\":\"tcp\",\"direction\":\"egress\"},\"source\":{\"ip\":\"10.0.0.2\","
		"\"port\":40312},\"destination\":{\"ip\":\"203.0.113.9\",\"port\":443},"
		"\"process\":{\"pid\":4242,\"name\":\"curl\"},\"user\":{\"id\":\"1000\"},"
		"\"kvgate\":{\"gate\":\"/payments.slice/app\",\"cgroup_id\":4711,"
		"\"profile\":\"payments\",\"policy_digest\":\"sha256:"
		"abcd0000000000000000000000000000"
		"00000000000000000000000000000000\",\"generation\":3,\"hook\":\"connect4\","
		"\"mode\":\"enforce\",\"count\":1}}\n");
}

static void audit_mode_is_never_mistaken_for_a_verdict(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	json_t *event;

	(void)state;
	record.refusal.mode = KVG_MODE_AUDIT;
	json = parse(&record);
	event = json_object_get(json, "event");
	assert_string_equal(json_string_value(json_object_get(event, "action")),
			    "egress-would-refuse");
	assert_string_equal(json_string_value(json_array_get(json_object_get(event, "type"), 0)),
			    "allowed");
	assert_string_equal(text_at(json, "kvgate", "mode"), "audit");
	assert_words(&record, "would refuse tcp 203.0.113.9:443 (destination) by curl[4242]");
}

static void a_closed_connection_is_told_from_a_refused_packet(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	json_t *types;

	(void)state;
	record.refusal.hook = KVG_HOOK_SOCK_DESTROY;
	json = parse(&record);
	types = json_object_get(json_object_get(json, "event"), "type");
	assert_int_equal(json_array_size(types), 2);
	assert_string_equal(json_string_value(json_array_get(types, 0)), "denied");
	assert_string_equal(json_string_value(json_array_get(types, 1)), "end");
	assert_string_equal(text_at(json, "event", "action"), "connection-closed");
	assert_string_equal(text_at(json, "event", "reason"), "destination");
	assert_string_equal(text_at(json, "kvgate", "hook"), "sock_destroy");
	assert_words(&record, "closed tcp 203.0.113.9:443 (destination) by curl[4242]");
}

static void what_is_not_known_is_left_out(void **state)
{
	static const char *const absent[] = {"source", "destination", "process", "user",
					     "container"};
	static const char *const absent_of_gate[] = {"gate", "cgroup_id", "profile",
						     "policy_digest", "generation"};
	struct kvg_record record = {
		.refusal = {.reason = KVG_REASON_MALFORMED, .hook = KVG_HOOK_EGRESS},
		.count = 1,
	};
	KVG_CLEANUP(json_decrefp) json_t *json = parse(&record);

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(absent); i++)
		assert_null(json_object_get(json, absent[i]));
	for (size_t i = 0; i < KVG_ARRAY_SIZE(absent_of_gate); i++)
		assert_null(json_object_get(json_object_get(json, "kvgate"), absent_of_gate[i]));
	assert_null(text_at(json, "network", "type"));
	assert_null(text_at(json, "network", "transport"));
	assert_words(&record, "refused packet (malformed)");
}

static void a_process_without_a_name_keeps_its_number(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	(void)state;
	memset(record.owner.comm, 0, sizeof(record.owner.comm));
	json = parse(&record);
	assert_null(text_at(json, "process", "name"));
	assert_string_equal(text_at(json, "user", "id"), "1000");
	assert_words(&record, "refused tcp 203.0.113.9:443 (destination) by pid 4242");
}

static void a_folded_line_says_how_many_from_when_to_when(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	json_t *kvgate;

	(void)state;
	record.count = 17;
	record.last_ns = 9000000000;
	json = parse(&record);
	kvgate = json_object_get(json, "kvgate");
	assert_int_equal(json_integer_value(json_object_get(kvgate, "count")), 17);
	assert_string_equal(text_at(json, "event", "start"), "2026-11-23T18:23:45.123456Z");
	assert_string_equal(text_at(json, "event", "end"), "2026-11-23T18:23:49.000000Z");
	assert_string_equal(json_string_value(json_object_get(json, "@timestamp")),
			    "2026-11-23T18:23:49.000000Z");
	assert_words(&record, "refused tcp 203.0.113.9:443 (destination) by curl[4242] x17");
}

static void what_is_not_told_apart_says_so_and_names_no_destination(void **state)
{
	struct kvg_record record = some_record();
	json_t *json;

	(void)state;
	record.refusal = (struct kvg_refusal){.cgroup_id = 4711,
					      .generation = 3,
					      .reason = KVG_REASON_DESTINATION,
					      .hook = KVG_HOOK_CONNECT4,
					      .folded = KVG_FOLDED_DESTINATIONS};
	record.count = 98765;
	json = parse(&record);
	assert_string_equal(text_at(json, "kvgate", "folded"), "destinations");
	assert_string_equal(text_at(json, "kvgate", "profile"), "payments");
	assert_null(json_object_get(json, "destination"));
	assert_null(text_at(json, "network", "type"));
	assert_null(text_at(json, "network", "transport"));
	json_decref(json);
	assert_words(&record, "refused more destinations than are told apart (destination) by "
			      "curl[4242] x98765");

	json = parse(&(struct kvg_record){.refusal.hook = KVG_HOOK_EGRESS, .count = 1});
	assert_null(text_at(json, "kvgate", "folded"));
	json_decref(json);
}

static void ipv6_stands_in_brackets_where_a_port_follows(void **state)
{
	struct kvg_record record = some_record();

	(void)state;
	record.refusal.family = AF_INET6;
	inet_pton(AF_INET6, "2001:db8::9", record.refusal.daddr);
	assert_words(&record, "refused tcp [2001:db8::9]:443 (destination) by curl[4242]");
	record.refusal.dport = 0;
	record.refusal.protocol = IPPROTO_ICMPV6;
	record.refusal.reason = KVG_REASON_PROTOCOL;
	assert_words(&record, "refused ipv6-icmp 2001:db8::9 (protocol) by curl[4242]");
}

static void a_refused_socket_has_no_destination(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	(void)state;
	record.refusal = (struct kvg_refusal){.family = AF_INET,
					      .protocol = IPPROTO_ICMP,
					      .reason = KVG_REASON_SOCKET_TYPE,
					      .hook = KVG_HOOK_SOCK_CREATE};
	json = parse(&record);
	assert_null(json_object_get(json, "destination"));
	assert_string_equal(text_at(json, "network", "transport"), "icmp");
	assert_words(&record, "refused ipv4 icmp socket (socket_type) by curl[4242]");
}

static void a_socket_without_ip_has_its_familys_name(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	(void)state;
	record.refusal = (struct kvg_refusal){.family = AF_PACKET,
					      .reason = KVG_REASON_PACKET_SOCKET,
					      .hook = KVG_HOOK_SOCK_CREATE};
	json = parse(&record);
	assert_null(json_object_get(json, "destination"));
	assert_null(json_object_get(json_object_get(json, "network"), "transport"));
	assert_string_equal(text_at(json, "network", "type"), "packet");
	assert_words(&record, "refused packet socket (packet_socket) by curl[4242]");

	record.refusal.family = 200; /* of a kernel to come */
	record.refusal.reason = KVG_REASON_SOCKET_TYPE;
	assert_words(&record, "refused socket (socket_type) by curl[4242]");
}

static void a_protocol_without_a_name_is_a_number(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	json_t *network;

	(void)state;
	record.refusal.protocol = 253;
	record.refusal.dport = 0;
	json = parse(&record);
	network = json_object_get(json, "network");
	assert_null(json_object_get(network, "transport"));
	assert_string_equal(json_string_value(json_object_get(network, "iana_number")), "253");
	assert_words(&record, "refused protocol 253 203.0.113.9 (destination) by curl[4242]");
}

static void every_reason_and_hook_has_its_word(void **state)
{
	struct kvg_record record = some_record();

	(void)state;
	for (int reason = 0; reason < KVG_REASON_COUNT; reason++) {
		KVG_CLEANUP(json_decrefp) json_t *json = NULL;

		record.refusal.reason = reason;
		record.refusal.hook = reason % KVG_HOOK_COUNT;
		json = parse(&record);
		assert_string_not_equal(text_at(json, "event", "reason"), "unknown");
		assert_string_not_equal(text_at(json, "kvgate", "hook"), "unknown");
	}
	record.refusal.hook = KVG_HOOK_EGRESS;
	record.refusal.reason = KVG_REASON_COUNT;
	assert_words(&record, "refused tcp 203.0.113.9:443 (unknown) by curl[4242]");
}

static void names_that_are_no_text_do_not_break_the_line(void **state)
{
	static const char *const names[] = {
		"\xff\xfe", "a\nb", "\x1b[2J", "\"},{", "\xc3", "sixteen bytes..", "\x7f\x01"};
	struct kvg_record record = some_record();

	(void)state;
	record.gate = "/bad\xff"
		      "name";
	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++) {
		KVG_CLEANUP(json_decrefp) json_t *json = NULL;
		char words[KVG_RECORD_WORDS_LEN];

		memset(record.owner.comm, 0, sizeof(record.owner.comm));
		memcpy(record.owner.comm, names[i], strlen(names[i]));
		json = parse(&record);
		assert_non_null(text_at(json, "process", "name"));
		assert_string_equal(text_at(json, "kvgate", "gate"), "/bad?name");
		kvg_record_format_words(&record, words);
		for (const char *c = words; *c; c++)
			assert_in_range((unsigned char)*c, ' ', '~');
	}
}

static void a_name_that_fills_its_field_is_not_read_beyond(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	(void)state;
	memset(record.owner.comm, 'x', sizeof(record.owner.comm));
	json = parse(&record);
	assert_string_equal(text_at(json, "process", "name"), "xxxxxxxxxxxxxxxx");
	assert_words(&record,
		     "refused tcp 203.0.113.9:443 (destination) by xxxxxxxxxxxxxxxx[4242]");
}

static void the_longest_words_fit(void **state)
{
	struct kvg_record record = some_record();
	char words[KVG_RECORD_WORDS_LEN];

	(void)state;
	record.refusal.mode = KVG_MODE_AUDIT;
	record.refusal.family = AF_INET6;
	memset(record.refusal.daddr, 0xab, sizeof(record.refusal.daddr));
	record.refusal.protocol = 65535;
	record.refusal.reason = KVG_REASON_PORT_FOR_DESTINATION;
	record.refusal.dport = 0xffff;
	memset(record.owner.comm, 'x', sizeof(record.owner.comm));
	record.owner.tgid = UINT32_MAX;
	record.count = UINT64_MAX;
	kvg_record_format_words(&record, words);
	assert_non_null(strstr(words, " x18446744073709551615"));
}

static void the_container_is_read_off_the_cgroup(void **state)
{
	static const struct {
		const char *cgroup;
		bool found;
	} cases[] = {
		{"/x/libpod-" SOME_ID, true},
		{"/machine.slice/libpod-" SOME_ID ".scope", true},
		{"/machine.slice/libpod-" SOME_ID ".scope/container", true},
		{"/system.slice/docker-" SOME_ID ".scope", true},
		{"/docker/" SOME_ID, true},
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" SOME_ID ".scope", true},
		{"/kubepods/besteffort/pod1/" SOME_ID, true},
		{"/kubepods.slice/crio-" SOME_ID, true},
		{"/machine.slice/libpod-conmon-" SOME_ID ".scope", false},
		{"/x/libpod-" SOME_ID "0", false},
		{"/x/0" SOME_ID, false},
		{"/x/" SOME_ID ".service", false},
		{"/payments.slice/app", false},
		{"/", false},
		{"", false},
	};
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	char id[65];

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(cases); i++) {
		assert_int_equal(kvg_record_container_id(cases[i].cgroup, id), cases[i].found);
		if (cases[i].found)
			assert_string_equal(id, SOME_ID);
	}
	record.gate = cases[0].cgroup;
	json = parse(&record);
	assert_string_equal(text_at(json, "container", "id"), SOME_ID);
}

static void what_was_lost_is_a_line_of_another_kind(void **state)
{
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	size_t size;

	(void)state;
	assert_int_equal(kvg_record_format_loss_json(5, "why", &line, &size), 0);
	json = json_loads(line, 0, NULL);
	assert_string_equal(text_at(json, "event", "kind"), "pipeline_error");
	assert_null(json_object_get(json_object_get(json, "kvgate"), "count"));
}

static const struct kvg_rule *some_rule(void)
{
	static const char *from[] = {"AzureKeyVault", "AzureKeyVault.WestEurope"};
	static const struct kvg_rule rule = {
		.prefix = {.family = AF_INET, .bits = 29, .addr = {203, 0, 113, 16}},
		.services = 1,
		.from = from,
		.from_count = 2,
	};

	return &rule;
}

static void what_explains_a_record_is_in_fields_of_its_own(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;
	KVG_CLEANUP(json_decrefp) json_t *expected = NULL;

	(void)state;
	record.nearest = some_rule();
	record.domain = "shop.example";
	record.user = "vault";
	record.container = "vault-client";
	record.image = "registry.example/payments:1.2";
	record.namespace = "payments";
	record.pod = "payments-7f9c";
	json = parse(&record);

	assert_string_equal(text_at(json, "destination", "domain"), "shop.example");
	assert_string_equal(text_at(json, "user", "name"), "vault");
	expected =
		json_pack("{s:{s:s, s:{s:s}}, s:{s:s, s:{s:s, s:s}}, s:{s:s, s:[s, s]}}",
			  "container", "name", "vault-client", "image", "name",
			  "registry.example/payments:1.2", "orchestrator", "namespace", "payments",
			  "resource", "type", "pod", "name", "payments-7f9c", "nearest", "prefix",
			  "203.0.113.16/29", "from", "AzureKeyVault", "AzureKeyVault.WestEurope");
	assert_true(json_equal(json_object_get(json, "container"),
			       json_object_get(expected, "container")));
	assert_true(json_equal(json_object_get(json, "orchestrator"),
			       json_object_get(expected, "orchestrator")));
	assert_true(json_equal(json_object_get(json_object_get(json, "kvgate"), "nearest"),
			       json_object_get(expected, "nearest")));
}

static void what_nobody_knows_has_no_field(void **state)
{
	struct kvg_record record = some_record();
	KVG_CLEANUP(json_decrefp) json_t *json = parse(&record);

	(void)state;
	assert_null(json_object_get(json, "container"));
	assert_null(json_object_get(json, "orchestrator"));
	assert_null(json_object_get(json_object_get(json, "destination"), "domain"));
	assert_null(json_object_get(json_object_get(json, "user"), "name"));
	assert_null(json_object_get(json_object_get(json, "kvgate"), "nearest"));
}

static void words_say_the_name_that_was_looked_up(void **state)
{
	struct kvg_record record = some_record();
	char words[KVG_RECORD_WORDS_LEN];

	(void)state;
	record.domain = "shop.example";
	record.count = 3;
	assert_string_equal(kvg_record_format_words(&record, words),
			    "refused tcp 203.0.113.9:443 (destination) by curl[4242], "
			    "looked up as shop.example x3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_explains_a_record_is_in_fields_of_its_own),
		cmocka_unit_test(what_nobody_knows_has_no_field),
		cmocka_unit_test(words_say_the_name_that_was_looked_up),
		cmocka_unit_test(a_record_is_the_line_of_the_contract),
		cmocka_unit_test(audit_mode_is_never_mistaken_for_a_verdict),
		cmocka_unit_test(a_closed_connection_is_told_from_a_refused_packet),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(a_process_without_a_name_keeps_its_number),
		cmocka_unit_test(a_folded_line_says_how_many_from_when_to_when),
		cmocka_unit_test(what_is_not_told_apart_says_so_and_names_no_destination),
		cmocka_unit_test(ipv6_stands_in_brackets_where_a_port_follows),
		cmocka_unit_test(a_refused_socket_has_no_destination),
		cmocka_unit_test(a_socket_without_ip_has_its_familys_name),
		cmocka_unit_test(a_protocol_without_a_name_is_a_number),
		cmocka_unit_test(every_reason_and_hook_has_its_word),
		cmocka_unit_test(names_that_are_no_text_do_not_break_the_line),
		cmocka_unit_test(a_name_that_fills_its_field_is_not_read_beyond),
		cmocka_unit_test(the_longest_words_fit),
		cmocka_unit_test(the_container_is_read_off_the_cgroup),
		cmocka_unit_test(what_was_lost_is_a_line_of_another_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
