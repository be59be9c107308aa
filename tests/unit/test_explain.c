// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "compiled.h"

#include "policy/address.h"
#include "policy/explain.h"
#include "random.h"

#define SHOP KVG_CLEANUP(workshop_done) struct workshop

static const char *const labels[] = {
#define X(name, label, meaning) [KVG_REASON_##name] = label,
	KVG_REASONS(X)
#undef X
};

/* "allowed by PREFIX" or "REASON, rule PREFIX, nearest PREFIX", with - for none. */
static const char *explain(const struct kvg_policy *policy, const char *text, char ret[256])
{
	struct kvg_destination destination;
	struct kvg_explanation explanation;
	struct kvg_diag diag;
	char rule[KVG_PREFIX_STRLEN] = "-";
	char nearest[KVG_PREFIX_STRLEN] = "-";

	if (kvg_destination_parse(text, &destination, &diag) < 0)
		fail_msg("%s", diag.msg);
	kvg_explain(policy, &destination, &explanation);
	if (explanation.rule)
		kvg_prefix_format(&explanation.rule->prefix, rule);
	if (explanation.nearest)
		kvg_prefix_format(&explanation.nearest->prefix, nearest);
	snprintf(ret, 256, "%s, rule %s, nearest %s", labels[explanation.reason], rule, nearest);
	return ret;
}

#define assert_explained(policy, destination, expected)                                 \
	do {                                                                            \
		char explained[256];                                                    \
                                                                                        \
		assert_string_equal(explain(policy, destination, explained), expected); \
	} while (0)

static int make_policy(void **state)
{
	static struct workshop shop;

	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_add_allow(&shop.profile, "203.0.113.0/28", "tcp/80", NULL, NULL);
	kvg_profile_add_allow(&shop.profile, "203.0.113.53/32", "udp/53", NULL, NULL);
	workshop_must(&shop);
	*state = &shop;
	return 0;
}

static int drop_policy(void **state)
{
	workshop_done(*state);
	return 0;
}

static const struct kvg_policy *policy_of(void **state)
{
	return ((struct workshop *)*state)->policy;
}

static void a_destination_inside_a_tag_is_allowed_by_it(void **state)
{
	assert_explained(policy_of(state), "192.0.2.63:443",
			 "allowed, rule 192.0.2.0/26, nearest -");
	assert_explained(policy_of(state), "[2001:db8:1::9]:443/tcp",
			 "allowed, rule 2001:db8:1::/48, nearest -");
	assert_explained(policy_of(state), "203.0.113.53:53/udp",
			 "allowed, rule 203.0.113.53/32, nearest -");
}

static void a_destination_outside_is_refused_with_the_nearest_prefix(void **state)
{
	assert_explained(policy_of(state), "192.0.2.80:443",
			 "destination, rule -, nearest 192.0.2.64/28");
	assert_explained(policy_of(state), "[2001:db8:3::1]:443",
			 "destination, rule -, nearest 2001:db8:2::/64");
	assert_explained(policy_of(state), "223.255.255.255:443",
			 "destination, rule -, nearest 198.51.100.64/28");
	assert_explained(policy_of(state), "1.1.1.1:443",
			 "destination, rule -, nearest 192.0.2.0/26");
}

static void a_port_that_other_destinations_have_is_told_from_one_that_none_has(void **state)
{
	assert_explained(policy_of(state), "192.0.2.1:80",
			 "port_for_destination, rule 192.0.2.0/26, nearest 203.0.113.0/28");
	assert_explained(policy_of(state), "192.0.2.1:8443",
			 "port, rule 192.0.2.0/26, nearest 192.0.2.0/26");
	assert_explained(policy_of(state), "192.0.2.1:443/udp",
			 "port, rule 192.0.2.0/26, nearest 192.0.2.0/26");
}

static void a_protocol_that_no_rule_has_is_refused_as_such(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	assert_explained(workshop_must(&shop), "192.0.2.1:443/udp",
			 "protocol, rule 192.0.2.0/26, nearest 192.0.2.0/26");
}

static void loopback_is_allowed_by_no_rule(void **state)
{
	assert_explained(policy_of(state), "127.0.0.1:9", "allowed, rule -, nearest -");
	assert_explained(policy_of(state), "127.255.255.254:443/udp", "allowed, rule -, nearest -");
	assert_explained(policy_of(state), "[::1]:443", "allowed, rule -, nearest -");
}

