// SPDX-License-Identifier: BSD-2-Clause
#include "discover/watch_tree.h"

#include <errno.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
	const struct kvg_watch_node *x = a;
	const struct kvg_watch_node *y = b;

	if (x->parent != y->parent)
		return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_wds(const void *a, const void *b)
{
	const struct kvg_watch_node *x = a;
	const struct kvg_watch_node *y = b;

	return (x->wd > y->wd) - (x->wd < y->wd);
}

static struct kvg_watch_node *make(const char *name)
{
	size_t size = strlen(name) + 1;
	struct kvg_watch_node *node = calloc(1, sizeof(*node) + size);

	if (!node)
		return NULL;
	memcpy(node->name_storage, name, size);
	node->name = node->name_storage;
	TAILQ_INIT(&node->children);
	node->wd = KVG_WATCH_DEAD;
	return node;
}

struct kvg_watch_node *kvg_watch_tree_add(struct kvg_watch_tree *tree,
					  struct kvg_watch_node *parent, const char *name)
{
	struct kvg_watch_node *node = make(name);

	if (!node)
		return NULL;
	node->parent = parent;
	if (!tsearch(node, &tree->by_name, compare_names)) {
		free(node);
		return NULL;
	}
	if (parent)
		TAILQ_INSERT_TAIL(&parent->children, node, sibling);
	else
		tree->root = node;
	tree->count++;
	return node;
}

void kvg_watch_tree_remove(struct kvg_watch_tree *tree, struct kvg_watch_node *node)
{
	tdelete(node, &tree->by_name, compare_names);
	if (node->parent)
		TAILQ_REMOVE(&node->parent->children, node, sibling);
	else
		tree->root = NULL;
	tree->count--;
	free(node);
}

struct kvg_watch_node *kvg_watch_tree_find(struct kvg_watch_tree *tree,
					   const struct kvg_watch_node *parent, const char *name)
{
	const struct kvg_watch_node key = {
		.parent = (struct kvg_watch_node *)parent,
		.name = name,
	};
	struct kvg_watch_node **found = tfind(&key, &tree->by_name, compare_names);

	return found ? *found : NULL;
}

struct kvg_watch_node *kvg_watch_tree_find_wd(struct kvg_watch_tree *tree, int wd)
{
	const struct kvg_watch_node key = {.wd = wd};
	struct kvg_watch_node **found = tfind(&key, &tree->by_wd, compare_wds);

	return found ? *found : NULL;
}

int kvg_watch_tree_set_wd(struct kvg_watch_tree *tree, struct kvg_watch_node *node, int wd)
{
	if (node->wd >= 0)
		tdelete(node, &tree->by_wd, compare_wds);
	node->wd = wd;
	if (wd < 0 || tsearch(node, &tree->by_wd, compare_wds))
		return 0;
	node->wd = KVG_WATCH_DEAD;
	return -ENOMEM;
}

/* Puts "/@name" before what stands at @at; the root's own path must fit in front of it. */
static char *prepend(struct kvg_watch_tree *tree, char *at, const char *name)
{
	size_t length = strlen(name);

	if ((size_t)(at - tree->buffer) < length + 1 + tree->root_path_len)
		return NULL;
	at -= length;
	memcpy(at, name, length);
	*--at = '/';
	return at;
}

const char *kvg_watch_tree_path(struct kvg_watch_tree *tree, const struct kvg_watch_node *node,
				const char *name)
{
	char *at = tree->buffer + sizeof(tree->buffer) - 1;

	*at = '\0';
	if (name)
		at = prepend(tree, at, name);
	for (; at && node->parent; node = node->parent)
		at = prepend(tree, at, node->name);
	if (at && !*at)
		at = prepend(tree, at, "");
	if (!at)
		return NULL;

	tree->below_root = at;
	at -= tree->root_path_len;
	memcpy(at, tree->root_path, tree->root_path_len);
	return at;
}

static void keep(void *node)
{
	(void)node;
}

/* As deep as a path can be: PATH_MAX / 2. */
static void free_below(struct kvg_watch_node *node)
{
	struct kvg_watch_node *child;

	while ((child = TAILQ_FIRST(&node->children))) {
		TAILQ_REMOVE(&node->children, child, sibling);
		free_below(child);
	}
	free(node);
}

void kvg_watch_tree_done(struct kvg_watch_tree *tree)
{
	tdestroy(tree->by_name, keep);
	tdestroy(tree->by_wd, keep);
	if (tree->root)
		free_below(tree->root);
	free(tree->root_path);
}
