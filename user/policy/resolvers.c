// SPDX-License-Identifier: BSD-2-Clause
#include "policy/resolvers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "policy/address.h"
#include "policy/nameservers.h"

#define FOLDER "resolvers"

/* KVG_RESOLVERS_MAX addresses, and then some. */
#define FILE_MAX_BYTES 1024

/**
 * struct reading - a resolv.conf that is read
 * @name:  of the file
 * @node:  whose addresses a container may have; NULL: the file is the node's own, and is believed
 * @lines: nameserver lines so far
 */
struct reading {
	const char *name;
	const struct kvg_resolvers_node *node;
	struct kvg_resolvers *ret;
	struct kvg_notes *notes;
	unsigned int lines;
};

static bool holds(const struct kvg_resolvers *set, const struct kvg_prefix *address)
{
	for (size_t i = 0; i < set->count; i++) {
		if (kvg_prefix_compare(&set->list[i], address) == 0)
			return true;
	}
	return false;
}

static void insert(struct kvg_resolvers *set, const struct kvg_prefix *address)
{
	size_t at = 0;

	if (set->count == KVG_RESOLVERS_MAX || holds(set, address))
		return;
	while (at < set->count && kvg_prefix_compare(&set->list[at], address) < 0)
		at++;
	memmove(&set->list[at + 1], &set->list[at], (set->count - at) * sizeof(*set->list));
	set->list[at] = *address;
	set->count++;
}

/* May a container name it? Nothing is said of the internet but what the node says itself. */
static bool is_near(const struct kvg_prefix *address, const struct kvg_resolvers_node *node)
{
	enum kvg_address_kind kind = kvg_address_classify(address);

	return kind == KVG_ADDRESS_PRIVATE ||
	       (kind == KVG_ADDRESS_LINK_LOCAL && address->family == AF_INET) ||
	       holds(&node->own, address) || holds(&node->upstream, address);
}

static int take(void *data, const char *text)
{
	struct reading *reading = data;
	char shown[KVG_PREFIX_STRLEN];
	struct kvg_prefix address;

	if (reading->lines++ == KVG_RESOLVERS_MAX)
		return 1;
	if (kvg_prefix_parse_address(text, &address, NULL) < 0)
		return kvg_notes_add(reading->notes,
				     "a nameserver of %s is no address, or has a zone: it is left "
				     "out",
				     reading->name);
	if (kvg_address_classify(&address) == KVG_ADDRESS_LOOPBACK)
		return 0; /* always reachable */
	if (reading->node && !is_near(&address, reading->node))
		return kvg_notes_add(reading->notes,
				     "nameserver %s of %s is neither private nor the node's: it is "
				     "left out; name it in 'resolvers' if it is meant",
				     kvg_address_format(&address, shown), reading->name);
	insert(reading->ret, &address);
	return 0;
}

int kvg_resolvers_parse(char *text, const char *name, const struct kvg_resolvers_node *node,
			struct kvg_resolvers *ret, struct kvg_notes *notes)
{
	struct reading reading = {.name = name, .node = node, .ret = ret, .notes = notes};
	int r;

	*ret = (struct kvg_resolvers){};
	r = kvg_nameservers_each(text, take, &reading);
	return r < 0 ? r : 0;
}

static int read_believed(const char *path, struct kvg_resolvers *ret, struct kvg_notes *notes)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r = kvg_file_read(path, KVG_RESOLV_CONF_MAX_BYTES, &text, &size);

	*ret = (struct kvg_resolvers){};
	if (r == 0)
		return kvg_resolvers_parse(text, path, NULL, ret, notes);
	if (r == -ENOMEM)
		return r;
	return kvg_notes_add(notes, "'%s' cannot be read: %s; no resolver of it is let through",
			     path, strerror(-r));
}

int kvg_resolvers_read_node(const char *path, const char *upstream, struct kvg_resolvers_node *ret,
			    struct kvg_notes *notes)
{
	int r = read_believed(path, &ret->own, notes);

	return r < 0 ? r : read_believed(upstream, &ret->upstream, NULL);
}

bool kvg_resolvers_equal(const struct kvg_resolvers *a, const struct kvg_resolvers *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (kvg_prefix_compare(&a->list[i], &b->list[i]) != 0)
			return false;
	}
	return true;
}

/* --- kept on disk ---------------------------------------------------------------------------- */

char *kvg_resolvers_format(const struct kvg_resolvers *resolvers)
{
	char *text = calloc(KVG_RESOLVERS_MAX, KVG_PREFIX_STRLEN + 1);
	char shown[KVG_PREFIX_STRLEN];

	for (size_t i = 0; text && i < resolvers->count; i++) {
		strcat(text, kvg_address_format(&resolvers->list[i], shown));
		strcat(text, "\n");
	}
	return text;
}

static char *path_of(const char *run_dir, const char *tag)
{
	char *path;

	return asprintf(&path, "%s/" FOLDER "/%s", run_dir, tag) < 0 ? NULL : path;
}

int kvg_resolvers_keep(const char *run_dir, const char *tag, const struct kvg_resolvers *resolvers)
{
	KVG_CLEANUP(kvg_freep) char *text = kvg_resolvers_format(resolvers);
	KVG_CLEANUP(kvg_freep) char *folder = path_of(run_dir, "");
	KVG_CLEANUP(kvg_freep) char *path = path_of(run_dir, tag);
	struct kvg_resolvers known;
	int r;

	if (!text || !folder || !path)
		return -ENOMEM;
	if (kvg_resolvers_recall(run_dir, tag, &known) == 0 &&
	    kvg_resolvers_equal(&known, resolvers))
		return 0;
	folder[strlen(folder) - 1] = '\0';
	r = kvg_folder_make(folder);
	return r < 0 ? r : kvg_file_replace(path, text, strlen(text));
}

int kvg_resolvers_recall(const char *run_dir, const char *tag, struct kvg_resolvers *ret)
{
	KVG_CLEANUP(kvg_freep) char *path = path_of(run_dir, tag);
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_resolvers read = {};
	struct kvg_prefix address;
	char *rest, *line;
	size_t size;
	int r = path ? kvg_file_read(path, FILE_MAX_BYTES, &text, &size) : -ENOMEM;

	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		if (read.count == KVG_RESOLVERS_MAX ||
		    kvg_prefix_parse_address(line, &address, NULL) < 0)
			return -EINVAL;
		insert(&read, &address);
	}
	*ret = read;
	return 0;
}

void kvg_resolvers_forget(const char *run_dir, bool (*is_used)(const void *data, const char *tag),
			  const void *data)
{
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {};
	KVG_CLEANUP(kvg_freep) char *folder = path_of(run_dir, "");

	if (!folder || kvg_folder_list(folder, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		KVG_CLEANUP(kvg_freep) char *path = path_of(run_dir, names.items[i]);

		if (path && !is_used(data, names.items[i]))
			unlink(path);
	}
}
