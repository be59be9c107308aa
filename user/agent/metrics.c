// SPDX-License-Identifier: BSD-2-Clause
#include "agent/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum kind {
	COUNTER,
	GAUGE,
	HISTOGRAM,
};

static const struct row {
	enum kind kind;
	const char *name;
	const char *label1;
	const char *label2;
	const char *help;
} rows[] = {
#define X(enumerator, kind, name, label1, label2, help) {kind, name, label1, label2, help},
	KVG_METRICS(X)
#undef X
};

static const char *const kind_words[] = {"counter", "gauge", "histogram"};

/* Attaching takes a millisecond or a few; a scheduler that is late, ten times as long. */
static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
				0.1,    0.25,  0.5,    1,     2.5,  10};

#define BOUNDS_COUNT KVG_ARRAY_SIZE(bounds)

/* struct series - labels as they are printed, without the braces; owned */
struct series {
	char *labels;
	double value;
};

struct histogram {
	unsigned long long counts[BOUNDS_COUNT + 1];
	double sum;
};

struct kvg_metrics {
	double values[KVG_METRIC_COUNT];
	struct histogram histograms[KVG_METRIC_COUNT];
	struct series *series[KVG_METRIC_COUNT];
	size_t series_count[KVG_METRIC_COUNT];
};

int kvg_metrics_open(struct kvg_metrics **ret)
{
	struct kvg_metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return -ENOMEM;
	*ret = metrics;
	return 0;
}

struct kvg_metrics *kvg_metrics_close(struct kvg_metrics *metrics)
{
	if (!metrics)
		return NULL;
	for (int i = 0; i < KVG_METRIC_COUNT; i++)
		kvg_metrics_forget(metrics, i);
	free(metrics);
	return NULL;
}

void kvg_metrics_add(struct kvg_metrics *metrics, enum kvg_metric metric, double count)
{
	metrics->values[metric] += count;
}

void kvg_metrics_set(struct kvg_metrics *metrics, enum kvg_metric metric, double value)
{
	metrics->values[metric] = value;
}

/* name="value", with what the format escapes */
static void print_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '\n')
			fputs("\\n", out);
		else if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static char *format_labels(const struct row *row, const char *label1, const char *label2)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_label(out, row->label1, label1);
	if (row->label2) {
		fputc(',', out);
		print_label(out, row->label2, label2);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static struct series *find_series(struct kvg_metrics *metrics, enum kvg_metric metric,
				  const char *labels)
{
	for (size_t i = 0; i < metrics->series_count[metric]; i++) {
		if (strcmp(metrics->series[metric][i].labels, labels) == 0)
			return &metrics->series[metric][i];
	}
	return NULL;
}

static struct series *add_series(struct kvg_metrics *metrics, enum kvg_metric metric)
{
	size_t count = metrics->series_count[metric];
	struct series *series;

	series = reallocarray(metrics->series[metric], count + 1, sizeof(*series));
	if (!series)
		return NULL;
	metrics->series[metric] = series;
	metrics->series_count[metric] = count + 1;
	series[count] = (struct series){};
	return &series[count];
}

void kvg_metrics_append_of(struct kvg_metrics *metrics, enum kvg_metric metric, const char *label1,
			   const char *label2, double value)
{
	KVG_CLEANUP(kvg_freep) char *labels = format_labels(&rows[metric], label1, label2);
	struct series *series = labels ? add_series(metrics, metric) : NULL;

	if (!series)
		return;
	series->labels = KVG_TAKE_PTR(labels);
	series->value = value;
}

void kvg_metrics_set_of(struct kvg_metrics *metrics, enum kvg_metric metric, const char *label1,
			const char *label2, double value)
{
	KVG_CLEANUP(kvg_freep) char *labels = format_labels(&rows[metric], label1, label2);
	struct series *series;

	if (!labels)
		return;
	series = find_series(metrics, metric, labels);
	if (!series) {
		series = add_series(metrics, metric);
		if (!series)
			return;
		series->labels = KVG_TAKE_PTR(labels);
	}
	series->value = value;
}

void kvg_metrics_forget(struct kvg_metrics *metrics, enum kvg_metric metric)
{
	for (size_t i = 0; i < metrics->series_count[metric]; i++)
		free(metrics->series[metric][i].labels);
	free(metrics->series[metric]);
	metrics->series[metric] = NULL;
	metrics->series_count[metric] = 0;
}

void kvg_metrics_observe(struct kvg_metrics *metrics, enum kvg_metric metric, double seconds)
{
	struct histogram *histogram = &metrics->histograms[metric];
	size_t i = 0;

	while (i < BOUNDS_COUNT && seconds > bounds[i])
		i++;
	histogram->counts[i]++;
	histogram->sum += seconds;
}

static void print_histogram(FILE *out, const char *name, const struct histogram *histogram)
{
	unsigned long long below = 0;

	for (size_t i = 0; i < BOUNDS_COUNT; i++) {
		below += histogram->counts[i];
		fprintf(out, "%s_bucket{le=\"%g\"} %llu\n", name, bounds[i], below);
	}
	below += histogram->counts[BOUNDS_COUNT];
	fprintf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, below);
	fprintf(out, "%s_sum %.9g\n%s_count %llu\n", name, histogram->sum, name, below);
}

static void print_metric(FILE *out, const struct kvg_metrics *metrics, enum kvg_metric metric)
{
	const struct row *row = &rows[metric];

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
		kind_words[row->kind]);
	if (row->kind == HISTOGRAM) {
		print_histogram(out, row->name, &metrics->histograms[metric]);
		return;
	}
	if (!row->label1)
		fprintf(out, "%s %.16g\n", row->name, metrics->values[metric]);
	for (size_t i = 0; i < metrics->series_count[metric]; i++)
		fprintf(out, "%s{%s} %.16g\n", row->name, metrics->series[metric][i].labels,
			metrics->series[metric][i].value);
}

int kvg_metrics_format(const struct kvg_metrics *metrics, char **ret)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	for (int i = 0; i < KVG_METRIC_COUNT; i++)
		print_metric(out, metrics, i);
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}
