// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/log.h"
#include "cmd/agent_status.h"
#include "cmd/colour.h"
#include "cmd/commands.h"
#include "cmd/places.h"
#include "cmd/status_flows.h"
#include "gate/cgroup.h"
#include "gate/status.h"
#include "policy/address.h"
#include "policy/variant.h"
#include "policy/words.h"
#include "ranges/json.h"
#include "ranges/library.h"

/* struct status - options and findings */
struct status {
	struct kvg_places places;
	const char *state_dir;
	unsigned int wait_s;
	bool json;
	char *root;
	char *cgroup; /* only the gates that judge it; NULL: all */
	struct kvg_gate_status *gates;
	size_t gates_count;
	struct kvg_library library;
	json_t *agent;
	json_t *flows; /* what the agent remembers of them */
};

#define WAIT_MAX_S 3600L
#define LOOK_MS    20 /* an agent gates a new cgroup within some 5 ms */

static int set_wait(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	char *end;
	long seconds = strtol(argument, &end, 10);

	if (end == argument || *end || seconds < 0 || seconds > WAIT_MAX_S)
		return kvg_diag_set(reterr_diag, -EINVAL, "expected 0..%ld seconds, not '%s'",
				    WAIT_MAX_S, argument);
	*(unsigned int *)field = (unsigned int)seconds;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "wait",
	 .argument = "SECONDS",
	 .set = set_wait,
	 .offset = offsetof(struct status, wait_s),
	 .help = "with CGROUP: until it is gated, but no longer"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct status, json),
	 .help = "everything as JSON"},
	{.name = "state-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct status, state_dir),
	 .help = "where range documents are kept (default " KVG_STATE_DIR ")"},
	{.name = "run-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct status, places.run_dir),
	 .help = "where the agent listens (" KVG_RUN_DIR ")"},
	KVG_PLACES_OPTIONS(offsetof(struct status, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "status",
	.operands = "[CGROUP]",
	.help = "Shows every gate as the kernel has it: policy, counters, the flows refused most "
		"often (those "
		"that no recorder has taken yet, and what the agent remembers), other programs on "
		"the "
		"cgroup. Needs no running kvgate; of an agent that runs it shows the problems, "
		"too. With CGROUP, which \"self\" may stand for "
		"where "
		"kvgate itself runs, it shows only the gates on that cgroup and above it.",
	.exit_status =
		"0 every gate is healthy (or there is none), and so is the agent; with CGROUP: "
		"it is gated, and its gates are healthy; 1 not so; 2 usage",
	.options = options,
	.max_operands = 1,
};

static void status_done(struct status *status)
{
	free(status->root);
	free(status->cgroup);
	kvg_status_free(status->gates, status->gates_count);
	kvg_library_done(&status->library);
	json_decref(status->agent);
	json_decref(status->flows);
}

static __u64 sum_refused(const struct kvg_counters *counters)
{
	__u64 sum = 0;

	for (int i = 0; i < KVG_REASON_COUNT; i++)
		sum += counters->refused[i];
	return sum;
}

static void print_port(const struct kvg_port_status *status)
{
	printf("  interface %s (%s): %llu allowed, %llu refused\n", status->port.name,
	       status->port.hook == KVG_PORT_HOOK_TCX ? "tcx" : "clsact",
	       (unsigned long long)status->counters.allowed,
	       (unsigned long long)sum_refused(&status->counters));
}

/* What `resolvers: [auto]` is for the gate; NULL if its profile does not say so, or nobody knows. */
static json_t *resolvers_json(const struct status *status, const struct kvg_gate_status *gate)
{
	const char *tag = kvg_variant_tag_of(gate->info.profile);
	char text[KVG_PREFIX_STRLEN];
	struct kvg_resolvers resolvers;
	json_t *array;

	if (!tag || kvg_resolvers_recall(kvg_places_run_dir(&status->places), tag, &resolvers) < 0)
		return NULL;
	array = json_array();
	for (size_t i = 0; i < resolvers.count; i++)
		json_array_append_new(array,
				      json_string(kvg_address_format(&resolvers.list[i], text)));
	return array;
}

static void print_resolvers(const struct status *status, const struct kvg_gate_status *gate)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *resolvers = resolvers_json(status, gate);
	const json_t *address;
	size_t i;

	if (!resolvers)
		return;
	printf("  resolvers %s", json_array_size(resolvers) ? "" : "none");
	json_array_foreach(resolvers, i, address)
		printf("%s%s", i ? ", " : "", json_string_value(address));
	printf("\n");
}

