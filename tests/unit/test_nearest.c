// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/cleanup.h"
#include "policy/explain.h"
#include "policy/nearest.h"
#include "random.h"

#define POLICY  KVG_CLEANUP(kvg_policy_freep) struct kvg_policy
#define NEAREST KVG_CLEANUP(kvg_nearest_closep) struct kvg_nearest

static const struct kvg_service services[] = {
	{.protocol = IPPROTO_TCP, .port = 0xbb01}, /* 443, 80 and 53 in network order */
	{.protocol = IPPROTO_TCP, .port = 0x5000},
	{.protocol = IPPROTO_UDP, .port = 0x3500},
};

/* Close together, so that rules lie within rules and addresses between them. */
static void make_address(struct kvg_prefix *ret)
{
	*ret = (struct kvg_prefix){.family = random_below(3) ? AF_INET : AF_INET6};
	ret->bits = ret->family == AF_INET ? 32 : 128;
	ret->addr[0] = 192;
	ret->addr[2] = (__u8)random_below(4);
	ret->addr[3] = (__u8)random_next();
}

static void make_prefix(struct kvg_prefix *ret)
{
	unsigned int bits;

	make_address(ret);
	bits = 16 + random_below(17);
	for (unsigned int bit = bits; bit < 32; bit++)
		ret->addr[bit / 8] &= (__u8) ~(0x80 >> bit % 8);
	ret->bits = (__u8)bits;
}

static struct kvg_policy *make_policy(size_t count)
{
	KVG_CLEANUP(kvg_freep) struct kvg_permit *permits = calloc(count, sizeof(*permits));
	struct kvg_policy *policy;

	assert_non_null(permits);
	assert_int_equal(kvg_policy_new("test", KVG_CLOUD_PUBLIC, &policy), 0);
	for (size_t i = 0; i < count; i++) {
		make_prefix(&permits[i].prefix);
		permits[i].service = services[random_below(2)];
		permits[i].from = "tag";
	}
	assert_int_equal(kvg_policy_set_permits(policy, permits, count, NULL), 0);
	return policy;
}

static void assert_same(const struct kvg_policy *policy, const struct kvg_nearest *nearest)
{
	struct kvg_destination destination = {.service = services[random_below(3)]};
	struct kvg_explanation explanation;
	const struct kvg_rule *found;

	make_address(&destination.address);
	kvg_explain(policy, &destination, &explanation);
	if (explanation.reason == KVG_REASON_ALLOWED)
		return;
	found = kvg_nearest_find(nearest, &destination.address, &destination.service);
	assert_ptr_equal(found, explanation.nearest);
}

static void it_says_what_explain_says(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		POLICY *policy = make_policy(1 + random_below(60));
		NEAREST *nearest = NULL;

		assert_int_equal(kvg_nearest_open(policy, &nearest), 0);
		for (int j = 0; j < 300; j++)
			assert_same(policy, nearest);
	}
}

static void a_policy_without_rules_has_none(void **state)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	struct kvg_prefix address;
	NEAREST *nearest = NULL;

	(void)state;
	assert_int_equal(kvg_policy_new("test", KVG_CLOUD_PUBLIC, &policy), 0);
	assert_int_equal(kvg_nearest_open(policy, &nearest), 0);
	make_address(&address);
	assert_null(kvg_nearest_find(nearest, &address, &services[0]));
}

static void a_family_without_rules_has_none(void **state)
{
	const struct kvg_permit permit = {
		.prefix = {.family = AF_INET, .bits = 24, .addr = {192, 0, 2}},
		.service = services[0],
		.from = "tag",
	};
	const struct kvg_prefix ipv6 = {.family = AF_INET6, .bits = 128, .addr = {0x20, 1}};
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	NEAREST *nearest = NULL;

	(void)state;
	assert_int_equal(kvg_policy_new("test", KVG_CLOUD_PUBLIC, &policy), 0);
	assert_int_equal(kvg_policy_set_permits(policy, &permit, 1, NULL), 0);
	assert_int_equal(kvg_nearest_open(policy, &nearest), 0);
	assert_null(kvg_nearest_find(nearest, &ipv6, &services[0]));
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Of /32s that differ in 20 bits. Prints what it costs; the limit is for sanitizers on a busy machine. */
static void a_hundred_thousand_rules_cost_a_microsecond(void **state)
{
	enum { COUNT = 100000, FINDS = 20000 };
	KVG_CLEANUP(kvg_freep) struct kvg_permit *permits = calloc(COUNT, sizeof(*permits));
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	NEAREST *nearest = NULL;
	double start, opened, found;

	(void)state;
	assert_int_equal(kvg_policy_new("test", KVG_CLOUD_PUBLIC, &policy), 0);
	for (__u32 i = 0; i < COUNT; i++) {
		const __be32 addr = htonl(i * 7U << 4);

		permits[i] = (struct kvg_permit){
			.prefix = {.family = AF_INET, .bits = 32},
			.service = services[0],
			.from = "tag",
		};
		memcpy(permits[i].prefix.addr, &addr, sizeof(addr));
	}
	assert_int_equal(kvg_policy_set_permits(policy, permits, COUNT, NULL), 0);
	start = now_ns();
	assert_int_equal(kvg_nearest_open(policy, &nearest), 0);
	opened = now_ns();
	for (int i = 0; i < FINDS; i++) {
		struct kvg_prefix address = {.family = AF_INET, .bits = 32};
		__u32 addr = random_next();

		memcpy(address.addr, &addr, sizeof(addr));
		assert_non_null(kvg_nearest_find(nearest, &address, &services[0]));
	}
	found = now_ns();
	print_message("%zu rules: made ready in %.1f ms, %.0f ns for each address\n",
		      policy->rules_count, (opened - start) / 1e6, (found - opened) / FINDS);
	assert_true((found - opened) / FINDS < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_explain_says),
		cmocka_unit_test(a_policy_without_rules_has_none),
		cmocka_unit_test(a_family_without_rules_has_none),
		cmocka_unit_test(a_hundred_thousand_rules_cost_a_microsecond),
	};

	random_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
