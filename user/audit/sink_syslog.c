// SPDX-License-Identifier: BSD-2-Clause
/*
 * The system's logger, whichever that is, by the datagrams that syslog(3) sends. syslog(3) itself does
 * not say whether a line arrived. The text is a line for people that a program can read: rsyslog's
 * mmjsonparse and syslog-ng's json-parser() know the word in front.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#include "audit/sink_kind.h"
#include "base/cleanup.h"

#define DEFAULT_PATH "/dev/log"
#define COOKIE       "@cee:"

/* struct logger - @fd is -1 while it cannot be reached */
struct logger {
	struct sockaddr_un address;
	int fd;
};

/* As a string of JSON, quotes and all; words are ASCII. */
static void put_quoted_words(const struct kvg_sink_line *line, FILE *out)
{
	char words[KVG_RECORD_WORDS_LEN];
	json_t *text;

	text = json_string(kvg_record_format_words(line->record, words));
	if (!text || json_dumpf(text, out, JSON_ENCODE_ANY) < 0)
		fputs("\"\"", out);
	json_decref(text);
}

/* "<84>Nov 23 18:23:45 kvgate[4242]: @cee:", by RFC 3164 as every local logger expects it */
static void put_head(const struct kvg_sink_line *line, FILE *out)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm local = {0};

	localtime_r(&now, &local);
	fprintf(out, "<%d>%s %2d %02d:%02d:%02d kvgate[%d]: " COOKIE " ",
		LOG_AUTHPRIV | kvg_sink_priority(line), months[local.tm_mon], local.tm_mday,
		local.tm_hour, local.tm_min, local.tm_sec, getpid());
}

/* {"message":"refused ...","@timestamp":... */
static void put(const struct kvg_sink_line *line, FILE *out)
{
	put_head(line, out);
	fputs("{\"message\":", out);
	put_quoted_words(line, out);
	fprintf(out, ",%.*s", (int)line->size - 2, line->json + 1);
}

static void put_loss(const struct kvg_sink_line *line, FILE *out)
{
	put_head(line, out);
	fputs("{\"message\":\"", out);
	kvg_sink_put_words(line, out);
	fprintf(out, "\",\"kvgate\":{\"lost\":%llu}}", line->lost);
}

static int reach(struct logger *logger)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;

	if (logger->fd >= 0)
		return 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&logger->address, sizeof(logger->address)) < 0)
		return -errno;
	logger->fd = KVG_TAKE_FD(fd);
	return 0;
}

static void logger_close(void *state)
{
	struct logger *logger = state;

	kvg_closep(&logger->fd);
	free(logger);
}

static int open_syslog(const struct kvg_sink_options *options, void **ret, char **ret_name,
		       struct kvg_diag *reterr_diag)
{
	const char *path = options->path ? options->path : DEFAULT_PATH;
	struct logger *logger = NULL;
	int r;

	if (strlen(path) >= sizeof(logger->address.sun_path))
		return kvg_diag_set(reterr_diag, -ENAMETOOLONG, "no socket can be called '%s'",
				    path);
	logger = calloc(1, sizeof(*logger));
	*ret_name = strdup(kvg_sink_word(options->kind));
	if (!logger || !*ret_name) {
		free(logger);
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	}
	logger->fd = -1;
	logger->address.sun_family = AF_UNIX;
	strcpy(logger->address.sun_path, path);
	r = reach(logger);
	if (r < 0) {
		logger_close(logger);
		return kvg_diag_set(reterr_diag, r, "there is no syslog here: '%s': %s", path,
				    strerror(-r));
	}
	*ret = logger;
	return 0;
}

/* One more try with a new connection: a logger that was started again has a new socket. */
static int send_line(struct logger *logger, const struct iovec *line)
{
	int r = 0;

	for (int i = 0; i < 2; i++) {
		r = reach(logger);
		if (r < 0)
			return r;
		if (send(logger->fd, line->iov_base, line->iov_len, MSG_NOSIGNAL) >= 0)
			return 0;
		r = -errno;
		kvg_closep(&logger->fd);
		logger->fd = -1;
	}
	return r;
}

static ssize_t write_syslog(void *state, const struct iovec *lines, size_t count,
			    struct kvg_diag *reterr_diag)
{
	ssize_t done = 0;

	(void)reterr_diag;
	for (size_t i = 0; i < count && i < KVG_SINK_MESSAGES_MAX; i++) {
		int r = send_line(state, &lines[i]);

		if (r < 0)
			return done ? done : r;
		done += (ssize_t)lines[i].iov_len;
	}
	return done;
}

const struct kvg_sink_ops kvg_sink_syslog_ops = {
	.open = open_syslog,
	.put = put,
	.put_loss = put_loss,
	.write = write_syslog,
	.close = logger_close,
};
