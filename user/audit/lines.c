// SPDX-License-Identifier: BSD-2-Clause
#include "audit/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

static void tell_bad(const struct kvg_lines_buffer *buffer, const struct kvg_lines_handler *handler,
		     const char *why)
{
	if (handler->bad)
		handler->bad(handler->data, buffer->path, buffer->number, why);
}

/* Every line says what happened, and when. */
static const char *find_fault(const json_t *line)
{
	if (!json_is_object(line))
		return "it is no JSON object";
	if (!kvg_line_text(line, "event.action"))
		return "it has no event.action";
	if (kvg_line_time_us(line) < 0)
		return "it has no valid @timestamp";
	return NULL;
}

int kvg_line_parse(const char *text, size_t len, json_t **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(json_decrefp) json_t *line = NULL;
	json_error_t error;
	const char *fault;

	if (len > KVG_LINES_MAX_BYTES)
		return kvg_diag_set(reterr_diag, -EINVAL, "it is too long");
	line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	fault = line ? find_fault(line) : error.text;
	if (fault)
		return kvg_diag_set(reterr_diag, -EINVAL, "%s", fault);
	*ret = KVG_TAKE_PTR(line);
	return 0;
}

static int take_line(struct kvg_lines_buffer *buffer, const struct kvg_lines_handler *handler,
		     const char *text, size_t len)
{
	KVG_CLEANUP(json_decrefp) json_t *line = NULL;
	struct kvg_diag diag = {};

	if (buffer->skipping) {
		buffer->skipping = false;
		return 0;
	}
	buffer->number += buffer->counts;
	if (len == 0)
		return 0;
	if (kvg_line_parse(text, len, &line, &diag) < 0) {
		tell_bad(buffer, handler, diag.msg);
		return 0;
	}
	return handler->line(handler->data, line);
}

/* Every line that has its end. */
static int take_lines(struct kvg_lines_buffer *buffer, const struct kvg_lines_handler *handler)
{
	const char *line = buffer->text, *end;
	size_t left = buffer->size;
	int r = 0;

	while (r >= 0 && (end = memchr(line, '\n', left))) {
		r = take_line(buffer, handler, line, end - line);
		left -= end + 1 - line;
		line = end + 1;
	}
	memmove(buffer->text, line, left);
	buffer->size = left;
	if (r < 0 || left < sizeof(buffer->text))
		return r;
	if (!buffer->skipping) {
		buffer->number += buffer->counts;
		tell_bad(buffer, handler, "it is too long");
	}
	buffer->skipping = true;
	buffer->size = 0;
	return 0;
}

int kvg_lines_feed(struct kvg_lines_buffer *buffer, int fd, const struct kvg_lines_handler *handler)
{
	ssize_t got;
	int r;

	for (;;) {
		got = read(fd, buffer->text + buffer->size, sizeof(buffer->text) - buffer->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		buffer->size += got;
		r = take_lines(buffer, handler);
		if (r < 0)
			return r;
	}
}

int kvg_lines_feed_end(struct kvg_lines_buffer *buffer, const struct kvg_lines_handler *handler)
{
	size_t len = buffer->size;

	buffer->size = 0;
	return len ? take_line(buffer, handler, buffer->text, len) : 0;
}

int kvg_lines_read_fd(int fd, const char *path, const struct kvg_lines_handler *handler,
		      struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) struct kvg_lines_buffer *buffer = malloc(sizeof(*buffer));
	int r;

	if (!buffer)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	*buffer = (struct kvg_lines_buffer){.path = path, .counts = true};
	r = kvg_lines_feed(buffer, fd, handler);
	if (r == 0)
		r = kvg_lines_feed_end(buffer, handler);
	if (r < 0 && reterr_diag && !reterr_diag->msg[0])
		kvg_diag_set(reterr_diag, r, "cannot read '%s': %s", path, strerror(-r));
	return r;
}

int kvg_lines_read(const char *path, const struct kvg_lines_handler *handler,
		   struct kvg_diag *reterr_diag)
{
	bool standard = strcmp(path, "-") == 0;
	KVG_CLEANUP(kvg_closep)
	int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return kvg_diag_set(reterr_diag, -errno, "cannot read '%s': %s", path,
				    strerror(errno));
	return kvg_lines_read_fd(fd, path, handler, reterr_diag);
}

static const json_t *find(const json_t *line, const char *path)
{
	char key[64];
	size_t len;

	while (line && *path) {
		len = strcspn(path, ".");
		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		line = json_object_get(line, key);
		path += len + (path[len] == '.');
	}
	return line;
}

const char *kvg_line_text(const json_t *line, const char *path)
{
	return json_string_value(find(line, path));
}

long long kvg_line_number(const json_t *line, const char *path, long long otherwise)
{
	const json_t *number = find(line, path);

	return json_is_integer(number) ? json_integer_value(number) : otherwise;
}

/* ".123456Z" or "Z"; more digits than microseconds need are passed over. */
static __s64 parse_fraction(const char *text)
{
	__s64 us = 0, unit = 100000;

	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			us += (*text - '0') * unit;
	}
	return strcmp(text, "Z") == 0 ? us : -1;
}

__s64 kvg_line_time_parse(const char *text)
{
	struct tm utc = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	__s64 fraction = rest ? parse_fraction(rest) : -1;

	return fraction < 0 ? -1 : timegm(&utc) * 1000000LL + fraction;
}

__s64 kvg_line_time_us(const json_t *line)
{
	const char *text = kvg_line_text(line, "@timestamp");

	return text ? kvg_line_time_parse(text) : -1;
}
