// SPDX-License-Identifier: BSD-2-Clause
#include "policy/config_tree.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* The longest is "profiles[4294967295].select[4294967295].kubernetes.container". */
#define PATH_LEN 128

/*
 * More than any mapping of ours has: of so many keys one stands twice or is unknown, and is found as
 * such. Comparing each with each stays cheap.
 */
#define KEYS_MAX 32

static int fault_at(struct kvg_diag *diag, const yaml_mark_t *mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fault_at(struct kvg_diag *diag, const yaml_mark_t *mark, const char *format, ...)
{
	char text[sizeof(diag->msg)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	kvg_diag_set_at(diag, -EINVAL, (unsigned int)mark->line + 1, (unsigned int)mark->column + 1,
			"%s", text);
	return -EINVAL;
}

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static const yaml_node_t *value_of(yaml_document_t *document, const yaml_node_t *mapping,
				   const char *key)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		const char *word = scalar(yaml_document_get_node(document, pair->key));

		if (word && strcmp(word, key) == 0)
			return yaml_document_get_node(document, pair->value);
	}
	return NULL;
}

static bool stands_before(yaml_document_t *document, const yaml_node_t *mapping,
			  const yaml_node_pair_t *pair, const char *word)
{
	const yaml_node_pair_t *other = mapping->data.mapping.pairs.start;

	for (; other < pair; other++) {
		if (strcmp(scalar(yaml_document_get_node(document, other->key)), word) == 0)
			return true;
	}
	return false;
}

/* Keys are text, and stand once. */
static int check_mapping(yaml_document_t *document, const yaml_node_t *mapping,
			 struct kvg_diag *diag)
{
	const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;

	for (; pair < mapping->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);
		const char *word = scalar(key);

		if (!word || strlen(word) != key->data.scalar.length)
			return fault_at(diag, &key->start_mark, "expected a key that is text");
		if (pair - mapping->data.mapping.pairs.start < KEYS_MAX &&
		    stands_before(document, mapping, pair, word))
			return fault_at(diag, &key->start_mark, "the key '%s' stands twice", word);
	}
	return 0;
}

static int check_nodes(yaml_document_t *document, struct kvg_diag *diag)
{
	const yaml_node_t *node;
	int r = 0;

	for (int i = 1; (node = yaml_document_get_node(document, i)) && r == 0; i++) {
		if (node->type == YAML_MAPPING_NODE)
			r = check_mapping(document, node, diag);
		else if (scalar(node) && strlen(scalar(node)) != node->data.scalar.length)
			r = fault_at(diag, &node->start_mark, "the text holds a NUL byte");
	}
	return r;
}

static int parser_fault(const yaml_parser_t *parser, struct kvg_diag *diag)
{
	const yaml_mark_t *mark = &parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return kvg_diag_set(diag, -ENOMEM, "out of memory");
	if (parser->error == YAML_READER_ERROR)
		mark = &parser->mark;
	return fault_at(diag, mark, "no YAML: %s",
			parser->problem ? parser->problem : "unknown fault");
}

static int load_documents(yaml_parser_t *parser, struct kvg_config_tree *tree,
			  struct kvg_diag *diag)
{
	yaml_document_t second;
	const yaml_node_t *root;
	int r = 0;

	if (!yaml_parser_load(parser, &tree->document))
		return parser_fault(parser, diag);
	tree->loaded = true;
	if (!yaml_document_get_root_node(&tree->document))
		return kvg_diag_set(diag, -EINVAL, "empty: expected 'profiles'");

	if (!yaml_parser_load(parser, &second))
		return parser_fault(parser, diag);
	root = yaml_document_get_root_node(&second);
	if (root)
		r = fault_at(diag, &root->start_mark, "a second document: expected one");
	yaml_document_delete(&second);
	return r;
}

int kvg_config_tree_load(const char *data, size_t size, struct kvg_config_tree *ret,
			 struct kvg_diag *reterr_diag)
{
	yaml_parser_t parser;
	int r;

	if (!yaml_parser_initialize(&parser))
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");

	yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
	r = load_documents(&parser, ret, reterr_diag);
	yaml_parser_delete(&parser);
	return r < 0 ? r : check_nodes(&ret->document, reterr_diag);
}

void kvg_config_tree_done(struct kvg_config_tree *tree)
{
	if (tree->loaded)
		yaml_document_delete(&tree->document);
	tree->loaded = false;
}

/* --- what does not fit the schema ------------------------------------------------------------- */

struct search {
	yaml_document_t *document;
	struct kvg_diag *diag;
};

static int find_fault(const struct search *search, const char *path, const yaml_node_t *node,
		      const cyaml_schema_value_t *schema);

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema, const char *key)
{
	const cyaml_schema_field_t *field = schema->mapping.fields;

	while (field->key && strcmp(field->key, key) != 0)
		field++;
	return field->key ? field : NULL;
}

static void list_keys(const cyaml_schema_value_t *schema, char *list, size_t size)
{
	const cyaml_schema_field_t *field = schema->mapping.fields;
	size_t used = 0;

	list[0] = '\0';
	for (; field->key && used < size; field++)
		used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
					 field->key);
}

static int mapping_fault(const struct search *search, const char *path, const yaml_node_t *node,
			 const cyaml_schema_value_t *schema)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	char inner[PATH_LEN];
	char keys[160];
	int r = 0;

	for (; pair < node->data.mapping.pairs.top && r == 0; pair++) {
		const yaml_node_t *key = yaml_document_get_node(search->document, pair->key);
		const cyaml_schema_field_t *field = find_field(schema, scalar(key));

		if (!field) {
			list_keys(schema, keys, sizeof(keys));
			return fault_at(search->diag, &key->start_mark,
					"unknown key '%.40s'%s%s: expected %s", scalar(key),
					*path ? " in " : "", path, keys);
		}
		snprintf(inner, sizeof(inner), "%s%s%s", path, *path ? "." : "", field->key);
		r = find_fault(search, inner, yaml_document_get_node(search->document, pair->value),
			       &field->value);
	}

	for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key && r == 0; f++) {
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !value_of(search->document, node, f->key))
			r = fault_at(search->diag, &node->start_mark, "'%s' is missing%s%s", f->key,
				     *path ? " in " : "", path);
	}
	return r;
}

static int sequence_fault(const struct search *search, const char *path, const yaml_node_t *node,
			  const cyaml_schema_value_t *schema)
{
	const yaml_node_item_t *start = node->data.sequence.items.start;
	size_t count = (size_t)(node->data.sequence.items.top - start);
	char inner[PATH_LEN];
	int r = 0;

	if (count < schema->sequence.min)
		return fault_at(search->diag, &node->start_mark,
				"'%s' is empty: expected at least one entry", path);

	for (size_t i = 0; i < count && r == 0; i++) {
		snprintf(inner, sizeof(inner), "%s[%zu]", path, i);
		r = find_fault(search, inner, yaml_document_get_node(search->document, start[i]),
			       schema->sequence.entry);
	}
	return r;
}

static int type_fault(const struct search *search, const char *path, const yaml_node_t *node,
		      const char *expected)
{
	static const char *const words[] = {
		[YAML_SCALAR_NODE] = "text",
		[YAML_SEQUENCE_NODE] = "a list",
		[YAML_MAPPING_NODE] = "a mapping",
	};
	const char *found = node->type < KVG_ARRAY_SIZE(words) ? words[node->type] : NULL;

	if (scalar(node) && !*scalar(node))
		found = "nothing";
	return fault_at(search->diag, &node->start_mark, "'%s' is %s: expected %s",
			*path ? path : "the file", found ? found : "unknown", expected);
}

