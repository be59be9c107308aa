// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "ranges/store_internal.h"

/* More than prune() ever leaves. */
#define NAMES_MAX (KVG_STORE_PREVIOUS_MAX * KVG_DOCUMENT_KIND_COUNT * KVG_CLOUD_COUNT + 1)

static const char *const own_names[] = {".tmp", ".lock", ".fetch.json", "previous", "refused"};

bool kvg_store_is_own(const char *name)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(own_names); i++) {
		if (strcmp(own_names[i], name) == 0)
			return true;
	}
	return false;
}

char *kvg_store_path(const struct kvg_store *store, const char *folder, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s%s%s", store->directory, folder ? folder : "", folder ? "/" : "",
		     name) < 0)
		return NULL;
	return path;
}

static int refuse_path(struct kvg_diag *diag, int error, const char *what, const char *path)
{
	return kvg_diag_set(diag, error, "cannot %s '%s': %s", what, path, strerror(-error));
}

static int lock(struct kvg_store *store, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_freep) char *path = kvg_store_path(store, NULL, ".lock");

	if (!path)
		return kvg_diag_set(diag, -ENOMEM, "out of memory");
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (store->lock < 0)
		return refuse_path(diag, -errno, "write to", store->directory);
	if (flock(store->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return refuse_path(diag, -errno, "lock", path);
	return kvg_diag_set(diag, -EBUSY, "another fetch is at work in '%s'", store->directory);
}

static int make_folders(struct kvg_store *store, struct kvg_diag *diag)
{
	static const char *const folders[] = {".tmp", "previous", "refused"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(folders); i++) {
		KVG_CLEANUP(kvg_freep) char *path = kvg_store_path(store, NULL, folders[i]);
		int r = path ? kvg_folder_make(path) : -ENOMEM;

		if (r < 0)
			return refuse_path(diag, r, "make", folders[i]);
		if (i == 0)
			kvg_folder_empty(path);
	}
	return 0;
}

/* kvg_file_replace() that was killed: hidden, and in nobody's way, but each is as long as a document. */
static void remove_rests(const struct kvg_store *store, const char *folder, const char *prefix)
{
	KVG_CLEANUP(kvg_freep) char *path = kvg_store_path(store, NULL, folder);
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {0};

	if (path)
		kvg_folder_list(path, &names);
	for (size_t i = 0; i < names.count; i++) {
		KVG_CLEANUP(kvg_freep) char *rest = NULL;

		if (strncmp(names.items[i], prefix, strlen(prefix)) != 0)
			continue;
		rest = kvg_store_path(store, folder, names.items[i]);
		if (rest)
			unlink(rest);
	}
}

static int read_library(struct kvg_store *store, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_freep) char *culprit = NULL;
	struct kvg_diag why = {0};
	int r;

	kvg_library_done(&store->library);
	r = kvg_library_add(&store->library, store->directory, &culprit, &why);
	if (r < 0)
		return kvg_diag_set(diag, r, "'%s': %s", culprit ? culprit : store->directory,
				    why.msg);
	return 0;
}

int kvg_store_open(const char *directory, struct kvg_store **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_store_closep) struct kvg_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	store->lock = -1;
	store->directory = strdup(directory);
	if (!store->directory)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");

	r = kvg_folder_make(directory);
	if (r < 0)
		return refuse_path(reterr_diag, r, "make", directory);
	r = lock(store, reterr_diag);
	if (r == 0)
		r = make_folders(store, reterr_diag);
	if (r < 0)
		return r;

	remove_rests(store, ".", "..fetch.json.");
	remove_rests(store, "refused", ".");
	r = read_library(store, reterr_diag);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(store);
	return 0;
}

struct kvg_store *kvg_store_close(struct kvg_store *store)
{
	if (!store)
		return NULL;
	kvg_library_done(&store->library);
	kvg_closep(&store->lock);
	free(store->directory);
	free(store);
	return NULL;
}

void kvg_store_closep(struct kvg_store **store)
{
	kvg_store_close(*store);
}

const char *kvg_store_directory(const struct kvg_store *store)
{
	return store->directory;
}

const struct kvg_document *kvg_store_current(const struct kvg_store *store,
					     enum kvg_document_kind kind, enum kvg_cloud cloud)
{
	return store->library.documents[kind][cloud];
}

static int move(const char *from, const char *to)
{
	return rename(from, to) < 0 ? -errno : 0;
}

