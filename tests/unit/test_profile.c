// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "folder.h"
#include "policy/address.h"
#include "policy/profile.h"

#define PROFILE KVG_CLEANUP(kvg_profile_done) struct kvg_profile

static void fresh(struct kvg_profile *profile)
{
	assert_int_equal(kvg_profile_init(profile, "test"), 0);
}

/* Refused, with exactly this message. */
#define assert_refused(call, message)                   \
	do {                                            \
		struct kvg_diag diag = {0};             \
                                                        \
		assert_int_equal(call, -EINVAL);        \
		assert_string_equal(diag.msg, message); \
	} while (0)

static void defaults_are_public_all_functions_work_and_auto(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_int_equal(profile.cloud, KVG_CLOUD_PUBLIC);
	assert_int_equal(profile.functions, 7);
	assert_int_equal(profile.identities, 1U << KVG_IDENTITY_WORK);
	assert_true(profile.auto_resolvers);
	assert_true(profile.crl_hosts);
	assert_int_equal(profile.mode, KVG_MODE_ENFORCE);
	assert_int_equal(profile.inbound, KVG_INBOUND_ALLOW);
}

static void unknown_words_are_refused_with_what_was_expected(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_refused(kvg_profile_set_cloud(&profile, "Public", &diag),
		       "unknown cloud 'Public': expected public, usgov or china");
	assert_refused(kvg_profile_set_functions(&profile, "data,keys", &diag),
		       "unknown function 'keys': expected authentication, management or data");
	assert_refused(kvg_profile_set_functions(&profile, "", &diag),
		       "unknown function '': expected authentication, management or data");
	assert_refused(kvg_profile_set_functions(&profile, "crl", &diag),
		       "unknown function 'crl': expected authentication, management or data");
	assert_refused(kvg_profile_add_identity(&profile, "personal", &diag),
		       "unknown identity 'personal': expected work, microsoft, adfs or managed");
	assert_refused(kvg_profile_set_mode(&profile, "warn", &diag),
		       "unknown mode 'warn': expected enforce or audit");
	assert_refused(kvg_profile_set_inbound(&profile, "yes", &diag),
		       "bad inbound 'yes': expected allow or deny");
	assert_refused(kvg_profile_set_crl_hosts(&profile, "all", &diag),
		       "bad CRL hosts 'all': expected catalogue or none");
	assert_refused(kvg_profile_add_region(&profile, "west europe", &diag),
		       "bad region 'west europe': expected letters and digits, such as westeurope");
	assert_refused(kvg_profile_add_resolver(&profile, "10.0.0.10/32", &diag),
		       "bad resolver '10.0.0.10/32': expected an IP address, none or auto");
}

static void the_retired_cloud_is_refused_as_such(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_refused(kvg_profile_set_cloud(&profile, "germany", &diag),
		       "the cloud 'germany' was retired in March 2025: expected public, usgov or "
		       "china");
}

static void a_first_identity_replaces_the_default_and_others_add(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_int_equal(kvg_profile_add_identity(&profile, "managed", NULL), 0);
	assert_int_equal(profile.identities, 1U << KVG_IDENTITY_MANAGED);
	assert_int_equal(kvg_profile_add_identity(&profile, "work", NULL), 0);
	assert_int_equal(profile.identities, 1U << KVG_IDENTITY_MANAGED | 1U << KVG_IDENTITY_WORK);
}

static void a_first_resolver_replaces_auto_and_auto_can_be_added(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_int_equal(kvg_profile_add_resolver(&profile, "192.0.2.53", NULL), 0);
	assert_false(profile.auto_resolvers);
	assert_int_equal(kvg_profile_add_resolver(&profile, "2001:db8::53", NULL), 0);
	assert_int_equal(profile.resolvers_count, 2);
	assert_int_equal(kvg_profile_add_resolver(&profile, "auto", NULL), 0);
	assert_true(profile.auto_resolvers);
}