static void an_ipv4_mapped_destination_is_judged_as_ipv4(void **state)
{
	char text[KVG_DESTINATION_STRLEN];
	struct kvg_destination destination;

	assert_explained(policy_of(state), "[::ffff:192.0.2.1]:443",
			 "allowed, rule 192.0.2.0/26, nearest -");
	assert_int_equal(kvg_destination_parse("[::ffff:192.0.2.1]:443", &destination, NULL), 0);
	assert_string_equal(kvg_destination_format(&destination, text), "192.0.2.1:443/tcp");
}

static void audit_mode_changes_no_verdict(void **state)
{
	SHOP shop;

	(void)state;
	workshop_init(&shop, TAGS(CLIENT_TAGS));
	kvg_profile_set_mode(&shop.profile, "audit", NULL);
	assert_explained(workshop_must(&shop), "203.0.113.1:443",
			 "destination, rule -, nearest 198.51.100.64/28");
}

static void destinations_are_an_address_a_port_and_a_protocol(void **state)
{
	static const char *const bad[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2:443",
		"192.0.2.1:443/",
		"192.0.2.1:443/x",
		"2001:db8::1:443",
		"[192.0.2.1]:443",
		"[2001:db8::1]",
		"[2001:db8::1:443",
		"[fe80::1%eth0]:443",
		"vault.example:443",
		"192.0.2.1:443/tcp/x",
		"192.0.2.1:65536",
		" 192.0.2.1:443",
	};
	struct kvg_destination destination;
	struct kvg_diag diag;
	char longer[512];

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(bad); i++) {
		if (kvg_destination_parse(bad[i], &destination, NULL) != -EINVAL)
			fail_msg("'%s' was read", bad[i]);
	}
	memset(longer, '1', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(kvg_destination_parse(longer, &destination, &diag), -EINVAL);
	assert_int_equal(kvg_destination_parse("x", &destination, &diag), -EINVAL);
	assert_string_equal(diag.msg, "bad destination 'x': expected ADDR:PORT[/tcp|udp], such as "
				      "192.0.2.1:443 or [2001:db8::1]:53/udp");
}

static void destinations_are_written_as_they_are_read(void **state)
{
	static const char *const texts[] = {"192.0.2.1:443/tcp", "[2001:db8::1]:53/udp",
					    "[::]:1/tcp", "255.255.255.255:65535/udp"};
	char text[KVG_DESTINATION_STRLEN];

	(void)state;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		struct kvg_destination destination;

		assert_int_equal(kvg_destination_parse(texts[i], &destination, NULL), 0);
		assert_string_equal(kvg_destination_format(&destination, text), texts[i]);
	}
}

/* What the nearest rule is, by looking at all of them. */
static void the_nearest_rule_shares_most_leading_bits(void **state)
{
	const struct kvg_policy *policy = policy_of(state);

	random_seed();
	for (int i = 0; i < 20000; i++) {
		struct kvg_destination destination = {.address = {.family = AF_INET, .bits = 32}};
		struct kvg_explanation explanation;
		__u32 address = random_next();
		unsigned int best = 0;

		kvg_service_parse("tcp/443", &destination.service, NULL);
		memcpy(destination.address.addr, &address, 4);
		kvg_explain(policy, &destination, &explanation);
		if (explanation.reason == KVG_REASON_ALLOWED)
			continue;

		for (size_t j = 0; j < policy->rules_count; j++) {
			const struct kvg_rule *rule = &policy->rules[j];
			unsigned int bits;

			if (rule->prefix.family != AF_INET || !(rule->services & 2))
				continue;
			bits = kvg_address_common_bits(&rule->prefix, &destination.address);
			best = bits > best ? bits : best;
		}
		assert_int_equal(
			kvg_address_common_bits(&explanation.nearest->prefix, &destination.address),
			best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_destination_inside_a_tag_is_allowed_by_it),
		cmocka_unit_test(a_destination_outside_is_refused_with_the_nearest_prefix),
		cmocka_unit_test(
			a_port_that_other_destinations_have_is_told_from_one_that_none_has),
		cmocka_unit_test(a_protocol_that_no_rule_has_is_refused_as_such),
		cmocka_unit_test(loopback_is_allowed_by_no_rule),
		cmocka_unit_test(an_ipv4_mapped_destination_is_judged_as_ipv4),
		cmocka_unit_test(audit_mode_changes_no_verdict),
		cmocka_unit_test(destinations_are_an_address_a_port_and_a_protocol),
		cmocka_unit_test(destinations_are_written_as_they_are_read),
		cmocka_unit_test(the_nearest_rule_shares_most_leading_bits),
	};

	return cmocka_run_group_tests(tests, make_policy, drop_policy);
}
