// SPDX-License-Identifier: BSD-2-Clause
/* Names are asked for at a server of the test's own, on loopback and in the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "agent/lookup.h"
#include "agent/lookup_state.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "folder.h"
#include "name_server.h"
#include "policy/config.h"

#define HOST       "sts.example.net"
#define GRACE_S    3600
#define PATIENCE_S 10

/* The loop, and the lookup that is looked at. */
static struct world {
	sd_event *event;
	int fd;
	char servers[32];
	unsigned int changes;
	struct kvg_config config;
	struct kvg_config_profile profile;
	struct kvg_lookup *lookup;
} world;

static void answer(const char *first, const char *second)
{
	server.a_count = 0;
	if (first)
		server.a[server.a_count++] = first;
	if (second)
		server.a[server.a_count++] = second;
	server.aaaa = NULL;
	server.rcode = server.rcode_aaaa = 0;
}

static void refuse_all(void)
{
	server.rcode = server.rcode_aaaa = RCODE_SERVFAIL;
}

static int set_up(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct kvg_diag diag = {};

	memset(&world, 0, sizeof(world));
	memset(&server, 0, sizeof(server));
	server.ttl_s = 300;
	world.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sd_event_new(&world.event) < 0 || bind(world.fd, (struct sockaddr *)&address, size) ||
	    getsockname(world.fd, (struct sockaddr *)&address, &size) ||
	    sd_event_add_io(world.event, NULL, world.fd, EPOLLIN, on_question, NULL) < 0)
		return -1;
	snprintf(world.servers, sizeof(world.servers), "127.0.0.1:%u", ntohs(address.sin_port));

	if (kvg_profile_init(&world.profile.profile, "test") < 0 ||
	    kvg_profile_set_crl_hosts(&world.profile.profile, "none", &diag) < 0 ||
	    kvg_profile_add_adfs_host(&world.profile.profile, HOST, &diag) < 0)
		return -1;
	world.config.profiles = &world.profile;
	world.config.profiles_count = 1;
	return folder_make(state);
}

static int tear_down(void **state)
{
	world.lookup = kvg_lookup_close(world.lookup);
	kvg_profile_done(&world.profile.profile);
	sd_event_unref(world.event);
	close(world.fd);
	return folder_remove(state);
}

/* --- the lookup -------------------------------------------------------------------------------------- */

static void on_changed(void *data)
{
	assert_ptr_equal(data, &world);
	world.changes++;
}

static void open_lookup(void **state)
{
	const struct kvg_lookup_options options = {*state, world.servers, GRACE_S};
	struct kvg_diag diag = {};

	world.lookup = kvg_lookup_close(world.lookup);
	world.changes = 0;
	if (kvg_lookup_open(world.event, &options, on_changed, &world, &world.lookup, &diag) < 0)
		fail_msg("%s", diag.msg);
}

static void want(void)
{
	world.config.profiles_count = 1;
	assert_int_equal(kvg_lookup_want(world.lookup, &world.config), 0);
}

static struct kvg_lookup_host *host(void)
{
	return kvg_lookup_hosts_find(&world.lookup->hosts, HOST);
}

/* Until both families of HOST have an answer, or a failure. */
static void settle(void)
{
	time_t end = time(NULL) + PATIENCE_S;

	do {
		assert_true(sd_event_run(world.event, 100000) >= 0);
		assert_true(time(NULL) < end);
	} while (host()->queries[0].ask || host()->queries[1].ask || !host()->queries[0].due_us ||
		 !host()->queries[1].due_us);
}

/* As if the time to live had run out. */
static void ask_again(void)
{
	host()->queries[0].due_us = host()->queries[1].due_us = 0;
	kvg_lookup_schedule(world.lookup);
	settle();
}

static void run_for_ms(unsigned int ms)
{
	struct timespec now;
	long long end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + ms;
	do {
		assert_true(sd_event_run(world.event, 20000) >= 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec * 1000LL + now.tv_nsec / 1000000 < end);
}

static void assert_known(const char *expected)
{
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {};
	struct kvg_profile *profile = &world.profile.profile;
	char text[1024] = "", part[KVG_PREFIX_STRLEN];

	assert_int_equal(kvg_lookup_add_resolved(world.lookup, profile, &notes), 0);
	for (size_t i = 0; i < profile->resolved_count; i++) {
		assert_string_equal(profile->resolved[i].name, HOST);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 kvg_prefix_format(&profile->resolved[i].address, part));
	}
	assert_string_equal(text, expected);
}