static void none_goes_with_no_other_resolver(void **state)
{
	PROFILE first;
	PROFILE second;

	(void)state;
	fresh(&first);
	fresh(&second);
	assert_int_equal(kvg_profile_add_resolver(&first, "none", NULL), 0);
	assert_false(first.auto_resolvers);
	assert_refused(kvg_profile_add_resolver(&first, "192.0.2.53", &diag),
		       "resolver 'none' cannot go with another resolver");
	assert_int_equal(kvg_profile_add_resolver(&second, "192.0.2.53", NULL), 0);
	assert_refused(kvg_profile_add_resolver(&second, "none", &diag),
		       "resolver 'none' cannot go with another resolver");
}

static void an_extra_that_would_open_the_gate_is_refused(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_refused(kvg_profile_add_allow(&profile, "0.0.0.0/0", "tcp/443", NULL, &diag),
		       "'0.0.0.0/0' holds every address and would open the gate: expected the "
		       "prefixes that the client needs");
	assert_int_equal(kvg_profile_add_allow(&profile, "::/0", "tcp/443", NULL, NULL), -EINVAL);
	assert_int_equal(profile.allow_count, 0);
}

static void an_extra_has_a_prefix_a_service_and_one_line_of_note(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_int_equal(kvg_profile_add_allow(&profile, "192.0.2.4/32", "udp/123", "clock", NULL),
			 0);
	assert_string_equal(profile.allow[0].note, "clock");
	assert_int_equal(profile.allow[0].service.protocol, IPPROTO_UDP);
	assert_int_equal(ntohs(profile.allow[0].service.port), 123);
	assert_int_equal(kvg_profile_add_allow(&profile, "192.0.2.4/24", "udp/123", NULL, NULL),
			 -EINVAL);
	assert_refused(kvg_profile_add_allow(&profile, "192.0.2.4/32", "udp/123", "a\nb", &diag),
		       "bad note 'a?b': expected one line of text");
}

static void services_are_a_protocol_and_a_port(void **state)
{
	static const char *const bad[] = {"",       "tcp",       "tcp/",    "tcp/0",    "tcp/65536",
					  "tcp/+1", "tcp/0443",  "TCP/443", "sctp/443", "443/tcp",
					  "tcp/ 1", "tcp/99999", "udp/1x",  "tcp//1"};
	struct kvg_service service;
	char text[KVG_SERVICE_STRLEN];

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		if (kvg_service_parse(bad[i], &service, NULL) != -EINVAL)
			fail_msg("'%s' was read", bad[i]);
	}
	assert_int_equal(kvg_service_parse("udp/65535", &service, NULL), 0);
	assert_string_equal(kvg_service_format(&service, text), "udp/65535");
	assert_refused(kvg_service_parse("tcp/https", &service, &diag),
		       "bad service 'tcp/https': expected tcp/PORT or udp/PORT, ports 1 to 65535");
}

static void adfs_hosts_are_names_and_not_addresses(void **state)
{
	static const char *const bad[] = {"",        "adfs",        "192.0.2.1",
					  "a..b",    "-a.test",     "a-.test",
					  "a.test.", "adfs_1.test", "adfs.example.com:443"};
	PROFILE profile;

	(void)state;
	fresh(&profile);
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		if (kvg_profile_add_adfs_host(&profile, bad[i], NULL) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	}
	assert_int_equal(kvg_profile_add_adfs_host(&profile, "ADFS.Example.com", NULL), 0);
	assert_string_equal(profile.adfs_hosts[0], "adfs.example.com");
}

static void a_crl_prefix_is_no_wider_than_a_published_one(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_refused(kvg_profile_add_crl_prefix(&profile, "128.0.0.0/2", &diag),
		       "CRL prefix '128.0.0.0/2' is wider than any that was ever published: "
		       "expected IPv4 /8 or longer, IPv6 /16 or longer");
	assert_int_equal(kvg_profile_add_crl_prefix(&profile, "192.0.2.0/24", NULL), 0);
}

