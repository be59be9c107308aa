// SPDX-License-Identifier: BSD-2-Clause
/*
 * Service tags: {"changeNumber": 1, "cloud": "Public", "values": [{"name": "X", "id": "X",
 * "properties": {"region": "", "addressPrefixes": [...], ...}}, ...]}.
 *
 * A tag is what its id says, never its "systemService", which differs between clouds. The other
 * properties come and go with the years and are not looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ranges/reader.h"

/* Longest id ever is 53; a message and a column of a table must be able to show it. */
#define TAG_ID_LEN_MAX 128

static int find_cloud(const char *name, enum kvg_cloud *ret)
{
	for (int i = 0; i < KVG_CLOUD_COUNT; i++) {
		if (strcmp(kvg_cloud_tags_name(i), name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

bool kvg_service_tags_recognise(const json_t *root)
{
	static const char *const keys[] = {"changeNumber", "cloud", "values"};
	int found = 0;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(keys); i++)
		found += json_object_get(root, keys[i]) != NULL;

	/* Two of three: one that lost a key is a broken document, not another kind of file. */
	return found >= 2;
}

int kvg_service_tags_peek(const char *head, enum kvg_cloud *ret)
{
	char bracket[2];
	char cloud[32];

	if (sscanf(head,
		   " { \"changeNumber\" : %*u , \"cloud\" : \"%31[A-Za-z]\" , \"values\" : %1[[]",
		   cloud, bracket) != 2)
		return -ENOMSG;

	return find_cloud(cloud, ret) < 0 ? -ENOMSG : 0;
}

static int check_id(const struct kvg_json_place *place)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t len = strlen(place->name);

	if (len == 0)
		return kvg_json_refuse(place, -EINVAL, ": its id is empty");
	if (len > TAG_ID_LEN_MAX)
		return kvg_json_refuse(place, -EINVAL, ": its id is longer than %d characters",
				       TAG_ID_LEN_MAX);
	if (strspn(place->name, allowed) != len)
		return kvg_json_refuse(
			place, -EINVAL,
			": its id holds what is no letter, digit, \".\", \"_\" or \"-\"");
	return 0;
}

/* "region": null has been seen to mean the same as "". */
static int read_region(const struct kvg_json_place *place, const json_t *properties,
		       const char **ret)
{
	json_t *region;
	int r;

	if (json_is_null(json_object_get(properties, "region"))) {
		*ret = "";
		return 0;
	}

	r = kvg_json_get(place, properties, "region", JSON_STRING, &region);
	if (r < 0)
		return r;

	*ret = json_string_value(region);
	return 0;
}

static int read_properties(struct kvg_reader *reader, const struct kvg_json_place *place,
			   const json_t *properties)
{
	const char *region;
	json_t *list;
	int r;

	r = check_id(place);
	if (r < 0)
		return r;

	r = read_region(place, properties, &region);
	if (r < 0)
		return r;

	list = json_object_get(properties, "addressPrefixes");
	if (!list)
		return kvg_json_refuse(place, -EINVAL, ": \"addressPrefixes\" is missing");

	return kvg_group_read(reader, place, region, list);
}

static size_t count_prefixes(const struct kvg_reader *reader, const json_t *values)
{
	size_t count = 0;

	if (reader->lists)
		return 0;

	for (size_t i = 0; i < json_array_size(values); i++) {
		const json_t *properties = json_object_get(json_array_get(values, i), "properties");

		count += json_array_size(json_object_get(properties, "addressPrefixes"));
	}
	return count;
}

static int read_tag(struct kvg_reader *reader, const json_t *value, size_t number)
{
	struct kvg_json_place place = {.noun = "tag", .number = number, .diag = reader->diag};
	json_t *name, *id, *properties;
	int r;

	if (!json_is_object(value))
		return kvg_json_refuse(&place, -EINVAL, " is %s, not an object",
				       kvg_json_type_words(json_typeof(value)));

	r = kvg_json_get(&place, value, "id", JSON_STRING, &id);
	if (r < 0)
		return r;

	place.name = json_string_value(id);
	r = kvg_json_get(&place, value, "name", JSON_STRING, &name);
	if (r < 0)
		return r;
	if (strcmp(json_string_value(name), place.name) != 0)
		return kvg_json_refuse(&place, -EINVAL, ": its name is \"%s\", not its id",
				       json_string_value(name));

	r = kvg_json_get(&place, value, "properties", JSON_OBJECT, &properties);
	if (r < 0)
		return r;

	return read_properties(reader, &place, properties);
}

static int read_change_number(struct kvg_reader *reader, const struct kvg_json_place *place,
			      const json_t *root)
{
	json_t *number;
	int r;

	if (json_is_string(json_object_get(root, "changeNumber")))
		return kvg_json_refuse(
			place, -EINVAL,
			"\"changeNumber\" is a string: an answer of the Discovery API, "
			"which publishes a subset; use the downloaded file");

	r = kvg_json_get(place, root, "changeNumber", JSON_INTEGER, &number);
	if (r < 0)
		return r;
	if (json_integer_value(number) < 0)
		return kvg_json_refuse(place, -EINVAL, "\"changeNumber\" is negative");

	reader->document->change_number = (unsigned long)json_integer_value(number);
	return 0;
}

static int read_cloud(struct kvg_reader *reader, const struct kvg_json_place *place,
		      const json_t *root)
{
	json_t *cloud;
	int r;

	r = kvg_json_get(place, root, "cloud", JSON_STRING, &cloud);
	if (r < 0)
		return r;

	r = find_cloud(json_string_value(cloud), &reader->document->cloud);
	if (r < 0)
		return kvg_json_refuse(place, -EINVAL, "cloud \"%s\" is unknown",
				       json_string_value(cloud));

	if (reader->document->cloud == KVG_CLOUD_GERMANY)
		return kvg_json_refuse(place, -EOPNOTSUPP,
				       "cloud \"AzureGermany\" was retired in March 2025");
	return 0;
}

int kvg_service_tags_read(struct kvg_reader *reader, const json_t *root)
{
	struct kvg_json_place place = {.diag = reader->diag};
	json_t *values;
	int r;

	reader->document->kind = KVG_DOCUMENT_KIND_SERVICE_TAGS;
	r = read_change_number(reader, &place, root);
	if (r < 0)
		return r;

	r = read_cloud(reader, &place, root);
	if (r < 0)
		return r;

	r = kvg_json_get(&place, root, "values", JSON_ARRAY, &values);
	if (r < 0)
		return r;

	r = kvg_groups_make_room(reader, json_array_size(values), count_prefixes(reader, values));
	if (r < 0)
		return r;

	for (size_t i = 0; i < json_array_size(values); i++) {
		r = read_tag(reader, json_array_get(values, i), i + 1);
		if (r < 0)
			return r;
	}
	return kvg_groups_sort(reader, "tag");
}
