// SPDX-License-Identifier: BSD-2-Clause
#include "report/page.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/version.h"
#include "policy/words.h"
#include "report/chart.h"
#include "report/html.h"

#define GATES_SHOWN        30
#define DESTINATIONS_SHOWN 50
#define PROCESSES_SHOWN    20

/* struct column - of a table of a ranking; NULL ends them */
struct column {
	const char *head;
	void (*put)(FILE *out, const struct kvg_ranking_row *row);
};

/* struct section - a table */
struct section {
	const char *title;
	const char *plural;
	const struct kvg_ranking *ranking;
	size_t shown;
	const struct column *columns;
};

static __u64 all_of(const struct kvg_numbers *numbers)
{
	return kvg_ranking_sum(&numbers->total);
}

/* --- columns --------------------------------------------------------------------------------- */

static void put_text(FILE *out, const struct kvg_ranking_row *row, enum kvg_ranking_text text)
{
	fputs("<bdi>", out);
	kvg_html_text(out, row->texts[text]);
	fputs("</bdi>", out);
}

static void put_key(FILE *out, const struct kvg_ranking_row *row)
{
	if (!row->key[0]) {
		fputs("<span class=\"soft\">not known</span>", out);
		return;
	}
	fputs("<bdi>", out);
	kvg_html_text(out, row->key);
	fputs("</bdi>", out);
}

static void put_meaning(FILE *out, const struct kvg_ranking_row *row)
{
	for (int reason = 0; reason < KVG_REASON_COUNT; reason++) {
		if (strcmp(kvg_reason_word(reason), row->key) == 0)
			kvg_html_text(out, kvg_reason_meaning(reason));
	}
}

static void put_profile(FILE *out, const struct kvg_ranking_row *row)
{
	put_text(out, row, KVG_RANKING_NAME);
}

static void put_reason(FILE *out, const struct kvg_ranking_row *row)
{
	put_text(out, row, KVG_RANKING_REASON);
}

static void put_gate(FILE *out, const struct kvg_ranking_row *row)
{
	put_text(out, row, KVG_RANKING_GATE);
}

static void put_destination(FILE *out, const struct kvg_ranking_row *row)
{
	put_text(out, row, KVG_RANKING_NAME);
	if (!row->texts[KVG_RANKING_DOMAIN])
		return;
	fputs("<small>looked up as ", out);
	put_text(out, row, KVG_RANKING_DOMAIN);
	fputs("</small>", out);
}

static void put_nearest(FILE *out, const struct kvg_ranking_row *row)
{
	put_text(out, row, KVG_RANKING_NEAREST);
}

static void put_who(FILE *out, const struct kvg_ranking_row *row)
{
	char text[32];

	put_text(out, row, KVG_RANKING_PROCESS);
	fputs("<small>", out);
	put_text(out, row, KVG_RANKING_GATE);
	fprintf(out, "</small><small>%s</small>", kvg_numbers_format_time(row->last_us, text));
}

static void put_when(FILE *out, const struct kvg_ranking_row *row)
{
	char text[32];

	fprintf(out, "<span class=\"time\">%s", kvg_numbers_format_time(row->last_us, text));
	if (row->first_us != row->last_us)
		fprintf(out, "<small>since %s</small>",
			kvg_numbers_format_time(row->first_us, text));
	fputs("</span>", out);
}

static const struct column reason_columns[] = {
	{"Reason", put_key}, {"Refused, because", put_meaning}, {0}};
static const struct column gate_columns[] = {
	{"Gate", put_key}, {"Profile", put_profile}, {"Last (UTC)", put_when}, {0}};
static const struct column destination_columns[] = {{"Destination", put_destination},
						    {"Reason", put_reason},
						    {"Nearest that is allowed", put_nearest},
						    {"Last by, at (UTC)", put_who},
						    {0}};
static const struct column process_columns[] = {
	{"Process", put_key}, {"Last in", put_gate}, {"Last (UTC)", put_when}, {0}};

/* --- tables ---------------------------------------------------------------------------------- */

