// SPDX-License-Identifier: BSD-2-Clause
#include "report/chart.h"

#include <time.h>

#include "report/html.h"

/* Of the chart, in its own units; the area of the bars is within the margins. */
#define WIDTH        1060
#define HEIGHT       230
#define MARGIN_LEFT  80
#define MARGIN_RIGHT 10
#define TOP          12
#define BOTTOM       (HEIGHT - 34)
#define LINES        5 /* of the grid, and labels of the left axis, at most */
#define LABELS       8 /* of the time axis, at most */

#define SHARE_WIDTH 90

/* 1, 2 or 5 times a power of ten, of which LINES hold @most. */
static __u64 nice_step(__u64 most)
{
	static const unsigned int steps[] = {1, 2, 5};
	__u64 power = 1;

	for (;;) {
		for (size_t i = 0; i < 3; i++) {
			if (most / LINES + (most % LINES != 0) <= steps[i] * power)
				return steps[i] * power;
		}
		if (power > (__u64)1 << 58)
			return power;
		power *= 10;
	}
}

const char *kvg_chart_format_slot(__s64 time_s, __s64 width_s, char ret[32])
{
	time_t time = time_s;
	struct tm utc;

	ret[0] = '\0';
	if (!gmtime_r(&time, &utc))
		return ret;
	if (width_s >= 86400)
		strftime(ret, 32, "%e %b %Y", &utc);
	else
		strftime(ret, 32, width_s < 60 ? "%H:%M:%S" : "%e %b %H:%M", &utc);
	return ret;
}

static double height_of(__u64 count, __u64 top)
{
	return (double)count / (double)top * (BOTTOM - TOP);
}

static void put_grid(FILE *out, __u64 step, unsigned int lines)
{
	for (unsigned int i = 0; i <= lines; i++) {
		double y = BOTTOM - (double)(BOTTOM - TOP) * i / lines;

		fprintf(out,
			"<line class=\"axis\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
			"<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			MARGIN_LEFT, y, WIDTH - MARGIN_RIGHT, y, MARGIN_LEFT - 8, y + 4);
		kvg_html_number(out, step * i);
		fputs("</text>\n", out);
	}
}

static void put_rect(FILE *out, const char *class, double x, double y, const double size[2])
{
	fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		class, x, y, size[0], size[1]);
}

static void put_bar(FILE *out, const struct kvg_timeline *timeline, size_t i, __u64 top)
{
	const struct kvg_ranking_count *slot = &timeline->slots[i];
	double step = (double)(WIDTH - MARGIN_LEFT - MARGIN_RIGHT) / (double)timeline->count;
	double x = MARGIN_LEFT + step * (double)i, gap = step > 4 ? 1.5 : 0;
	double refused[2] = {step - gap, height_of(slot->refused, top)};
	double would[2] = {step - gap, height_of(slot->would, top)};
	char text[32];

	if (!kvg_ranking_sum(slot))
		return;
	fputs("<g><title>", out);
	fputs(kvg_chart_format_slot(kvg_timeline_begins_s(timeline, i),
				    kvg_timeline_width_s(timeline), text),
	      out);
	fputs(": ", out);
	kvg_html_number(out, slot->refused);
	fputs(" refused", out);
	if (slot->would) {
		fputs(", ", out);
		kvg_html_number(out, slot->would);
		fputs(" would be", out);
	}
	fputs("</title>", out);
	if (slot->refused)
		put_rect(out, "refused", x, BOTTOM - refused[1], refused);
	if (slot->would)
		put_rect(out, "would", x, BOTTOM - refused[1] - would[1], would);
	fputs("</g>\n", out);
}

static void put_times(FILE *out, const struct kvg_timeline *timeline)
{
	double step = (double)(WIDTH - MARGIN_LEFT - MARGIN_RIGHT) / (double)timeline->count;
	size_t every = (timeline->count + LABELS - 1) / LABELS;
	char text[32];

	for (size_t i = 0; i < timeline->count; i += every) {
		double x = MARGIN_LEFT + step * (double)i;

		fprintf(out,
			"<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\">%s</text>\n",
			x, BOTTOM, x, BOTTOM + 6, x, BOTTOM + 20,
			kvg_chart_format_slot(kvg_timeline_begins_s(timeline, i),
					      kvg_timeline_width_s(timeline), text));
	}
}

void kvg_chart_time(FILE *out, const struct kvg_timeline *timeline)
{
	__u64 most = 1, step, lines;

	for (size_t i = 0; i < timeline->count; i++) {
		if (kvg_ranking_sum(&timeline->slots[i]) > most)
			most = kvg_ranking_sum(&timeline->slots[i]);
	}
	step = nice_step(most);
	lines = (most + step - 1) / step;
	fprintf(out,
		"<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"refusals over time\">\n"
		"<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" "
		"patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
		"<line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"5\"/></pattern></defs>\n",
		WIDTH, HEIGHT);
	put_grid(out, step, lines);
	for (size_t i = 0; i < timeline->count; i++)
		put_bar(out, timeline, i, step * lines);
	put_times(out, timeline);
	fputs("</svg>\n", out);
}

void kvg_chart_share(FILE *out, const struct kvg_ranking_count *count, __u64 most)
{
	double unit = (double)SHARE_WIDTH / (double)(most ? most : 1);
	double refused[2] = {unit * (double)count->refused, 10};
	double would[2] = {unit * (double)count->would, 10};

	fprintf(out, "<svg width=\"%d\" height=\"12\" viewBox=\"0 0 %d 12\" aria-hidden=\"true\">",
		SHARE_WIDTH, SHARE_WIDTH);
	if (count->refused)
		put_rect(out, "refused", 0, 1, refused);
	if (count->would)
		put_rect(out, "would", refused[0], 1, would);
	fputs("</svg>", out);
}
