// SPDX-License-Identifier: BSD-2-Clause
#include "audit/filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "audit/lines.h"
#include "base/cleanup.h"
#include "policy/words.h"

static const char *const words[] = {
#define X(name, word) word,
	KVG_FILTER_KINDS(X)
#undef X
};

const char *kvg_filter_word(enum kvg_filter_kind kind)
{
	return words[kind];
}

static int check_reason(const char *text, struct kvg_diag *reterr_diag)
{
	for (int i = KVG_REASON_ALLOWED + 1; i < KVG_REASON_COUNT; i++) {
		if (strcmp(kvg_reason_word(i), text) == 0)
			return 0;
	}
	return kvg_diag_set(reterr_diag, -EINVAL, "'%s' is no reason; kvgate(8) lists them", text);
}

static int parse_destination(const char *text, struct kvg_prefix *ret, struct kvg_diag *reterr_diag)
{
	return strchr(text, '/') ? kvg_prefix_parse(text, ret, reterr_diag)
				 : kvg_prefix_parse_address(text, ret, reterr_diag);
}

static int check_value(struct kvg_filter_value *value, const char *text,
		       struct kvg_diag *reterr_diag)
{
	if (!*text)
		return kvg_diag_set(reterr_diag, -EINVAL, "an empty %s matches nothing",
				    words[value->kind]);
	if (value->kind == KVG_FILTER_REASON)
		return check_reason(text, reterr_diag);
	if (value->kind == KVG_FILTER_DESTINATION)
		return parse_destination(text, &value->prefix, reterr_diag);
	return 0;
}

int kvg_filter_add(struct kvg_filter *filter, enum kvg_filter_kind kind, const char *text,
		   struct kvg_diag *reterr_diag)
{
	struct kvg_filter_value value = {.kind = kind};
	struct kvg_filter_value *values;
	int r = check_value(&value, text, reterr_diag);

	if (r < 0)
		return r;
	if (filter->count == KVG_FILTER_VALUES_MAX)
		return kvg_diag_set(reterr_diag, -E2BIG, "more than %d filters",
				    KVG_FILTER_VALUES_MAX);
	values = reallocarray(filter->values, filter->count + 1, sizeof(*values));
	if (!values)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	filter->values = values;
	value.text = strdup(text);
	if (!value.text)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	values[filter->count++] = value;
	return 0;
}

json_t *kvg_filter_to_json(const struct kvg_filter *filter)
{
	json_t *json = json_object();

	for (size_t i = 0; i < filter->count; i++) {
		const char *word = words[filter->values[i].kind];

		if (!json_object_get(json, word))
			json_object_set_new(json, word, json_array());
		json_array_append_new(json_object_get(json, word),
				      json_string(filter->values[i].text));
	}
	return json;
}

static int add_from_json(struct kvg_filter *filter, enum kvg_filter_kind kind, const json_t *list,
			 struct kvg_diag *reterr_diag)
{
	const json_t *text;
	size_t i;
	int r = 0;

	if (list && !json_is_array(list))
		return kvg_diag_set(reterr_diag, -EINVAL, "\"%s\" is no list", words[kind]);
	json_array_foreach(list, i, text)
	{
		if (!json_is_string(text))
			return kvg_diag_set(reterr_diag, -EINVAL, "\"%s\" is no list of strings",
					    words[kind]);
		r = kvg_filter_add(filter, kind, json_string_value(text), reterr_diag);
		if (r < 0)
			return r;
	}
	return r;
}

int kvg_filter_from_json(const json_t *json, struct kvg_filter *ret, struct kvg_diag *reterr_diag)
{
	int r = 0;

	for (int kind = 0; r == 0 && kind < KVG_FILTER_KIND_COUNT; kind++)
		r = add_from_json(ret, kind, json_object_get(json, words[kind]), reterr_diag);
	return r;
}

/* struct kvg_prefix has IPv4 in its first four bytes. */
static struct kvg_prefix prefix_of(const struct kvg_refusal *refusal)
{
	struct kvg_prefix prefix = {.family = refusal->family, .bits = 128};
	static const __u8 none[16];

	if (memcmp(refusal->daddr, none, sizeof(none)) == 0)
		return (struct kvg_prefix){0};
	if (refusal->family == AF_INET) {
		prefix.bits = 32;
		memcpy(prefix.addr, refusal->daddr + 12, 4);
	} else {
		memcpy(prefix.addr, refusal->daddr, 16);
	}
	return prefix;
}

struct kvg_filter_facts kvg_filter_facts_of_record(const struct kvg_record *record)
{
	return (struct kvg_filter_facts){
		.profile = record->profile,
		.gate = record->gate,
		.reason = kvg_reason_word(record->refusal.reason),
		.destination = prefix_of(&record->refusal),
	};
}

struct kvg_filter_facts kvg_filter_facts_of_line(const json_t *line)
{
	struct kvg_filter_facts facts = {
		.profile = kvg_line_text(line, "kvgate.profile"),
		.gate = kvg_line_text(line, "kvgate.gate"),
		.reason = kvg_line_text(line, "event.reason"),
	};
	const char *address = kvg_line_text(line, "destination.ip");

	if (address && kvg_prefix_parse_address(address, &facts.destination, NULL) < 0)
		facts.destination = (struct kvg_prefix){0};
	return facts;
}

static bool is_at_or_below(const char *gate, const char *path)
{
	size_t len = strlen(path);

	while (len && path[len - 1] == '/')
		len--;
	return strncmp(gate, path, len) == 0 && (!gate[len] || gate[len] == '/');
}

static bool value_matches(const struct kvg_filter_value *value,
			  const struct kvg_filter_facts *facts)
{
	switch (value->kind) {
	case KVG_FILTER_PROFILE:
		return facts->profile && fnmatch(value->text, facts->profile, 0) == 0;
	case KVG_FILTER_GATE:
		return facts->gate && (is_at_or_below(facts->gate, value->text) ||
				       fnmatch(value->text, facts->gate, 0) == 0);
	case KVG_FILTER_REASON:
		return facts->reason && strcmp(value->text, facts->reason) == 0;
	case KVG_FILTER_DESTINATION:
		return facts->destination.family &&
		       kvg_prefix_holds(&value->prefix, &facts->destination);
	default:
		return false;
	}
}

bool kvg_filter_matches(const struct kvg_filter *filter, const struct kvg_filter_facts *facts)
{
	bool named[KVG_FILTER_KIND_COUNT] = {0}, matched[KVG_FILTER_KIND_COUNT] = {0};

	for (size_t i = 0; i < filter->count; i++) {
		enum kvg_filter_kind kind = filter->values[i].kind;

		named[kind] = true;
		matched[kind] = matched[kind] || value_matches(&filter->values[i], facts);
	}
	for (int kind = 0; kind < KVG_FILTER_KIND_COUNT; kind++) {
		if (named[kind] && !matched[kind])
			return false;
	}
	return true;
}

void kvg_filter_done(struct kvg_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		free(filter->values[i].text);
	free(filter->values);
	*filter = (struct kvg_filter){0};
}
