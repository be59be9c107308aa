// SPDX-License-Identifier: BSD-2-Clause
/*
 * The audit system of Linux: records of type TRUSTED_APP, with the field names that its other records
 * use. `ausearch -m TRUSTED_APP -x kvgate` finds them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libaudit.h>
#include <string.h>

#include "audit/sink_kind.h"
#include "base/cleanup.h"

/* struct trail - of the audit system; lives with its descriptor */
struct trail {
	int fd;
};

/* Quoted, or in hex if there is anything in it that might be taken for another field. */
static void put_text(FILE *out, const char *name, const char *value)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;

	if (!value || !*value)
		return;
	text = audit_encode_nv_string(name, value, (unsigned int)strlen(value));
	if (text)
		fprintf(out, " %s", text);
}

static void put_address(FILE *out, const char *name, const __u8 address[16], __u8 family)
{
	char text[INET6_ADDRSTRLEN];

	if (*kvg_record_format_address(address, family, text))
		fprintf(out, " %s=%s", name, text);
}

static void put_owner(FILE *out, const struct kvg_owner *owner)
{
	char comm[KVG_COMM_LEN + 1] = "";

	if (!owner->tgid)
		return;
	memcpy(comm, owner->comm, KVG_COMM_LEN);
	fprintf(out, " opid=%u ouid=%u", owner->tgid, owner->uid);
	put_text(out, "ocomm", comm);
}

/* The first byte is the result: '1' for what went through in audit mode. */
static void put(const struct kvg_sink_line *line, FILE *out)
{
	const struct kvg_record *record = line->record;
	const struct kvg_refusal *refusal = &record->refusal;
	bool passed = refusal->mode == KVG_MODE_AUDIT;

	fprintf(out, "%cop=%s reason=%s hook=%s", passed ? '1' : '0', kvg_record_action(record),
		kvg_reason_word(refusal->reason), kvg_hook_word(refusal->hook));
	put_address(out, "daddr", refusal->daddr, refusal->family);
	if (refusal->dport)
		fprintf(out, " dport=%u", ntohs(refusal->dport));
	fprintf(out, " proto=%u count=%llu", refusal->protocol, record->count);
	put_text(out, "folded", kvg_folded_word(refusal->folded));
	put_owner(out, &record->owner);
	put_text(out, "profile", record->profile);
	put_text(out, "cgroup", record->gate);
	fputc('\0', out);
}

static void put_loss(const struct kvg_sink_line *line, FILE *out)
{
	fprintf(out, "0op=records-lost count=%llu", line->lost);
	fputc('\0', out);
}

static void trail_close(void *state)
{
	struct trail *trail = state;

	audit_close(trail->fd);
	free(trail);
}

/* What the kernel takes while its audit is off, it throws away. Who may not ask goes on. */
static int check_enabled(int fd, struct kvg_diag *reterr_diag)
{
	if (audit_is_enabled(fd) != 0)
		return 0;
	return kvg_diag_set(reterr_diag, -ENOTCONN,
			    "the kernel's audit is off: no record is written there; auditd(8), or "
			    "'auditctl -e 1', turns it on");
}

static int open_trail(struct trail *trail, struct kvg_diag *reterr_diag)
{
	set_aumessage_mode(MSG_QUIET, DBG_NO);
	trail->fd = audit_open();
	if (trail->fd < 0)
		return kvg_diag_set(reterr_diag, -errno, "the kernel's audit cannot be used: %s",
				    errno == EPROTONOSUPPORT || errno == EINVAL
					    ? "this kernel has none"
					    : strerror(errno));
	return check_enabled(trail->fd, reterr_diag);
}

static int open_audit(const struct kvg_sink_options *options, void **ret, char **ret_name,
		      struct kvg_diag *reterr_diag)
{
	struct trail *trail = calloc(1, sizeof(*trail));
	int r;

	*ret_name = strdup(kvg_sink_word(options->kind));
	if (!trail || !*ret_name) {
		free(trail);
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	}
	r = open_trail(trail, reterr_diag);
	if (r < 0) {
		trail_close(trail);
		return r;
	}
	*ret = trail;
	return 0;
}

/* EAGAIN: the kernel's queue is full, and it has been waited for already. */
static int send_line(const struct trail *trail, const char *line)
{
	errno = 0;
	if (audit_log_user_message(trail->fd, AUDIT_TRUSTED_APP, line + 1, NULL, NULL, "",
				   line[0] - '0') > 0)
		return 0;
	return errno == EAGAIN ? -EBUSY : errno ? -errno : -EIO;
}

static ssize_t write_audit(void *state, const struct iovec *lines, size_t count,
			   struct kvg_diag *reterr_diag)
{
	const struct trail *trail = state;
	ssize_t done = 0;
	int r;

	r = check_enabled(trail->fd, reterr_diag);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && i < KVG_SINK_MESSAGES_MAX; i++) {
		r = send_line(trail, lines[i].iov_base);
		if (r < 0)
			return done ? done : r;
		done += (ssize_t)lines[i].iov_len;
	}
	return done;
}

const struct kvg_sink_ops kvg_sink_linux_audit_ops = {
	.open = open_audit,
	.put = put,
	.put_loss = put_loss,
	.write = write_audit,
	.close = trail_close,
};
