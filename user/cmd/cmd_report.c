// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/lines.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "report/numbers.h"
#include "report/page.h"

#define SIBLINGS_MAX 1000 /* PATH.1 to PATH.1000 are looked for */

/* struct input - a file that is open: rotation does not take it away any more */
struct input {
	char *path;
	int fd;
	dev_t device;
	ino_t inode;
};

/* struct report - options, and how it goes */
struct report {
	const char *config;
	const char *output;
	bool json;
	struct input *inputs; /* the oldest last */
	size_t inputs_count;
	struct kvg_numbers_file *file; /* the one that is read */
	struct kvg_numbers numbers;
};

static __s64 now_us(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* "90s", "30m", "24h", "7d", "2w": so long ago; or -1 */
static __s64 parse_ago(const char *text)
{
	static const char units[] = "smhdw";
	static const __s64 seconds[] = {1, 60, 3600, 86400, 7 * 86400};
	char *end;
	long count = strtol(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (end == text || !unit || end[1] || count < 0 || count > 1000000 || *text == '+')
		return -1;
	return now_us() - count * seconds[unit - units] * 1000000;
}

/* A time without a zone is UTC, as all times of the record are. */
static int set_time(void *field, const char *argument, struct kvg_diag *reterr_diag)
{
	static const char *const ends[] = {"", "Z", ":00Z", "T00:00:00Z"};
	__s64 time_us = parse_ago(argument);
	char text[64];

	for (size_t i = 0; time_us < 0 && i < KVG_ARRAY_SIZE(ends); i++) {
		snprintf(text, sizeof(text), "%.40s%s", argument, ends[i]);
		time_us = kvg_line_time_parse(text);
	}
	if (time_us <= 0)
		return kvg_diag_set(reterr_diag, -EINVAL,
				    "expected 24h, 7d or 2026-11-24T09:00:00Z, not '%s'", argument);
	*(__s64 *)field = time_us;
	return 0;
}

static const struct kvg_option options[] = {
	{.name = "since",
	 .argument = "TIME",
	 .set = set_time,
	 .offset = offsetof(struct report, numbers.since_us),
	 .help = "24h, 7d, ... ago, or a time in UTC; default: all"},
	{.name = "until",
	 .argument = "TIME",
	 .set = set_time,
	 .offset = offsetof(struct report, numbers.until_us),
	 .help = "and no later; default: the end"},
	{.name = "output",
	 .letter = 'o',
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct report, output),
	 .help = "write to a file, all or nothing"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct report, json),
	 .help = "the numbers as JSON"},
	{.name = "config",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct report, config),
	 .help = "whose audit.file is read if no FILE is given (" KVG_CONFIG_FILE ")"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "report",
	.operands = "[FILE...]",
	.help = "Reads records and writes one HTML page that needs nothing besides itself: what "
		"was "
		"refused, by time, reason, gate, destination and process. Without FILE it reads "
		"the configuration's audit.file and what was rotated out of it (FILE.1, FILE.2, "
		"...). Lines that are no records are named and passed over. \"-\" reads standard "
		"input.",
	.exit_status = "0; 1 lines that are no records, or a file that cannot be read: the report "
		       "is written all the same; 2 usage or config",
	.options = options,
	.max_operands = -1,
};

static void report_done(struct report *report)
{
	for (size_t i = 0; i < report->inputs_count; i++) {
		free(report->inputs[i].path);
		kvg_closep(&report->inputs[i].fd);
	}
	free(report->inputs);
	kvg_numbers_done(&report->numbers);
}

/* --- what is read ---------------------------------------------------------------------------- */

static bool is_open_already(const struct report *report, const struct stat *st)
{
	for (size_t i = 0; i < report->inputs_count; i++) {
		if (report->inputs[i].device == st->st_dev && report->inputs[i].inode == st->st_ino)
			return true;
	}
	return false;
}

/* Return: 0, or a negative errno; -EEXIST: that file is among the inputs */
static int open_input(struct report *report, const char *path)
{
	KVG_CLEANUP(kvg_closep)
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	KVG_CLEANUP(kvg_freep) char *copy = strdup(path);
	struct input *inputs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (is_open_already(report, &st))
		return -EEXIST;
	inputs = reallocarray(report->inputs, report->inputs_count + 1, sizeof(*inputs));
	if (!copy || !inputs) {
		report->inputs = inputs ? inputs : report->inputs;
		return -ENOMEM;
	}
	report->inputs = inputs;
	inputs[report->inputs_count++] =
		(struct input){KVG_TAKE_PTR(copy), KVG_TAKE_FD(fd), st.st_dev, st.st_ino};
	return 0;
}

/* The newest first: one that is rotated meanwhile is met again, and not missed. */
static int open_siblings(struct report *report, const char *path)
{
	int r = open_input(report, path);

	if (r < 0 && r != -ENOENT)
		return r;
	for (int i = 1; i <= SIBLINGS_MAX; i++) {
		KVG_CLEANUP(kvg_freep) char *sibling = NULL;
		int opened;

		if (asprintf(&sibling, "%s.%d", path, i) < 0)
			return -ENOMEM;
		opened = open_input(report, sibling);
		if (opened == -ENOENT)
			return report->inputs_count ? 0 : r;
		if (opened < 0 && opened != -EEXIST)
			kvg_log_error("cannot read '%s': %s", sibling, strerror(-opened));
	}
	return 0;
}

