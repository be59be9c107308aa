// SPDX-License-Identifier: BSD-2-Clause
/* What a name server may open, and what it may not whatever the profile says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/resolve.h"

static struct kvg_profile profile;
static struct kvg_notes notes;

static int set_up(void **state)
{
	(void)state;
	return kvg_profile_init(&profile, "test");
}

static int tear_down(void **state)
{
	(void)state;
	kvg_profile_done(&profile);
	kvg_notes_done(&notes);
	return 0;
}

/* Is the address taken as an answer for a host? */
static bool is_taken(const char *text)
{
	const struct kvg_policy_host host = {
		.name = (char *)"sts.example.net",
		.service = {.protocol = IPPROTO_TCP, .port = htons(443)},
	};
	size_t before = profile.resolved_count;
	struct kvg_prefix address;

	assert_int_equal(kvg_prefix_parse_address(text, &address, NULL), 0);
	assert_int_equal(kvg_resolve_add_answer(&profile, &host, &address, &notes), 0);
	return profile.resolved_count > before;
}

static void assert_refused(const char *text, const char *why)
{
	size_t before = notes.count;

	if (is_taken(text))
		fail_msg("%s is taken", text);
	assert_int_equal(notes.count, before + 1);
	if (!strstr(notes.lines[before], why))
		fail_msg("no '%s' in: %s", why, notes.lines[before]);
}

static void global_addresses_are_taken(void **state)
{
	(void)state;
	assert_true(is_taken("203.0.113.7"));
	assert_true(is_taken("2001:db8::7"));
	assert_int_equal(notes.count, 0);
	assert_string_equal(profile.resolved[0].name, "sts.example.net");
}

static void private_addresses_are_refused_unless_the_profile_says_so(void **state)
{
	static const char *const addresses[] = {"10.1.2.3", "172.16.0.1", "192.168.1.1",
						"100.64.0.1", "fd00::1"};

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(addresses); i++)
		assert_refused(addresses[i], "a private address");
	profile.private_names = true;
	assert_true(is_taken("172.16.0.1"));
	assert_true(is_taken("fd00::1"));
}

static void no_profile_has_these_opened_by_a_name_server(void **state)
{
	static const struct {
		const char *address;
		const char *why;
	} cases[] = {
		{"127.0.0.1", "loopback"},
		{"::1", "loopback"},
		{"169.254.169.254", "link-local"},
		{"fe80::1", "link-local"},
		{"168.63.129.16", "platform"},
		{"0.0.0.0", "unspecified"},
		{"224.0.0.1", "multicast"},
		{"255.255.255.255", "reserved"},
		{"64:ff9b::7f00:1", "IPv4 inside IPv6"},
	};

	(void)state;
	profile.private_names = true;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].address, cases[i].why);
}

/* An address of this machine beside loopback and link-local; NULL if it has none. */
static const char *find_own(char ret[INET6_ADDRSTRLEN])
{
	struct ifaddrs *list = NULL;
	const char *found = NULL;

	if (getifaddrs(&list) < 0)
		return NULL;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET &&
		    !(i->ifa_flags & IFF_LOOPBACK))
			found = inet_ntop(AF_INET,
					  &((const struct sockaddr_in *)i->ifa_addr)->sin_addr, ret,
					  INET6_ADDRSTRLEN);
	}
	freeifaddrs(list);
	return found && strncmp(found, "169.254.", 8) != 0 ? found : NULL;
}

static void this_machines_own_address_is_refused(void **state)
{
	char text[INET6_ADDRSTRLEN];
	const char *own = find_own(text);

	(void)state;
	if (!own) {
		print_message("SKIP: this machine has no IPv4 address beside loopback\n");
		skip();
	}
	profile.private_names = true;
	assert_refused(own, "an address of this machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(global_addresses_are_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			private_addresses_are_refused_unless_the_profile_says_so, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(no_profile_has_these_opened_by_a_name_server,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(this_machines_own_address_is_refused, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
