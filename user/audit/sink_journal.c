// SPDX-License-Identifier: BSD-2-Clause
/*
 * The journal, with a field for whatever somebody may ask `journalctl` for. A line is queued as
 * "FIELD=value" strings, each with its NUL.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "audit/sink_kind.h"
#include "base/cleanup.h"
#include "base/digest.h"

/* sd_journal_sendv() throws lines away silently where it does not exist. */
#define SOCKET_PATH "/run/systemd/journal/socket"

/* `journalctl MESSAGE_ID=` finds refusals, and lines about losses. */
#define REFUSED_ID "79310f1f0709406eb2515805129a418b"
#define LOST_ID    "73a3954b7f35461fa928bac7f2915289"

#define FIELDS_MAX 40

static void put_text(FILE *out, const char *name, const char *value)
{
	if (value && *value)
		fprintf(out, "%s=%s%c", name, value, '\0');
}

static void put_number(FILE *out, const char *name, unsigned long long value)
{
	fprintf(out, "%s=%llu%c", name, value, '\0');
}

static void put_head(FILE *out, const struct kvg_sink_line *line)
{
	fputs("MESSAGE=", out);
	kvg_sink_put_words(line, out);
	fputc('\0', out);
	put_number(out, "PRIORITY", kvg_sink_priority(line));
	put_text(out, "SYSLOG_IDENTIFIER", "kvgate");
	put_text(out, "MESSAGE_ID", line->record ? REFUSED_ID : LOST_ID);
}

static void put_gate(FILE *out, const struct kvg_record *record)
{
	char hex[KVG_DIGEST_HEX_LEN];
	char id[65];

	put_text(out, "KVGATE_GATE", record->gate);
	put_text(out, "KVGATE_PROFILE", record->profile);
	put_text(out, "KVGATE_MODE", kvg_mode_word(record->refusal.mode));
	if (record->refusal.generation)
		put_number(out, "KVGATE_GENERATION", record->refusal.generation);
	if (record->digest) {
		kvg_digest_format(record->digest, hex);
		fprintf(out, "KVGATE_POLICY_DIGEST=sha256:%s%c", hex, '\0');
	}
	if (record->gate && kvg_record_container_id(record->gate, id))
		put_text(out, "KVGATE_CONTAINER_ID", id);
	put_text(out, "KVGATE_CONTAINER", record->container);
	put_text(out, "KVGATE_IMAGE", record->image);
	put_text(out, "KVGATE_NAMESPACE", record->namespace);
	put_text(out, "KVGATE_POD", record->pod);
}

static void put_flow(FILE *out, const struct kvg_record *record)
{
	const struct kvg_refusal *refusal = &record->refusal;
	const char *protocol = kvg_protocol_word(refusal->protocol);
	char address[INET6_ADDRSTRLEN];
	char prefix[KVG_PREFIX_STRLEN];

	put_text(out, "KVGATE_REASON", kvg_reason_word(refusal->reason));
	put_text(out, "KVGATE_HOOK", kvg_hook_word(refusal->hook));
	put_text(out, "KVGATE_DESTINATION",
		 kvg_record_format_address(refusal->daddr, refusal->family, address));
	if (refusal->dport)
		put_number(out, "KVGATE_PORT", ntohs(refusal->dport));
	if (protocol)
		put_text(out, "KVGATE_PROTOCOL", protocol);
	else if (refusal->protocol)
		put_number(out, "KVGATE_PROTOCOL", refusal->protocol);
	put_text(out, "KVGATE_SOURCE",
		 kvg_record_format_address(record->saddr, refusal->family, address));
	put_text(out, "KVGATE_DOMAIN", record->domain);
	if (record->nearest)
		put_text(out, "KVGATE_NEAREST",
			 kvg_prefix_format(&record->nearest->prefix, prefix));
	put_number(out, "KVGATE_COUNT", record->count);
	put_text(out, "KVGATE_FOLDED", kvg_folded_word(refusal->folded));
}

static void put_owner(FILE *out, const struct kvg_owner *owner)
{
	if (!owner->tgid)
		return;
	put_number(out, "KVGATE_PID", owner->tgid);
	put_number(out, "KVGATE_UID", owner->uid);
	if (owner->comm[0])
		fprintf(out, "KVGATE_COMM=%.*s%c", KVG_COMM_LEN, owner->comm, '\0');
}

static void put(const struct kvg_sink_line *line, FILE *out)
{
	put_head(out, line);
	put_flow(out, line->record);
	put_gate(out, line->record);
	put_owner(out, &line->record->owner);
}

static void put_loss(const struct kvg_sink_line *line, FILE *out)
{
	put_head(out, line);
	put_number(out, "KVGATE_LOST", line->lost);
}

static int check_journal(struct kvg_diag *reterr_diag)
{
	if (access(SOCKET_PATH, F_OK) == 0)
		return 0;
	return kvg_diag_set(reterr_diag, -errno, "there is no journal here: '%s': %s", SOCKET_PATH,
			    strerror(errno));
}

static int open_journal(const struct kvg_sink_options *options, void **ret, char **ret_name,
			struct kvg_diag *reterr_diag)
{
	int r = check_journal(reterr_diag);

	if (r < 0)
		return r;
	*ret_name = strdup(kvg_sink_word(options->kind));
	if (!*ret_name)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	*ret = NULL;
	return 0;
}

static int send_line(const struct iovec *line)
{
	const char *end = (const char *)line->iov_base + line->iov_len;
	struct iovec fields[FIELDS_MAX];
	char *field = line->iov_base;
	int count = 0;

	while (field < end && count < FIELDS_MAX) {
		size_t size = strlen(field);

		fields[count++] = (struct iovec){.iov_base = field, .iov_len = size};
		field += size + 1;
	}
	return sd_journal_sendv(fields, count);
}

static ssize_t write_journal(void *state, const struct iovec *lines, size_t count,
			     struct kvg_diag *reterr_diag)
{
	ssize_t done = 0;
	int r;

	(void)state;
	for (size_t i = 0; i < count && i < KVG_SINK_MESSAGES_MAX; i++) {
		r = check_journal(reterr_diag);
		if (r == 0)
			r = send_line(&lines[i]);
		if (r < 0)
			return done ? done : r;
		done += (ssize_t)lines[i].iov_len;
	}
	return done;
}

const struct kvg_sink_ops kvg_sink_journal_ops = {
	.open = open_journal,
	.put = put,
	.put_loss = put_loss,
	.write = write_journal,
};
