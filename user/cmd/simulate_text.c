// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/simulate_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/rule_text.h"
#include "policy/address.h"
#include "policy/words.h"

#define DESTINATION_LEN 96
#define LINES_MAX       40 /* per verdict; --json has all */

static const char *format_protocol(unsigned int number, char ret[16])
{
	const char *word = kvg_protocol_word(number);

	snprintf(ret, 16, "%u", number);
	return word ? word : ret;
}

static const char *format_address(const struct kvg_flow *flow, char ret[INET6_ADDRSTRLEN])
{
	if (flow->family == AF_INET)
		return inet_ntop(AF_INET, flow->daddr + 12, ret, INET6_ADDRSTRLEN);
	if (flow->family == AF_INET6)
		return inet_ntop(AF_INET6, flow->daddr, ret, INET6_ADDRSTRLEN);
	return strcpy(ret, "unknown");
}

/* "192.0.2.1:443/tcp", "192.0.2.1/icmp", "answers from port 8080/tcp" */
static const char *format_destination(const struct kvg_outcome *outcome, char ret[DESTINATION_LEN])
{
	const struct kvg_flow *flow = &outcome->key.flow;
	bool ipv6 = flow->family == AF_INET6;
	char address[INET6_ADDRSTRLEN];
	char number[16];
	const char *protocol = format_protocol(flow->protocol, number);
	bool has_port =
		!flow->fault && (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP);

	format_address(flow, address);
	if (outcome->key.inbound)
		snprintf(ret, DESTINATION_LEN, "answers from port %u/%s", ntohs(flow->dport),
			 protocol);
	else if (has_port)
		snprintf(ret, DESTINATION_LEN, "%s%s%s:%u/%s", ipv6 ? "[" : "", address,
			 ipv6 ? "]" : "", ntohs(flow->dport), protocol);
	else
		snprintf(ret, DESTINATION_LEN, "%s/%s", address, protocol);
	return ret;
}

static void print_from(const struct kvg_rule *rule)
{
	for (size_t i = 0; i < rule->from_count; i++)
		printf("%s%s", i ? ", " : "", rule->from[i]);
}

static void print_grounds(const struct kvg_outcome *outcome)
{
	const struct kvg_flow *flow = &outcome->key.flow;
	char prefix[KVG_PREFIX_STRLEN];

	if (outcome->key.reason != KVG_REASON_ALLOWED) {
		printf("%-20s", kvg_reason_word(outcome->key.reason));
		if (outcome->nearest) {
			printf("  nearest %s, ",
			       kvg_prefix_format(&outcome->nearest->prefix, prefix));
			print_from(outcome->nearest);
		}
	} else if (outcome->key.inbound) {
		printf("an inbound connection");
	} else if (flow->loopback) {
		printf("loopback");
	} else if (flow->link) {
		printf("what the link needs");
	} else if (outcome->rule) {
		print_from(outcome->rule);
	}
	if (outcome->processes[0])
		printf("  by %s", outcome->processes);
	putchar('\n');
}

static void print_outcomes(const struct kvg_outcome **outcomes, size_t count, bool allowed)
{
	char destination[DESTINATION_LEN];
	size_t shown = 0;
	size_t more = 0;

	printf("    flows  packets  %-34s %s\n", "destination", allowed ? "by" : "reason");
	for (size_t i = 0; i < count; i++) {
		if ((outcomes[i]->key.reason == KVG_REASON_ALLOWED) != allowed)
			continue;
		if (shown == LINES_MAX) {
			more++;
			continue;
		}
		shown++;
		printf("  %7llu ", (unsigned long long)outcomes[i]->flows);
		if (outcomes[i]->packets)
			printf("%8llu", (unsigned long long)outcomes[i]->packets);
		else
			printf("%8s", "-");
		printf("  %-34s ", format_destination(outcomes[i], destination));
		print_grounds(outcomes[i]);
	}
	if (more)
		printf("  and %zu more; --json has all\n", more);
}

static void print_count(__u64 count, const char *what)
{
	if (count)
		printf("  %llu %s\n", (unsigned long long)count, what);
}

static void print_input(const struct kvg_simulated *input)
{
	char address[KVG_PREFIX_STRLEN];

	printf("%s: %s, %llu records, %ld flows judged; client: ", input->path,
	       kvg_input_format_word(input->format), (unsigned long long)input->traffic.records,
	       input->judged);
	for (size_t i = 0; i < input->clients.count; i++)
		printf("%s%s", i ? ", " : "",
		       kvg_address_format(&input->clients.items[i], address));
	printf("%s%s%s\n", input->clients.count ? " (" : "",
	       kvg_clients_how_words(input->clients.how), input->clients.count ? ")" : "");

	print_count(input->traffic.foreign, "frames, sockets or records hold no IP flow");
	print_count(input->traffic.denied, "flows are refused by others already, and not judged");
	print_count(input->traffic.unreadable, "records could not be read");
}

int kvg_simulation_print(const struct kvg_simulation *simulation)
{
	const struct kvg_judgement *judgement = &simulation->judgement;
	KVG_CLEANUP(kvg_freep) const struct kvg_outcome **outcomes = kvg_judgement_list(judgement);
	const struct kvg_sum *refused = &judgement->refused;
	const struct kvg_sum *allowed = &judgement->allowed;

	if (!outcomes)
		return -ENOMEM;
	for (size_t i = 0; i < simulation->count; i++)
		print_input(&simulation->inputs[i]);
	print_count(judgement->assumed,
		    "connections of which only the middle was seen are taken as "
		    "inbound, by their ports");
	print_count(judgement->unattributed,
		    "packets are so broken that nobody knows whose they are");

	printf("\n%llu of %llu flows would be refused (%llu of %llu packets)\n",
	       (unsigned long long)refused->flows,
	       (unsigned long long)(refused->flows + allowed->flows),
	       (unsigned long long)refused->packets,
	       (unsigned long long)(refused->packets + allowed->packets));
	if (refused->flows)
		print_outcomes(outcomes, judgement->count, false);
	if (allowed->flows) {
		printf("\n%llu flows would go through\n", (unsigned long long)allowed->flows);
		print_outcomes(outcomes, judgement->count, true);
	}
	if (judgement->policy->mode == KVG_MODE_AUDIT)
		printf("\nthe policy is in mode audit: what it refuses would be recorded and let "
		       "through\n");
	return 0;
}

