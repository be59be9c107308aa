/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder that downloads go to:
 *
 *	ServiceTags_Public_20260105.json   in use: what kvg_library_add() takes from the folder
 *	previous/                          what was replaced; its time is when that happened
 *	refused/                           what a guard refused, and <kind>-<cloud>.reason
 *	.tmp/  .lock  .fetch.json          downloads that are not checked yet; one writer; see memory.h
 *
 * Whoever reads the folder sees the old document or the new one, each whole. People may put documents
 * into it by hand.
 */
#ifndef KVG_RANGES_STORE_H
#define KVG_RANGES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/diag.h"
#include "ranges/document.h"
#include "ranges/library.h"

struct kvg_store;

/* Replaced documents of one kind and cloud that are kept at most, whatever the grace period. */
#define KVG_STORE_PREVIOUS_MAX 16

/**
 * kvg_store_open() - become the folder's one writer
 * @directory:   made where it is missing
 * @ret:         for kvg_store_close(); untouched on failure
 * @reterr_diag: what is wrong, and with which file
 *
 * What another one left half done is removed.
 *
 * Return: 0, or a negative errno: -EBUSY another process writes there; -EINVAL and others of
 * kvg_library_add(): a document in it is broken
 */
int kvg_store_open(const char *directory, struct kvg_store **ret, struct kvg_diag *reterr_diag);

/** kvg_store_directory() - as opened; the store's */
const char *kvg_store_directory(const struct kvg_store *store);

/** kvg_store_current() - the document in use, or NULL; the store's, until the next kvg_store_put() */
const struct kvg_document *kvg_store_current(const struct kvg_store *store,
					     enum kvg_document_kind kind, enum kvg_cloud cloud);

/**
 * struct kvg_store_item - a document and its bytes
 * @document: parsed; its name is the file's
 * @data:     bytes
 * @size:     how many
 */
struct kvg_store_item {
	const struct kvg_document *document;
	const char *data;
	size_t size;
};

/**
 * kvg_store_put() - put a document into use, and the one in use into "previous"
 * @store:       opened
 * @item:        checked
 * @grace_s:     documents that were replaced longer ago are removed, but for the last one
 * @reterr_diag: which file, and why not
 *
 * What was refused of that kind and cloud before is removed.
 *
 * Return: 0, or a negative errno, and then the old one is in use; -EEXIST if another kind's or cloud's
 * document has its name, or a newer one of another name lies there
 */
int kvg_store_put(struct kvg_store *store, const struct kvg_store_item *item, unsigned long grace_s,
		  struct kvg_diag *reterr_diag);

/**
 * struct kvg_store_refusal - what lies in "refused", and why; strings owned
 * @kind:     which format was wanted
 * @cloud:    whose
 * @error:    of kvg_guard_judge()
 * @file:     name of the document
 * @reason:   one sentence
 * @url:      where it came from
 * @data:     its bytes; only filled by kvg_store_refused()
 * @size:     how many
 */
struct kvg_store_refusal {
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	int error;
	char *file;
	char *reason;
	char *url;
	char *data;
	size_t size;
};

/** kvg_store_refuse() - keep a document aside; replaces the one of that kind and cloud; 0 or -errno */
int kvg_store_refuse(struct kvg_store *store, const struct kvg_store_refusal *refusal,
		     const struct kvg_store_item *item);

/**
 * kvg_store_refused() - the document that was refused
 * @store: opened
 * @kind:  which format was wanted
 * @cloud: whose
 * @ret:   zeroed before; done by the caller
 *
 * Return: 0, -ENOENT none was, -EINVAL the files do not fit together, or another negative errno
 */
int kvg_store_refused(const struct kvg_store *store, enum kvg_document_kind kind,
		      enum kvg_cloud cloud, struct kvg_store_refusal *ret);

/** kvg_store_refusal_done() - free what it holds */
void kvg_store_refusal_done(struct kvg_store_refusal *refusal);

/** kvg_store_forget_refused() - remove it, for it was accepted or is out of date */
void kvg_store_forget_refused(struct kvg_store *store, enum kvg_document_kind kind,
			      enum kvg_cloud cloud);

/** kvg_store_close() - let others write; NULL is fine; Return: NULL */
struct kvg_store *kvg_store_close(struct kvg_store *store);

/** kvg_store_closep() - for KVG_CLEANUP */
void kvg_store_closep(struct kvg_store **store);

/** struct kvg_previous - a replaced document, and when it was; owned */
struct kvg_previous {
	struct kvg_document *document;
	char *path;
	struct timespec replaced;
};

/** struct kvg_previous_list - those of a folder, the last replaced first */
struct kvg_previous_list {
	struct kvg_previous *items;
	size_t count;
};

/** kvg_previous_read() - read @directory's "previous"; what is no document is passed over; 0, -ENOMEM */
int kvg_previous_read(const char *directory, struct kvg_previous_list *ret);

/** kvg_previous_done() - free what it holds */
void kvg_previous_done(struct kvg_previous_list *list);

/** kvg_store_is_own() - is a name in the folder the store's, and no document? */
bool kvg_store_is_own(const char *name);

#endif