static void print_gate(const struct status *status, const struct kvg_gate_status *gate)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *flows = kvg_status_flows(gate, status->flows);
	char digest[KVG_DIGEST_HEX_LEN];

	kvg_digest_format(gate->info.digest, digest);
	printf("%s%s%s  %s%s%s\n", kvg_colour(KVG_COLOUR_HEAD), gate->cgroup, kvg_colour_end(),
	       kvg_colour(gate->problems_count ? KVG_COLOUR_BAD : KVG_COLOUR_GOOD),
	       gate->problems_count ? "UNHEALTHY" : "healthy", kvg_colour_end());
	printf("  policy    %.*s, %s, generation %u, sha256:%.12s\n",
	       (int)kvg_variant_profile_len(gate->info.profile), gate->info.profile,
	       kvg_mode_word(gate->gate.mode), gate->gate.generation, digest);
	print_resolvers(status, gate);
	if (gate->info.run_pid)
		printf("  made by   kvgate run, process %u\n", gate->info.run_pid);
	printf("  packets   %llu allowed, %llu refused\n",
	       (unsigned long long)gate->counters.allowed,
	       (unsigned long long)sum_refused(&gate->counters));
	for (size_t i = 0; i < gate->ports_count; i++)
		print_port(&gate->ports[i]);
	printf("  lsm       %s\n",
	       gate->lsm ? "on" : "off: packet sockets and the like can be made");
	for (size_t i = 0; i < gate->problems_count; i++)
		printf("  problem   %s%s%s\n", kvg_colour(KVG_COLOUR_BAD), gate->problems[i],
		       kvg_colour_end());
	for (size_t i = 0; i < gate->foreign_count; i++)
		printf("  foreign   program %u \"%s\" at %s\n", gate->foreign[i].id,
		       gate->foreign[i].name, gate->foreign[i].hook);
	kvg_status_flows_print(flows);
}

/* Days since the day that a document's name says; -1 if it says none. */
static long age_days(const struct kvg_document *document)
{
	unsigned int day = document->last_day;
	struct tm tm = {.tm_year = (int)(day / 10000) - 1900,
			.tm_mon = (int)(day / 100 % 100) - 1,
			.tm_mday = (int)(day % 100)};

	return day ? (time(NULL) - timegm(&tm)) / 86400 : -1;
}

static void print_documents(const struct kvg_library *library)
{
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			const struct kvg_document *document = library->documents[kind][cloud];

			if (!document)
				continue;
			printf("ranges      %s of %s: %s", kvg_document_kind_word(kind),
			       kvg_cloud_word(cloud), document->file);
			if (age_days(document) >= 0)
				printf(", %ld days old", age_days(document));
			printf("\n");
		}
	}
}

static void print_text(const struct status *status)
{
	if (!status->gates_count)
		printf("no gates\n");
	for (size_t i = 0; i < status->gates_count; i++)
		print_gate(status, &status->gates[i]);
	kvg_agent_status_print(status->agent);
	print_documents(&status->library);
}

static json_t *strings_json(char *const *strings, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(strings[i]));
	return array;
}

static json_t *foreign_json(const struct kvg_gate_status *gate)
{
	json_t *array = json_array();

	for (size_t i = 0; i < gate->foreign_count; i++)
		json_array_append_new(array, json_pack("{s:I, s:s, s:s}", "id",
						       (json_int_t)gate->foreign[i].id, "name",
						       gate->foreign[i].name, "hook",
						       gate->foreign[i].hook));
	return array;
}