static void assert_problem(size_t index, const char *part)
{
	const char *problem = kvg_lookup_problem(world.lookup, index);

	assert_non_null(problem);
	if (!strstr(problem, part))
		fail_msg("'%s' does not say '%s'", problem, part);
}

static void write_names(void **state, const char *address, long long age_s, unsigned int ttl_s)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"addresses\":[{\"name\":\"%s\",\"address\":\"%s\",\"seen\":%lld,\"ttl\":%u}]}",
		 HOST, address, (long long)time(NULL) - age_s, ttl_s);
	path = folder_write(state, "names.json", text);
	assert_non_null(path);
}

static char *read_names(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "names.json");
	char *text = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, 1 << 20, &text, &size), 0);
	return text;
}

/* --- tests ------------------------------------------------------------------------------------------- */

static void an_answer_is_known_and_told_of_once(void **state)
{
	answer("203.0.113.1", "203.0.113.2");
	open_lookup(state);
	want();
	assert_known("");
	settle();
	assert_known("203.0.113.1/32 203.0.113.2/32");
	assert_int_equal(world.changes, 1);
	assert_int_equal(server.asked[0], 1);
	assert_int_equal(server.asked[1], 1);
	assert_null(kvg_lookup_problem(world.lookup, 0));
}

static void both_families_are_known(void **state)
{
	answer("203.0.113.1", NULL);
	server.aaaa = "2001:db8::1";
	open_lookup(state);
	want();
	settle();
	assert_int_equal(host()->addresses_count, 2);
}

static void the_same_answer_again_is_not_told_of(void **state)
{
	answer("203.0.113.1", "203.0.113.2");
	open_lookup(state);
	want();
	settle();
	answer("203.0.113.2", "203.0.113.1");
	ask_again();
	assert_int_equal(server.asked[0], 2);
	assert_int_equal(world.changes, 1);
	assert_known("203.0.113.1/32 203.0.113.2/32");
}

static void an_address_that_left_is_kept_for_the_grace(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	answer("203.0.113.2", NULL);
	ask_again();
	assert_known("203.0.113.1/32 203.0.113.2/32");
	assert_int_equal(world.changes, 2);

	/* As if it had run out long ago, but for half a second. */
	host()->addresses[0].seen_us -= (300 + GRACE_S) * KVG_LOOKUP_S - KVG_LOOKUP_S / 2;
	kvg_lookup_schedule(world.lookup);
	assert_known("203.0.113.1/32 203.0.113.2/32");
	run_for_ms(1500);
	assert_known("203.0.113.2/32");
	assert_int_equal(world.changes, 3);
}

static void an_address_that_comes_back_stays(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	answer("203.0.113.2", NULL);
	ask_again();
	answer("203.0.113.1", NULL);
	ask_again();
	assert_false(host()->addresses[0].left);
	assert_true(host()->addresses[1].left);
	assert_int_equal(world.changes, 2);
}

static void a_failure_keeps_what_is_known(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	refuse_all();
	ask_again();
	assert_known("203.0.113.1/32");
	assert_int_equal(world.changes, 1);
	assert_problem(0, "'" HOST "' cannot be looked up");
	assert_problem(0, "what was known of it is kept");

	answer("203.0.113.1", NULL);
	ask_again();
	assert_null(kvg_lookup_problem(world.lookup, 0));
}

