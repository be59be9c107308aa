// SPDX-License-Identifier: BSD-2-Clause
#include "audit/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"

struct reading {
	const char *path;
	const struct kvg_lines_handler *handler;
	unsigned long number;
};

static void tell_bad(const struct reading *reading, const char *why)
{
	if (reading->handler->bad)
		reading->handler->bad(reading->handler->data, reading->path, reading->number, why);
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

static int take_line(struct reading *reading, const char *text, size_t len)
{
	KVG_CLEANUP(json_decrefp) json_t *line = NULL;
	struct kvg_diag diag = {};

	reading->number++;
	if (len && text[len - 1] == '\n')
		len--;
	if (len == 0)
		return 0;
	if (kvg_line_parse(text, len, &line, &diag) < 0) {
		tell_bad(reading, diag.msg);
		return 0;
	}
	return reading->handler->line(reading->handler->data, line);
}

static int open_file(const char *path, FILE **ret)
{
	struct stat st;

	*ret = strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re");
	if (!*ret)
		return -errno;
	return fstat(fileno(*ret), &st) == 0 && S_ISDIR(st.st_mode) ? -EISDIR : 0;
}

int kvg_lines_read(const char *path, const struct kvg_lines_handler *handler,
		   struct kvg_diag *reterr_diag)
{
	struct reading reading = {.path = path, .handler = handler};
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	KVG_CLEANUP(kvg_fclosep) FILE *file = NULL;
	size_t allocated = 0;
	ssize_t len;
	int r;

	r = open_file(path, &file);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "cannot read '%s': %s", path, strerror(-r));

	while ((len = getline(&text, &allocated, file)) >= 0) {
		r = take_line(&reading, text, len);
		if (r < 0)
			return r;
	}
	if (feof(file))
		return 0;
	r = -errno;
	return kvg_diag_set(reterr_diag, r, "cannot read '%s': %s", path, strerror(-r));
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
