/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices that a file is another one: written again, renamed over, or behind a symbolic link that was
 * turned, as Kubernetes does with the volumes of a ConfigMap.
 */
#ifndef KVG_AGENT_FILES_H
#define KVG_AGENT_FILES_H

#include "base/diag.h"

/* An editor writes, closes, renames: one reload, not three. */
#define KVG_FILES_SETTLE_MS 200

struct kvg_files;
struct sd_event;

/**
 * kvg_files_open() - watch a file
 * @event:       loop that waits
 * @path:        it may be missing, its folder may not
 * @changed:     told once things have settled; the bytes may be the same ones still
 * @data:        first argument of @changed
 * @ret:         for kvg_files_close(); untouched on failure
 *
 * The folder of each link on the way is watched. What inotify cannot see, a link in place of one of the
 * folders above, kvg_files_poll() does.
 *
 * Return: 0, or a negative errno
 */
int kvg_files_open(struct sd_event *event, const char *path, void (*changed)(void *data),
		   void *data, struct kvg_files **ret);

/** kvg_files_poll() - is it still the same file? to be called now and then */
void kvg_files_poll(struct kvg_files *files);

/** kvg_files_close() - end it; NULL is fine; Return: NULL */
struct kvg_files *kvg_files_close(struct kvg_files *files);

#endif