static void put_count(FILE *out, const struct kvg_ranking_count *count, __u64 all, __u64 most)
{
	__u64 sum = kvg_ranking_sum(count);

	fputs("<td class=\"num\">", out);
	kvg_html_number(out, sum);
	if (count->would && count->refused) {
		fputs("<small>audit ", out);
		kvg_html_number(out, count->would);
		fputs("</small>", out);
	} else if (count->would) {
		fputs("<small>audit</small>", out);
	}
	fprintf(out, "</td><td class=\"num\">%.1f%%</td><td>",
		all ? 100.0 * (double)sum / (double)all : 0.0);
	kvg_chart_share(out, count, most);
	fputs("</td>", out);
}

static void put_row(FILE *out, const struct section *section, const struct kvg_ranking_row *row,
		    __u64 all)
{
	const struct column *column = section->columns;

	fputs("<tr>", out);
	put_count(out, &row->count, all, kvg_ranking_sum(&section->ranking->rows[0]->count));
	for (; column->head; column++) {
		fputs("<td class=\"name\">", out);
		column->put(out, row);
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_rest(FILE *out, const struct section *section)
{
	struct kvg_ranking_count rest = section->ranking->others;

	for (size_t i = section->shown; i < section->ranking->count; i++)
		kvg_ranking_increase(&rest, &section->ranking->rows[i]->count);
	if (!kvg_ranking_sum(&rest))
		return;
	fputs("<p class=\"soft\">", out);
	kvg_html_number(out, kvg_ranking_sum(&rest));
	fprintf(out, " more, of other %s.", section->plural);
	if (section->ranking->others_rows)
		fprintf(out,
			" There are more %s than are told apart: the sums are exact, but a "
			"single count is a lower bound.",
			section->plural);
	fputs("</p>\n", out);
}

static void put_section(FILE *out, const struct section *section, __u64 all)
{
	fprintf(out,
		"<h2>%s</h2>\n<div class=\"wide\"><table>\n<tr><th class=\"num\">Count</th>"
		"<th class=\"num\">Share</th><th></th>",
		section->title);
	for (const struct column *column = section->columns; column->head; column++)
		fprintf(out, "<th>%s</th>", column->head);
	fputs("</tr>\n", out);
	for (size_t i = 0; i < section->ranking->count && i < section->shown; i++)
		put_row(out, section, section->ranking->rows[i], all);
	fputs("</table></div>\n", out);
	put_rest(out, section);
}

/* --- the head of the page -------------------------------------------------------------------- */

static void put_sum(FILE *out, __u64 number, const char *what)
{
	fputs("<li><b>", out);
	kvg_html_number(out, number);
	fprintf(out, "</b>%s</li>\n", what);
}

static void put_sums(FILE *out, const struct kvg_numbers *numbers)
{
	fputs("<ul class=\"sums\">\n", out);
	put_sum(out, numbers->total.refused, "refused");
	if (numbers->total.would)
		put_sum(out, numbers->total.would, "would be refused (audit mode)");
	put_sum(out, numbers->gates.count, numbers->gates.count == 1 ? "gate" : "gates");
	put_sum(out, numbers->destinations.count + numbers->destinations.others_rows,
		numbers->destinations.others_rows ? "different flows at most" : "different flows");
	if (numbers->closed)
		put_sum(out, numbers->closed, "connections closed by policy changes");
	put_sum(out, numbers->lost, "without a line of the record");
	fputs("</ul>\n", out);
}

static void put_period(FILE *out, const struct kvg_numbers *numbers)
{
	__s64 from = numbers->since_us ? numbers->since_us : numbers->first_us;
	__s64 to = numbers->until_us ? numbers->until_us : numbers->last_us;
	char text[32];

	fputs("<p class=\"soft\">", out);
	if (from && to) {
		fprintf(out, "%s to ", kvg_numbers_format_time(from, text));
		fprintf(out, "%s (UTC). ", kvg_numbers_format_time(to, text));
	}
	kvg_html_number(out, numbers->lines);
	fputs(" lines", out);
	for (size_t i = 0; i < numbers->files_count; i++) {
		fputs(i ? ", " : " of ", out);
		kvg_html_text(out, numbers->files[i].path);
	}
	fputs(".</p>\n", out);
}

static void put_bad(FILE *out, const struct kvg_numbers *numbers)
{
	if (!numbers->bad_lines)
		return;
	fputs("<div class=\"note\"><p>", out);
	kvg_html_number(out, numbers->bad_lines);
	fputs(" lines are no records and were passed over:</p><ul>\n", out);
	for (int i = 0; i < KVG_NUMBERS_BAD_MAX && numbers->bad[i]; i++) {
		fputs("<li>", out);
		kvg_html_text(out, numbers->bad[i]);
		fputs("</li>\n", out);
	}
	if (numbers->bad_lines > KVG_NUMBERS_BAD_MAX)
		fputs("<li>and so on</li>\n", out);
	fputs("</ul></div>\n", out);
}

static void put_notes(FILE *out, const struct kvg_numbers *numbers)
{
	put_bad(out, numbers);
	for (size_t i = 0; i < numbers->files_count; i++) {
		if (!numbers->files[i].failed)
			continue;
		fputs("<div class=\"note\"><p>", out);
		kvg_html_text(out, numbers->files[i].path);
		fputs(" could not be read, or not to its end.</p></div>\n", out);
	}
	if (numbers->lost) {
		fputs("<div class=\"note\"><p>", out);
		kvg_html_number(out, numbers->lost);
		fputs(" refusals have no line: too much at once, or a full disk. They are in no "
		      "other number of this page.</p></div>\n",
		      out);
	}
	if (numbers->future) {
		fputs("<div class=\"note\"><p>", out);
		kvg_html_number(out, numbers->future);
		fputs(" lines are of a time to come and were passed over.</p></div>\n", out);
	}
}

static const char *width_words(__s64 width_s, char ret[32])
{
	static const struct {
		__s64 seconds;
		const char *word;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t i = 0;

	while (width_s % units[i].seconds)
		i++;
	if (width_s == units[i].seconds)
		snprintf(ret, 32, "one %s", units[i].word);
	else
		snprintf(ret, 32, "%lld %ss", (long long)(width_s / units[i].seconds),
			 units[i].word);
	return ret;
}

static void put_timeline(FILE *out, const struct kvg_numbers *numbers)
{
	char text[32];

	fputs("<h2>Over time</h2>\n", out);
	fprintf(out, "<p class=\"soft\">Each bar: %s; times are UTC.%s</p>\n",
		width_words(kvg_timeline_width_s(&numbers->timeline), text),
		numbers->total.would ? " Solid: refused. Hatched: audit mode let it through." : "");
	kvg_chart_time(out, &numbers->timeline);
}

void kvg_page_write(FILE *out, const struct kvg_numbers *numbers)
{
	const struct section sections[] = {
		{"By reason", "reasons", &numbers->reasons, KVG_REASON_COUNT, reason_columns},
		{"By gate", "gates", &numbers->gates, GATES_SHOWN, gate_columns},
		{"By destination", "destinations", &numbers->destinations, DESTINATIONS_SHOWN,
		 destination_columns},
		{"By process", "processes", &numbers->processes, PROCESSES_SHOWN, process_columns},
	};

	kvg_html_begin(out, "Refused flows - kvgate report");
	fputs("<h1>Refused flows</h1>\n", out);
	put_period(out, numbers);
	put_notes(out, numbers);
	if (all_of(numbers)) {
		put_sums(out, numbers);
		put_timeline(out, numbers);
		for (size_t i = 0; i < KVG_ARRAY_SIZE(sections); i++)
			put_section(out, &sections[i], all_of(numbers));
	} else {
		fputs("<p>Nothing was refused in this period.</p>\n", out);
	}
	fprintf(out, "<footer>kvgate %s. Counts are packets and socket calls.</footer>\n",
		KVG_VERSION);
	kvg_html_end(out);
}
