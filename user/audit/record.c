// SPDX-License-Identifier: BSD-2-Clause
#include "audit/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "policy/words.h"

#define CONTAINER_ID_LEN 64
#define FROM_MAX         8

static const char *reason_of(const struct kvg_record *record)
{
	return kvg_reason_word(record->refusal.reason);
}

/* User space closed the connection, because the gate refuses its packets now. */
static bool is_closed(const struct kvg_record *record)
{
	return record->refusal.hook == KVG_HOOK_SOCK_DESTROY;
}

static bool is_audit(const struct kvg_record *record)
{
	return record->refusal.mode == KVG_MODE_AUDIT;
}

void kvg_record_from_event(const struct kvg_event *event, struct kvg_record *ret)
{
	*ret = (struct kvg_record){
		.refusal = event->refusal,
		.owner = event->owner,
		.first_ns = event->time_ns,
		.last_ns = event->time_ns,
		.count = 1,
		.sport = event->sport,
	};
	memcpy(ret->saddr, event->saddr, sizeof(ret->saddr));
}

void kvg_record_from_rest(const struct kvg_refusal *refusal, const struct kvg_tally *tally,
			  __u64 count, struct kvg_record *ret)
{
	*ret = (struct kvg_record){
		.refusal = *refusal,
		.owner = tally->owner,
		.first_ns = tally->first_ns,
		.last_ns = tally->last_ns > tally->first_ns ? tally->last_ns : tally->first_ns,
		.count = count,
	};
}

static __s64 clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

__s64 kvg_record_wall_offset(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

/* "" where there is no address. An address of unknown family may be IPv4-mapped all the same. */
const char *kvg_record_format_address(const __u8 addr[16], __u8 family, char *ret)
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const __u8 none[16];

	ret[0] = '\0';
	if (memcmp(addr, none, sizeof(none)) == 0)
		return ret;
	if (family != AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) == 0)
		inet_ntop(AF_INET, addr + 12, ret, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, addr, ret, INET6_ADDRSTRLEN);
	return ret;
}

static const char *part_end(const char *part)
{
	return part + strcspn(part, "/");
}

/* The last 64 characters of a part of a path, ".scope" aside, if they are a container's id. */
static bool part_container_id(const char *part, char ret[CONTAINER_ID_LEN + 1])
{
	static const char scope[] = ".scope";
	size_t len = part_end(part) - part;
	const char *id;

	if (len > strlen(scope) && memcmp(part + len - strlen(scope), scope, strlen(scope)) == 0)
		len -= strlen(scope);
	if (len < CONTAINER_ID_LEN)
		return false;

	id = part + len - CONTAINER_ID_LEN;
	if (strspn(id, "0123456789abcdef") < CONTAINER_ID_LEN || (id > part && id[-1] != '-'))
		return false;
	/* podman keeps conmon, which watches over the container, in a cgroup beside it. */
	if (strncmp(part, "libpod-conmon-", strlen("libpod-conmon-")) == 0)
		return false;

	memcpy(ret, id, CONTAINER_ID_LEN);
	ret[CONTAINER_ID_LEN] = '\0';
	return true;
}

bool kvg_record_container_id(const char *cgroup, char ret[CONTAINER_ID_LEN + 1])
{
	bool found = false;

	for (const char *part = cgroup; *part; part = part_end(part)) {
		part += *part == '/';
		if (part_container_id(part, ret))
			found = true; /* the innermost one wins */
	}
	return found;
}

/* Names of processes and cgroups are bytes; JSON is UTF-8. */
static json_t *json_text(const char *text)
{
	KVG_CLEANUP(kvg_freep) char *ascii = NULL;
	json_t *json;

	if (!text || !*text)
		return NULL;
	json = json_string(text);
	if (json)
		return json;

	ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (char *c = ascii; *c; c++) {
		if (*c & 0x80)
			*c = '?';
	}
	return json_string(ascii);
}

static json_t *json_time(__u64 time_ns, __s64 wall_offset_ns)
{
	__s64 wall_ns = (__s64)time_ns + wall_offset_ns;
	time_t seconds = wall_ns / 1000000000LL;
	struct tm utc;
	char text[64];
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, sizeof(text) - len, ".%06dZ", (int)(wall_ns % 1000000000LL / 1000));
	return json_string(text);
}

const char *kvg_record_action(const struct kvg_record *record)
{
	if (is_closed(record))
		return "connection-closed";
	return is_audit(record) ? "egress-would-refuse" : "egress-refused";
}