static void parts_that_do_not_fit_together_are_refused(void **state)
{
	PROFILE profile;

	(void)state;
	fresh(&profile);
	assert_int_equal(kvg_profile_check(&profile, NULL), 0);
	kvg_profile_add_adfs_host(&profile, "adfs.example.com", NULL);
	assert_refused(kvg_profile_check(&profile, &diag),
		       "AD FS host 'adfs.example.com' without identity adfs");
	kvg_profile_add_identity(&profile, "adfs", NULL);
	assert_int_equal(kvg_profile_check(&profile, NULL), 0);
	kvg_profile_add_region(&profile, "westeurope", NULL);
	kvg_profile_set_functions(&profile, "management", NULL);
	assert_refused(kvg_profile_check(&profile, &diag),
		       "region 'westeurope' without function data: only Key Vault's own prefixes "
		       "are regional");
}

/* --- resolv.conf ---------------------------------------------------------------------------------- */

static bool noted(const struct kvg_notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->count; i++) {
		if (strstr(notes->lines[i], text))
			return true;
	}
	return false;
}

static void nameservers_come_from_resolv_conf_as_glibc_reads_it(void **state)
{
	KVG_CLEANUP(kvg_freep)
	char *path = folder_write(state, "resolv.conf",
				  "# nameserver 192.0.2.1\n"
				  "search example.com\n"
				  "nameserver 192.0.2.53\n"
				  "nameserver\t2001:db8::53  # second\r\n"
				  " nameserver 192.0.2.2\n"
				  "nameservers 192.0.2.3\n"
				  "nameserver 192.0.2.54");
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	char text[KVG_PREFIX_STRLEN];
	PROFILE profile;

	fresh(&profile);
	assert_int_equal(kvg_profile_add_nameservers(&profile, path, &notes, NULL), 0);
	assert_int_equal(profile.resolvers_count, 3);
	assert_string_equal(kvg_prefix_format(&profile.resolvers[0], text), "192.0.2.53/32");
	assert_string_equal(kvg_prefix_format(&profile.resolvers[1], text), "2001:db8::53/128");
	assert_string_equal(kvg_prefix_format(&profile.resolvers[2], text), "192.0.2.54/32");
	assert_int_equal(notes.count, 0);
}

static void loopback_zoned_and_bad_nameservers_are_left_out_with_a_note(void **state)
{
	KVG_CLEANUP(kvg_freep)
	char *path = folder_write(state, "resolv.conf",
				  "nameserver 127.0.0.53\nnameserver ::1\n"
				  "nameserver fe80::1%eth0\nnameserver bogus\n"
				  "nameserver 192.0.2.53\n");
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	PROFILE profile;

	fresh(&profile);
	assert_int_equal(kvg_profile_add_nameservers(&profile, path, &notes, NULL), 0);
	assert_int_equal(profile.resolvers_count, 1);
	assert_int_equal(notes.count, 4);
	assert_true(noted(&notes, "nameserver 127.0.0.53 of"));
	assert_true(noted(&notes, "nameserver ::1 of"));
	assert_true(noted(&notes, "nameserver fe80::1%eth0 of"));
	assert_true(noted(&notes, "nameserver 'bogus' of"));
}

static void no_resolv_conf_and_no_nameserver_are_notes(void **state)
{
	KVG_CLEANUP(kvg_freep)
	char *empty = folder_write(state, "resolv.conf", "options ndots:5\n");
	KVG_CLEANUP(kvg_freep) char *absent = folder_path(state, "absent");
	KVG_CLEANUP(kvg_notes_done) struct kvg_notes notes = {0};
	PROFILE profile;

	fresh(&profile);
	assert_int_equal(kvg_profile_add_nameservers(&profile, empty, &notes, NULL), 0);
	assert_int_equal(kvg_profile_add_nameservers(&profile, absent, &notes, NULL), 0);
	assert_int_equal(notes.count, 2);
	assert_true(noted(&notes, "names no nameserver"));
	assert_true(noted(&notes, "there is no"));
	assert_int_equal(profile.resolvers_count, 0);
}

static void an_unreadable_resolv_conf_is_an_error(void **state)
{
	struct kvg_diag diag = {0};
	PROFILE profile;

	fresh(&profile);
	assert_int_equal(kvg_profile_add_nameservers(&profile, *state, NULL, &diag), -EISDIR);
	assert_string_equal(diag.msg, "cannot read nameservers: Is a directory");
}

