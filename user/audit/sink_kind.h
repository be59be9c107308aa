/* SPDX-License-Identifier: BSD-2-Clause */
/* What a kind of sink has to be able to do; sink.c does the rest. Nobody else includes this. */
#ifndef KVG_AUDIT_SINK_KIND_H
#define KVG_AUDIT_SINK_KIND_H

#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "audit/sink.h"

/* Longest line that says what was lost; each queue keeps room for one. */
#define KVG_SINK_LOSS_BYTES 512

/* Lines that a kind is given at once: as many as writev(2) takes, so that one fsync does for them. */
#define KVG_SINK_LINES_MAX 1024

/* Kinds that send one by one stop after so many: what is sent is seen, and not sent again. */
#define KVG_SINK_MESSAGES_MAX 16

/**
 * struct kvg_sink_line - one line on its way to a sink
 * @record: NULL: a loss
 * @json:   the line as JSON, with its newline; NULL if the kind does not need it
 * @size:   bytes of @json
 * @lost:   refusals without a line
 * @why:    they have none; NULL if @record is not
 */
struct kvg_sink_line {
	const struct kvg_record *record;
	const char *json;
	size_t size;
	__u64 lost;
	const char *why;
};

/**
 * struct kvg_sink_ops - one kind; its state is what @open made
 * @open:     ready to write; never blocks. @ret_name: what messages call it, owned by the caller
 * @put:      what is queued for a line; in the caller's thread. NULL: its JSON as it is
 * @put_loss: the same for a loss. NULL: its JSON
 * @deliver:  the line goes to somebody at once, in the caller's thread; there is no queue, and of what
 *            follows only @close is called
 * @write:    write from the first of @lines on, in the sink's thread; may block. Return: bytes that are
 *            done with, at least one; -EAGAIN if it waited long enough for once; another negative errno,
 *            and it is tried again after a while. @reterr_diag: a whole sentence, if there is more to
 *            say than the errno
 * @flush:    there is nothing more to write for now; in the sink's thread. Return: 0, or after how many
 *            ms to be called again, or a negative errno as above, a trouble that keeps no line back
 * @rotate:   begin anew at the next line; in the sink's thread
 * @close:    free the state
 *
 * What is NULL is not needed.
 */
struct kvg_sink_ops {
	int (*open)(const struct kvg_sink_options *options, void **ret, char **ret_name,
		    struct kvg_diag *reterr_diag);
	void (*put)(const struct kvg_sink_line *line, FILE *out);
	void (*put_loss)(const struct kvg_sink_line *line, FILE *out);
	void (*deliver)(void *state, const struct kvg_sink_line *line);
	ssize_t (*write)(void *state, const struct iovec *lines, size_t count,
			 struct kvg_diag *reterr_diag);
	int (*flush)(void *state, struct kvg_diag *reterr_diag);
	void (*rotate)(void *state);
	void (*close)(void *state);
};

/* One for each kind; those without a thread and with one. */
extern const struct kvg_sink_ops kvg_sink_file_ops;
extern const struct kvg_sink_ops kvg_sink_stdout_ops;
extern const struct kvg_sink_ops kvg_sink_words_ops;
extern const struct kvg_sink_ops kvg_sink_journal_ops;
extern const struct kvg_sink_ops kvg_sink_syslog_ops;
extern const struct kvg_sink_ops kvg_sink_linux_audit_ops;
extern const struct kvg_sink_ops kvg_sink_callback_ops;

/** kvg_sink_priority() - of a line: as syslog(3) has them */
int kvg_sink_priority(const struct kvg_sink_line *line);

/** kvg_sink_put_words() - the line in words, without a newline */
void kvg_sink_put_words(const struct kvg_sink_line *line, FILE *out);

#endif