static int open_configured(struct report *report)
{
	const char *path = report->config ? report->config : KVG_CONFIG_FILE;
	KVG_CLEANUP(kvg_config_freep) struct kvg_config *config = NULL;
	int r;

	if (kvg_options_read_config(path, &config))
		return KVG_EXIT_USAGE;
	if (!config->audit.file) {
		kvg_log_error("'%s' has no audit.file: name the files of records", path);
		return KVG_EXIT_USAGE;
	}
	r = open_siblings(report, config->audit.file);
	if (r == 0)
		return 0;
	kvg_log_error("cannot read '%s': %s", config->audit.file, strerror(-r));
	return KVG_EXIT_FAILED;
}

/* As given: the first is the oldest or it does not matter. Return: KVG_EXIT_FAILED if one cannot be read */
static int open_named(struct report *report, char *const *paths)
{
	int status = 0;

	for (; *paths; paths++) {
		int r = open_input(report, *paths);

		if (r == 0 || r == -EEXIST)
			continue;
		kvg_log_error("cannot read '%s': %s", *paths, strerror(-r));
		status = KVG_EXIT_FAILED;
	}
	return status;
}

static int on_line(void *data, const json_t *line)
{
	struct report *report = data;

	report->file->lines++;
	return kvg_numbers_add(&report->numbers, line);
}

static void on_bad(void *data, const char *path, unsigned long number, const char *why)
{
	struct report *report = data;

	report->file->bad++;
	if (report->numbers.bad_lines < KVG_NUMBERS_BAD_MAX)
		kvg_log_error("%s:%lu: no record, passed over: %s", path, number, why);
	kvg_numbers_add_bad(&report->numbers, path, number, why);
}

/* Return: KVG_EXIT_FAILED if something in them cannot be read */
static int read_inputs(struct report *report)
{
	const struct kvg_lines_handler handler = {on_line, on_bad, report};
	struct kvg_numbers *numbers = &report->numbers;
	int status = 0;

	numbers->files = calloc(report->inputs_count + 1, sizeof(*numbers->files));
	if (!numbers->files) {
		kvg_log_error("out of memory");
		return KVG_EXIT_FAILED;
	}
	for (size_t i = report->inputs_count; i-- > 0;) {
		const struct input *input = &report->inputs[i];
		struct kvg_diag diag = {};

		report->file = &numbers->files[numbers->files_count++];
		report->file->path = input->path;
		if (kvg_lines_read_fd(input->fd, input->path, &handler, &diag) < 0) {
			kvg_log_error("%s", diag.msg);
			report->file->failed = true;
			status = KVG_EXIT_FAILED;
		}
	}
	if (numbers->bad_lines > KVG_NUMBERS_BAD_MAX)
		kvg_log_error("%lu lines are no records", numbers->bad_lines);
	return numbers->bad_lines ? KVG_EXIT_FAILED : status;
}

/* --- what is written ------------------------------------------------------------------------- */

static int write_to(FILE *out, const struct report *report)
{
	json_t *json;
	int r;

	if (!report->json) {
		kvg_page_write(out, &report->numbers);
		return 0;
	}
	json = kvg_numbers_to_json(&report->numbers);
	r = json ? json_dumpf(json, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;
	json_decref(json);
	fputc('\n', out);
	return r < 0 ? -ENOMEM : 0;
}

static int write_file(const struct report *report)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);
	int r = out ? write_to(out, report) : -ENOMEM;

	if (out && fclose(out) != 0 && r == 0)
		r = -errno;
	return r < 0 ? r : kvg_file_replace(report->output, data, size);
}

static int write_report(const struct report *report)
{
	int r;

	if (report->output) {
		r = write_file(report);
	} else {
		r = write_to(stdout, report);
		if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
			r = -errno;
	}
	if (r < 0)
		kvg_log_error("cannot write %s: %s", report->output ? report->output : "the report",
			      strerror(-r));
	return r < 0 ? KVG_EXIT_FAILED : 0;
}

static int run(struct report *report, char *const *paths)
{
	int status = *paths ? open_named(report, paths) : open_configured(report);

	if (status == KVG_EXIT_USAGE || (status && !report->inputs_count))
		return status;
	report->numbers.now_us = now_us();
	if (read_inputs(report))
		status = KVG_EXIT_FAILED;
	kvg_numbers_finish(&report->numbers);
	return write_report(report) ? KVG_EXIT_FAILED : status;
}

int kvg_cmd_report(int argc, char **argv)
{
	KVG_CLEANUP(report_done) struct report report = {};
	int status = kvg_options_parse(&usage, argc, argv, NULL, &report);

	if (status != KVG_OPTIONS_GO)
		return status;
	if (report.numbers.until_us && report.numbers.until_us <= report.numbers.since_us)
		return kvg_options_usage_error(&usage, "--until is not after --since");
	return run(&report, argv + optind);
}