static void one_family_that_fails_does_not_take_the_other_away(void **state)
{
	answer("203.0.113.1", NULL);
	server.aaaa = "2001:db8::1";
	open_lookup(state);
	want();
	settle();
	server.rcode_aaaa = RCODE_SERVFAIL;
	answer("203.0.113.2", NULL);
	server.rcode_aaaa = RCODE_SERVFAIL;
	ask_again();
	assert_int_equal(host()->addresses_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_false(host()->addresses[i].prefix.family == AF_INET6 &&
			     host()->addresses[i].left);
}

static void a_name_that_does_not_exist_is_a_problem_and_its_addresses_leave(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	server.rcode = server.rcode_aaaa = RCODE_NXDOMAIN;
	ask_again();
	assert_known("203.0.113.1/32");
	assert_true(host()->addresses[0].left);
	assert_problem(0, "'" HOST "' has no address");
}

static void a_name_server_cannot_open_loopback_or_a_private_network(void **state)
{
	answer("127.0.0.1", "10.0.0.1");
	open_lookup(state);
	want();
	settle();
	assert_known("");
	world.profile.profile.private_names = true;
	assert_known("10.0.0.1/32");
}

static void an_address_twice_in_an_answer_is_one(void **state)
{
	answer("203.0.113.1", "203.0.113.1");
	open_lookup(state);
	want();
	settle();
	assert_known("203.0.113.1/32");
}

static void more_addresses_than_are_kept_are_a_problem(void **state)
{
	struct kvg_lookup_answer full = {
		.family = AF_INET, .count = KVG_LOOKUP_ADDRESSES_MAX, .over = true};
	struct kvg_lookup_answer other = {.family = AF_INET, .count = 1};
	struct kvg_diag diag = {};
	size_t stayed = 0;

	for (unsigned int i = 0; i < full.count; i++)
		full.addresses[i] = (struct kvg_prefix){AF_INET, 32, {192, 0, 2, (__u8)i}};
	assert_int_equal(kvg_prefix_parse_address("198.51.100.1", other.addresses, &diag), 0);
	open_lookup(state);
	want();
	assert_true(kvg_lookup_host_take(host(), &full, 1));
	assert_int_equal(host()->addresses_count, KVG_LOOKUP_ADDRESSES_MAX);
	kvg_lookup_host_describe(host());
	assert_problem(0, "more than 64 addresses");

	/* Those of the newest answer come first. */
	assert_true(kvg_lookup_host_take(host(), &other, 2));
	assert_int_equal(host()->addresses_count, KVG_LOOKUP_ADDRESSES_MAX);
	for (size_t i = 0; i < KVG_LOOKUP_ADDRESSES_MAX; i++)
		stayed += !host()->addresses[i].left;
	assert_int_equal(stayed, 1);
	kvg_lookup_host_describe(host());
	assert_null(kvg_lookup_problem(world.lookup, 0));
}

static void names_are_known_at_the_next_start(void **state)
{
	answer("203.0.113.1", NULL);
	server.aaaa = "2001:db8::1";
	open_lookup(state);
	want();
	settle();
	open_lookup(state);
	assert_int_equal(host()->addresses_count, 2);
	want();
	assert_int_equal(host()->addresses_count, 2);
	settle();
	assert_int_equal(world.changes, 0);
	assert_int_equal(host()->addresses_count, 2);
}

static void what_was_seen_long_ago_stays_until_an_answer_lacks_it(void **state)
{
	write_names(state, "203.0.113.9", 3 * GRACE_S, 300);
	refuse_all();
	open_lookup(state);
	want();
	settle();
	assert_known("203.0.113.9/32");
	answer("203.0.113.1", NULL);
	ask_again();
	assert_known("203.0.113.1/32");
}

static void what_was_seen_in_the_future_was_seen_now(void **state)
{
	int64_t now;

	write_names(state, "203.0.113.9", -1000000, 300);
	open_lookup(state);
	now = kvg_lookup_now_us(world.lookup);
	assert_true(host()->addresses[0].seen_us <= now);
	assert_true(host()->addresses[0].seen_us > now - 10 * KVG_LOOKUP_S);
}

static void a_restart_does_not_lengthen_the_grace(void **state)
{
	write_names(state, "203.0.113.9", GRACE_S, 300);
	answer("203.0.113.1", NULL);
	for (int i = 0; i < 3; i++) {
		KVG_CLEANUP(kvg_freep) char *text = NULL;

		open_lookup(state);
		want();
		settle();
		assert_known("203.0.113.9/32 203.0.113.1/32");
		world.lookup = kvg_lookup_close(world.lookup);
		text = read_names(state);
		assert_non_null(strstr(text, "203.0.113.9"));
	}
	open_lookup(state);
	assert_true(host()->addresses[0].seen_us <=
		    kvg_lookup_now_us(world.lookup) - (GRACE_S - 1) * KVG_LOOKUP_S);
}

static void broken_files_count_as_empty_and_are_a_problem(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{\"addresses\":{}}",
		"{\"addresses\":[1]}",
		"{\"addresses\":[{\"name\":\"a\",\"address\":\"203.0.113.1\",\"seen\":-1,\"ttl\":1}"
		"]"
		"}",
		"{\"addresses\":[{\"name\":\"a\",\"address\":\"203.0.113.1\",\"seen\":1,\"ttl\":1},"
		"{\"name\":\"a\",\"address\":\"203.0.113.1/24\",\"seen\":1,\"ttl\":1}]}",
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "names.json", texts[i]);

		open_lookup(state);
		assert_int_equal(world.lookup->hosts.count, 0);
		assert_problem(0, "names.json' cannot be read");
	}
	answer("203.0.113.1", NULL);
	want();
	settle();
	assert_known("203.0.113.1/32");
	open_lookup(state);
	assert_null(kvg_lookup_problem(world.lookup, 0));
	assert_non_null(host());
}