static json_t *ports_json(const struct kvg_gate_status *gate)
{
	json_t *array = json_array();

	for (size_t i = 0; i < gate->ports_count; i++) {
		const struct kvg_port_status *status = &gate->ports[i];

		json_array_append_new(
			array,
			json_pack("{s:s, s:I, s:s, s:b, s:I, s:I}", "name", status->port.name,
				  "ifindex", (json_int_t)status->port.ifindex, "hook",
				  status->port.hook == KVG_PORT_HOOK_TCX ? "tcx" : "clsact", "dhcp",
				  status->port.dhcp, "refused_packets",
				  (json_int_t)sum_refused(&status->counters), "allowed_packets",
				  (json_int_t)status->counters.allowed));
	}
	return array;
}

/* A packet is refused once: by the cgroup's programs, or by the interface's. */
static __u64 sum_all_refused(const struct kvg_gate_status *gate)
{
	__u64 sum = sum_refused(&gate->counters);

	for (size_t i = 0; i < gate->ports_count; i++)
		sum += sum_refused(&gate->ports[i].counters);
	return sum;
}

static json_t *gate_json(const struct status *status, const struct kvg_gate_status *gate)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *resolvers = resolvers_json(status, gate);
	char digest[KVG_DIGEST_HEX_LEN], text[KVG_DIGEST_HEX_LEN + 8];
	json_t *object;

	kvg_digest_format(gate->info.digest, digest);
	snprintf(text, sizeof(text), "sha256:%s", digest);
	object = json_pack(
		"{s:s, s:I, s:s%, s:s, s:I, s:s, s:b, s:o, s:I, s:I, s:o, s:o, s:b}", "cgroup",
		gate->cgroup, "cgroup_id", (json_int_t)gate->cgroup_id, "profile",
		gate->info.profile, kvg_variant_profile_len(gate->info.profile), "mode",
		kvg_mode_word(gate->gate.mode), "generation", (json_int_t)gate->gate.generation,
		"policy_digest", text, "healthy", gate->problems_count == 0, "problems",
		strings_json(gate->problems, gate->problems_count), "refused_packets",
		(json_int_t)sum_all_refused(gate), "allowed_packets",
		(json_int_t)gate->counters.allowed, "refused_flows",
		kvg_status_flows(gate, status->flows), "foreign_programs", foreign_json(gate),
		"lsm", gate->lsm);
	if (object)
		json_object_set_new(object, "interfaces", ports_json(gate));
	if (object && resolvers)
		json_object_set(object, "resolvers", resolvers);
	if (object && gate->info.run_pid)
		json_object_set_new(object, "run_pid", json_integer(gate->info.run_pid));
	return object;
}

static json_t *documents_json(const struct kvg_library *library)
{
	json_t *array = json_array();

	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			const struct kvg_document *document = library->documents[kind][cloud];
			json_t *object;

			if (!document)
				continue;
			object = json_pack("{s:s, s:s, s:s}", "kind", kvg_document_kind_word(kind),
					   "cloud", kvg_cloud_word(cloud), "file", document->file);
			if (age_days(document) >= 0)
				json_object_set_new(object, "age_seconds",
						    json_integer(age_days(document) * 86400));
			json_array_append_new(array, object);
		}
	}
	return array;
}

static int print_json(const struct status *status)
{
	json_t *gates = json_array();
	json_t *root;
	int r;

	for (size_t i = 0; i < status->gates_count; i++)
		json_array_append_new(gates, gate_json(status, &status->gates[i]));
	root = json_pack("{s:o, s:o, s:O*}", "gates", gates, "ranges",
			 documents_json(&status->library), "agent", status->agent);
	r = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;
	json_decref(root);
	putchar('\n');
	return r;
}

/* Documents that cannot be read are a line on stderr: what the kernel enforces does not hang on them. */
static void read_documents(struct status *status)
{
	KVG_CLEANUP(kvg_freep) char *directory = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct kvg_diag diag = {};

	if (asprintf(&directory, "%s/ranges",
		     status->state_dir ? status->state_dir : KVG_STATE_DIR) < 0)
		return;
	if (access(directory, F_OK) < 0)
		return;
	if (kvg_library_add(&status->library, directory, &path, &diag) < 0)
		kvg_log_error("%s: %s", path ? path : directory, diag.msg);
}