static json_t *clients_to_json(const struct kvg_clients *clients)
{
	json_t *array = json_array();
	char address[KVG_PREFIX_STRLEN];

	for (size_t i = 0; i < clients->count; i++) {
		const struct kvg_prefix *item = &clients->items[i];
		bool single = item->bits == (item->family == AF_INET ? 32 : 128);

		json_array_append_new(array,
				      json_string(single ? kvg_address_format(item, address)
							 : kvg_prefix_format(item, address)));
	}
	return array;
}

/* Of a file's name or content, which need not be UTF-8. */
static json_t *text_to_json(const char *text)
{
	json_t *string = json_string(text);
	char copy[512];
	size_t i;

	if (string)
		return string;
	for (i = 0; text[i] && i < sizeof(copy) - 1; i++)
		copy[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	copy[i] = '\0';
	return json_string(copy);
}

static json_t *input_to_json(const struct kvg_simulated *input)
{
	const struct kvg_traffic *traffic = &input->traffic;
	bool guessed =
		input->clients.how != KVG_CLIENTS_NAMED && input->clients.how != KVG_CLIENTS_SENT;

	return json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:b}", "file",
			 text_to_json(input->path), "format", kvg_input_format_word(input->format),
			 "records", (json_int_t)traffic->records, "judged",
			 (json_int_t)input->judged, "unreadable", (json_int_t)traffic->unreadable,
			 "no_flow", (json_int_t)traffic->foreign, "refused_already",
			 (json_int_t)traffic->denied, "cut", traffic->cut, "trouble",
			 input->trouble[0] ? text_to_json(input->trouble) : json_null(), "clients",
			 clients_to_json(&input->clients), "clients_guessed", guessed);
}

static json_t *outcome_to_json(const struct kvg_simulation *simulation,
			       const struct kvg_outcome *outcome)
{
	const struct kvg_policy *policy = simulation->judgement.policy;
	bool allowed = outcome->key.reason == KVG_REASON_ALLOWED;
	char destination[DESTINATION_LEN];
	json_t *item =
		json_pack("{s:s, s:s?, s:b, s:I, s:I, s:I, s:s?, s:o}", "destination",
			  format_destination(outcome, destination), "reason",
			  allowed ? NULL : kvg_reason_word(outcome->key.reason), "inbound",
			  outcome->key.inbound, "flows", (json_int_t)outcome->flows, "packets",
			  (json_int_t)outcome->packets, "bytes", (json_int_t)outcome->bytes,
			  "processes", outcome->processes[0] ? outcome->processes : NULL, "rule",
			  kvg_rule_to_json(policy, outcome->rule));

	if (item && !allowed)
		json_object_set_new(item, "nearest", kvg_rule_to_json(policy, outcome->nearest));
	return item;
}

static json_t *sum_to_json(const struct kvg_sum *allowed, const struct kvg_sum *refused, bool flows)
{
	return json_pack("{s:I, s:I}", "allowed",
			 (json_int_t)(flows ? allowed->flows : allowed->packets), "refused",
			 (json_int_t)(flows ? refused->flows : refused->packets));
}

static json_t *to_json(const struct kvg_simulation *simulation, const struct kvg_outcome **outcomes)
{
	const struct kvg_judgement *judgement = &simulation->judgement;
	json_t *inputs = json_array();
	json_t *lists[2] = {json_array(), json_array()};
	char digest[KVG_DIGEST_HEX_LEN];

	for (size_t i = 0; i < simulation->count; i++)
		json_array_append_new(inputs, input_to_json(&simulation->inputs[i]));
	for (size_t i = 0; i < judgement->count; i++) {
		bool allowed = outcomes[i]->key.reason == KVG_REASON_ALLOWED;

		json_array_append_new(lists[allowed], outcome_to_json(simulation, outcomes[i]));
	}
	kvg_digest_format(judgement->policy->digest, digest);
	return json_pack("{s:s, s:s+, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "profile",
			 judgement->policy->profile, "digest", "sha256:", digest, "mode",
			 kvg_mode_word(judgement->policy->mode), "inputs", inputs, "flows",
			 sum_to_json(&judgement->allowed, &judgement->refused, true), "packets",
			 sum_to_json(&judgement->allowed, &judgement->refused, false),
			 "assumed_inbound", (json_int_t)judgement->assumed, "unattributed_packets",
			 (json_int_t)judgement->unattributed, "refused", lists[0], "allowed",
			 lists[1]);
}

int kvg_simulation_print_json(const struct kvg_simulation *simulation)
{
	KVG_CLEANUP(kvg_freep)
	const struct kvg_outcome **outcomes = kvg_judgement_list(&simulation->judgement);
	json_t *root = outcomes ? to_json(simulation, outcomes) : NULL;
	int r;

	if (!root)
		return -ENOMEM;
	r = json_dumpf(root, stdout, JSON_COMPACT);
	json_decref(root);
	putchar('\n');
	return r < 0 ? -EIO : 0;
}