static void no_file_is_no_problem(void **state)
{
	open_lookup(state);
	assert_null(kvg_lookup_problem(world.lookup, 0));
}

static void a_folder_that_is_gone_is_a_problem_and_names_are_known_all_the_same(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	assert_int_equal(rmdir(*state), 0);
	want();
	settle();
	assert_problem(0, "names.json' cannot be written");
	assert_known("203.0.113.1/32");
	assert_int_equal(mkdir(*state, 0700), 0);
}

static void hosts_that_nobody_wants_are_forgotten(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;

	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	world.config.profiles_count = 0;
	assert_int_equal(kvg_lookup_want(world.lookup, &world.config), 0);
	assert_null(host());
	text = read_names(state);
	assert_null(strstr(text, HOST));
}

static void a_host_forgotten_while_it_is_asked_for_is_no_matter(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	while (!server.asked[0])
		assert_true(sd_event_run(world.event, 100000) >= 0);
	world.config.profiles_count = 0;
	assert_int_equal(kvg_lookup_want(world.lookup, &world.config), 0);
	run_for_ms(200);
	assert_int_equal(world.lookup->in_flight, 0);
	assert_int_equal(world.changes, 0);
	assert_null(host());
}

static void closing_while_asking_is_no_matter(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	while (!server.asked[0])
		assert_true(sd_event_run(world.event, 100000) >= 0);
	world.lookup = kvg_lookup_close(world.lookup);
	run_for_ms(100);
}

static void a_host_is_not_asked_for_before_its_time(void **state)
{
	answer("203.0.113.1", NULL);
	open_lookup(state);
	want();
	settle();
	want();
	run_for_ms(500);
	assert_int_equal(server.asked[0], 1);
	assert_true(host()->queries[0].due_us >
		    kvg_lookup_now_us(world.lookup) + 290 * KVG_LOOKUP_S);
}

static void servers_that_are_none_are_refused(void **state)
{
	const struct kvg_lookup_options options = {*state, "nonsense", GRACE_S};
	struct kvg_lookup *untouched = NULL;
	struct kvg_diag diag = {};

	assert_true(kvg_lookup_open(world.event, &options, on_changed, &world, &untouched, &diag) <
		    0);
	assert_null(untouched);
	assert_true(diag.msg[0] != '\0');
}

static void delays_have_a_floor_and_a_cap(void **state)
{
	(void)state;
	assert_int_equal(kvg_lookup_delay_s(0, 0), 30);
	assert_int_equal(kvg_lookup_delay_s(31, 0), 31);
	assert_int_equal(kvg_lookup_delay_s(86400, 0), 3600);
	assert_int_equal(kvg_lookup_delay_s(86400, 1), 30);
	assert_int_equal(kvg_lookup_delay_s(0, 2), 60);
	assert_int_equal(kvg_lookup_delay_s(0, 5), 480);
	assert_int_equal(kvg_lookup_delay_s(0, 6), 600);
	assert_int_equal(kvg_lookup_delay_s(0, 4000000000U), 600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_known_and_told_of_once),
		TEST(both_families_are_known),
		TEST(the_same_answer_again_is_not_told_of),
		TEST(an_address_that_left_is_kept_for_the_grace),
		TEST(an_address_that_comes_back_stays),
		TEST(a_failure_keeps_what_is_known),
		TEST(one_family_that_fails_does_not_take_the_other_away),
		TEST(a_name_that_does_not_exist_is_a_problem_and_its_addresses_leave),
		TEST(a_name_server_cannot_open_loopback_or_a_private_network),
		TEST(an_address_twice_in_an_answer_is_one),
		TEST(more_addresses_than_are_kept_are_a_problem),
		TEST(names_are_known_at_the_next_start),
		TEST(what_was_seen_long_ago_stays_until_an_answer_lacks_it),
		TEST(what_was_seen_in_the_future_was_seen_now),
		TEST(a_restart_does_not_lengthen_the_grace),
		TEST(broken_files_count_as_empty_and_are_a_problem),
		TEST(no_file_is_no_problem),
		TEST(a_folder_that_is_gone_is_a_problem_and_names_are_known_all_the_same),
		TEST(hosts_that_nobody_wants_are_forgotten),
		TEST(a_host_forgotten_while_it_is_asked_for_is_no_matter),
		TEST(closing_while_asking_is_no_matter),
		TEST(a_host_is_not_asked_for_before_its_time),
		TEST(servers_that_are_none_are_refused),
		cmocka_unit_test(delays_have_a_floor_and_a_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