/* A mapping whose keys are the user's own. */
static int pairs_fault(const struct search *search, const char *path, const yaml_node_t *node)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	char inner[PATH_LEN];

	if (node->type != YAML_MAPPING_NODE)
		return type_fault(search, path, node, "names and their values, such as { a: b }");
	if (pair == node->data.mapping.pairs.top)
		return fault_at(search->diag, &node->start_mark,
				"'%s' is empty: expected at least one entry", path);
	if (node->data.mapping.pairs.top - pair > KEYS_MAX)
		return fault_at(search->diag, &node->start_mark, "'%s' has more than %d keys", path,
				KEYS_MAX);

	for (; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(search->document, pair->key);
		const yaml_node_t *value = yaml_document_get_node(search->document, pair->value);

		snprintf(inner, sizeof(inner), "%s.%s", path, scalar(key));
		if (!*scalar(key))
			return type_fault(search, inner, key, "a name");
		if (!scalar(value) || !*scalar(value))
			return type_fault(search, inner, value, "text");
	}
	return 0;
}

static int find_fault(const struct search *search, const char *path, const yaml_node_t *node,
		      const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_MAPPING:
		if (node->type != YAML_MAPPING_NODE)
			return type_fault(search, path, node, "a mapping of keys to values");
		return mapping_fault(search, path, node, schema);
	case CYAML_SEQUENCE:
		if (node->type != YAML_SEQUENCE_NODE)
			return type_fault(search, path, node, "a list, such as [a, b]");
		return sequence_fault(search, path, node, schema);
	case CYAML_IGNORE:
		return pairs_fault(search, path, node);
	default:
		if (!scalar(node) || strlen(scalar(node)) < schema->string.min)
			return type_fault(search, path, node, "text");
		return 0;
	}
}

int kvg_config_tree_fault(struct kvg_config_tree *tree, const cyaml_schema_value_t *schema,
			  struct kvg_diag *reterr_diag)
{
	struct search search = {.document = &tree->document, .diag = reterr_diag};

	return find_fault(&search, "", yaml_document_get_root_node(&tree->document), schema);
}

/* --- where a value stands ---------------------------------------------------------------------- */

/* One step of the path from @node, or NULL; moves @path behind the step. */
static const yaml_node_t *step(yaml_document_t *document, const yaml_node_t *node,
			       const char **path)
{
	char key[PATH_LEN];
	size_t length;

	if (**path == '[') {
		size_t index = strtoul(*path + 1, NULL, 10);
		const yaml_node_item_t *item = node->data.sequence.items.start + index;

		*path = strchr(*path, ']') + 1;
		if (node->type != YAML_SEQUENCE_NODE || item >= node->data.sequence.items.top)
			return NULL;
		return yaml_document_get_node(document, *item);
	}

	*path += **path == '.';
	length = strcspn(*path, ".[");
	snprintf(key, sizeof(key), "%.*s", (int)length, *path);
	*path += length;
	return node->type == YAML_MAPPING_NODE ? value_of(document, node, key) : NULL;
}

void kvg_config_tree_locate(struct kvg_config_tree *tree, const char *path, struct kvg_diag *diag)
{
	const yaml_node_t *node = yaml_document_get_root_node(&tree->document);

	while (node) {
		diag->line = (unsigned int)node->start_mark.line + 1;
		diag->column = (unsigned int)node->start_mark.column + 1;
		if (!*path)
			return;
		node = step(&tree->document, node, &path);
	}
}

bool kvg_config_tree_pair(struct kvg_config_tree *tree, const char *path, size_t index,
			  struct kvg_config_pair *ret)
{
	const yaml_node_t *node = yaml_document_get_root_node(&tree->document);
	const yaml_node_t *value;
	const yaml_node_pair_t *pair;

	while (node && *path)
		node = step(&tree->document, node, &path);
	if (!node || node->type != YAML_MAPPING_NODE)
		return false;

	pair = node->data.mapping.pairs.start + index;
	if (pair >= node->data.mapping.pairs.top)
		return false;

	value = yaml_document_get_node(&tree->document, pair->value);
	ret->key = scalar(yaml_document_get_node(&tree->document, pair->key));
	ret->value = scalar(value);
	ret->line = (unsigned int)value->start_mark.line + 1;
	ret->column = (unsigned int)value->start_mark.column + 1;
	return true;
}
