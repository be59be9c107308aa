// SPDX-License-Identifier: BSD-2-Clause
/*
 * Read a policy document, an input like any other: nothing is taken on trust. The rules are made anew
 * from what the document says, and must come out as they stand there; so sorted, canonical, minimal
 * and self-contained need no check of their own.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/policy.h"
#include "policy/policy_lines.h"
#include "policy/profile.h"

#define FORMAT_VERSION 1
#define DIGEST_SCHEME  "sha256:"

/* Where in the document: "rules[12]"; a NULL list is the top level. */
struct place {
	const char *list;
	size_t index;
};

/* permits[starts[i]] is the first of the rule that stands at place i. */
struct reader {
	json_t *root;
	struct kvg_policy_lines lines;
	struct kvg_policy *policy;
	size_t *starts;
	size_t rules_count;
	size_t rules_allocated;
	struct kvg_permit *permits;
	size_t permits_count;
	size_t permits_allocated;
	struct kvg_diag *diag;
};

static void reader_done(struct reader *reader)
{
	json_decref(reader->root);
	kvg_policy_lines_done(&reader->lines);
	kvg_policy_free(reader->policy);
	free(reader->starts);
	free(reader->permits);
}

static int fault(const struct reader *reader, const struct place *place, const char *key,
		 const char *what)
{
	if (place->list)
		kvg_diag_set(reader->diag, -EINVAL, "'%s' of %s[%zu] %s", key, place->list,
			     place->index, what);
	else
		kvg_diag_set(reader->diag, -EINVAL, "'%s' %s", key, what);
	return -EINVAL;
}

/* Text goes to terminals and logs: nothing that moves a cursor is in what the compiler writes. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static int get_string(const struct reader *reader, const struct place *place, const json_t *object,
		      const char *key, const char **ret)
{
	*ret = json_string_value(json_object_get(object, key));
	if (!*ret || !is_plain(*ret))
		return fault(reader, place, key, "is missing, or is no plain text");
	return 0;
}

static int get_list(const struct reader *reader, const struct place *place, const json_t *object,
		    const char *key, json_t **ret)
{
	*ret = json_object_get(object, key);
	return json_is_array(*ret) ? 0 : fault(reader, place, key, "is missing, or is no list");
}

/* An object, and no key that is not in @known. */
static int check_keys(const struct reader *reader, const struct place *place, json_t *object,
		      const char *const *known)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return kvg_diag_set(reader->diag, -EINVAL, "%s[%zu] is no object",
				    place->list ? place->list : "document", place->index);

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (known[i] && strcmp(known[i], key) != 0)
			i++;
		if (!known[i])
			return fault(reader, place, key, "is an unknown key");
	}
	return 0;
}

static int read_head(struct reader *reader)
{
	static const struct place top = {0};
	const char *profile;
	const char *cloud;
	const char *mode;
	const char *inbound;
	enum kvg_cloud number;
	int r;

	if (json_integer_value(json_object_get(reader->root, "kvgate_policy")) != FORMAT_VERSION)
		return fault(reader, &top, "kvgate_policy", "is not 1: no policy of this format");

	r = get_string(reader, &top, reader->root, "profile", &profile);
	if (r == 0)
		r = get_string(reader, &top, reader->root, "cloud", &cloud);
	if (r == 0)
		r = get_string(reader, &top, reader->root, "mode", &mode);
	if (r == 0)
		r = get_string(reader, &top, reader->root, "inbound", &inbound);
	if (r)
		return r;

	if (kvg_cloud_parse(cloud, &number) < 0)
		return fault(reader, &top, "cloud", "is none of public, usgov and china");
	r = kvg_policy_new(profile, number, &reader->policy);
	if (r < 0)
		return r;
	if (kvg_mode_parse(mode, &reader->policy->mode) < 0)
		return fault(reader, &top, "mode", "is neither enforce nor audit");
	if (kvg_inbound_parse(inbound, &reader->policy->inbound) < 0)
		return fault(reader, &top, "inbound", "is neither allow nor deny");
	return 0;
}

