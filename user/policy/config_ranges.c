// SPDX-License-Identifier: BSD-2-Clause
/* The parts of kvgate.yaml about what is fetched and what is looked up. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config_reader.h"
#include "policy/explain.h"

#define NOWHERE "none"

/* Documents that were replaced are kept that long, each some 4 MB; KVG_STORE_PREVIOUS_MAX of them. */
#define GRACE_MAX_S (90UL * 86400)

#define GRACE_WORDS "0, or a number and s, m, h or d, up to 90d"

/* Decimal digits up to @stop, below a thousand million; -1 if it is none. */
static long read_number(const char *text, const char **stop)
{
	size_t digits = strspn(text, "0123456789");

	*stop = text + digits;
	return digits > 0 && digits < 10 ? strtol(text, NULL, 10) : -1;
}

/* "0", or a number and a unit; 0 or -EINVAL */
static int parse_duration(const char *text, unsigned long *ret_s)
{
	static const struct {
		const char *unit;
		unsigned long seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	const char *unit;
	long number = read_number(text, &unit);

	if (number == 0 && !*unit) {
		*ret_s = 0;
		return 0;
	}
	for (size_t i = 0; i < KVG_ARRAY_SIZE(units) && number >= 0; i++) {
		if (strcmp(units[i].unit, unit) == 0) {
			*ret_s = (unsigned long)number * units[i].seconds;
			return 0;
		}
	}
	return -EINVAL;
}

static int read_refresh(struct kvg_config_reader *reader, const char *text)
{
	if (!text || parse_duration(text, &reader->config->ranges_refresh_s) == 0)
		return 0;
	return kvg_config_bad(reader, "ranges.refresh", text,
			      "0, or a number and s, m, h or d, such as 24h");
}

static int read_grace(struct kvg_config_reader *reader, const char *path, const char *text,
		      unsigned long *ret_s)
{
	unsigned long seconds;

	if (!text)
		return 0;
	if (parse_duration(text, &seconds) < 0 || seconds > GRACE_MAX_S)
		return kvg_config_bad(reader, path, text, GRACE_WORDS);
	*ret_s = seconds;
	return 0;
}

static int read_max_shrink(struct kvg_config_reader *reader, const char *text)
{
	const char *unit;
	long number;

	if (!text)
		return 0;
	number = read_number(text, &unit);
	if (number < 0 || number > 100 || strcmp(unit, "%") != 0)
		return kvg_config_bad(reader, "ranges.max_shrink", text, "0% to 100%");
	reader->config->ranges_max_shrink_percent = (unsigned int)number;
	return 0;
}

/* One line without blanks that begins with one of the schemes. */
static bool is_url(const char *text, const char *const *schemes)
{
	for (const char *c = text; *c; c++) {
		if (!isgraph((unsigned char)*c))
			return false;
	}
	for (; *schemes; schemes++) {
		size_t length = strlen(*schemes);

		if (strncmp(text, *schemes, length) == 0 && text[length])
			return true;
	}
	return false;
}

static int read_proxy(struct kvg_config_reader *reader, const char *text)
{
	static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://",
					      NULL};

	if (text && !is_url(text, schemes))
		return kvg_config_bad(reader, "ranges.proxy", text,
				      "a URL of http, https, socks5 or socks5h");
	return kvg_config_copy(&reader->config->ranges_proxy, text);
}

static int read_ca_file(struct kvg_config_reader *reader, const char *text)
{
	if (text && text[0] != '/')
		return kvg_config_bad(reader, "ranges.ca_file", text, "an absolute path");
	return kvg_config_copy(&reader->config->ranges_ca_file, text);
}

static int read_url(struct kvg_config_reader *reader, unsigned int index, const char *key,
		    const char *text, char **ret)
{
	static const char *const schemes[] = {"https://", NULL};
	char path[KVG_CONFIG_PATH_LEN];

	if (!text)
		return 0;
	if (strcmp(text, NOWHERE) != 0 && !is_url(text, schemes)) {
		snprintf(path, sizeof(path), "ranges.urls[%u].%s", index, key);
		return kvg_config_bad(reader, path, text, "a URL of https, or none");
	}
	return kvg_config_copy(ret, text);
}

