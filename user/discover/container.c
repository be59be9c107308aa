// SPDX-License-Identifier: BSD-2-Clause
#include "discover/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_LEN 64 /* hex digits, of every runtime but those that take a name */

/* Longer prefixes first. */
static const struct {
	const char *prefix;
	const char *runtime;
} prefixes[] = {
	{"cri-containerd-", "containerd"},
	{"nerdctl-", "containerd"},
	{"docker-", "docker"},
	{"crio-", "cri-o"},
	{"libpod-payload-", "podman"},
	{"libpod-", "podman"},
	{"cri-containerd:", "containerd"},
	{"crio:", "cri-o"},
	{"docker:", "docker"},
};

/* Is it 64 hex digits, alone or with ".scope"? */
static bool is_id(const char *text, size_t length)
{
	if (length != ID_LEN && (length != ID_LEN + 6 || strncmp(text + ID_LEN, ".scope", 6) != 0))
		return false;
	return strspn(text, "0123456789abcdef") == ID_LEN;
}

/*
 * A component of a path, such as "docker-<id>.scope", "crio-<id>", "<id>". What belongs to conmon is no
 * container: "crio-conmon-<id>.scope". A runtime that was told to use systemd by one and not by the other
 * side makes "kubepods-pod1.slice:cri-containerd:<id>".
 */
static const char *id_of(const char *name, size_t length, const char **ret_runtime)
{
	const char *colon = memchr(name, ':', length);

	if (colon && length > ID_LEN) {
		length -= (size_t)(colon + 1 - name);
		name = colon + 1;
	}
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t skip = strlen(prefixes[i].prefix);

		*ret_runtime = prefixes[i].runtime;
		if (length > skip && strncmp(name, prefixes[i].prefix, skip) == 0 &&
		    is_id(name + skip, length - skip))
			return name + skip;
	}
	*ret_runtime = "";
	return length == ID_LEN && is_id(name, length) ? name : NULL;
}

static bool is_word(const char *name, size_t length, const char *word)
{
	return strlen(word) == length && strncmp(name, word, length) == 0;
}

int kvg_container_find(const char *cgroup, const char **ret_runtime, char **ret_id)
{
	const char *before = "";
	size_t before_len = 0;

	for (const char *name = cgroup; *name == '/';) {
		size_t length = strcspn(++name, "/");
		const char *id = id_of(name, length, ret_runtime);

		/* podman names the cgroups of its pods so. */
		if (id && id == name && is_word(before, before_len, "libpod_parent"))
			id = NULL;
		if (id && id == name && is_word(before, before_len, "docker"))
			*ret_runtime = "docker";
		if (id) {
			*ret_id = strndup(id, ID_LEN);
			return *ret_id ? 1 : -ENOMEM;
		}
		before = name;
		before_len = length;
		name += length;
	}
	return 0;
}
