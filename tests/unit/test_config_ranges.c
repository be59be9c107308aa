// SPDX-License-Identifier: BSD-2-Clause
/* What kvgate.yaml says of downloads and of names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config.h"

#define CONFIG   KVG_CLEANUP(kvg_config_freep) struct kvg_config *
#define PROFILES "profiles: [ { name: p } ]\n"

static struct kvg_config *read_config(const char *text)
{
	struct kvg_config *config = NULL;
	struct kvg_diag diag = {0};

	if (kvg_config_parse(text, strlen(text), &config, &diag) < 0)
		fail_msg("refused: %u:%u: %s", diag.line, diag.column, diag.msg);
	return config;
}

/* "@key: @value" below @part is refused at the value, as what was @expected. */
static void assert_bad(const char *part, const char *key, const char *value, const char *expected)
{
	struct kvg_config *untouched = NULL;
	struct kvg_diag diag = {0};
	char message[256];
	char text[512];

	snprintf(text, sizeof(text), "%s:\n  %s: %s\n" PROFILES, part, key, value);
	assert_int_equal(kvg_config_parse(text, strlen(text), &untouched, &diag), -EINVAL);
	snprintf(message, sizeof(message), "bad value '%s' of '%s.%s': expected %s", value, part,
		 key, expected);
	assert_string_equal(diag.msg, message);
	assert_int_equal(diag.line, 2);
	assert_int_equal(diag.column, 5 + strlen(key));
}

static void assert_refused(const char *text, unsigned int column, const char *message)
{
	struct kvg_config *untouched = NULL;
	struct kvg_diag diag = {0};

	assert_int_equal(kvg_config_parse(text, strlen(text), &untouched, &diag), -EINVAL);
	assert_string_equal(diag.msg, message);
	assert_int_equal(diag.line, 1);
	assert_int_equal(diag.column, column);
}

static void every_key_is_kept(void **state)
{
	CONFIG config = read_config("ranges:\n"
				    "  grace: 14d\n"
				    "  proxy: http://proxy.example:3128\n"
				    "  ca_file: /etc/ssl/own.pem\n"
				    "names: { grace: 2h, servers: [ 192.0.2.53, \"2001:db8::53\", "
				    "\"[2001:db8::53]:5353\", \"192.0.2.53:5353\" ] }\n"
				    "profiles: [ { name: p, names: { private: allow } } ]\n");

	(void)state;
	assert_int_equal(config->ranges_grace_s, 14 * 86400);
	assert_string_equal(config->ranges_proxy, "http://proxy.example:3128");
	assert_string_equal(config->ranges_ca_file, "/etc/ssl/own.pem");
	assert_int_equal(config->names_grace_s, 7200);
	assert_string_equal(config->names_servers,
			    "192.0.2.53,[2001:db8::53],[2001:db8::53]:5353,192.0.2.53:5353");
	assert_true(config->profiles[0].profile.private_names);
}

static void what_is_left_out_has_its_default(void **state)
{
	CONFIG config = read_config(PROFILES);

	(void)state;
	assert_int_equal(config->ranges_grace_s, 0);
	assert_null(config->ranges_proxy);
	assert_null(config->ranges_ca_file);
	assert_int_equal(config->names_grace_s, 3600);
	assert_null(config->names_servers);
	assert_false(config->profiles[0].profile.private_names);
}

static void bad_values_are_refused_in_place(void **state)
{
	static const char grace[] = "0, or a number and s, m, h or d, up to 90d";
	static const char proxy[] = "a URL of http, https, socks5 or socks5h";

	(void)state;
	assert_bad("ranges", "grace", "soon", grace);
	assert_bad("ranges", "grace", "91d", grace);
	assert_bad("names", "grace", "-1h", grace);
	assert_bad("ranges", "proxy", "proxy.example:3128", proxy);
	assert_bad("ranges", "proxy", "ftp://proxy.example", proxy);
	assert_bad("ranges", "proxy", "http://", proxy);
	assert_bad("ranges", "ca_file", "own.pem", "an absolute path");
	assert_refused("names: { servers: [ name.example ] }\n" PROFILES, 21,
		       "bad value 'name.example' of 'names.servers[0]': expected an address, such "
		       "as 192.0.2.53 or [2001:db8::53]:5353");
	assert_refused("profiles: [ { name: p, names: { private: maybe } } ]\n", 42,
		       "bad word 'maybe' for private addresses of names: expected allow or refuse");
}

static void bad_urls_are_refused_in_place(void **state)
{
	(void)state;
	assert_refused("ranges: { urls: [ { cloud: mars } ] }\n" PROFILES, 28,
		       "bad value 'mars' of 'ranges.urls[0].cloud': expected public, usgov or "
		       "china");
	assert_refused(
		"ranges: { urls: [ { cloud: public, m365: \"http://x.example\" } ] }\n" PROFILES,
		42,
		"bad value 'http://x.example' of 'ranges.urls[0].m365': expected a URL of "
		"https, or none");
	assert_refused(
		"ranges: { urls: [ { cloud: public, fallback: \"https://a b\" } ] }\n" PROFILES, 46,
		"bad value 'https://a b' of 'ranges.urls[0].fallback': expected a URL of "
		"https, or none");
	assert_refused(
		"ranges: { urls: [ { cloud: china, m365: none }, { cloud: china } ] }\n" PROFILES,
		58, "the URLs of the cloud 'china' stand twice");
}

static void sources_are_microsofts_unless_others_are_said(void **state)
{
	CONFIG config = read_config(
		"ranges: { urls: [ { cloud: public, service_tags: \"https://own.example/tags\" },\n"
		"  { cloud: usgov, m365: none, fallback: \"https://own.example/files\" } ] "
		"}\n" PROFILES);
	struct kvg_fetch_source standard = kvg_config_source(NULL, KVG_CLOUD_PUBLIC);
	struct kvg_fetch_source own = kvg_config_source(config, KVG_CLOUD_PUBLIC);
	struct kvg_fetch_source usgov = kvg_config_source(config, KVG_CLOUD_USGOV);
	struct kvg_fetch_source china = kvg_config_source(config, KVG_CLOUD_CHINA);

	(void)state;
	assert_non_null(strstr(standard.service_tags, "details.aspx?id=56519"));
	assert_non_null(standard.fallback);
	assert_string_equal(standard.m365, "https://endpoints.office.com");

	/* Whoever has a place of his own is not led to Microsoft behind his back. */
	assert_string_equal(own.service_tags, "https://own.example/tags");
	assert_null(own.fallback);
	assert_string_equal(own.m365, standard.m365);

	assert_non_null(strstr(usgov.service_tags, "details.aspx?id=57063"));
	assert_string_equal(usgov.fallback, "https://own.example/files");
	assert_null(usgov.m365);
	assert_int_equal(usgov.cloud, KVG_CLOUD_USGOV);
	assert_non_null(strstr(china.service_tags, "details.aspx?id=57062"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_kept),
		cmocka_unit_test(what_is_left_out_has_its_default),
		cmocka_unit_test(bad_values_are_refused_in_place),
		cmocka_unit_test(bad_urls_are_refused_in_place),
		cmocka_unit_test(sources_are_microsofts_unless_others_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