static int read_cloud_urls(struct kvg_config_reader *reader, unsigned int index,
			   const struct kvg_raw_urls *raw)
{
	char path[KVG_CONFIG_PATH_LEN];
	struct kvg_config_urls *urls;
	enum kvg_cloud cloud;
	int r;

	snprintf(path, sizeof(path), "ranges.urls[%u].cloud", index);
	if (kvg_cloud_parse(raw->cloud, &cloud) < 0 || cloud == KVG_CLOUD_GERMANY)
		return kvg_config_bad(reader, path, raw->cloud, "public, usgov or china");

	urls = &reader->config->ranges_urls[cloud];
	if (urls->service_tags || urls->fallback || urls->m365) {
		kvg_diag_set(reader->diag, -EINVAL, "the URLs of the cloud '%s' stand twice",
			     raw->cloud);
		return kvg_config_place(reader, -EINVAL, "%s", path);
	}
	r = read_url(reader, index, "service_tags", raw->service_tags, &urls->service_tags);
	if (r == 0)
		r = read_url(reader, index, "fallback", raw->fallback, &urls->fallback);
	return r < 0 ? r : read_url(reader, index, "m365", raw->m365, &urls->m365);
}

int kvg_config_read_ranges(struct kvg_config_reader *reader, const struct kvg_raw_ranges *raw)
{
	struct kvg_config *config = reader->config;
	int r;

	if (!raw)
		return 0;
	if (raw->directory && raw->directory[0] != '/')
		return kvg_config_bad(reader, "ranges.directory", raw->directory,
				      "an absolute path");
	r = kvg_config_copy(&config->ranges_directory, raw->directory);
	if (r == 0)
		r = read_refresh(reader, raw->refresh);
	if (r == 0)
		r = read_max_shrink(reader, raw->max_shrink);
	if (r == 0)
		r = read_grace(reader, "ranges.grace", raw->grace, &config->ranges_grace_s);
	if (r == 0)
		r = read_proxy(reader, raw->proxy);
	if (r == 0)
		r = read_ca_file(reader, raw->ca_file);
	for (unsigned int i = 0; i < raw->urls_count && r == 0; i++)
		r = read_cloud_urls(reader, i, &raw->urls[i]);
	return r;
}

/* "192.0.2.53" or "2001:db8::53", or with a port as of a destination. */
static bool is_server(const char *text)
{
	struct kvg_destination destination;
	struct kvg_prefix address;

	if (strchr(text, '/'))
		return false;
	return kvg_prefix_parse_address(text, &address, NULL) == 0 ||
	       kvg_destination_parse(text, &destination, NULL) == 0;
}

static int add_server(struct kvg_config *config, const char *text)
{
	bool bare = text[0] != '[' && strchr(text, ':') && strchr(strchr(text, ':') + 1, ':');
	char *longer;

	if (asprintf(&longer, "%s%s%s%s%s", config->names_servers ? config->names_servers : "",
		     config->names_servers ? "," : "", bare ? "[" : "", text, bare ? "]" : "") < 0)
		return -ENOMEM;
	free(config->names_servers);
	config->names_servers = longer;
	return 0;
}

int kvg_config_read_names(struct kvg_config_reader *reader, const struct kvg_raw_names *raw)
{
	int r;

	if (!raw)
		return 0;
	r = read_grace(reader, "names.grace", raw->grace, &reader->config->names_grace_s);
	for (unsigned int i = 0; i < raw->servers_count && r == 0; i++) {
		char path[KVG_CONFIG_PATH_LEN];

		snprintf(path, sizeof(path), "names.servers[%u]", i);
		r = is_server(raw->servers[i])
			    ? add_server(reader->config, raw->servers[i])
			    : kvg_config_bad(
				      reader, path, raw->servers[i],
				      "an address, such as 192.0.2.53 or [2001:db8::53]:5353");
	}
	return r;
}

void kvg_config_ranges_init(struct kvg_config *config)
{
	config->ranges_refresh_s = KVG_CONFIG_REFRESH_S;
	config->ranges_max_shrink_percent = KVG_CONFIG_MAX_SHRINK_PERCENT;
	config->names_grace_s = KVG_CONFIG_NAMES_GRACE_S;
}

void kvg_config_ranges_done(struct kvg_config *config)
{
	free(config->ranges_directory);
	free(config->ranges_proxy);
	free(config->ranges_ca_file);
	free(config->names_servers);
	for (int cloud = 0; cloud < KVG_CLOUD_COUNT; cloud++) {
		free(config->ranges_urls[cloud].service_tags);
		free(config->ranges_urls[cloud].fallback);
		free(config->ranges_urls[cloud].m365);
	}
}

static void replace(const char **url, const char *said)
{
	if (said)
		*url = strcmp(said, NOWHERE) == 0 ? NULL : said;
}

struct kvg_fetch_source kvg_config_source(const struct kvg_config *config, enum kvg_cloud cloud)
{
	struct kvg_fetch_source source = kvg_fetch_default_source(cloud);
	const struct kvg_config_urls *urls = config ? &config->ranges_urls[cloud] : NULL;

	if (!urls)
		return source;
	if (urls->service_tags)
		source.fallback = NULL;
	replace(&source.service_tags, urls->service_tags);
	replace(&source.fallback, urls->fallback);
	replace(&source.m365, urls->m365);
	return source;
}
