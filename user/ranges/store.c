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
#include "ranges/json.h"

struct kvg_store {
	char *directory;
	int lock;
	struct kvg_library library;
};

static const char *const own_names[] = {".tmp", ".lock", ".fetch.json", "previous", "refused"};

bool kvg_store_is_own(const char *name)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(own_names); i++) {
		if (strcmp(own_names[i], name) == 0)
			return true;
	}
	return false;
}

/* "DIRECTORY/FOLDER/NAME", FOLDER may be NULL; freed by the caller; NULL if there is no memory. */
static char *join(const struct kvg_store *store, const char *folder, const char *name)
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
	KVG_CLEANUP(kvg_freep) char *path = join(store, NULL, ".lock");

	if (!path)
		return kvg_diag_set(diag, -ENOMEM, "out of memory");
	store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (store->lock < 0)
		return refuse_path(diag, -errno, "write to", store->directory);
	if (flock(store->lock, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return kvg_diag_set(diag, -EBUSY, "another fetch is at work in '%s'",
				    store->directory);
	return 0;
}

static int make_folders(struct kvg_store *store, struct kvg_diag *diag)
{
	static const char *const folders[] = {".tmp", "previous", "refused"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(folders); i++) {
		KVG_CLEANUP(kvg_freep) char *path = join(store, NULL, folders[i]);
		int r = path ? kvg_folder_make(path) : -ENOMEM;

		if (r < 0)
			return refuse_path(diag, r, "make", folders[i]);
		if (i == 0)
			kvg_folder_empty(path);
	}
	return 0;
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
	if (r == 0)
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

/* The document in use goes to "previous", and its time says when. */
static int retire(struct kvg_store *store, const char *path, bool keep_name)
{
	KVG_CLEANUP(kvg_freep) char *to = join(store, "previous", strrchr(path, '/') + 1);
	int r;

	if (!to)
		return -ENOMEM;
	if (keep_name) {
		unlink(to);
		r = link(path, to) < 0 ? -errno : 0;
	} else {
		r = move(path, to);
	}
	if (r == 0 && utimensat(AT_FDCWD, to, NULL, 0) < 0)
		r = -errno;
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
	KVG_CLEANUP(kvg_freep) char *path = join(store, NULL, document->file);
	const struct kvg_document *old = kvg_store_current(store, document->kind, document->cloud);
	const char *old_path = store->library.paths[document->kind][document->cloud];
	int r = 0;

	if (!path)
		return -ENOMEM;
	if (!old)
		return move(checked, path);

	if (strcmp(old->file, document->file) == 0) {
		r = retire(store, old_path, true);
		return r < 0 ? r : move(checked, path);
	}
	if (is_newer(document, old)) {
		r = move(checked, path);
		return r < 0 ? r : retire(store, old_path, false);
	}
	r = retire(store, old_path, false);
	return r < 0 ? r : move(checked, path);
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
	KVG_CLEANUP(kvg_freep) char *checked = join(store, ".tmp", document->file);
	int r;

	if (!checked)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
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

/* --- what was refused ------------------------------------------------------------------------ */

static char *reason_path(const struct kvg_store *store, enum kvg_document_kind kind,
			 enum kvg_cloud cloud)
{
	char *path;

	if (asprintf(&path, "%s/refused/%s-%s.reason", store->directory,
		     kvg_document_kind_word(kind), kvg_cloud_word(cloud)) < 0)
		return NULL;
	return path;
}

int kvg_store_refuse(struct kvg_store *store, const struct kvg_store_refusal *refusal,
		     const struct kvg_store_item *item)
{
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, refusal->kind, refusal->cloud);
	KVG_CLEANUP(kvg_freep) char *path = join(store, "refused", item->document->file);
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	char hex[KVG_DIGEST_HEX_LEN];
	int r;

	kvg_digest_format(item->document->digest, hex);
	root = json_pack("{s:s, s:s, s:s, s:i, s:s, s:I}", "file", item->document->file, "reason",
			 refusal->reason, "url", refusal->url, "error", -refusal->error, "sha256",
			 hex, "time", (json_int_t)time(NULL));
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!reason || !path || !text)
		return -ENOMEM;

	kvg_store_forget_refused(store, refusal->kind, refusal->cloud);
	r = kvg_file_replace(path, item->data, item->size);
	if (r == 0)
		r = kvg_file_replace(reason, text, strlen(text));
	if (r < 0)
		unlink(path);
	return r;
}

/* What the file says; a name with a "/" would lead elsewhere. */
static int read_reason(const char *path, struct kvg_store_refusal *ret,
		       char hex[KVG_DIGEST_HEX_LEN])
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	const char *file, *reason, *url, *sha256;
	size_t size;
	int error;
	int r;

	r = kvg_file_read(path, 1UL << 20, &text, &size);
	if (r == 0)
		r = kvg_json_load(text, size, &root, NULL);
	if (r < 0)
		return r;
	if (json_unpack(root, "{s:s, s:s, s:s, s:i, s:s}", "file", &file, "reason", &reason, "url",
			&url, "error", &error, "sha256", &sha256) < 0 ||
	    strchr(file, '/') || strlen(sha256) != KVG_DIGEST_HEX_LEN - 1)
		return -EINVAL;

	ret->error = -error;
	ret->file = strdup(file);
	ret->reason = strdup(reason);
	ret->url = strdup(url);
	memcpy(hex, sha256, KVG_DIGEST_HEX_LEN);
	return ret->file && ret->reason && ret->url ? 0 : -ENOMEM;
}

int kvg_store_refused(const struct kvg_store *store, enum kvg_document_kind kind,
		      enum kvg_cloud cloud, struct kvg_store_refusal *ret, char **ret_data,
		      size_t *ret_size)
{
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, kind, cloud);
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	unsigned char digest[KVG_DIGEST_BYTES];
	char expected[KVG_DIGEST_HEX_LEN];
	char hex[KVG_DIGEST_HEX_LEN];
	int r;

	ret->kind = kind;
	ret->cloud = cloud;
	r = reason ? read_reason(reason, ret, expected) : -ENOMEM;
	if (r < 0)
		return r;

	path = join(store, "refused", ret->file);
	r = path ? kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, ret_size) : -ENOMEM;
	if (r < 0)
		return r == -ENOENT ? -EINVAL : r;

	kvg_digest(data, *ret_size, digest);
	kvg_digest_format(digest, hex);
	if (strcmp(hex, expected) != 0)
		return -EINVAL;
	*ret_data = KVG_TAKE_PTR(data);
	return 0;
}

void kvg_store_refusal_done(struct kvg_store_refusal *refusal)
{
	free(refusal->file);
	free(refusal->reason);
	free(refusal->url);
	*refusal = (struct kvg_store_refusal){0};
}

void kvg_store_forget_refused(struct kvg_store *store, enum kvg_document_kind kind,
			      enum kvg_cloud cloud)
{
	KVG_CLEANUP(kvg_store_refusal_done) struct kvg_store_refusal refusal = {0};
	KVG_CLEANUP(kvg_freep) char *reason = reason_path(store, kind, cloud);
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	char hex[KVG_DIGEST_HEX_LEN];

	if (!reason || read_reason(reason, &refusal, hex) == -ENOENT)
		return;
	if (refusal.file)
		path = join(store, "refused", refusal.file);
	if (path)
		unlink(path);
	unlink(reason);
}