/* A line that stands for several says from when to when. */
static json_t *event_object(const struct kvg_record *record, __s64 wall_offset_ns)
{
	bool many = record->count > 1;

	return json_pack("{s:s, s:[s], s:[s,s*], s:s, s:s, s:s, s:o*, s:o*}", "kind", "event",
			 "category", "network", "type", is_audit(record) ? "allowed" : "denied",
			 is_closed(record) ? "end" : NULL, "action", kvg_record_action(record),
			 "outcome", is_audit(record) ? "success" : "failure", "reason",
			 reason_of(record), "start",
			 many ? json_time(record->first_ns, wall_offset_ns) : NULL, "end",
			 many ? json_time(record->last_ns, wall_offset_ns) : NULL);
}

static json_t *network_object(const struct kvg_record *record)
{
	__u16 protocol = record->refusal.protocol;
	const char *transport = kvg_protocol_word(protocol);

	return json_pack("{s:s*, s:s*, s:o*, s:s}", "type", kvg_family_word(record->refusal.family),
			 "transport", transport, "iana_number",
			 protocol && !transport ? json_sprintf("%u", protocol) : NULL, "direction",
			 "egress");
}

static json_t *endpoint_object(const __u8 addr[16], __u8 family, __be16 port)
{
	char text[INET6_ADDRSTRLEN];

	if (!*kvg_record_format_address(addr, family, text))
		return NULL;
	return json_pack("{s:s, s:o*}", "ip", text, "port",
			 port ? json_integer(ntohs(port)) : NULL);
}

static json_t *destination_object(const struct kvg_record *record)
{
	const struct kvg_refusal *refusal = &record->refusal;
	json_t *json = endpoint_object(refusal->daddr, refusal->family, refusal->dport);

	if (json && record->domain)
		json_object_set_new(json, "domain", json_text(record->domain));
	return json;
}

static json_t *process_object(const struct kvg_owner *owner)
{
	char name[KVG_COMM_LEN + 1] = "";

	if (!owner->tgid)
		return NULL;
	memcpy(name, owner->comm, KVG_COMM_LEN);
	return json_pack("{s:I, s:o*}", "pid", (json_int_t)owner->tgid, "name", json_text(name));
}

static json_t *user_object(const struct kvg_record *record)
{
	if (!record->owner.tgid)
		return NULL;
	return json_pack("{s:o, s:o*}", "id", json_sprintf("%u", record->owner.uid), "name",
			 json_text(record->user));
}