static int find_kind(const char *word, enum kvg_document_kind *ret)
{
	for (enum kvg_document_kind k = 0; k < KVG_DOCUMENT_KIND_COUNT; k++) {
		if (strcmp(kvg_document_kind_word(k), word) == 0) {
			*ret = k;
			return 0;
		}
	}
	return -EINVAL;
}

static int find_cloud(const char *tags_name, enum kvg_cloud *ret)
{
	for (enum kvg_cloud c = 0; c < KVG_CLOUD_COUNT; c++) {
		if (strcmp(kvg_cloud_tags_name(c), tags_name) == 0) {
			*ret = c;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_source(struct reader *reader, const struct place *place, json_t *object)
{
	static const char *const known[] = {"kind",          "file",   "cloud",
					    "change_number", "sha256", NULL};
	const json_t *number = json_object_get(object, "change_number");
	struct kvg_source source = {0};
	const char *kind;
	const char *file;
	const char *cloud;
	const char *sha256;
	int r;

	r = check_keys(reader, place, object, known);
	if (r == 0)
		r = get_string(reader, place, object, "kind", &kind);
	if (r == 0)
		r = get_string(reader, place, object, "file", &file);
	if (r == 0)
		r = get_string(reader, place, object, "cloud", &cloud);
	if (r == 0)
		r = get_string(reader, place, object, "sha256", &sha256);
	if (r)
		return r;

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return fault(reader, place, "change_number", "is missing, or is no number");
	if (find_kind(kind, &source.kind) < 0)
		return fault(reader, place, "kind", "is no kind of range document");
	if (find_cloud(cloud, &source.cloud) < 0)
		return fault(reader, place, "cloud", "is no cloud");
	if (kvg_digest_parse(sha256, source.sha256) < 0)
		return fault(reader, place, "sha256", "is not 64 hexadecimal digits");

	source.file = (char *)file; /* copied */
	source.change_number = (unsigned long)json_integer_value(number);
	return kvg_policy_add_source(reader->policy, &source);
}

static int add_permit(struct reader *reader, const struct kvg_permit *permit)
{
	if (reader->permits_count == reader->permits_allocated) {
		size_t more = 2 * reader->permits_allocated + 64;
		struct kvg_permit *permits = reallocarray(reader->permits, more, sizeof(*permits));

		if (!permits)
			return -ENOMEM;
		reader->permits = permits;
		reader->permits_allocated = more;
	}
	reader->permits[reader->permits_count++] = *permit;
	return 0;
}

/* A new rule begins: its prefix. */
static int start_rule(struct reader *reader, const struct place *place, const char *prefix,
		      struct kvg_permit *permit)
{
	struct kvg_diag diag;
	int r;

	r = kvg_prefix_parse(prefix, &permit->prefix, &diag);
	if (r < 0) {
		kvg_diag_set(reader->diag, r, "'prefix' of %s[%zu]: %s", place->list, place->index,
			     diag.msg);
		return r;
	}
	if (permit->prefix.bits == 0)
		return fault(reader, place, "prefix", "holds every address: it opens the gate");

	if (reader->rules_count == reader->rules_allocated) {
		size_t more = 2 * reader->rules_allocated + 64;
		size_t *starts = reallocarray(reader->starts, more, sizeof(*starts));

		if (!starts)
			return -ENOMEM;
		reader->starts = starts;
		reader->rules_allocated = more;
	}
	reader->starts[reader->rules_count++] = reader->permits_count;
	return 0;
}

static int read_service(const struct reader *reader, const struct place *place, const char *text,
			struct kvg_service *ret)
{
	if (!text || kvg_service_parse(text, ret, NULL) < 0)
		return fault(reader, place, "allow", "holds what is no service such as tcp/443");
	return 0;
}

/* Every name of "from" asked for every service of "allow", as far as the document tells. */
static int read_names(struct reader *reader, const struct place *place, const json_t *names,
		      struct kvg_permit *permit)
{
	size_t i;
	json_t *name;
	int r;

	if (json_array_size(names) == 0)
		return fault(reader, place, "from", "is empty");

	json_array_foreach(names, i, name)
	{
		permit->from = json_string_value(name);
		if (!permit->from || !is_plain(permit->from))
			return fault(reader, place, "from", "holds what is no plain text");
		r = add_permit(reader, permit);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_rule(struct reader *reader, const struct place *place, json_t *object)
{
	static const char *const known[] = {"prefix", "allow", "from", NULL};
	struct kvg_permit permit = {0};
	const char *prefix;
	json_t *services;
	json_t *names;
	json_t *value;
	size_t i;
	int r;

	r = check_keys(reader, place, object, known);
	if (r == 0)
		r = get_string(reader, place, object, "prefix", &prefix);
	if (r == 0)
		r = start_rule(reader, place, prefix, &permit);
	if (r == 0)
		r = get_list(reader, place, object, "allow", &services);
	if (r == 0)
		r = get_list(reader, place, object, "from", &names);
	if (r)
		return r;

	if (json_array_size(services) == 0)
		return fault(reader, place, "allow", "is empty");
	json_array_foreach(services, i, value)
	{
		r = read_service(reader, place, json_string_value(value), &permit.service);
		if (r == 0)
			r = read_names(reader, place, names, &permit);
		if (r)
			return r;
	}
	return 0;
}

static int read_line(struct reader *reader, const struct place *place,
		     const struct kvg_policy_line *line)
{
	struct kvg_permit permit = {0};
	int r;

	r = start_rule(reader, place, line->prefix, &permit);
	for (size_t i = 0; i < line->services_count && r == 0; i++) {
		r = read_service(reader, place, line->services[i], &permit.service);
		for (size_t j = 0; j < line->names_count && r == 0; j++) {
			permit.from = line->names[j];
			r = add_permit(reader, &permit);
		}
	}
	return r;
}

static int read_lines(struct reader *reader)
{
	struct place place = {"rules", 0};
	struct kvg_policy_line line;
	int r;

	while ((r = kvg_policy_lines_next(&reader->lines, &line)) > 0) {
		r = read_line(reader, &place, &line);
		if (r)
			return r;
		place.index++;
	}
	return r;
}

static int find_function(const char *word, enum kvg_function *ret)
{
	for (enum kvg_function f = 0; f < KVG_FUNCTION_COUNT; f++) {
		if (strcmp(kvg_function_word(f), word) == 0) {
			*ret = f;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_host(struct reader *reader, const struct place *place, json_t *object)
{
	static const char *const known[] = {"name", "allow", "function", "ranged", NULL};
	const json_t *ranged = json_object_get(object, "ranged");
	struct kvg_policy_host host = {0};
	const char *name;
	const char *function;
	json_t *services;
	int r;

	r = check_keys(reader, place, object, known);
	if (r == 0)
		r = get_string(reader, place, object, "name", &name);
	if (r == 0)
		r = get_string(reader, place, object, "function", &function);
	if (r == 0)
		r = get_list(reader, place, object, "allow", &services);
	if (r)
		return r;

	if (json_array_size(services) != 1)
		return fault(reader, place, "allow", "is not one service");
	r = read_service(reader, place, json_string_value(json_array_get(services, 0)),
			 &host.service);
	if (r < 0)
		return r;
	if (find_function(function, &host.function) < 0)
		return fault(reader, place, "function", "is no function");
	if (ranged && !json_is_boolean(ranged))
		return fault(reader, place, "ranged", "is neither true nor false");

	host.name = (char *)name; /* copied */
	host.ranged = !json_is_false(ranged);
	return kvg_policy_add_host(reader->policy, &host);
}

static int read_list(struct reader *reader, const char *key,
		     int (*read)(struct reader *, const struct place *, json_t *))
{
	struct place place = {0};
	json_t *list;
	json_t *value;
	size_t i;
	int r;

	r = get_list(reader, &place, reader->root, key, &list);
	if (r < 0)
		return r;

	place.list = key;
	json_array_foreach(list, i, value)
	{
		place.index = i;
		r = read(reader, &place, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The rules that were made must be those of the document, in its order. */
static int compare_rules(const struct reader *reader)
{
	const struct kvg_policy *policy = reader->policy;
	struct place place = {"rules", 0};

	for (size_t i = 0; i < policy->rules_count && i < reader->rules_count; i++) {
		place.index = i;
		if (kvg_prefix_compare(&policy->rules[i].prefix,
				       &reader->permits[reader->starts[i]].prefix) != 0)
			return fault(reader, &place, "prefix", "is needless or not in its place");
	}
	if (policy->rules_count != reader->rules_count) {
		kvg_diag_set(reader->diag, -EINVAL, "'rules' has needless ones");
		return -EINVAL;
	}
	return 0;
}

static int check_digest(const struct reader *reader)
{
	static const struct place top = {0};
	unsigned char digest[KVG_DIGEST_BYTES];
	const char *text;
	int r;

	r = get_string(reader, &top, reader->root, "digest", &text);
	if (r < 0)
		return r;
	if (strncmp(text, DIGEST_SCHEME, strlen(DIGEST_SCHEME)) != 0 ||
	    kvg_digest_parse(text + strlen(DIGEST_SCHEME), digest) < 0)
		return fault(reader, &top, "digest", "is not sha256: and 64 hexadecimal digits");
	if (memcmp(digest, reader->policy->digest, sizeof(digest)) != 0)
		return fault(
			reader, &top, "digest",
			"does not fit the rules: the policy was changed after it was compiled");
	return 0;
}

static int read_policy(struct reader *reader)
{
	static const char *const known[] = {"kvgate_policy", "profile", "cloud", "mode",
					    "inbound",       "sources", "rules", "hosts",
					    "digest",        NULL};
	static const struct place top = {0};
	int r;

	r = check_keys(reader, &top, reader->root, known);
	if (r == 0)
		r = read_head(reader);
	if (r == 0)
		r = read_list(reader, "sources", read_source);
	if (r == 0)
		r = reader->lines.rules ? read_lines(reader)
					: read_list(reader, "rules", read_rule);
	if (r == 0)
		r = read_list(reader, "hosts", read_host);
	if (r)
		return r;

	if (reader->permits_count == 0)
		return fault(reader, &top, "rules", "is empty: a policy never is");
	r = kvg_policy_set_permits(reader->policy, reader->permits, reader->permits_count,
				   reader->diag);
	if (r == 0)
		r = compare_rules(reader);
	return r ? r : check_digest(reader);
}

static int load(struct reader *reader, const char *data, size_t size)
{
	json_error_t error;

	/* jansson 2.14 takes it for nothing at all after a number. */
	if (memchr(data, '\0', size))
		return kvg_diag_set(reader->diag, -EINVAL, "a NUL byte");

	reader->root = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);
	if (!reader->root)
		return kvg_diag_set_at(reader->diag, -EINVAL,
				       error.line > 0 ? (unsigned int)error.line : 0,
				       error.column > 0 ? (unsigned int)error.column : 0,
				       "no JSON: %s", error.text);
	return read_policy(reader);
}

static int parse_lines(const char *data, size_t size, struct kvg_policy **ret,
		       struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(reader_done) struct reader reader = {.diag = reterr_diag};
	int r;

	r = kvg_policy_lines_split(data, size, &reader.lines);
	if (r == 0)
		r = load(&reader, reader.lines.rest, reader.lines.rest_size);
	if (r == 0)
		*ret = KVG_TAKE_PTR(reader.policy);
	return r;
}

static int parse_any(const char *data, size_t size, struct kvg_policy **ret,
		     struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(reader_done) struct reader reader = {.diag = reterr_diag};
	int r;

	r = load(&reader, data, size);
	if (r == 0)
		*ret = KVG_TAKE_PTR(reader.policy);
	return r;
}

int kvg_policy_parse(const char *data, size_t size, struct kvg_policy **ret,
		     struct kvg_diag *reterr_diag)
{
	int r;

	if (size > KVG_POLICY_MAX_BYTES)
		return kvg_diag_set(reterr_diag, -EFBIG, "longer than %lu MiB",
				    KVG_POLICY_MAX_BYTES >> 20);

	/* What is wrong is said by the reader that knows its place in the whole document. */
	r = parse_lines(data, size, ret, NULL);
	if (r < 0 && r != -ENOMEM)
		r = parse_any(data, size, ret, reterr_diag);
	return r == -ENOMEM ? kvg_diag_set(reterr_diag, r, "out of memory") : r;
}
