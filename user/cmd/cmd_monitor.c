// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/filter.h"
#include "audit/follow.h"
#include "audit/line_words.h"
#include "audit/lines.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/colour.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/places.h"
#include "discover/request.h"

#define TIMEOUT_MS 5000 /* an agent that reads many documents */
#define LOOK_MS    200  /* how often a file is looked at: soon enough for a person */

/* struct monitor - options, and what is open */
struct monitor {
	struct kvg_filter filter;
	const char *run_dir;
	const char *file;
	bool all;
	bool json;
	int signals;
};

/* One setter for each kind, for a setter is not told which option it is. */
#define X(name, word)                                                                          \
	static int set_##name(void *field, const char *argument, struct kvg_diag *reterr_diag) \
	{                                                                                      \
		return kvg_filter_add(field, KVG_FILTER_##name, argument, reterr_diag);        \
	}
KVG_FILTER_KINDS(X)
#undef X

static const struct kvg_option options[] = {
	{.name = "profile",
	 .argument = "NAME",
	 .set = set_PROFILE,
	 .offset = offsetof(struct monitor, filter),
	 .help = "only what this profile refuses; repeatable, as the next three"},
	{.name = "gate",
	 .argument = "CGROUP",
	 .set = set_GATE,
	 .offset = offsetof(struct monitor, filter),
	 .help = "only this gate and those below it"},
	{.name = "reason",
	 .argument = "REASON",
	 .set = set_REASON,
	 .offset = offsetof(struct monitor, filter),
	 .help = "only this reason"},
	{.name = "destination",
	 .argument = "ADDR|PREFIX",
	 .set = set_DESTINATION,
	 .offset = offsetof(struct monitor, filter),
	 .help = "only what went there"},
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct monitor, json),
	 .help = "the lines of the record, as they are"},
	{.name = "file",
	 .argument = "FILE",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct monitor, file),
	 .help = "follow this file of records, not the agent"},
	{.name = "all",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct monitor, all),
	 .help = "with --file: what it holds already, too"},
	{.name = "run-dir",
	 .argument = "DIR",
	 .set = kvg_option_set_string,
	 .offset = offsetof(struct monitor, run_dir),
	 .help = "where the agent listens (" KVG_RUN_DIR ")"},
	{0},
};

static const struct kvg_usage usage = {
	.command = "monitor",
	.help = "Shows refused flows as they happen, until it is interrupted: those of the agent, "
		"or of a file of records. A name in a filter may hold '*' and '?'. Repeats of a "
		"flow are one line every ten seconds.",
	.exit_status = "0 on SIGINT and SIGTERM, or if nobody reads any more; 1 no agent, or it "
		       "has ended, or the file cannot be read; 2 usage",
	.options = options,
};

static void monitor_done(struct monitor *monitor)
{
	kvg_filter_done(&monitor->filter);
	kvg_closep(&monitor->signals);
}

/* --- what is printed ------------------------------------------------------------------------- */

static const char *colour_of(const char *verdict)
{
	return kvg_colour(strcmp(verdict, "refused") == 0 ? KVG_COLOUR_BAD : KVG_COLOUR_WARN);
}

static void print_words(const json_t *line)
{
	struct kvg_line_words words;

	kvg_line_words_read(line, &words);
	printf("%s  %s%-12s%s %6lldx  ", words.time, colour_of(words.verdict), words.verdict,
	       kvg_colour_end(), words.count);
	if (!words.flow[0]) { /* a line that says what was lost */
		printf("%s\n", words.reason);
		return;
	}
	printf("%-28s  %-20s  %-18s  %s", words.flow, words.reason,
	       words.process[0] ? words.process : "-", words.gate[0] ? words.gate : "-");
	if (words.profile[0])
		printf(" (%s)", words.profile);
	if (words.domain[0])
		printf("; looked up as %s", words.domain);
	if (words.nearest[0])
		printf("; nearest %s", words.nearest);
	putchar('\n');
}

static void print_head(const struct monitor *monitor)
{
	if (!monitor->json && kvg_colour_wanted())
		printf("%s%-20s  %-12s %7s  %-28s  %-20s  %-18s  %s%s\n",
		       kvg_colour(KVG_COLOUR_HEAD), "TIME", "VERDICT", "COUNT", "FLOW", "REASON",
		       "PROCESS", "GATE", kvg_colour_end());
	fflush(stdout);
}

static int on_line(void *data, const json_t *line)
{
	const struct monitor *monitor = data;

	if (!monitor->json)
		print_words(line);
	else if (json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0)
		putchar('\n');
	return 0;
}

