/* SPDX-License-Identifier: BSD-2-Clause */
/* The folders that a watch knows: by parent and name, and by watch descriptor. For watch.c. */
#ifndef KVG_DISCOVER_WATCH_TREE_H
#define KVG_DISCOVER_WATCH_TREE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#define KVG_WATCH_NONE (-1) /* no watch could be had: the folder is looked through now and then */
#define KVG_WATCH_DEAD (-2) /* the kernel took it away: the folder is another one, or none */

TAILQ_HEAD(kvg_watch_nodes, kvg_watch_node);

/**
 * struct kvg_watch_node - one folder
 * @parent:   NULL for the root
 * @children: of it
 * @sibling:  in @parent's children
 * @due:      in the list of folders to be looked through, if @is_due
 * @bare:     in the list of folders without a watch, if @wd is KVG_WATCH_NONE
 * @ino:      inode number; in a cgroup hierarchy never given twice
 * @wd:       watch descriptor, KVG_WATCH_NONE or KVG_WATCH_DEAD
 * @seen:     it was there when its parent was looked through
 * @name:     "" for the root; in @name_storage
 */
struct kvg_watch_node {
	struct kvg_watch_node *parent;
	struct kvg_watch_nodes children;
	TAILQ_ENTRY(kvg_watch_node) sibling;
	TAILQ_ENTRY(kvg_watch_node) due;
	TAILQ_ENTRY(kvg_watch_node) bare;
	ino_t ino;
	int wd;
	bool is_due;
	bool seen;
	const char *name;
	char name_storage[];
};

/** struct kvg_watch_tree - all of them; zeroed before use, but for @root_path */
struct kvg_watch_tree {
	char *root_path;
	size_t root_path_len;
	struct kvg_watch_node *root;
	size_t count;
	void *by_name;
	void *by_wd;
	char buffer[PATH_MAX];
	const char *below_root;
};

/** kvg_watch_tree_add() - a folder that is not known yet; Return: it, without a watch; NULL: no memory */
struct kvg_watch_node *kvg_watch_tree_add(struct kvg_watch_tree *tree,
					  struct kvg_watch_node *parent, const char *name);

/** kvg_watch_tree_remove() - forget one that has no children and no watch, and free it */
void kvg_watch_tree_remove(struct kvg_watch_tree *tree, struct kvg_watch_node *node);

/** kvg_watch_tree_find() - the folder @name in @parent, or NULL */
struct kvg_watch_node *kvg_watch_tree_find(struct kvg_watch_tree *tree,
					   const struct kvg_watch_node *parent, const char *name);

/** kvg_watch_tree_find_wd() - the folder of a watch descriptor, or NULL */
struct kvg_watch_node *kvg_watch_tree_find_wd(struct kvg_watch_tree *tree, int wd);

/** kvg_watch_tree_set_wd() - give a folder its descriptor, or take it away; Return: 0, or -ENOMEM */
int kvg_watch_tree_set_wd(struct kvg_watch_tree *tree, struct kvg_watch_node *node, int wd);

/**
 * kvg_watch_tree_path() - where a folder is
 * @node: the folder
 * @name: one in it, known or not; NULL for @node itself
 *
 * Return: the path, until the next call; NULL if it is longer than PATH_MAX, so that nobody can name it.
 * @tree->below_root is its part below the root, "/" for the root itself
 */
const char *kvg_watch_tree_path(struct kvg_watch_tree *tree, const struct kvg_watch_node *node,
				const char *name);

/** kvg_watch_tree_done() - free what it holds, @root_path too */
void kvg_watch_tree_done(struct kvg_watch_tree *tree);

#endif