/* An object without a member is none. */
static json_t *unless_empty(json_t *json)
{
	if (json_object_size(json))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *container_object(const struct kvg_record *record)
{
	bool has_id;
	char id[CONTAINER_ID_LEN + 1];

	has_id = record->gate && kvg_record_container_id(record->gate, id);
	return unless_empty(
		json_pack("{s:s*, s:o*, s:o*}", "id", has_id ? id : NULL, "name",
			  json_text(record->container), "image",
			  unless_empty(json_pack("{s:o*}", "name", json_text(record->image)))));
}

static json_t *orchestrator_object(const struct kvg_record *record)
{
	json_t *pod = json_text(record->pod);

	return unless_empty(
		json_pack("{s:o*, s:o*}", "namespace", json_text(record->namespace), "resource",
			  pod ? json_pack("{s:s, s:o}", "type", "pod", "name", pod) : NULL));
}

/* The tags are those of the policy, a few; of more than that the first. */
static json_t *nearest_object(const struct kvg_rule *nearest)
{
	char prefix[KVG_PREFIX_STRLEN];
	json_t *from;

	if (!nearest)
		return NULL;
	from = json_array();
	for (size_t i = 0; i < nearest->from_count && i < FROM_MAX; i++)
		json_array_append_new(from, json_text(nearest->from[i]));
	return json_pack("{s:s, s:o}", "prefix", kvg_prefix_format(&nearest->prefix, prefix),
			 "from", from);
}

static json_t *json_digest(const unsigned char *digest)
{
	char hex[KVG_DIGEST_HEX_LEN];

	if (!digest)
		return NULL;
	kvg_digest_format(digest, hex);
	return json_sprintf("sha256:%s", hex);
}

/* A gate without a policy (no_policy) has neither id nor generation yet. */
static json_t *kvgate_object(const struct kvg_record *record)
{
	const struct kvg_refusal *refusal = &record->refusal;

	return json_pack(
		"{s:o*, s:o*, s:o*, s:o*, s:o*, s:s, s:s, s:I, s:o*, s:o*}", "gate",
		json_text(record->gate), "cgroup_id",
		refusal->cgroup_id ? json_integer(refusal->cgroup_id) : NULL, "profile",
		json_text(record->profile), "policy_digest", json_digest(record->digest),
		"generation", refusal->generation ? json_integer(refusal->generation) : NULL,
		"hook", kvg_hook_word(refusal->hook), "mode", kvg_mode_word(refusal->mode), "count",
		(json_int_t)record->count, "folded", json_text(kvg_folded_word(refusal->folded)),
		"nearest", nearest_object(record->nearest));
}

static int write_line(const json_t *json, char **ret, size_t *ret_size)
{
	char *line = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	char *longer;
	size_t len;

	if (!line)
		return -ENOMEM;

	len = strlen(line);
	longer = realloc(line, len + 2);
	if (!longer) {
		free(line);
		return -ENOMEM;
	}
	memcpy(longer + len, "\n", 2);
	*ret = longer;
	*ret_size = len + 1;
	return 0;
}

int kvg_record_format_json(const struct kvg_record *record, __s64 wall_offset_ns, char **ret,
			   size_t *ret_size)
{
	const struct kvg_refusal *refusal = &record->refusal;
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	json = json_pack("{s:o, s:o, s:o, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o}", "@timestamp",
			 json_time(record->last_ns, wall_offset_ns), "event",
			 event_object(record, wall_offset_ns), "network", network_object(record),
			 "source", endpoint_object(record->saddr, refusal->family, record->sport),
			 "destination", destination_object(record), "process",
			 process_object(&record->owner), "user", user_object(record), "container",
			 container_object(record), "orchestrator", orchestrator_object(record),
			 "kvgate", kvgate_object(record));
	return write_line(json, ret, ret_size);
}

int kvg_record_format_loss_json(__u64 count, const char *why, char **ret, size_t *ret_size)
{
	KVG_CLEANUP(json_decrefp) json_t *json = NULL;

	json = json_pack("{s:o, s:{s:s, s:[s], s:s, s:s}, s:{s:I}}", "@timestamp",
			 json_time(clock_ns(CLOCK_REALTIME), 0), "event", "kind", "pipeline_error",
			 "category", "network", "action", "records-lost", "reason", why, "kvgate",
			 "lost", (json_int_t)count);
	return write_line(json, ret, ret_size);
}

/* "tcp 203.0.113.9:443", "ipv4 icmp socket", "packet" */
static void put_flow(FILE *out, const struct kvg_record *record)
{
	const struct kvg_refusal *refusal = &record->refusal;
	const char *protocol = kvg_protocol_word(refusal->protocol);
	const char *family = kvg_family_word(refusal->family);
	char addr[INET6_ADDRSTRLEN];
	bool has_port = refusal->dport;

	if (refusal->folded) {
		fprintf(out, "more %s than are told apart", kvg_folded_word(refusal->folded));
		return;
	}
	if (refusal->hook == KVG_HOOK_SOCK_CREATE && family)
		fprintf(out, "%s ", family);
	if (protocol)
		fprintf(out, "%s ", protocol);
	else if (refusal->protocol)
		fprintf(out, "protocol %u ", refusal->protocol);

	kvg_record_format_address(refusal->daddr, refusal->family, addr);
	if (refusal->hook == KVG_HOOK_SOCK_CREATE)
		fputs("socket", out);
	else if (!*addr)
		fputs("packet", out);
	else
		fprintf(out, has_port && strchr(addr, ':') ? "[%s]" : "%s", addr);
	if (*addr && has_port)
		fprintf(out, ":%u", ntohs(refusal->dport));
}

/* A process may call itself anything, also what a terminal takes as a command. */
static void put_owner(FILE *out, const struct kvg_owner *owner)
{
	fputs(" by ", out);
	for (size_t i = 0; i < KVG_COMM_LEN && owner->comm[i]; i++) {
		char c = owner->comm[i];

		fputc(c >= ' ' && c < 0x7f ? c : '?', out);
	}
	fprintf(out, owner->comm[0] ? "[%u]" : "pid %u", owner->tgid);
}

const char *kvg_record_format_words(const struct kvg_record *record, char ret[KVG_RECORD_WORDS_LEN])
{
	KVG_CLEANUP(kvg_fclosep) FILE *out = NULL;

	ret[0] = '\0';
	out = fmemopen(ret, KVG_RECORD_WORDS_LEN, "w");
	if (!out)
		return ret;

	if (is_closed(record))
		fputs("closed ", out);
	else
		fputs(is_audit(record) ? "would refuse " : "refused ", out);
	put_flow(out, record);
	fprintf(out, " (%s)", reason_of(record));
	if (record->owner.tgid)
		put_owner(out, &record->owner);
	if (record->domain)
		fprintf(out, ", looked up as %s", record->domain);
	if (record->count > 1)
		fprintf(out, " x%llu", record->count);
	return ret;
}
