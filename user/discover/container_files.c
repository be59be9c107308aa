// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where runtimes keep what they know of a container. No runtime is asked: its files are there before the
 * container's first instruction, and also when its daemon is not.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "discover/container.h"
#include "ranges/json.h"

/*
 * The config.json of a container with thousands of mounts is below 1 MiB; the list of podman's
 * containers has some 500 bytes for each.
 */
#define FILE_MAX_BYTES (1UL << 20)
#define LIST_MAX_BYTES (8UL << 20)

#define TASKS "io.containerd.runtime.v2.task"

static int load(const char *path, size_t max_bytes, json_t **ret)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = kvg_file_read(path, max_bytes, &text, &size);
	return r < 0 ? r : kvg_json_load(text, size, ret, NULL);
}

static int set(char **field, const char *text)
{
	char *copy;

	if (!text || **field)
		return 0;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static const char *string_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Labels beyond the most that are kept have filled the fields that they tell of. */
static int add_labels(struct kvg_identity *identity, json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach(labels, key, value)
	{
		const char *text = json_string_value(value);

		if (text && kvg_identity_add_label(identity, key, text) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

/* --- one reader for each kind of file -------------------------------------------------------------- */

static int note_bundle(struct kvg_identity *identity, const char *path)
{
	if (identity->bundle)
		return 0;
	identity->bundle = strndup(path, (size_t)(strrchr(path, '/') - path));
	return identity->bundle ? 0 : -ENOMEM;
}

static int read_bundle(struct kvg_identity *identity, const char *path)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *config = NULL;
	int r;

	r = load(path, FILE_MAX_BYTES, &config);
	if (r < 0)
		return r;
	if (!json_is_object(config))
		return -EINVAL;
	r = add_labels(identity, json_object_get(config, "annotations"));
	return r < 0 ? r : note_bundle(identity, path);
}

int kvg_identity_add_bundle(struct kvg_identity *identity, const char *bundle)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (asprintf(&path, "%s/config.json", bundle) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return read_bundle(identity, path);
}

/* Docker's config.v2.json: { Name: "/web", Config: { Image, Labels } } */
static int read_docker(struct kvg_identity *identity, const char *path)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *file = NULL;
	const json_t *config;
	const char *name;
	int r;

	r = load(path, FILE_MAX_BYTES, &file);
	if (r < 0)
		return r;
	config = json_object_get(file, "Config");
	if (!config)
		return -EINVAL;

	/* Labels first: below kubelet they have the name in the pod, and Name is made of it. */
	r = add_labels(identity, json_object_get(config, "Labels"));
	if (r == 0)
		r = set(&identity->image, string_of(config, "Image"));
	name = string_of(file, "Name");
	return r < 0 || !name ? r : set(&identity->container, name + (*name == '/'));
}

/* podman's list: [ { id, names: [ name ], metadata: "{ \"image-name\": ... }" } ] */
static int read_list(struct kvg_identity *identity, const char *path)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *metadata = NULL;
	KVG_CLEANUP(kvg_json_decrefp) json_t *list = NULL;
	const json_t *entry = NULL;
	const char *text;
	int r;

	r = load(path, LIST_MAX_BYTES, &list);
	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		const char *id;

		entry = json_array_get(list, i);
		id = string_of(entry, "id");
		if (id && strcmp(id, identity->container_id) == 0)
			break;
		entry = NULL;
	}
	if (!entry)
		return r < 0 ? r : -ENOENT;

	text = string_of(entry, "metadata");
	if (text && kvg_json_load(text, strlen(text), &metadata, NULL) == -ENOMEM)
		return -ENOMEM;
	r = set(&identity->image, string_of(metadata, "image-name"));
	if (r == 0)
		r = set(&identity->container,
			json_string_value(json_array_get(json_object_get(entry, "names"), 0)));
	return r;
}

/* --- where they are -------------------------------------------------------------------------------- */

/**
 * struct place - a file that a runtime keeps for each container, or for all
 * @runtime: whose
 * @lib:     below /var/lib, not /run
 * @before:  pattern of glob(7) up to the id
 * @after:   and behind it; NULL if the file is one for all containers
 * @read:    takes it
 */
