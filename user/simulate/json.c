// SPDX-License-Identifier: BSD-2-Clause
/*
 * JSON values one by one, so that of a document that is cut all that is whole is read: the elements of
 * {"records":[...]} are such values, too.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "simulate/readers.h"
#include "simulate/text.h"

/* struct stream - @depth: 1 inside of "records" */
struct stream {
	const char *data;
	size_t size;
	size_t at;
	int depth;
	unsigned int shapes;
	unsigned int line;
	size_t line_at; /* where @line was counted to */
	struct kvg_traffic *traffic;
};

static void decrefp(json_t **value)
{
	json_decref(*value);
}

static void skip_space(struct stream *stream, const char *more)
{
	while (stream->at < stream->size) {
		char c = stream->data[stream->at];

		if (!c || (!strchr(" \t\r\n", c) && !strchr(more, c)))
			break;
		stream->at++;
	}
}

static bool take(struct stream *stream, const char *text)
{
	size_t size = strlen(text);

	skip_space(stream, "");
	if (stream->size - stream->at < size || memcmp(stream->data + stream->at, text, size) != 0)
		return false;
	stream->at += size;
	return true;
}

static unsigned int count_lines(struct stream *stream)
{
	for (; stream->line_at < stream->at; stream->line_at++)
		stream->line += stream->data[stream->line_at] == '\n';
	return stream->line;
}

/* The beginning of {"records":[...]}; anything else is left as it was. */
static bool enter(struct stream *stream)
{
	size_t before = stream->at;

	if (take(stream, "{") && take(stream, "\"records\"") && take(stream, ":") &&
	    take(stream, "[")) {
		stream->depth = 1;
		return true;
	}
	stream->at = before;
	return false;
}

static int read_record(struct stream *stream, const json_t *record, unsigned int line)
{
	if (stream->shapes & KVG_SHAPE_VNET && json_object_get(record, "flowRecords"))
		return kvg_vnet_read_record(record, line, stream->traffic);
	if (stream->shapes & KVG_SHAPE_NSG &&
	    json_object_get(json_object_get(record, "properties"), "flows"))
		return kvg_nsg_read_record(record, line, stream->traffic);
	if (stream->shapes & KVG_SHAPE_FLOW)
		return kvg_flow_read_record(record, line, stream->traffic);
	kvg_traffic_unreadable(stream->traffic, line, "no record of such a flow log");
	return 0;
}

static int read_value(struct stream *stream, const json_t *value, unsigned int line)
{
	json_t *records = json_object_get(value, "records");
	json_t *record;
	size_t i;
	int r = 0;

	if (!json_is_array(records))
		return read_record(stream, value, line);
	json_array_foreach(records, i, record)
	{
		r = read_record(stream, record, line);
		if (r < 0)
			break;
	}
	return r;
}

/*
 * What is no JSON: go on with the next line. Inside a list of records, or where a value of many lines
 * ends with the input, there is no next value.
 */
static void recover(struct stream *stream, unsigned int line, const json_error_t *error)
{
	bool cut = json_error_code(error) == json_error_premature_end_of_input;
	const char *next = memchr(stream->data + stream->at, '\n', stream->size - stream->at);

	stream->at = next ? (size_t)(next - stream->data) + 1 : stream->size;
	if (cut &&
	    (stream->depth || stream->at == stream->size || stream->data[stream->at] != '{')) {
		kvg_traffic_cut(stream->traffic, line, "the input ends in the middle of a value");
		stream->at = stream->size;
		return;
	}
	kvg_traffic_unreadable(stream->traffic, line, "no JSON%s: %s",
			       next ? "" : ", and nothing after it was read", error->text);
}

static int read_next(struct stream *stream)
{
	KVG_CLEANUP(decrefp) json_t *value = NULL;
	unsigned int line = count_lines(stream);
	json_error_t error;

	value = json_loadb(stream->data + stream->at, stream->size - stream->at,
			   JSON_DISABLE_EOF_CHECK, &error);
	if (!value) {
		recover(stream, line, &error);
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : 0;
	}
	stream->at += (size_t)error.position;
	return read_value(stream, value, line);
}

int kvg_json_read(const char *data, size_t size, unsigned int shapes, struct kvg_traffic *traffic)
{
	struct stream stream = {
		.data = data, .size = size, .shapes = shapes, .line = 1, .traffic = traffic};
	int r = 0;

	take(&stream, "\xef\xbb\xbf");
	while (r == 0) {
		skip_space(&stream, stream.depth ? "," : "");
		if (stream.at == stream.size)
			break;
		if (stream.depth && take(&stream, "]")) {
			stream.depth = take(&stream, "}") ? 0 : stream.depth;
			continue;
		}
		if (!stream.depth && enter(&stream))
			continue;
		r = read_next(&stream);
	}
	if (r == 0 && stream.depth && !traffic->cut && !traffic->unreadable)
		kvg_traffic_cut(traffic, count_lines(&stream), "the list of records has no end");
	return r;
}
