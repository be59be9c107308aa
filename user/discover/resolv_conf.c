// SPDX-License-Identifier: BSD-2-Clause
#include "discover/resolv_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "policy/nameservers.h"
#include "ranges/json.h"

/* As of every config.json, see container_files.c. */
#define CONFIG_MAX_BYTES (1UL << 20)

#define FD_PATH_LEN 32

/**
 * struct place - where a container's resolv.conf is
 * @path:   a file; or the folder that @inside is in
 * @inside: path in the folder, whose links lead to places in it; NULL: @path is the file
 */
struct place {
	char *path;
	const char *inside;
};

static void place_done(struct place *place)
{
	free(place->path);
}

/* Paths of a bundle are the host's, or relative to the bundle. */
static int set_place(struct place *place, const char *bundle, const char *path, const char *inside)
{
	free(place->path);
	place->inside = inside;
	if (*path == '/')
		place->path = strdup(path);
	else if (asprintf(&place->path, "%s/%s", bundle, path) < 0)
		place->path = NULL;
	return place->path ? 0 : -ENOMEM;
}

static const char *string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_bind(const json_t *mount)
{
	const json_t *options = json_object_get(mount, "options");
	const char *type = string_of(mount, "type");

	for (size_t i = 0; i < json_array_size(options); i++) {
		const char *option = json_string_value(json_array_get(options, i));

		if (option && (strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0))
			return true;
	}
	return type && strcmp(type, "bind") == 0;
}

/* Return: 0, also if the mount has nothing to do with it */
static int look_at_mount(struct place *place, const char *bundle, const json_t *mount)
{
	const char *destination = string_of(mount, "destination");
	const char *source = string_of(mount, "source");
	bool file = destination && strcmp(destination, "/etc/resolv.conf") == 0;

	if (!file && (!destination || strcmp(destination, "/etc") != 0))
		return 0;
	if (!is_bind(mount) || !source)
		return -EMEDIUMTYPE;
	return set_place(place, bundle, source, file ? NULL : "resolv.conf");
}

/* Mounts come one after another, and a later one hides what an earlier one put there. */
static int find_place(struct place *place, const char *bundle, const json_t *config)
{
	const char *root = string_of(json_object_get(config, "root"), "path");
	const json_t *mounts = json_object_get(config, "mounts");
	int r;

	if (!root)
		return -EINVAL;
	r = set_place(place, bundle, root, "etc/resolv.conf");
	for (size_t i = 0; r == 0 && i < json_array_size(mounts); i++)
		r = look_at_mount(place, bundle, json_array_get(mounts, i));
	return r;
}

/* A path only: opening a device or a pipe that somebody put there could do anything. */
static int open_place(const struct place *place)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	KVG_CLEANUP(kvg_closep) int root_fd = -1;
	long fd;

	root_fd = open(place->path, O_PATH | O_CLOEXEC);
	if (root_fd < 0)
		return errno == ENOENT ? -ENXIO : -errno; /* the bundle says that it is there */
	if (!place->inside)
		return KVG_TAKE_FD(root_fd);
	fd = syscall(SYS_openat2, root_fd, place->inside, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* @made: when the container was; NULL if it has not started */
static int read_place(const struct place *place, const struct timespec *made, char **ret)
{
	KVG_CLEANUP(kvg_closep) int fd = open_place(place);
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	char path[FD_PATH_LEN];
	struct stat st;
	size_t size;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = kvg_file_read(path, KVG_RESOLV_CONF_MAX_BYTES, &text, &size);
	/* After the reading: what was read is not younger than this. */
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r == 0 && made && is_later(&st.st_ctim, made))
		r = -ESTALE;
	if (r == 0)
		*ret = KVG_TAKE_PTR(text);
	return r;
}

static int load_config(const char *path, struct timespec *ret_made, json_t **ret)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct stat st;
	size_t size;
	int r = kvg_file_read(path, CONFIG_MAX_BYTES, &text, &size);

	if (r == 0)
		r = kvg_json_load(text, size, ret, NULL);
	if (r == 0 && stat(path, &st) < 0)
		r = -errno;
	if (r == 0)
		*ret_made = st.st_mtim;
	return r;
}

static int refuse(int error, struct kvg_diag *diag)
{
	const char *why = strerror(-error);

	if (error == -ESTALE)
		why = "it was changed since the container was made";
	else if (error == -ENXIO)
		why = "the agent does not see that file of the host's";
	else if (error == -EMEDIUMTYPE)
		why = "what is mounted there is no file of the host";
	return kvg_diag_set(diag, error, "its resolv.conf is not used: %s", why);
}

int kvg_resolv_conf_read(const struct kvg_resolv_conf_container *container,
			 const struct kvg_resolvers_node *node, struct kvg_resolvers *ret,
			 struct kvg_notes *notes, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *config = NULL;
	KVG_CLEANUP(place_done) struct place place = {};
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct timespec made;
	int r;

	*ret = (struct kvg_resolvers){};
	if (asprintf(&path, "%s/config.json", container->bundle) < 0) {
		path = NULL;
		return refuse(-ENOMEM, reterr_diag);
	}
	r = load_config(path, &made, &config);
	if (r == 0)
		r = find_place(&place, container->bundle, config);
	if (r < 0)
		return refuse(r, reterr_diag);
	r = read_place(&place, container->started ? &made : NULL, &text);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = kvg_resolvers_parse(text, "its resolv.conf", node, ret, notes);
	return r < 0 ? refuse(r, reterr_diag) : 0;
}
