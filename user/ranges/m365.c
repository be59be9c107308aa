// SPDX-License-Identifier: BSD-2-Clause
/*
 * Microsoft 365 endpoints: [{"id": 56, "serviceArea": "Common", "urls": [...], "ips": [...],
 * "tcpPorts": "80,443", ...}, ...]. What is empty is left out. Ports are not looked at: what a set is
 * for, and on which port, is the catalogue's business.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "ranges/reader.h"

/*
 * The document does not say whose it is, and a set's number means something else in each instance.
 * The sign-in set under its number settles both. (The same host is in other sets of other instances.)
 */
static const struct {
	enum kvg_cloud cloud;
	json_int_t id;
	const char *host;
} instances[] = {
	{KVG_CLOUD_PUBLIC, 56, "login.microsoftonline.com"},
	{KVG_CLOUD_USGOV, 13, "login.microsoftonline.us"},
	{KVG_CLOUD_CHINA, 17, "login.partner.microsoftonline.cn"},
};

bool kvg_m365_recognise(const json_t *root)
{
	/* Any of them: one that lost its first set is a broken document, not another kind of file. */
	for (size_t i = 0; i < json_array_size(root); i++) {
		if (json_object_get(json_array_get(root, i), "serviceArea"))
			return true;
	}
	return false;
}

static bool names_host(const json_t *urls, const char *host)
{
	for (size_t i = 0; i < json_array_size(urls); i++) {
		if (strcmp(json_string_value(json_array_get(urls, i)), host) == 0)
			return true;
	}
	return false;
}

static int check_urls(const struct kvg_json_place *place, const json_t *urls)
{
	if (urls && !json_is_array(urls))
		return kvg_json_refuse(place, -EINVAL, ": \"urls\" is %s, not a list",
				       kvg_json_type_words(json_typeof(urls)));

	for (size_t i = 0; i < json_array_size(urls); i++) {
		const json_t *url = json_array_get(urls, i);

		if (!json_is_string(url))
			return kvg_json_refuse(place, -EINVAL, ", url %zu is %s, not a string",
					       i + 1, kvg_json_type_words(json_typeof(url)));
	}
	return 0;
}

static int read_id(struct kvg_json_place *place, const json_t *set)
{
	json_t *id;
	int r;

	r = kvg_json_get(place, set, "id", JSON_INTEGER, &id);
	if (r < 0)
		return r;
	if (json_integer_value(id) < 0 || json_integer_value(id) > INT_MAX)
		return kvg_json_refuse(place, -EINVAL, ": \"id\" is out of bounds");

	place->noun = "set";
	place->number = (size_t)json_integer_value(id);
	return 0;
}

static size_t count_prefixes(const json_t *root)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(root); i++)
		count += json_array_size(json_object_get(json_array_get(root, i), "ips"));
	return count;
}

static int read_set(struct kvg_reader *reader, const json_t *set, size_t number)
{
	struct kvg_json_place place = {.noun = "entry", .number = number, .diag = reader->diag};
	json_t *area;
	int r;

	if (!json_is_object(set))
		return kvg_json_refuse(&place, -EINVAL, " is %s, not an object",
				       kvg_json_type_words(json_typeof(set)));

	r = read_id(&place, set);
	if (r < 0)
		return r;

	r = kvg_json_get(&place, set, "serviceArea", JSON_STRING, &area);
	if (r < 0)
		return r;

	r = check_urls(&place, json_object_get(set, "urls"));
	if (r < 0)
		return r;

	return kvg_group_read(reader, &place, "", json_object_get(set, "ips"));
}

static int find_instance(struct kvg_reader *reader, const json_t *root)
{
	size_t found = 0;

	for (size_t i = 0; i < json_array_size(root); i++) {
		const json_t *set = json_array_get(root, i);
		json_int_t id = json_integer_value(json_object_get(set, "id"));

		for (size_t j = 0; j < KVG_ARRAY_SIZE(instances); j++) {
			if (id != instances[j].id ||
			    !names_host(json_object_get(set, "urls"), instances[j].host))
				continue;
			reader->document->cloud = instances[j].cloud;
			found++;
		}
	}

	if (found > 1)
		return kvg_diag_set(reader->diag, -EINVAL,
				    "it holds the sign-in sets of more than one instance");
	if (found == 0)
		return kvg_diag_set(
			reader->diag, -EINVAL,
			"no sign-in set of a known instance: 56 with %s, 13 with %s, or "
			"17 with %s",
			instances[0].host, instances[1].host, instances[2].host);
	return 0;
}

int kvg_m365_read(struct kvg_reader *reader, const json_t *root)
{
	int r;

	reader->document->kind = KVG_DOCUMENT_KIND_M365;
	r = kvg_groups_make_room(reader, json_array_size(root), count_prefixes(root));
	if (r < 0)
		return r;

	for (size_t i = 0; i < json_array_size(root); i++) {
		r = read_set(reader, json_array_get(root, i), i + 1);
		if (r < 0)
			return r;
	}

	r = kvg_groups_sort(reader, "set");
	if (r < 0)
		return r;

	return find_instance(reader, root);
}
