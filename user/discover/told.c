// SPDX-License-Identifier: BSD-2-Clause
#include "discover/told.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/file.h"
#include "ranges/json.h"

#define FOLDER     "containers"
#define ID_KEY     "cgroup_id"
#define FILE_LIMIT (2 * KVG_OCI_STATE_MAX_BYTES)

static char *folder_path(const struct kvg_told_places *places)
{
	char *path;

	return asprintf(&path, "%s/" FOLDER, places->run_dir) < 0 ? NULL : path;
}

static char *file_path(const struct kvg_told_places *places, const char *cgroup)
{
	unsigned char digest[KVG_DIGEST_BYTES];
	char hex[KVG_DIGEST_HEX_LEN];
	char *path;

	kvg_digest(cgroup, strlen(cgroup), digest);
	kvg_digest_format(digest, hex);
	return asprintf(&path, "%s/" FOLDER "/%s.json", places->run_dir, hex) < 0 ? NULL : path;
}

/* Another of the same path has another number. Return: 0 if there is none */
static json_int_t find_id(const struct kvg_told_places *places, const char *cgroup)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct stat st;

	if (asprintf(&path, "%s%s", places->cgroup_root, cgroup) < 0) {
		path = NULL;
		return 0;
	}
	return stat(path, &st) < 0 ? 0 : (json_int_t)st.st_ino;
}

/* Annotations may be nobody else's business. */
static int make_folder(const struct kvg_told_places *places)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(places);

	if (!path)
		return -ENOMEM;
	if (mkdir(places->run_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Not synchronised: no container outlives its machine, and a runtime waits for this. */
int kvg_told_keep(const struct kvg_told_places *places, const struct kvg_oci_state *state,
		  struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *told = kvg_oci_state_request(state);
	KVG_CLEANUP(kvg_freep) char *path = file_path(places, state->cgroup);
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	int r = make_folder(places);

	if (r == 0 && path &&
	    json_object_set_new(told, ID_KEY, json_integer(find_id(places, state->cgroup))) == 0)
		text = json_dumps(told, JSON_COMPACT);
	if (r == 0)
		r = text ? kvg_file_replace_volatile(path, text, strlen(text)) : -ENOMEM;
	return r < 0 ? kvg_diag_set(reterr_diag, r, "cannot keep what is known of it in %s/%s: %s",
				    places->run_dir, FOLDER, strerror(-r))
		     : 0;
}

static int read_file(const struct kvg_told_places *places, const char *path,
		     struct kvg_oci_state *ret)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *told = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	json_int_t id;
	size_t size;
	int r = kvg_file_read(path, FILE_LIMIT, &text, &size);

	if (r == 0)
		r = kvg_json_load(text, size, &told, NULL);
	if (r == 0)
		r = kvg_oci_state_read(told, ret, NULL);
	if (r < 0)
		return r;
	id = json_integer_value(json_object_get(told, ID_KEY));
	if (!ret->cgroup || !id || find_id(places, ret->cgroup) != id) {
		kvg_oci_state_done(ret);
		return -ESTALE;
	}
	return 0;
}

void kvg_told_each(const struct kvg_told_places *places,
		   void (*found)(void *data, struct kvg_oci_state *state), void *data)
{
	KVG_CLEANUP(kvg_freep) char *folder = folder_path(places);
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state state = {};
		KVG_CLEANUP(kvg_freep) char *path = NULL;
		const char *end = strrchr(entry->d_name, '.');
		int r;

		if (!end || strcmp(end, ".json") != 0 ||
		    asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
			path = NULL;
			continue;
		}
		r = read_file(places, path, &state);
		if (r == 0)
			found(data, &state);
		else if (r != -ENOMEM)
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

void kvg_told_forget(const struct kvg_told_places *places, const char *cgroup)
{
	KVG_CLEANUP(kvg_freep) char *path = file_path(places, cgroup);
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state state = {};

	if (path && access(path, F_OK) == 0 && read_file(places, path, &state) < 0)
		unlink(path);
}
