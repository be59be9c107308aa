/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links to documents of service tags on a details page. Their names hold their dates; a page may
 * offer last week's and this week's at once.
 */
#ifndef KVG_RANGES_LINKS_H
#define KVG_RANGES_LINKS_H

#include <stddef.h>

#include "ranges/document.h"

/* A page has two; a page with more than this many is searched no further. */
#define KVG_LINKS_MAX 32

/**
 * struct kvg_link - one document
 * @text: as on the page, without escapes: a URL, or a path to be resolved against the page's; owned
 * @file: "ServiceTags_Public_20260105.json", within @text
 * @day:  20260105
 */
struct kvg_link {
	char *text;
	const char *file;
	unsigned int day;
};

/** struct kvg_links - of a page: newest first, each file once */
struct kvg_links {
	struct kvg_link items[KVG_LINKS_MAX];
	size_t count;
};

/**
 * kvg_links_find() - what a page offers of a cloud
 * @page:  NUL-terminated; HTML, scripts and JSON are searched alike
 * @cloud: whose
 * @ret:   zeroed before; done by the caller
 *
 * Return: 0 also if there are none, or -ENOMEM
 */
int kvg_links_find(const char *page, enum kvg_cloud cloud, struct kvg_links *ret);

/** kvg_links_done() - free what it holds */
void kvg_links_done(struct kvg_links *links);

#endif
