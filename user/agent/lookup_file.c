// SPDX-License-Identifier: BSD-2-Clause
/* names.json: names, their addresses, and when an answer had them last, by the wall clock. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/lookup_state.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "policy/address.h"
#include "ranges/json.h"

#define MAX_BYTES    (16UL << 20) /* some 100,000 addresses */
#define NAME_LEN_MAX 255

/* A clock that was set back makes no age below zero. */
static int read_row(struct kvg_lookup *lookup, const json_t *row)
{
	json_int_t seen, ttl, now = (json_int_t)time(NULL);
	struct kvg_lookup_address *address;
	struct kvg_lookup_host *host;
	const char *name, *text;
	struct kvg_prefix prefix;

	if (json_unpack((json_t *)row, "{s:s, s:s, s:I, s:I}", "name", &name, "address", &text,
			"seen", &seen, "ttl", &ttl) < 0 ||
	    strnlen(name, NAME_LEN_MAX + 1) > NAME_LEN_MAX || seen < 0 || ttl < 0 ||
	    ttl > KVG_LOOKUP_TTL_MAX_S || kvg_prefix_parse_address(text, &prefix, NULL) < 0)
		return -EINVAL;

	host = kvg_lookup_hosts_add(&lookup->hosts, name);
	if (!host)
		return -ENOMEM;
	if (host->addresses_count >= KVG_LOOKUP_ADDRESSES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < host->addresses_count; i++) {
		if (kvg_prefix_compare(&host->addresses[i].prefix, &prefix) == 0)
			return -EINVAL;
	}

	address = &host->addresses[host->addresses_count++];
	address->prefix = prefix;
	address->ttl_s = (unsigned int)ttl;
	address->seen_us = kvg_lookup_now_us(lookup);
	if (now > seen)
		address->seen_us -= (now - seen) * KVG_LOOKUP_S;
	return 0;
}

static int read_rows(struct kvg_lookup *lookup, const char *text, size_t size,
		     struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = NULL;
	const json_t *rows;
	int r;

	r = kvg_json_load(text, size, &root, diag);
	if (r < 0)
		return r;
	rows = json_object_get(root, "addresses");
	if (!json_is_array(rows))
		return kvg_diag_set(diag, -EINVAL, "it has no list \"addresses\"");
	for (size_t i = 0; i < json_array_size(rows) && r == 0; i++) {
		r = read_row(lookup, json_array_get(rows, i));
		if (r == -EINVAL)
			kvg_diag_set(diag, r, "address number %zu is not well-formed", i);
	}
	return r;
}

int kvg_lookup_read(struct kvg_lookup *lookup)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_diag diag = {};
	size_t size;
	int r;

	r = kvg_file_read(lookup->path, MAX_BYTES, &text, &size);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = read_rows(lookup, text, size, &diag);
	if (r < 0)
		kvg_lookup_hosts_done(&lookup->hosts);
	if (r < 0 && r != -ENOMEM)
		snprintf(lookup->read_problem, sizeof(lookup->read_problem),
			 "'%s' cannot be read (%s): no name was known at the start", lookup->path,
			 diag.msg[0] ? diag.msg : strerror(-r));
	return r == -ENOMEM ? r : 0;
}

static int add_row(const struct kvg_lookup *lookup, const struct kvg_lookup_host *host,
		   const struct kvg_lookup_address *address, json_t *rows)
{
	int64_t age_us = kvg_lookup_now_us(lookup) - address->seen_us;
	json_int_t seen = (json_int_t)time(NULL) - age_us / KVG_LOOKUP_S;
	char text[KVG_PREFIX_STRLEN];

	kvg_address_format(&address->prefix, text);
	return json_array_append_new(rows, json_pack("{s:s, s:s, s:I, s:I}", "name", host->name,
						     "address", text, "seen", seen > 0 ? seen : 0,
						     "ttl", (json_int_t)address->ttl_s));
}

static int write_rows(const struct kvg_lookup *lookup)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *root = json_pack("{s:[]}", "addresses");
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	json_t *rows = json_object_get(root, "addresses");

	for (size_t i = 0; i < lookup->hosts.count; i++) {
		const struct kvg_lookup_host *host = lookup->hosts.list[i];

		for (size_t j = 0; j < host->addresses_count; j++) {
			if (add_row(lookup, host, &host->addresses[j], rows) < 0)
				return -ENOMEM;
		}
	}
	text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	return text ? kvg_file_replace(lookup->path, text, strlen(text)) : -ENOMEM;
}

void kvg_lookup_save(struct kvg_lookup *lookup)
{
	int r = write_rows(lookup);

	lookup->saved_us = kvg_lookup_now_us(lookup);
	lookup->dirty = r < 0;
	lookup->save_problem[0] = '\0';
	if (r < 0)
		snprintf(lookup->save_problem, sizeof(lookup->save_problem),
			 "'%s' cannot be written (%s): after a restart fewer names would be known",
			 lookup->path, strerror(-r));
}