static const struct place {
	const char *runtime;
	bool lib;
	const char *before;
	const char *after;
	int (*read)(struct kvg_identity *identity, const char *path);
} places[] = {
	{"docker", true, "docker/containers/", "/config.v2.json", read_docker},
	{"docker", false, "containerd/" TASKS "/moby/", "/config.json", read_bundle},
	{"docker", false, "docker/containerd/daemon/" TASKS "/moby/", "/config.json", read_bundle},
	{"docker", false, "docker/containerd/" TASKS "/moby/", "/config.json", read_bundle},
	{"containerd", false, "containerd/" TASKS "/*/", "/config.json", read_bundle},
	{"containerd", false, "k3s/containerd/" TASKS "/*/", "/config.json", read_bundle},
	{"cri-o", false, "containers/storage/*-containers/", "/userdata/config.json", read_bundle},
	{"cri-o", true, "containers/storage/*-containers/", "/userdata/config.json", read_bundle},
	{"podman", false, "containers/storage/*-containers/", "/userdata/config.json", read_bundle},
	{"podman", true, "containers/storage/*-containers/", "/userdata/config.json", read_bundle},
	{"podman", true, "containers/storage/*-containers/containers.json", NULL, read_list},
	{"podman", false, "containers/storage/*-containers/volatile-containers.json", NULL,
	 read_list},
};

/* The first file that can be read. */
static int read_matches(const char *pattern, const struct place *place,
			struct kvg_identity *identity)
{
	glob_t found = {0};
	int r = -ENOENT;

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == GLOB_NOSPACE)
		r = -ENOMEM;
	for (size_t i = 0; i < found.gl_pathc && r < 0 && r != -ENOMEM; i++)
		r = place->read(identity, found.gl_pathv[i]);
	globfree(&found);
	return r;
}

static int read_place(const struct kvg_identity_roots *roots, const struct place *place,
		      struct kvg_identity *identity)
{
	KVG_CLEANUP(kvg_freep) char *pattern = NULL;

	if (asprintf(&pattern, "%s/%s%s%s", place->lib ? roots->var_lib : roots->run, place->before,
		     place->after ? identity->container_id : "",
		     place->after ? place->after : "") < 0) {
		pattern = NULL;
		return -ENOMEM;
	}
	return read_matches(pattern, place, identity);
}

int kvg_container_read(const struct kvg_identity_roots *roots, struct kvg_identity *identity)
{
	bool known = identity->runtime[0];
	bool found = false;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(places); i++) {
		const struct place *place = &places[i];
		KVG_CLEANUP(kvg_freep) char *before = NULL;
		int r;

		if (known && strcmp(identity->runtime, place->runtime) != 0)
			continue;
		/* Whose annotations they are decides whether they are believed. */
		before = KVG_TAKE_PTR(identity->runtime);
		identity->runtime = strdup(place->runtime);
		if (!identity->runtime)
			return -ENOMEM;
		r = read_place(roots, place, identity);
		if (r == -ENOMEM)
			return r;
		known |= r == 0;
		found |= r == 0 && place->after;
		if (!known) {
			free(identity->runtime);
			identity->runtime = KVG_TAKE_PTR(before);
		}
	}
	return found ? 0 : -ENOENT;
}

/* --- containers of crun and runc alone: their paths are whatever the bundle says ------------------- */

/* runc writes "/sys/fs/cgroup/a/b", crun "/a/b". */
static bool is_cgroup_of(const char *said, const struct kvg_identity *identity, size_t length)
{
	size_t said_len = said ? strlen(said) : 0;

	return said_len >= length &&
	       strncmp(said + said_len - length, identity->cgroup, length) == 0;
}

static int take_plain(struct kvg_identity *identity, const char *runtime, const char *id,
		      const char *bundle)
{
	int r;

	r = set(&identity->runtime, runtime);
	if (r == 0)
		r = set(&identity->container_id, id);
	if (r == 0)
		r = set(&identity->container, id);
	if (r == 0 && bundle && kvg_identity_add_bundle(identity, bundle) < 0)
		identity->incomplete = true;
	return r;
}

