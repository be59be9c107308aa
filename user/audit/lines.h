/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record, read back: files of JSON lines as the file sink writes them. A line that is no record is
 * told and passed over, so that one torn line hides no other.
 */
#ifndef KVG_AUDIT_LINES_H
#define KVG_AUDIT_LINES_H

#include <jansson.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

/* The longest line that is looked at; a record has some 2 KB at most. */
#define KVG_LINES_MAX_BYTES 65536

/**
 * struct kvg_lines_handler - who is told
 * @line: a record, or a line that says what was lost; @json is borrowed; a negative errno ends the reading
 * @bad:  line @number, counted from 1, is none, and why; may be NULL
 * @data: first argument of both
 */
struct kvg_lines_handler {
	int (*line)(void *data, const json_t *json);
	void (*bad)(void *data, const char *path, unsigned long number, const char *why);
	void *data;
};

/**
 * struct kvg_lines_buffer - bytes on their way to lines
 * @path:     for messages
 * @counts:   the number of lines is known
 * @number:   of the last line, if so; else 0
 * @skipping: the line is too long, and that was told; its rest is passed over
 * @size:     of what there is in @text: the beginning of a line whose end has not come yet
 * @text:     one byte more tells a line that is too long
 */
struct kvg_lines_buffer {
	const char *path;
	bool counts;
	bool skipping;
	unsigned long number;
	size_t size;
	char text[KVG_LINES_MAX_BYTES + 1];
};

/**
 * kvg_lines_feed() - what a descriptor has, up to its end
 * @buffer:  keeps what is no whole line yet
 * @fd:      read from where it is
 * @handler: is told of each line
 *
 * Return: 0, a negative errno of reading, or what the handler returned
 */
int kvg_lines_feed(struct kvg_lines_buffer *buffer, int fd,
		   const struct kvg_lines_handler *handler);

/** kvg_lines_feed_end() - what is left is a line, too; 0, or what the handler returned */
int kvg_lines_feed_end(struct kvg_lines_buffer *buffer, const struct kvg_lines_handler *handler);

/** kvg_lines_read_fd() - as kvg_lines_read(), of a file that is open; @path is for messages */
int kvg_lines_read_fd(int fd, const char *path, const struct kvg_lines_handler *handler,
		      struct kvg_diag *reterr_diag);

/**
 * kvg_lines_read() - read one file from its beginning
 * @path:        "-" is standard input
 * @handler:     is told of each line in the file's order
 * @reterr_diag: why the file cannot be read
 *
 * A last line without its newline is read, too, if it is whole.
 *
 * Return: 0, a negative errno of opening or reading, or what the handler returned
 */
int kvg_lines_read(const char *path, const struct kvg_lines_handler *handler,
		   struct kvg_diag *reterr_diag);

/**
 * kvg_line_parse() - one line
 * @text:        need not be NUL-terminated; without its newline
 * @len:         bytes
 * @ret:         given back by the caller; untouched on failure
 * @reterr_diag: why it is no line of the record
 *
 * Return: 0, or -EINVAL
 */
int kvg_line_parse(const char *text, size_t len, json_t **ret, struct kvg_diag *reterr_diag);

/** kvg_line_text() - a string by its path, "event.reason"; NULL if there is none */
const char *kvg_line_text(const json_t *line, const char *path);

/** kvg_line_number() - an integer by its path; @otherwise if there is none */
long long kvg_line_number(const json_t *line, const char *path, long long otherwise);

/** kvg_line_time_us() - "@timestamp" in microseconds since 1970, UTC; -1 if it is none */
__s64 kvg_line_time_us(const json_t *line);

/** kvg_line_time_parse() - "2026-11-24T09:00:00.123456Z", the fraction may be missing; or -1 */
__s64 kvg_line_time_parse(const char *text);

#endif