/* A name for it in "previous" that nothing has: documents without a date have one name for ever. */
static int find_free(const struct kvg_store *store, const char *file, char **ret)
{
	for (unsigned int i = 1; i <= NAMES_MAX; i++) {
		KVG_CLEANUP(kvg_freep) char *name = NULL;
		KVG_CLEANUP(kvg_freep) char *path = NULL;
		struct stat st;

		if (asprintf(&name, i > 1 ? "%s.%u" : "%s", file, i) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		path = kvg_store_path(store, "previous", name);
		if (!path)
			return -ENOMEM;
		if (lstat(path, &st) < 0) {
			*ret = KVG_TAKE_PTR(path);
			return 0;
		}
	}
	return -EEXIST;
}

/* The document in use goes to "previous", or is linked there, too; its time says when. */
static int retire(const char *path, const char *to, bool keep)
{
	int r;

	if (keep)
		r = link(path, to) < 0 ? -errno : 0;
	else
		r = move(path, to);
	if (r == 0 && utimensat(AT_FDCWD, to, NULL, 0) < 0) {
		r = -errno;
		if (keep)
			unlink(to);
		else
			move(to, path);
	}
	return r;
}

static bool is_newer(const struct kvg_document *a, const struct kvg_document *b)
{
	return a->first_day && b->last_day && b->last_day < a->first_day;
}

/*
 * At every moment a reader finds one of the two, or finds both and their dates tell him the new one.
 * Only a document that a person accepted although it is older, or nobody knows, leaves an instant
 * without any: then nothing can be compiled, and what is in force stays.
 */
static int swap(struct kvg_store *store, const struct kvg_document *document, const char *checked)
{
	KVG_CLEANUP(kvg_freep) char *path = kvg_store_path(store, NULL, document->file);
	KVG_CLEANUP(kvg_freep) char *to = NULL;
	const struct kvg_document *old = kvg_store_current(store, document->kind, document->cloud);
	const char *old_path = store->library.paths[document->kind][document->cloud];
	int r;

	if (!path)
		return -ENOMEM;
	if (!old)
		return move(checked, path);
	r = find_free(store, old->file, &to);
	if (r < 0)
		return r;

	if (strcmp(old->file, document->file) == 0) {
		r = retire(old_path, to, true);
		if (r == 0)
			r = move(checked, path);
		return r;
	}
	if (is_newer(document, old)) {
		r = move(checked, path);
		if (r == 0)
			r = retire(old_path, to, false);
		if (r < 0)
			unlink(path);
		return r;
	}
	r = retire(old_path, to, false);
	if (r < 0)
		return r;
	r = move(checked, path);
	if (r < 0)
		move(to, old_path);
	return r;
}

/* Two documents that come from two places may have one name; the second would replace the first. */
static int check_name(const struct kvg_store *store, const struct kvg_document *document,
		      struct kvg_diag *diag)
{
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			const struct kvg_document *other = store->library.documents[kind][cloud];

			if (!other ||
			    (other->kind == document->kind && other->cloud == document->cloud) ||
			    strcmp(other->file, document->file) != 0)
				continue;
			return kvg_diag_set(
				diag, -EEXIST,
				"'%s' in '%s' is %s of %s: give the other one another name",
				other->file, store->directory, kvg_document_kind_word(other->kind),
				kvg_cloud_word(other->cloud));
		}
	}
	return 0;
}

static bool is_over(const struct kvg_previous *previous, time_t now, unsigned long grace_s)
{
	time_t replaced = previous->replaced.tv_sec;

	return now >= replaced ? (unsigned long)(now - replaced) >= grace_s : grace_s == 0;
}

/* Of each kind and cloud the last one stays, and those whose grace period is not over. */
static void prune(const struct kvg_store *store, const struct kvg_document *document,
		  unsigned long grace_s)
{
	KVG_CLEANUP(kvg_previous_done) struct kvg_previous_list list = {0};
	time_t now = time(NULL);
	size_t kept = 0;

	if (kvg_previous_read(store->directory, &list) < 0)
		return;
	for (size_t i = 0; i < list.count; i++) {
		const struct kvg_previous *item = &list.items[i];

		if (item->document->kind != document->kind ||
		    item->document->cloud != document->cloud)
			continue;
		if (kept > 0 && (kept >= KVG_STORE_PREVIOUS_MAX || is_over(item, now, grace_s)))
			unlink(item->path);
		else
			kept++;
	}
}

/* Somebody's other document may be newer still: then ours is not in use, and that must be said. */
static int check_in_use(struct kvg_store *store, const struct kvg_document *document,
			struct kvg_diag *diag)
{
	const struct kvg_document *current;
	int r;

	r = read_library(store, diag);
	if (r < 0)
		return r;
	current = kvg_store_current(store, document->kind, document->cloud);
	if (current && memcmp(current->digest, document->digest, sizeof(current->digest)) == 0)
		return 0;
	return kvg_diag_set(diag, -EEXIST, "'%s' in '%s' is newer, and stays in use: remove it",
			    current ? current->file : "?", store->directory);
}

int kvg_store_put(struct kvg_store *store, const struct kvg_store_item *item, unsigned long grace_s,
		  struct kvg_diag *reterr_diag)
{
	const struct kvg_document *document = item->document;
	KVG_CLEANUP(kvg_freep) char *checked = kvg_store_path(store, ".tmp", document->file);
	int r;

	if (!checked)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	r = check_name(store, document, reterr_diag);
	if (r < 0)
		return r;
	r = kvg_file_replace(checked, item->data, item->size);
	if (r < 0)
		return refuse_path(reterr_diag, r, "write", checked);

	r = swap(store, document, checked);
	if (r < 0) {
		unlink(checked);
		return kvg_diag_set(reterr_diag, r, "cannot put '%s' in place: %s", document->file,
				    strerror(-r));
	}
	kvg_folder_sync(store->directory);

	kvg_store_forget_refused(store, document->kind, document->cloud);
	prune(store, document, grace_s);
	return check_in_use(store, document, reterr_diag);
}
