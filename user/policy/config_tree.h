/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same file as a tree of libyaml's nodes, for places: libcyaml says that something is wrong, but
 * points at the value before it.
 */
#ifndef KVG_POLICY_CONFIG_TREE_H
#define KVG_POLICY_CONFIG_TREE_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/diag.h"

/** struct kvg_config_tree - a parsed YAML document; zeroed before use */
struct kvg_config_tree {
	yaml_document_t document;
	int loaded;
};

/**
 * kvg_config_tree_load() - parse YAML
 * @data:        the bytes
 * @size:        how many
 * @ret:         done by the caller, also after a failure
 * @reterr_diag: what is no YAML; also a second document, and keys that are no text or stand twice
 *
 * Return: 0, or -EINVAL
 */
int kvg_config_tree_load(const char *data, size_t size, struct kvg_config_tree *ret,
			 struct kvg_diag *reterr_diag);

/** kvg_config_tree_done() - free what it holds */
void kvg_config_tree_done(struct kvg_config_tree *tree);

/**
 * kvg_config_tree_fault() - the first thing in the tree that does not fit the schema
 * @reterr_diag: its place and what was expected there
 *
 * What the schema ignores must be a mapping of text to text, with at most 32 keys.
 *
 * Return: -EINVAL, or 0 if all fits
 */
int kvg_config_tree_fault(struct kvg_config_tree *tree, const cyaml_schema_value_t *schema,
			  struct kvg_diag *reterr_diag);

/**
 * struct kvg_config_pair - one key of a mapping whose keys are the user's own
 * @key:    as long as the tree lives
 * @value:  the same
 * @line:   of the value, 1-based
 * @column: of the value, 1-based
 */
struct kvg_config_pair {
	const char *key;
	const char *value;
	unsigned int line;
	unsigned int column;
};

/**
 * kvg_config_tree_pair() - look into a mapping that the schema ignores
 * @path:  of the mapping
 * @index: which of its keys
 * @ret:   the pair
 *
 * Return: whether there is such a mapping and it has so many keys
 */
bool kvg_config_tree_pair(struct kvg_config_tree *tree, const char *path, size_t index,
			  struct kvg_config_pair *ret);

/**
 * kvg_config_tree_locate() - where a value stands
 * @path: such as "profiles[2].regions[0]"
 * @diag: gains its line and column, or those of the nearest thing around it
 */
void kvg_config_tree_locate(struct kvg_config_tree *tree, const char *path, struct kvg_diag *diag);

#endif
