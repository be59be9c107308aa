// SPDX-License-Identifier: BSD-2-Clause
#include "policy/grace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/regions.h"
#include "ranges/guard.h"
#include "ranges/store.h"

#define FROM_LEN 256
#define CRL_PORT 80

static int add_document(struct kvg_grace *grace, struct kvg_document **document, time_t until)
{
	struct kvg_document **documents;
	time_t *times;

	documents = reallocarray(grace->documents, grace->count + 1, sizeof(*documents));
	if (!documents)
		return -ENOMEM;
	grace->documents = documents;

	times = reallocarray(grace->until, grace->count + 1, sizeof(*times));
	if (!times)
		return -ENOMEM;
	grace->until = times;

	documents[grace->count] = KVG_TAKE_PTR(*document);
	times[grace->count++] = until;
	return 0;
}

int kvg_grace_load(const char *directory, unsigned long grace_s, time_t now, struct kvg_grace *ret)
{
	KVG_CLEANUP(kvg_previous_done) struct kvg_previous_list list = {0};
	int r;

	if (grace_s == 0)
		return 0;
	r = kvg_previous_read(directory, &list);
	for (size_t i = 0; i < list.count && r == 0; i++) {
		time_t replaced = list.items[i].replaced.tv_sec;
		time_t until = (replaced < now ? replaced : now) + (time_t)grace_s;

		if (now < until)
			r = add_document(ret, &list.items[i].document, until);
	}
	return r;
}

struct kept {
	const struct kvg_document *newest;
	struct kvg_profile *profile;
	__u16 port;
	time_t until;
};

/* Of two replaced documents that hold a prefix the one that was replaced last comes first. */
static bool is_kept(const struct kvg_profile *profile, const struct kvg_prefix *prefix, __u16 port)
{
	for (size_t i = 0; i < profile->kept_count; i++) {
		if (profile->kept[i].service.port == port &&
		    kvg_prefix_compare(&profile->kept[i].prefix, prefix) == 0)
			return true;
	}
	return false;
}

static int keep_group(const struct kept *kept, const struct kvg_group *group)
{
	const struct kvg_group *newest;
	char from[FROM_LEN];
	struct tm tm;
	int r = 0;

	if (!group)
		return 0;
	newest = kvg_document_find(kept->newest, group->name);
	gmtime_r(&kept->until, &tm);
	snprintf(from, sizeof(from), "%s%s (until %04d-%02d-%02d)",
		 kept->newest->kind == KVG_DOCUMENT_KIND_M365 ? "m365:" : "", group->name,
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);

	for (size_t i = 0; i < group->count && r == 0; i++) {
		const struct kvg_kept item = {
			.from = from,
			.prefix = group->prefixes[i],
			.service = {.protocol = IPPROTO_TCP, .port = htons(kept->port)},
		};

		if (!kvg_group_covers(newest, &item.prefix) &&
		    !is_kept(kept->profile, &item.prefix, item.service.port))
			r = kvg_profile_add_kept(kept->profile, &item);
	}
	return r;
}

static int keep_row(const struct kept *kept, const struct kvg_document *document,
		    const struct kvg_catalogue_tag *row)
{
	const struct kvg_profile *profile = kept->profile;
	int r = 0;

	if (row->cloud != profile->cloud || row->kind != document->kind ||
	    !(profile->functions & 1U << row->function))
		return 0;
	if (!row->regional || !profile->regions_count)
		return keep_group(kept, kvg_document_find(document, row->name));

	for (size_t i = 0; i < profile->regions_count && r == 0; i++)
		r = keep_group(kept, kvg_regions_find(document, row->name, profile->regions[i]));
	return r;
}

/* Lists of revoked certificates come by plain HTTP. */
static int keep_crl_tags(struct kept *kept, const struct kvg_document *document)
{
	const struct kvg_profile *profile = kept->profile;
	int r = 0;

	if (document->kind != KVG_DOCUMENT_KIND_SERVICE_TAGS)
		return 0;
	kept->port = CRL_PORT;
	for (size_t i = 0; i < profile->crl_tags_count && r == 0; i++)
		r = keep_group(kept, kvg_document_find(document, profile->crl_tags[i]));
	return r;
}

int kvg_grace_add(const struct kvg_grace *grace, const struct kvg_library *library,
		  struct kvg_profile *profile)
{
	size_t count;
	const struct kvg_catalogue_tag *rows = kvg_catalogue_tags(&count);
	int r = 0;

	for (size_t i = 0; i < grace->count; i++) {
		const struct kvg_document *document = grace->documents[i];
		struct kept kept = {
			.newest = library->documents[document->kind][document->cloud],
			.profile = profile,
			.until = grace->until[i],
		};

		if (document->cloud != profile->cloud || !kept.newest)
			continue;
		for (size_t j = 0; j < count && r == 0; j++) {
			kept.port = rows[j].port;
			r = keep_row(&kept, document, &rows[j]);
		}
		if (r == 0)
			r = keep_crl_tags(&kept, document);
	}
	return r;
}

time_t kvg_grace_next(const struct kvg_grace *grace)
{
	time_t next = 0;

	for (size_t i = 0; i < grace->count; i++) {
		if (next == 0 || grace->until[i] < next)
			next = grace->until[i];
	}
	return next;
}

void kvg_grace_done(struct kvg_grace *grace)
{
	for (size_t i = 0; i < grace->count; i++)
		kvg_document_free(grace->documents[i]);
	free(grace->documents);
	free(grace->until);
	*grace = (struct kvg_grace){0};
}
