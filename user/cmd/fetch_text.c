// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/fetch_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"

static void print_count(FILE *out, const char **separator, const char *verb, const size_t counts[2])
{
	if (counts[0] + counts[1] == 0)
		return;
	fprintf(out, "%s%s ", *separator, verb);
	if (counts[0])
		fprintf(out, "%zu IPv4", counts[0]);
	if (counts[1])
		fprintf(out, "%s%zu IPv6", counts[0] ? " and " : "", counts[1]);
	fprintf(out, " %s", counts[0] + counts[1] == 1 ? "prefix" : "prefixes");
	*separator = ", ";
}

/* "AzureKeyVault gains 3 IPv4 prefixes, loses 1 IPv4 prefix; ..." */
static void print_changes(FILE *out, const struct kvg_fetch_report *report)
{
	const char *begin = ": ";

	for (size_t i = 0; report->changes && i < report->needs.count; i++) {
		const struct kvg_guard_change *change = &report->changes[i];
		const char *separator = " ";

		if (change->added[0] + change->added[1] + change->removed[0] + change->removed[1] ==
		    0)
			continue;
		fprintf(out, "%s%s", begin, change->group);
		print_count(out, &separator, "gains", change->added);
		print_count(out, &separator, "loses", change->removed);
		begin = "; ";
	}
	if (begin[0] == ':')
		fprintf(out, ": nothing that a profile needs has changed");
}

static void print_updated(const struct kvg_fetch_report *report)
{
	printf("%s of %s: %s", kvg_document_kind_word(report->kind), kvg_cloud_word(report->cloud),
	       report->file);
	if (report->replaced)
		printf(" replaces %s", report->replaced);
	else
		printf(" is the first");
	print_changes(stdout, report);
	putchar('\n');
}

void kvg_fetch_report_print(const struct kvg_fetch_report *report)
{
	const char *kind = kvg_document_kind_word(report->kind);
	const char *cloud = kvg_cloud_word(report->cloud);

	switch (report->result) {
	case KVG_FETCH_UPDATED:
		print_updated(report);
		break;
	case KVG_FETCH_UNCHANGED:
		printf("%s of %s: %s is the newest\n", kind, cloud,
		       report->file ? report->file : "what is here");
		break;
	case KVG_FETCH_REFUSED:
		kvg_log_error("%s of %s: %s is refused: %s", kind, cloud, report->file,
			      report->sentence);
		break;
	default:
		kvg_log_error("%s of %s: %s; what is here stays in use", kind, cloud,
			      report->sentence);
	}
}

static json_t *changes_json(const struct kvg_fetch_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; report->changes && i < report->needs.count; i++) {
		const struct kvg_guard_change *change = &report->changes[i];

		json_array_append_new(list, json_pack("{s:s, s:{s:I, s:I}, s:{s:I, s:I}}", "name",
						      change->group, "added", "ipv4",
						      (json_int_t)change->added[0], "ipv6",
						      (json_int_t)change->added[1], "removed",
						      "ipv4", (json_int_t)change->removed[0],
						      "ipv6", (json_int_t)change->removed[1]));
	}
	return list;
}

json_t *kvg_fetch_report_json(const struct kvg_fetch_report *report)
{
	char hex[KVG_DIGEST_HEX_LEN];

	kvg_digest_format(report->digest, hex);
	return json_pack(
		"{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:s?, s:s?, s:o}", "kind",
		kvg_document_kind_word(report->kind), "cloud", kvg_cloud_word(report->cloud),
		"result", kvg_fetch_result_word(report->result), "file", report->file, "replaced",
		report->replaced, "url", report->url, "change_number",
		(json_int_t)report->change_number, "sha256", report->file ? hex : NULL, "reason",
		report->sentence[0] ? report->sentence : NULL, "changes", changes_json(report));
}