/* --- addresses ------------------------------------------------------------------------------------ */

static void addresses_are_known_by_their_kind(void **state)
{
	static const struct {
		const char *text;
		enum kvg_address_kind kind;
	} rows[] = {
		{"192.0.2.1", KVG_ADDRESS_GLOBAL},
		{"127.255.255.255", KVG_ADDRESS_LOOPBACK},
		{"128.0.0.0", KVG_ADDRESS_GLOBAL},
		{"0.0.0.0", KVG_ADDRESS_UNSPECIFIED},
		{"10.255.255.255", KVG_ADDRESS_PRIVATE},
		{"172.31.255.255", KVG_ADDRESS_PRIVATE},
		{"172.32.0.0", KVG_ADDRESS_GLOBAL},
		{"100.64.0.1", KVG_ADDRESS_PRIVATE},
		{"192.168.1.1", KVG_ADDRESS_PRIVATE},
		{"169.254.169.254", KVG_ADDRESS_LINK_LOCAL},
		{"224.0.0.251", KVG_ADDRESS_MULTICAST},
		{"168.63.129.16", KVG_ADDRESS_PLATFORM},
		{"168.63.129.17", KVG_ADDRESS_GLOBAL},
		{"198.19.255.255", KVG_ADDRESS_RESERVED},
		{"255.255.255.255", KVG_ADDRESS_RESERVED},
		{"2001:db8::1", KVG_ADDRESS_GLOBAL},
		{"::1", KVG_ADDRESS_LOOPBACK},
		{"::", KVG_ADDRESS_UNSPECIFIED},
		{"::2", KVG_ADDRESS_MAPPED},
		{"64:ff9b::7f00:1", KVG_ADDRESS_MAPPED},
		{"64:ff9b:1::7f00:1", KVG_ADDRESS_MAPPED},
		{"2002:7f00:1::", KVG_ADDRESS_MAPPED},
		{"fd00::1", KVG_ADDRESS_PRIVATE},
		{"fe80::1", KVG_ADDRESS_LINK_LOCAL},
		{"ff02::fb", KVG_ADDRESS_MULTICAST},
	};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(rows); i++) {
		struct kvg_prefix address;

		assert_int_equal(kvg_prefix_parse_address(rows[i].text, &address, NULL), 0);
		if (kvg_address_classify(&address) != rows[i].kind)
			fail_msg("%s is %s", rows[i].text,
				 kvg_address_kind_word(kvg_address_classify(&address)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_public_all_functions_work_and_auto),
		cmocka_unit_test(unknown_words_are_refused_with_what_was_expected),
		cmocka_unit_test(the_retired_cloud_is_refused_as_such),
		cmocka_unit_test(a_first_identity_replaces_the_default_and_others_add),
		cmocka_unit_test(a_first_resolver_replaces_auto_and_auto_can_be_added),
		cmocka_unit_test(none_goes_with_no_other_resolver),
		cmocka_unit_test(an_extra_that_would_open_the_gate_is_refused),
		cmocka_unit_test(an_extra_has_a_prefix_a_service_and_one_line_of_note),
		cmocka_unit_test(services_are_a_protocol_and_a_port),
		cmocka_unit_test(adfs_hosts_are_names_and_not_addresses),
		cmocka_unit_test(a_crl_prefix_is_no_wider_than_a_published_one),
		cmocka_unit_test(parts_that_do_not_fit_together_are_refused),
		cmocka_unit_test_setup_teardown(nameservers_come_from_resolv_conf_as_glibc_reads_it,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(
			loopback_zoned_and_bad_nameservers_are_left_out_with_a_note, folder_make,
			folder_remove),
		cmocka_unit_test_setup_teardown(no_resolv_conf_and_no_nameserver_are_notes,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(an_unreadable_resolv_conf_is_an_error, folder_make,
						folder_remove),
		cmocka_unit_test(addresses_are_known_by_their_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
