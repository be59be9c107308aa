// SPDX-License-Identifier: BSD-2-Clause
/*
 * A folder may hold years of documents. Reading one whole takes some 30 ms, so of each kind and cloud
 * only the newest is: how a document begins tells its cloud, and its name the date. A guess by the
 * beginning only ever puts off reading; what is kept was read whole.
 */
#include "ranges/library.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "ranges/reader.h"
#include "ranges/store.h"

/* The beginning that is peeked at: up to "values" it takes 60 bytes as published. */
#define HEAD_BYTES 512

/* Where a fault is told. */
struct fault {
	char **path;
	struct kvg_diag *diag;
};

/* A file that is, or by its beginning seems to be, a document. */
struct candidate {
	char *path;
	enum kvg_document_kind kind;
	enum kvg_cloud cloud;
	unsigned int first_day;
	unsigned int last_day;
	struct kvg_document *document; /* NULL as long as it was only peeked at */
};

struct candidates {
	struct candidate *items;
	size_t count;
};

static void candidates_done(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++) {
		free(candidates->items[i].path);
		kvg_document_free(candidates->items[i].document);
	}
	free(candidates->items);
}

/* Name the file at fault; the message was written, or is the error's. */
static int blame(const struct fault *fault, const char *path, int error)
{
	if (fault->diag && !fault->diag->msg[0])
		kvg_diag_set(fault->diag, error, "%s", strerror(-error));
	if (fault->path)
		*fault->path = strdup(path);
	return error;
}

