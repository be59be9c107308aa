/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of the record somebody wants to see: by profile, gate, reason, destination. */
#ifndef KVG_AUDIT_FILTER_H
#define KVG_AUDIT_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "audit/record.h"
#include "base/diag.h"
#include "ranges/prefix.h"

/* Values of one filter. A person types a few; what comes over a socket must have an end. */
#define KVG_FILTER_VALUES_MAX 64

/* X(enumerator, word): the word is the option, and the key in a request. */
#define KVG_FILTER_KINDS(X)   \
	X(PROFILE, "profile") \
	X(GATE, "gate")       \
	X(REASON, "reason")   \
	X(DESTINATION, "destination")

enum kvg_filter_kind {
#define X(name, word) KVG_FILTER_##name,
	KVG_FILTER_KINDS(X)
#undef X
		KVG_FILTER_KIND_COUNT
};

/** struct kvg_filter_value - one thing that is looked for; @text is owned; @prefix of DESTINATION only */
struct kvg_filter_value {
	enum kvg_filter_kind kind;
	char *text;
	struct kvg_prefix prefix;
};

/** struct kvg_filter - zeroed, it matches everything; of each kind that it names, one value must match */
struct kvg_filter {
	struct kvg_filter_value *values;
	size_t count;
};

/**
 * struct kvg_filter_facts - what a line says; what it does not say is NULL
 * @destination: family 0 if there is none
 */
struct kvg_filter_facts {
	const char *profile;
	const char *gate;
	const char *reason;
	struct kvg_prefix destination;
};

/** kvg_filter_word() - of the kind: "profile", ... */
const char *kvg_filter_word(enum kvg_filter_kind kind);

/**
 * kvg_filter_add() - one value more
 * @filter:      where to
 * @kind:        what @text is
 * @text:        a profile's name; a gate's path, which also stands for those below it; a reason's word; an
 *               address or a prefix. Names and paths may hold '*' and '?', as fnmatch(3) has them
 * @reterr_diag: why not
 *
 * Return: 0, or a negative errno
 */
int kvg_filter_add(struct kvg_filter *filter, enum kvg_filter_kind kind, const char *text,
		   struct kvg_diag *reterr_diag);

/** kvg_filter_to_json() - {"profile": ["one"], ...}; NULL without memory */
json_t *kvg_filter_to_json(const struct kvg_filter *filter);

/**
 * kvg_filter_from_json() - from such an object; other keys are passed over
 * @json:        the object
 * @ret:         zeroed before, for kvg_filter_done(), also on failure
 * @reterr_diag: what is wrong with it
 *
 * Return: 0, or a negative errno
 */
int kvg_filter_from_json(const json_t *json, struct kvg_filter *ret, struct kvg_diag *reterr_diag);

/** kvg_filter_facts_of_record() - the strings are the record's */
struct kvg_filter_facts kvg_filter_facts_of_record(const struct kvg_record *record);

/** kvg_filter_facts_of_line() - of a line that was read back; the strings are the line's */
struct kvg_filter_facts kvg_filter_facts_of_line(const json_t *line);

/** kvg_filter_matches() - is it to be seen? */
bool kvg_filter_matches(const struct kvg_filter *filter, const struct kvg_filter_facts *facts);

/** kvg_filter_done() - free what it holds; it matches everything then */
void kvg_filter_done(struct kvg_filter *filter);

#endif