static int read_crun(struct kvg_identity *identity, const char *path, const char *id, size_t length)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *state = NULL;
	int r;

	r = load(path, FILE_MAX_BYTES, &state);
	if (r < 0 || !is_cgroup_of(string_of(state, "cgroup-path"), identity, length))
		return r < 0 ? r : -ENOENT;
	return take_plain(identity, "crun", id, string_of(state, "bundle"));
}

/* The bundle is one of the labels: "bundle=/path". */
static int read_runc(struct kvg_identity *identity, const char *path, const char *id, size_t length)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *state = NULL;
	const char *bundle = NULL;
	const json_t *labels;
	int r;

	r = load(path, FILE_MAX_BYTES, &state);
	if (r < 0 ||
	    !is_cgroup_of(string_of(json_object_get(state, "cgroup_paths"), ""), identity, length))
		return r < 0 ? r : -ENOENT;

	labels = json_object_get(json_object_get(state, "config"), "labels");
	for (size_t i = 0; i < json_array_size(labels); i++) {
		const char *label = json_string_value(json_array_get(labels, i));

		if (label && strncmp(label, "bundle=", 7) == 0)
			bundle = label + 7;
	}
	return take_plain(identity, "runc", id, bundle);
}

/* @length: of the path up to the component that may be the container's */
static int read_plain(const struct kvg_identity_roots *roots, struct kvg_identity *identity,
		      const char *name, size_t length)
{
	static const struct {
		const char *prefix;
		const char *state;
		int (*read)(struct kvg_identity *, const char *, const char *, size_t);
	} rows[] = {{"crun-", "status", read_crun}, {"runc-", "state.json", read_runc}};
	int r = -ENOENT;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(rows) && r < 0 && r != -ENOMEM; i++) {
		KVG_CLEANUP(kvg_freep) char *path = NULL;
		KVG_CLEANUP(kvg_freep) char *id = NULL;
		const char *dot = strrchr(name, '.');

		/* systemd's are scopes: "crun-NAME.scope" */
		if (strncmp(name, rows[i].prefix, 5) == 0 && dot && strcmp(dot, ".scope") == 0)
			id = strndup(name + 5, (size_t)(dot - name) - 5);
		else
			id = strdup(name);
		if (!id || asprintf(&path, "%s/%.4s/%s/%s", roots->run, rows[i].prefix, id,
				    rows[i].state) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = rows[i].read(identity, path, id, length);
	}
	return r;
}

/* By the namespaces of containerd: ctr puts a container into "/NAMESPACE/ID". */
static int read_ctr(const struct kvg_identity_roots *roots, struct kvg_identity *identity)
{
	const char *id = strchr(identity->cgroup + 1, '/');
	size_t length = id ? strcspn(id + 1, "/") : 0;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r;

	if (length == 0)
		return -ENOENT;
	if (asprintf(&path, "%s/containerd/" TASKS "%.*s/config.json", roots->run,
		     (int)(id + 1 + length - identity->cgroup), identity->cgroup) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (access(path, F_OK) < 0)
		return -ENOENT;

	KVG_CLEANUP(kvg_freep) char *name = strndup(id + 1, length);
	r = name ? set(&identity->runtime, "containerd") : -ENOMEM;
	if (r == 0)
		r = set(&identity->container_id, name);
	if (r == 0)
		r = read_bundle(identity, path);
	return r < 0 ? r : set(&identity->container, name);
}

int kvg_container_read_plain(const struct kvg_identity_roots *roots, struct kvg_identity *identity)
{
	int r = read_ctr(roots, identity);
	const char *name = identity->cgroup;

	while (r < 0 && r != -ENOMEM && *name == '/' && name[1]) {
		size_t length = strcspn(name + 1, "/");
		KVG_CLEANUP(kvg_freep) char *copy = strndup(name + 1, length);

		if (!copy)
			return -ENOMEM;
		name += 1 + length;
		r = read_plain(roots, identity, copy, (size_t)(name - identity->cgroup));
	}
	return r == -ENOMEM ? r : 0;
}
