/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the range documents fresh. The work is done by a child, `kvgate fetch`, so that a slow server
 * never holds up the loop; what the child, or a person, puts into the folder is noticed there.
 */
#ifndef KVG_AGENT_REFRESH_H
#define KVG_AGENT_REFRESH_H

#include "base/diag.h"

struct kvg_refresh;
struct sd_event;

/**
 * struct kvg_refresh_options - what to fetch, and how often
 * @program:   executed as "@program fetch ..."; NULL means /proc/self/exe
 * @config:    --config of the child
 * @state_dir: --state-dir of the child
 * @directory: where the documents are; watched for changes
 * @every_s:   seconds between two downloads, jittered by a tenth; 0 = never (the folder is watched)
 *
 * Copied.
 */
struct kvg_refresh_options {
	const char *program;
	const char *config;
	const char *state_dir;
	const char *directory;
	unsigned long every_s;
};

/**
 * struct kvg_refresh_ops - what the owner is told
 * @changed: a document came, went or was replaced: make a new plan
 * @failed:  a download failed or a document was refused; @sentence says which, why and what to do,
 *           without a period. All is as it was
 * @ended:   a round is over; @failures documents were refused or not to be had. May be NULL
 * @data:    handed to each
 */
struct kvg_refresh_ops {
	void (*changed)(void *data);
	void (*failed)(void *data, const char *sentence);
	void (*ended)(void *data, unsigned int failures);
	void *data;
};

/**
 * kvg_refresh_open() - begin
 * @event:       the loop; referenced
 * @options:     see above
 * @ops:         copied
 * @ret:         for kvg_refresh_close(); untouched on failure
 * @reterr_diag: why not
 *
 * The folder is made where it is missing. The first round is as long after the last one, by any
 * `kvgate fetch`, as any other; at once if there was none. After a failure the next round comes
 * earlier: after 5 minutes, then after twice as long each time, up to @every_s.
 *
 * Return: 0, or a negative errno
 */
int kvg_refresh_open(struct sd_event *event, const struct kvg_refresh_options *options,
		     const struct kvg_refresh_ops *ops, struct kvg_refresh **ret,
		     struct kvg_diag *reterr_diag);

/**
 * kvg_refresh_update() - go on with other options, after a reload
 * @refresh:     opened
 * @options:     as of kvg_refresh_open()
 * @reterr_diag: why not; then all is as it was
 *
 * Return: 0, or a negative errno
 */
int kvg_refresh_update(struct kvg_refresh *refresh, const struct kvg_refresh_options *options,
		       struct kvg_diag *reterr_diag);

/** kvg_refresh_now() - begin a round now, unless one is under way; Return: 0, or a negative errno */
int kvg_refresh_now(struct kvg_refresh *refresh);

/** kvg_refresh_close() - end it, and a child that is at work; NULL is fine; Return: NULL */
struct kvg_refresh *kvg_refresh_close(struct kvg_refresh *refresh);

/** kvg_refresh_closep() - for KVG_CLEANUP */
void kvg_refresh_closep(struct kvg_refresh **refresh);

#endif
