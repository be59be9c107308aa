// SPDX-License-Identifier: BSD-2-Clause
/* The part of kvgate.yaml about where records go. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config_reader.h"

void kvg_config_audit_init(struct kvg_config *config)
{
	config->audit.max_bytes = KVG_CONFIG_AUDIT_MAX_BYTES;
	config->audit.keep = KVG_CONFIG_AUDIT_KEEP;
	config->audit.fsync = KVG_FSYNC_INTERVAL;
}

static int read_file(struct kvg_config_reader *reader, const char *text)
{
	if (text && text[0] != '/')
		return kvg_config_bad(reader, "audit.file", text, "an absolute path");
	return kvg_config_copy(&reader->config->audit.file, text);
}

static int read_max_size(struct kvg_config_reader *reader, const char *text)
{
	if (!text || kvg_size_parse(text, &reader->config->audit.max_bytes) == 0)
		return 0;
	return kvg_config_bad(reader, "audit.max_size", text,
			      "0, or a number and k, M or G, such as 100M");
}

static int read_keep(struct kvg_config_reader *reader, const char *text)
{
	if (!text ||
	    kvg_count_parse(text, KVG_CONFIG_AUDIT_KEEP_MAX, &reader->config->audit.keep) == 0)
		return 0;
	return kvg_config_bad(reader, "audit.keep", text, "0 to 999");
}

static int read_fsync(struct kvg_config_reader *reader, const char *text)
{
	if (!text || kvg_fsync_parse(text, &reader->config->audit.fsync) == 0)
		return 0;
	return kvg_config_bad(reader, "audit.fsync", text, "none, interval or line");
}

static int read_flag(struct kvg_config_reader *reader, const char *path, const char *text,
		     bool *ret)
{
	if (!text)
		return 0;
	*ret = strcmp(text, "true") == 0;
	return *ret || strcmp(text, "false") == 0
		       ? 0
		       : kvg_config_bad(reader, path, text, "true or false");
}

int kvg_config_read_audit(struct kvg_config_reader *reader, const struct kvg_raw_audit *raw)
{
	struct kvg_config_audit *audit = &reader->config->audit;
	int r;

	if (!raw)
		return 0;
	r = read_file(reader, raw->file);
	if (r == 0)
		r = read_max_size(reader, raw->max_size);
	if (r == 0)
		r = read_keep(reader, raw->keep);
	if (r == 0)
		r = read_fsync(reader, raw->fsync);
	if (r == 0)
		r = read_flag(reader, "audit.stdout", raw->stdout_, &audit->to_stdout);
	if (r == 0)
		r = read_flag(reader, "audit.journal", raw->journal, &audit->journal);
	if (r == 0)
		r = read_flag(reader, "audit.syslog", raw->syslog, &audit->syslog);
	if (r == 0)
		r = read_flag(reader, "audit.linux_audit", raw->linux_audit, &audit->linux_audit);
	return r;
}