/* A line that says what was lost is for everybody. */
static int on_file_line(void *data, const json_t *line)
{
	const struct monitor *monitor = data;
	struct kvg_filter_facts facts = kvg_filter_facts_of_line(line);

	if (strcmp(kvg_line_text(line, "event.action"), "records-lost") != 0 &&
	    !kvg_filter_matches(&monitor->filter, &facts))
		return 0;
	return on_line(data, line);
}

static void on_bad(void *data, const char *path, unsigned long number, const char *why)
{
	(void)data;
	if (number)
		kvg_log_error("%s:%lu: no record, passed over: %s", path, number, why);
	else
		kvg_log_error("%s: a line is no record, passed over: %s", path, why);
}

static int print_out(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (errno == EPIPE)
		return -EPIPE;
	kvg_log_error("cannot print: %s", strerror(errno));
	return -EIO;
}

/* --- where lines come from ------------------------------------------------------------------- */

/* Blocked, so that one that comes at any moment is noticed. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Return: true if it is to end; @fd is -1 for none */
static bool wait_for(const struct monitor *monitor, int fd, int ms)
{
	struct pollfd fds[] = {{.fd = monitor->signals, .events = POLLIN},
			       {.fd = fd, .events = POLLIN}};

	while (poll(fds, KVG_ARRAY_SIZE(fds), ms) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

static void take_message(struct monitor *monitor, const char *message, size_t size)
{
	while (size) {
		const char *end = memchr(message, '\n', size);
		size_t len = end ? (size_t)(end - message) : size;
		KVG_CLEANUP(json_decrefp) json_t *line = NULL;
		struct kvg_diag diag = {0};

		if (kvg_line_parse(message, len, &line, &diag) == 0)
			on_line(monitor, line);
		else
			on_bad(monitor, "the agent", 0, diag.msg);
		size -= end ? len + 1 : len;
		message += end ? len + 1 : len;
	}
}

static int watch(struct monitor *monitor, int fd)
{
	static char message[KVG_REQUEST_MESSAGE_MAX];
	ssize_t size;
	int r;

	print_head(monitor);
	while (!wait_for(monitor, fd, -1)) {
		size = recv(fd, message, sizeof(message), 0);
		if (size <= 0) {
			kvg_log_error("the agent has ended%s%s", size < 0 ? ": " : "",
				      size < 0 ? strerror(errno) : "");
			return KVG_EXIT_FAILED;
		}
		take_message(monitor, message, size);
		r = print_out();
		if (r < 0)
			return r == -EPIPE ? 0 : KVG_EXIT_FAILED;
	}
	return 0;
}

static int watch_agent(struct monitor *monitor)
{
	KVG_CLEANUP(json_decrefp) json_t *request = kvg_filter_to_json(&monitor->filter);
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct kvg_diag diag = {0};
	int r = -ENOMEM;

	if (request && json_object_set_new(request, "request", json_string("watch")) == 0)
		r = kvg_request_stay(monitor->run_dir, request, TIMEOUT_MS, &fd, &diag);
	if (r == 0)
		return watch(monitor, fd);
	kvg_log_error("%s%s", diag.msg[0] ? diag.msg : strerror(-r),
		      r == -ECONNREFUSED ? ": start 'kvgate agent', or name a file of records "
					   "with --file"
					 : "");
	return KVG_EXIT_FAILED;
}

static int follow_file(struct monitor *monitor)
{
	KVG_CLEANUP(kvg_follow_closep) struct kvg_follow *follow = NULL;
	const struct kvg_lines_handler handler = {on_file_line, on_bad, monitor};
	struct kvg_diag diag = {0};
	int r = kvg_follow_open(monitor->file, monitor->all, &follow, &diag);

	if (r == 0)
		print_head(monitor);
	while (r == 0) {
		r = kvg_follow_read(follow, &handler, &diag);
		if (r == 0 && print_out() < 0)
			return errno == EPIPE ? 0 : KVG_EXIT_FAILED;
		if (r == 0 && wait_for(monitor, -1, LOOK_MS))
			return 0;
	}
	kvg_log_error("%s", diag.msg[0] ? diag.msg : strerror(-r));
	return KVG_EXIT_FAILED;
}

int kvg_cmd_monitor(int argc, char **argv)
{
	KVG_CLEANUP(monitor_done) struct monitor monitor = {.run_dir = KVG_RUN_DIR, .signals = -1};
	int r = kvg_options_parse(&usage, argc, argv, NULL, &monitor);

	if (r != KVG_OPTIONS_GO)
		return r;
	if (monitor.all && !monitor.file)
		return kvg_options_usage_error(&usage, "--all goes with --file");
	monitor.signals = open_signals();
	if (monitor.signals < 0) {
		kvg_log_error("signals cannot be read: %s", strerror(errno));
		return KVG_EXIT_FAILED;
	}
	return monitor.file ? follow_file(&monitor) : watch_agent(&monitor);
}
