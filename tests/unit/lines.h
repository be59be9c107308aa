/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for sinks under test, and what became of them; included after cmocka.h. */
#ifndef KVG_TESTS_LINES_H
#define KVG_TESTS_LINES_H

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "audit/sink.h"
#include "base/cleanup.h"
#include "base/file.h"

#define WAIT_MS 10000

/* struct told - what a sink said of its troubles */
struct told {
	int times;
	bool failing;
	char last[512];
};

static inline void on_trouble(void *data, bool failing, const char *message)
{
	struct told *told = data;

	told->failing = failing;
	told->times++;
	snprintf(told->last, sizeof(told->last), "%s", message);
}

static inline struct kvg_record some_record(unsigned int port)
{
	return (struct kvg_record){
		.refusal = {.dport = htons(port),
			    .protocol = IPPROTO_TCP,
			    .family = AF_INET,
			    .daddr = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 9},
			    .reason = KVG_REASON_DESTINATION},
		.count = 1,
	};
}

static inline struct kvg_sink *open_sink(const struct kvg_sink_options *options)
{
	struct kvg_sink *sink = NULL;

	assert_int_equal(kvg_sink_open(options, &sink, NULL), 0);
	return sink;
}

static inline void put(struct kvg_sink *sink, unsigned int port)
{
	const struct kvg_record record = some_record(port);
	KVG_CLEANUP(kvg_freep) char *json = NULL;
	size_t size = 0;

	assert_int_equal(kvg_record_format_json(&record, 0, &json, &size), 0);
	kvg_sink_put(sink, &record, json, size);
}

/* Reads the file's lines as JSON: sum of counts, and of what they say was lost. */
static inline void sum_lines(const char *path, json_int_t *ret_count, json_int_t *ret_lost)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen(path, "r");
	json_t *json, *kvgate;

	*ret_count = 0;
	*ret_lost = 0;
	assert_non_null(file);
	while ((json = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
		assert_int_equal(fgetc(file), '\n');
		kvgate = json_object_get(json, "kvgate");
		*ret_count += json_integer_value(json_object_get(kvgate, "count"));
		*ret_lost += json_integer_value(json_object_get(kvgate, "lost"));
		json_decref(json);
	}
	assert_int_equal(fgetc(file), EOF);
}

static inline void assert_content(const char *path, const char *expected)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, 1 << 20, &data, &size), 0);
	assert_string_equal(data, expected);
}

#endif
