// SPDX-License-Identifier: BSD-2-Clause
#include "ranges/links.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "ranges/reader.h"

#define DATE_DIGITS 8
#define LINK_MAX    1024 /* published ones have 130 characters */
#define SUFFIX      ".json"

/* What ends a link on either side, in HTML, in a script and in JSON. */
static bool is_delimiter(char c)
{
	return (unsigned char)c <= ' ' || strchr("\"'`<>()[]{},;|^", c);
}

/* The length of "DDDDDDDD.json" at @text, with a day in it; 0 if it is something else. */
static size_t match_date(const char *text, unsigned int *ret_day)
{
	unsigned int last;
	char date[DATE_DIGITS + 1] = "";

	if (strspn(text, "0123456789") != DATE_DIGITS ||
	    strncasecmp(text + DATE_DIGITS, SUFFIX, strlen(SUFFIX)) != 0)
		return 0;

	memcpy(date, text, DATE_DIGITS);
	kvg_document_read_date(date, ret_day, &last);
	return *ret_day ? DATE_DIGITS + strlen(SUFFIX) : 0;
}

/* An attribute needs no quotes. */
static bool is_after_href(const char *page, const char *at)
{
	return at - page >= 5 && strncasecmp(at - 5, "href=", 5) == 0;
}

/* Where the link that holds the file's name @at begins; NULL if @at is within a longer name. */
static const char *find_start(const char *page, const char *at)
{
	const char *start = at;

	while (start > page && at - start <= LINK_MAX && !is_delimiter(start[-1]) &&
	       !is_after_href(page, start))
		start--;
	if (at - start > LINK_MAX)
		return NULL;
	if (at == start || at[-1] == '/')
		return start;
	return at - start >= 6 && strncasecmp(at - 6, "\\u002f", 6) == 0 ? start : NULL;
}

static bool ends_well(const char *end)
{
	return is_delimiter(*end) || strchr("?#&\\", *end);
}

/* JSON writes "/" as "\/" or "\u002f" if it likes. */
static char *unescape(const char *text, size_t size)
{
	char *plain = strndup(text, size);
	char *to = plain;

	for (const char *from = plain; from && *from; from++) {
		if (from[0] == '\\' && from[1] == '/')
			continue;
		if (strncasecmp(from, "\\u002f", 6) == 0) {
			*to++ = '/';
			from += 5;
			continue;
		}
		*to++ = *from;
	}
	if (plain)
		*to = '\0';
	return plain;
}

static bool is_known(const struct kvg_links *links, const char *file)
{
	for (size_t i = 0; i < links->count; i++) {
		if (strcasecmp(links->items[i].file, file) == 0)
			return true;
	}
	return false;
}

/* Keep the newest first. */
static void insert(struct kvg_links *links, const struct kvg_link *link)
{
	size_t at = links->count++;

	while (at > 0 && links->items[at - 1].day < link->day) {
		links->items[at] = links->items[at - 1];
		at--;
	}
	links->items[at] = *link;
}

static int take(struct kvg_links *links, const char *start, const char *end, unsigned int day)
{
	KVG_CLEANUP(kvg_freep) char *text = unescape(start, (size_t)(end - start));
	struct kvg_link link = {.day = day};
	const char *slash;

	if (!text)
		return -ENOMEM;
	slash = strrchr(text, '/');
	link.file = slash ? slash + 1 : text;
	if (is_known(links, link.file))
		return 0;

	link.text = KVG_TAKE_PTR(text);
	insert(links, &link);
	return 0;
}

int kvg_links_find(const char *page, enum kvg_cloud cloud, struct kvg_links *ret)
{
	KVG_CLEANUP(kvg_freep) char *prefix = NULL;
	size_t length;
	int r = 0;

	if (asprintf(&prefix, "ServiceTags_%s_", kvg_cloud_tags_name(cloud)) < 0) {
		prefix = NULL;
		return -ENOMEM;
	}
	length = strlen(prefix);

	for (const char *at = page; r == 0 && ret->count < KVG_LINKS_MAX; at += length) {
		const char *start;
		size_t date;
		unsigned int day;

		at = strcasestr(at, prefix);
		if (!at)
			break;
		date = match_date(at + length, &day);
		start = find_start(page, at);
		if (date && start && ends_well(at + length + date))
			r = take(ret, start, at + length + date, day);
	}
	return r;
}

void kvg_links_done(struct kvg_links *links)
{
	for (size_t i = 0; i < links->count; i++)
		free(links->items[i].text);
	*links = (struct kvg_links){0};
}