static int note(struct kvg_library *library, const char *path, const char *why, const char *what)
{
	char **notes;
	char *text;

	notes = reallocarray(library->notes, library->notes_count + 1, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	library->notes = notes;

	if (asprintf(&text, "\"%s\" is passed over: %s%s", path, why, what) < 0)
		return -ENOMEM;

	for (char *c = text; *c; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	library->notes[library->notes_count++] = text;
	return 0;
}

/* All days of the first lie before all days of the second. No date, no order. */
static bool is_older(unsigned int last_day, unsigned int first_day)
{
	return last_day && first_day && last_day < first_day;
}

static int read_document(const char *path, struct kvg_document **ret, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_DOCUMENT_MAX_BYTES, &data, &size);
	if (r < 0)
		return kvg_diag_set(diag, r, "%s", strerror(-r));

	return kvg_document_parse(path, data, size, ret, diag);
}

static int hold(struct kvg_library *library, const char *path, struct kvg_document **document)
{
	struct kvg_document **held = &library->documents[(*document)->kind][(*document)->cloud];
	char **held_path = &library->paths[(*document)->kind][(*document)->cloud];
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;

	kvg_document_free(*held);
	free(*held_path);
	*held = KVG_TAKE_PTR(*document);
	*held_path = copy;
	return 0;
}

/* Put a document in its place, unless a newer one is there. */
static int take(struct kvg_library *library, const char *path, struct kvg_document **document,
		const struct fault *fault)
{
	const struct kvg_document *held = library->documents[(*document)->kind][(*document)->cloud];
	const char *held_path = library->paths[(*document)->kind][(*document)->cloud];
	int r;

	if (!held)
		return hold(library, path, document);

	if (is_older(held->last_day, (*document)->first_day)) {
		r = note(library, held_path, "older than ", path);
		return r < 0 ? r : hold(library, path, document);
	}
	if (is_older((*document)->last_day, held->first_day))
		return note(library, path, "older than ", held_path);
	if (memcmp(held->digest, (*document)->digest, sizeof(held->digest)) == 0)
		return note(library, path, "the same bytes as ", held_path);

	return kvg_diag_set(fault->diag, -EEXIST,
			    "this and \"%s\" are both %s of %s, and no dates in their names say "
			    "which is newer",
			    held->file, kvg_document_kind_word(held->kind),
			    kvg_cloud_word(held->cloud));
}

static int add_file(struct kvg_library *library, const char *path, const struct fault *fault)
{
	KVG_CLEANUP(kvg_document_freep) struct kvg_document *document = NULL;
	int r;

	r = read_document(path, &document, fault->diag);
	if (r < 0)
		return r;

	return take(library, path, &document, fault);
}

static int add_candidate(struct candidates *candidates, const struct candidate *candidate)
{
	struct candidate *items;

	items = reallocarray(candidates->items, candidates->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;

	candidates->items = items;
	candidates->items[candidates->count++] = *candidate;
	return 0;
}

static int peek(const char *path, enum kvg_cloud *ret)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	char head[HEAD_BYTES + 1];
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	n = read(fd, head, HEAD_BYTES);
	if (n < 0)
		return -errno;

	head[n] = '\0';
	return kvg_service_tags_peek(head, ret);
}

/* What does not begin as service tags do is small, or no document; it is read at once. */
static int read_at_once(struct kvg_library *library, struct candidate *candidate,
			const struct fault *fault)
{
	struct kvg_diag why = {};
	int r;

	r = read_document(candidate->path, &candidate->document, &why);
	if (r == -ENOMSG || r == -EOPNOTSUPP || r == -EFBIG) {
		r = note(library, candidate->path, why.msg, "");
		return r < 0 ? r : -ENOMSG;
	}
	if (r < 0)
		return kvg_diag_set_at(fault->diag, r, why.line, why.column, "%s", why.msg);

	candidate->kind = candidate->document->kind;
	candidate->cloud = candidate->document->cloud;
	return 0;
}

/* Return: 0 with a candidate, -ENOMSG if it was passed over with a note, or an error. */
static int look_at_file(struct kvg_library *library, struct candidate *candidate,
			const struct fault *fault)
{
	int r;

	r = peek(candidate->path, &candidate->cloud);
	if (r == -ENOMSG)
		return read_at_once(library, candidate, fault);
	if (r < 0)
		return r;
	if (candidate->cloud != KVG_CLOUD_GERMANY)
		return 0;

	r = note(library, candidate->path, "its cloud was retired", "");
	return r < 0 ? r : -ENOMSG;
}

static int look_at(struct kvg_library *library, struct candidates *candidates, const char *path,
		   const struct fault *fault)
{
	struct candidate candidate = {.kind = KVG_DOCUMENT_KIND_SERVICE_TAGS};
	const char *name = strrchr(path, '/') + 1;
	struct stat st;
	int r;

	if (kvg_store_is_own(name))
		return 0;
	/* Such as a file that another process is about to rename: it may be gone already. */
	if (name[0] == '.')
		return note(library, path, "hidden", "");
	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return note(library, path, "a folder in a folder", "");
	if (!S_ISREG(st.st_mode))
		return note(library, path, "not a regular file", "");

	candidate.path = strdup(path);
	if (!candidate.path)
		return -ENOMEM;

	r = look_at_file(library, &candidate, fault);
	if (r == 0) {
		kvg_document_read_date(name, &candidate.first_day, &candidate.last_day);
		r = add_candidate(candidates, &candidate);
	}
	if (r < 0) {
		free(candidate.path);
		kvg_document_free(candidate.document);
	}
	return r == -ENOMSG ? 0 : r;
}

static const struct candidate *find_newer(const struct candidates *candidates,
					  const struct candidate *than)
{
	for (size_t i = 0; i < candidates->count; i++) {
		const struct candidate *other = &candidates->items[i];

		if (other->kind == than->kind && other->cloud == than->cloud &&
		    is_older(than->last_day, other->first_day))
			return other;
	}
	return NULL;
}

static int take_newest(struct kvg_library *library, struct candidates *candidates,
		       const struct fault *fault)
{
	for (size_t i = 0; i < candidates->count; i++) {
		struct candidate *candidate = &candidates->items[i];
		const struct candidate *newer = find_newer(candidates, candidate);
		int r;

		if (newer)
			r = note(library, candidate->path, "older than ", newer->path);
		else if (!candidate->document)
			r = add_file(library, candidate->path, fault);
		else
			r = take(library, candidate->path, &candidate->document, fault);
		if (r < 0)
			return blame(fault, candidate->path, r);
	}
	return 0;
}

/* Names of a folder's entries, sorted, so that notes and faults come in the same order every time. */
struct entries {
	struct dirent **items;
	int count;
};

static void entries_done(struct entries *entries)
{
	for (int i = 0; i < entries->count; i++)
		free(entries->items[i]);
	free(entries->items);
}

static int is_not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct kvg_library *library, const char *folder, const struct fault *fault)
{
	KVG_CLEANUP(candidates_done) struct candidates candidates = {};
	KVG_CLEANUP(entries_done) struct entries entries = {};

	entries.count = scandir(folder, &entries.items, is_not_dots, by_name);
	if (entries.count < 0) {
		entries.count = 0;
		return blame(fault, folder, -errno);
	}

	for (int i = 0; i < entries.count; i++) {
		KVG_CLEANUP(kvg_freep) char *path = NULL;
		int r;

		if (asprintf(&path, "%s/%s", folder, entries.items[i]->d_name) < 0)
			return blame(fault, folder, -ENOMEM);

		r = look_at(library, &candidates, path, fault);
		if (r < 0)
			return blame(fault, path, r);
	}
	return take_newest(library, &candidates, fault);
}

int kvg_library_add(struct kvg_library *library, const char *path, char **reterr_path,
		    struct kvg_diag *reterr_diag)
{
	struct fault fault = {.path = reterr_path, .diag = reterr_diag};
	struct stat st;
	int r;

	if (reterr_diag)
		*reterr_diag = (struct kvg_diag){};

	if (strcmp(path, "-") != 0) {
		if (stat(path, &st) < 0)
			return blame(&fault, path, -errno);
		if (S_ISDIR(st.st_mode))
			return add_folder(library, path, &fault);
	}

	r = add_file(library, path, &fault);
	return r < 0 ? blame(&fault, path, r) : 0;
}

void kvg_library_done(struct kvg_library *library)
{
	for (int kind = 0; kind < KVG_DOCUMENT_KIND_COUNT; kind++) {
		for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
			kvg_document_free(library->documents[kind][cloud]);
			free(library->paths[kind][cloud]);
		}
	}
	for (size_t i = 0; i < library->notes_count; i++)
		free(library->notes[i]);
	free(library->notes);
	*library = (struct kvg_library){};
}