static void print(struct status *status)
{
	status->flows = kvg_status_flows_ask(kvg_places_run_dir(&status->places));
	if (status->json)
		print_json(status);
	else
		print_text(status);
}

static bool is_healthy(const struct status *status)
{
	for (size_t i = 0; i < status->gates_count; i++) {
		if (status->gates[i].problems_count)
			return false;
	}
	return true;
}

static int read_gates(struct status *status)
{
	struct kvg_diag diag = {};

	if (kvg_status_read(kvg_places_bpffs(&status->places), status->root, &status->gates,
			    &status->gates_count, &diag) == 0)
		return 0;
	kvg_log_error("%s", diag.msg);
	return KVG_EXIT_FAILED;
}

static int show_all(struct status *status)
{
	int r = read_gates(status);

	if (r)
		return r;
	read_documents(status);
	status->agent = kvg_agent_status_ask(kvg_places_run_dir(&status->places));
	print(status);
	return is_healthy(status) && kvg_agent_status_is_healthy(status->agent) ? 0
										: KVG_EXIT_FAILED;
}

/* Is @cgroup that of the gate, or below it? */
static bool judges(const struct kvg_gate_status *gate, const char *cgroup)
{
	size_t len = strlen(gate->cgroup);

	return strncmp(cgroup, gate->cgroup, len) == 0 && (!cgroup[len] || cgroup[len] == '/');
}

static int read_gates_of_cgroup(struct status *status)
{
	size_t kept = 0;
	int r;

	kvg_status_free(status->gates, status->gates_count);
	status->gates = NULL;
	status->gates_count = 0;
	r = read_gates(status);
	for (size_t i = 0; i < status->gates_count; i++) {
		struct kvg_gate_status gate = status->gates[i];

		if (!judges(&gate, status->cgroup))
			continue;
		status->gates[i] = status->gates[kept];
		status->gates[kept++] = gate;
	}
	for (size_t i = kept; i < status->gates_count; i++)
		kvg_status_done(&status->gates[i]);
	status->gates_count = kept;
	return r;
}

/* Nobody sets this clock: a unit must not be refused because the time came from the network just now. */
static time_t seconds_up(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static int show_cgroup(struct status *status)
{
	time_t end = seconds_up() + status->wait_s;
	int r;

	while ((r = read_gates_of_cgroup(status)) == 0) {
		if (status->gates_count && is_healthy(status))
			break;
		if (seconds_up() >= end) {
			r = KVG_EXIT_FAILED;
			break;
		}
		usleep(LOOK_MS * 1000);
	}
	if (r && !status->gates_count)
		kvg_log_error("'%s' is not gated, and no cgroup above it is", status->cgroup);
	else
		print(status);
	return r;
}

static int find_cgroup(struct status *status, const char *operand)
{
	int r;

	if (strcmp(operand, "self") == 0)
		r = kvg_cgroup_of(0, &status->cgroup);
	else
		r = kvg_places_cgroup_path(status->root, operand, &status->cgroup);
	if (r == 0)
		return 0;
	kvg_log_error("cgroup '%s': %s", operand, strerror(-r));
	return KVG_EXIT_FAILED;
}

int kvg_cmd_status(int argc, char **argv)
{
	KVG_CLEANUP(status_done) struct status status = {};
	int r;

	r = kvg_options_parse(&usage, argc, argv, NULL, &status);
	if (r != KVG_OPTIONS_GO)
		return r;
	if (status.wait_s && !argv[optind])
		return kvg_options_usage_error(&usage, "--wait goes with CGROUP");
	r = kvg_places_cgroup_root(&status.places, &status.root);
	if (r == 0 && argv[optind])
		r = find_cgroup(&status, argv[optind]);
	if (r)
		return r;
	return status.cgroup ? show_cgroup(&status) : show_all(&status);
}
