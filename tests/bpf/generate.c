// SPDX-License-Identifier: BSD-2-Clause
#include "generate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../unit/random.h"
#include "base/cleanup.h"

void kvg_generate_seed(void)
{
	random_seed();
}

static bool one_in(uint32_t n)
{
	return random_below(n) == 0;
}

static void fill(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = random_next();
}

/* Prefixes that others are made from. */
static const char *const seeds4[] = {"192.0.2.0", "198.51.100.0",    "203.0.113.128", "10.0.0.0",
				     "0.0.0.0",   "255.255.255.255", "127.0.0.0"};
static const char *const seeds6[] = {"2001:db8::", "2001:db8:1:2::",
				     "::",         "::ffff:192.0.2.0",
				     "fe80::1",    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};

static void make_canonical(struct kvg_model_rule *rule)
{
	for (unsigned int i = rule->bits; i < 128; i++)
		rule->addr[i / 8] &= ~(0x80 >> i % 8);
}

static void flip(uint8_t *addr, unsigned int position)
{
	addr[position / 8] ^= 0x80 >> position % 8;
}

static struct kvg_model_rule fresh_rule(void)
{
	struct kvg_model_rule rule = {.ipv6 = one_in(2)};

	if (rule.ipv6)
		inet_pton(AF_INET6, seeds6[random_below(KVG_ARRAY_SIZE(seeds6))], rule.addr);
	else
		inet_pton(AF_INET, seeds4[random_below(KVG_ARRAY_SIZE(seeds4))], rule.addr);
	rule.bits = random_below(rule.ipv6 ? 129 : 33);
	if (one_in(8))
		fill(rule.addr, sizeof(rule.addr));
	return rule;
}

/* Inside, around or beside another one. */
static struct kvg_model_rule related_rule(const struct kvg_model_rule *other)
{
	unsigned int max = other->ipv6 ? 128 : 32;
	struct kvg_model_rule rule = *other;

	switch (random_below(4)) {
	case 0: /* a little longer: a half, or a quarter */
	case 1:
		rule.bits += 1 + random_below(one_in(2) ? 2 : max);
		if (rule.bits > max)
			rule.bits = max;
		for (unsigned int i = other->bits; i < rule.bits; i++) {
			if (one_in(2))
				flip(rule.addr, i);
		}
		break;
	case 2:
		rule.bits = random_below(rule.bits + 1);
		break;
	default:
		if (rule.bits)
			flip(rule.addr, rule.bits - 1);
	}
	return rule;
}

static bool is_known(const struct kvg_model_policy *policy, const struct kvg_model_rule *rule)
{
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_model_rule *other = &policy->rules[i];

		if (other->ipv6 == rule->ipv6 && other->bits == rule->bits &&
		    memcmp(other->addr, rule->addr, sizeof(rule->addr)) == 0)
			return true;
	}
	return false;
}

/* A real profile's four mostly; now and then as many as there may be. */
static void generate_services(struct kvg_model_policy *policy)
{
	static const struct kvg_model_service usual[] = {{6, 443}, {6, 80}, {17, 53}, {6, 53}};
	size_t count = random_below(KVG_ARRAY_SIZE(usual) + 1);

	memcpy(policy->services, usual, sizeof(usual));
	if (one_in(4)) {
		count = random_below(KVG_MODEL_SERVICES_MAX + 1);
		for (size_t i = KVG_ARRAY_SIZE(usual); i < count; i++)
			policy->services[i] = (struct kvg_model_service){
				one_in(2) ? 6 : 17, 1000 + 256 * i + random_below(256)};
	}
	policy->services_count = count;
}

static uint32_t some_services(const struct kvg_model_policy *policy)
{
	uint64_t all = ((uint64_t)1 << policy->services_count) - 1;
	uint32_t one =
		policy->services_count ? (uint32_t)1 << random_below(policy->services_count) : 0;

	if (one_in(3))
		return (uint32_t)all;
	return one_in(2) ? one : one | (random_next() & (uint32_t)all);
}

void kvg_generate_policy(struct kvg_model_policy *ret, bool unite)
{
	size_t count = random_below(one_in(4) ? KVG_MODEL_RULES_MAX + 1 : 9);

	*ret = (struct kvg_model_policy){
		.known = true, .audit = one_in(5), .deny_inbound = one_in(2), .unite = unite};
	generate_services(ret);
	if (!ret->services_count && unite)
		return; /* a permit is of some service */
	for (size_t i = 0; i < count; i++) {
		struct kvg_model_rule rule =
			ret->rules_count && !one_in(3)
				? related_rule(&ret->rules[random_below(ret->rules_count)])
				: fresh_rule();

		make_canonical(&rule);
		rule.services = some_services(ret);
		if (!is_known(ret, &rule))
			ret->rules[ret->rules_count++] = rule;
	}
}

/* One more or one less, as a number. */
static void step(uint8_t *addr, size_t size, int by)
{
	while (size-- > 0) {
		addr[size] += by;
		if (addr[size] != (by > 0 ? 0 : 255))
			return;
	}
}

/* An address at, or near, an edge of a rule, or anywhere. */
static void generate_address(const struct kvg_model_policy *policy, bool *ret_ipv6,
			     uint8_t addr[16])
{
	struct kvg_model_rule rule = fresh_rule();
	size_t size;

	if (policy->rules_count && !one_in(10))
		rule = policy->rules[random_below(policy->rules_count)];
	size = rule.ipv6 ? 16 : 4;
	*ret_ipv6 = rule.ipv6;
	memcpy(addr, rule.addr, 16);

	switch (random_below(6)) {
	case 0: /* the first */
		break;
	case 1: /* the one before */
		step(addr, size, -1);
		break;
	case 2: /* the last, or the one behind */
	case 3:
		for (unsigned int i = rule.bits; i < 8 * size; i++)
			flip(addr, i);
		if (one_in(2))
			step(addr, size, 1);
		break;
	case 4: /* any inside */
		for (unsigned int i = rule.bits; i < 8 * size; i++) {
			if (one_in(2))
				flip(addr, i);
		}
		break;
	default: /* one bit off */
		flip(addr, random_below(8 * size));
	}
	if (!rule.ipv6 && one_in(40)) { /* as IPv4-mapped */
		memmove(addr + 12, addr, 4);
		memcpy(addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
		*ret_ipv6 = true;
	}
}

static uint8_t generate_protocol(const struct kvg_model_policy *policy, const uint16_t **ret_port)
{
	static const uint8_t odd[] = {0,  1,  2,  4,  6,  17,  33,  41,  43,  44,
				      47, 50, 51, 58, 60, 132, 135, 136, 139, 140};

	if (policy->services_count && !one_in(5)) {
		const struct kvg_model_service *service =
			&policy->services[random_below(policy->services_count)];

		*ret_port = &service->port;
		return one_in(20) ? 6 + 17 - service->protocol : service->protocol;
	}
	*ret_port = NULL;
	return one_in(4) ? random_next() : odd[random_below(KVG_ARRAY_SIZE(odd))];
}

static uint16_t generate_port(const uint16_t *wanted)
{
	if (!wanted || one_in(10))
		return one_in(2) ? random_next() : (one_in(2) ? 0 : 65535);
	switch (random_below(12)) {
	case 0:
		return *wanted + 1;
	case 1:
		return *wanted - 1;
	case 2:
		return ntohs(*wanted) == *wanted ? *wanted : *wanted >> 8 | *wanted << 8;
	default:
		return *wanted;
	}
}

static size_t put_header(uint8_t *packet, bool ipv6, const uint8_t *addr, uint8_t protocol)
{
	if (ipv6) {
		packet[0] = 0x60 | packet[0] % 16;
		packet[6] = protocol;
		memcpy(packet + 24, addr, 16);
		return 40;
	}
	packet[0] = 0x45;
	packet[6] = one_in(2) ? 0x40 : 0; /* don't fragment */
	packet[7] = 0;
	packet[9] = protocol;
	memcpy(packet + 16, addr, 4);
	return 20;
}

/* What an attacker would try: cut it, give it options, make it a fragment, turn some bits. */
static void spoil(struct kvg_case *test_case)
{
	uint8_t *packet = test_case->packet;
	uint32_t turns;

	switch (random_below(5)) {
	case 0:
		test_case->size = random_below(test_case->size + 1);
		break;
	case 1:
		packet[0] = (packet[0] & 0xf0) | random_below(16);
		break;
	case 2:
		packet[6] = random_next();
		packet[7] = one_in(2) ? random_next() : 0;
		break;
	case 3:
		packet[0] = random_next();
		break;
	default:
		turns = 1 + random_below(4);
		while (turns-- > 0)
			flip(packet, random_below(8 * 48));
	}
}

/* Neighbour discovery and listener reports, or what differs from them by a little. */
static void generate_link(struct kvg_case *test_case)
{
	static const uint8_t types[] = {131, 132, 133, 134, 135, 136, 137, 143};
	static const char *const addrs[] = {"ff02::1", "ff02::1:ff00:1", "ff02::16",    "fe80::1",
					    "febf::1", "2001:db8::1",    "2001:db9::1", "ff05::2",
					    "fec0::1", "ff01::1"};
	uint8_t *packet = test_case->packet;
	bool report = one_in(2);
	size_t type_at = report ? 48 : 40;

	packet[0] = 0x60;
	packet[6] = report ? 0 : 58;
	packet[7] = report ? 1 : 255;
	inet_pton(AF_INET6, addrs[random_below(KVG_ARRAY_SIZE(addrs))], packet + 24);
	if (report)
		memcpy(packet + 40, "\x3a\0\5\2\0\0\1\0", 8);
	packet[type_at] = types[random_below(KVG_ARRAY_SIZE(types))];
	packet[type_at + 1] = 0;
	test_case->size = type_at + 8 + random_below(24 + 3);

	if (one_in(4))
		packet[7] += one_in(2) ? 1 : -1;
	if (one_in(4))
		flip(packet, random_below(8 * (type_at + 2)));
	if (one_in(8))
		test_case->size = random_below(KVG_CASE_PACKET_MAX + 1);
}

void kvg_generate_packet(struct kvg_case *test_case)
{
	uint8_t *packet = test_case->packet;
	const uint16_t *wanted = NULL;
	uint8_t addr[16], protocol;
	size_t header;
	bool ipv6;

	fill(packet, KVG_CASE_PACKET_MAX);
	if (one_in(16)) {
		generate_link(test_case);
		return;
	}
	generate_address(&test_case->policy, &ipv6, addr);
	protocol = generate_protocol(&test_case->policy, &wanted);
	header = put_header(packet, ipv6, addr, protocol);

	*(uint16_t *)(packet + header + 2) = htons(generate_port(wanted));
	test_case->size = header + (protocol == 17 ? 8 : 20) + (one_in(2) ? random_below(48) : 0);

	if (one_in(3))
		spoil(test_case);
	if (one_in(200))
		fill(packet, KVG_CASE_PACKET_MAX);
}

static void put_word(uint8_t *bytes, uint16_t word)
{
	bytes[0] = word >> 8;
	bytes[1] = word & 0xff;
}

/* At @packet, which has room for it; returns its size. */
static size_t generate_arp(uint8_t *packet)
{
	static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};

	memcpy(packet, head, sizeof(head));
	packet[7] = random_below(4);
	if (one_in(4))
		flip(packet, random_below(8 * 8));
	return one_in(4) ? random_below(64) : 28;
}

static size_t generate_dhcp(uint8_t *packet, bool ipv6)
{
	static const uint8_t servers[16] = {255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};
	static const uint8_t everybody[16] = {255, 255, 255, 255};
	size_t header = put_header(packet, ipv6, ipv6 ? servers : everybody, 17);

	put_word(packet + header, ipv6 ? 546 : 68);
	put_word(packet + header + 2, ipv6 ? 547 : 67);
	if (one_in(2))
		flip(packet, random_below(8 * (header + 4)));
	return header + 8 + random_below(40);
}

void kvg_generate_frame(struct kvg_case *test_case)
{
	static const uint16_t others[] = {0x8100, 0x88a8, 0x0806, 0x8847, 0x8864, 46, 0x0801};
	uint8_t *frame = test_case->packet;
	uint16_t type;

	kvg_generate_packet(test_case);
	if (test_case->size > KVG_CASE_PACKET_MAX - 14)
		test_case->size = KVG_CASE_PACKET_MAX - 14;
	memmove(frame + 14, frame, KVG_CASE_PACKET_MAX - 14);
	type = frame[14] / 16 == 6 ? 0x86dd : 0x0800;
	if (one_in(16)) {
		type = 0x0806;
		test_case->size = generate_arp(frame + 14);
	} else if (one_in(16)) {
		type = one_in(2) ? 0x86dd : 0x0800;
		test_case->size = generate_dhcp(frame + 14, type == 0x86dd);
	}
	if (one_in(30))
		type = one_in(2) ? others[random_below(KVG_ARRAY_SIZE(others))] : random_next();
	if (one_in(60))
		type ^= 0x0800 ^ 0x86dd;
	put_word(frame + 12, type);
	test_case->size += 14;
}

/* One change that may or may not be to the point; it stays if the case is still one. */
static bool try_smaller(struct kvg_case *test_case, const struct kvg_case *smaller,
			bool (*still)(const struct kvg_case *, void *data), void *data)
{
	if (!still(smaller, data))
		return false;
	*test_case = *smaller;
	return true;
}

static bool shrink_rules(struct kvg_case *test_case,
			 bool (*still)(const struct kvg_case *, void *data), void *data)
{
	bool changed = false;

	for (size_t i = test_case->policy.rules_count; i-- > 0;) {
		struct kvg_case smaller = *test_case;

		smaller.policy.rules[i] = smaller.policy.rules[--smaller.policy.rules_count];
		changed |= try_smaller(test_case, &smaller, still, data);
	}
	return changed;
}

static bool shrink_services(struct kvg_case *test_case,
			    bool (*still)(const struct kvg_case *, void *data), void *data)
{
	bool changed = false;

	while (test_case->policy.services_count > 0) {
		struct kvg_case smaller = *test_case;
		uint32_t gone = (uint32_t)1 << --smaller.policy.services_count;

		for (size_t i = 0; i < smaller.policy.rules_count; i++)
			smaller.policy.rules[i].services &= ~gone;
		if (!try_smaller(test_case, &smaller, still, data))
			break;
		changed = true;
	}
	return changed;
}

static bool shrink_packet(struct kvg_case *test_case,
			  bool (*still)(const struct kvg_case *, void *data), void *data)
{
	bool changed = false;

	for (size_t i = 0; i < test_case->size; i++) {
		struct kvg_case smaller = *test_case;

		smaller.packet[i] = 0;
		if (test_case->packet[i])
			changed |= try_smaller(test_case, &smaller, still, data);
	}
	while (test_case->size > 0) {
		struct kvg_case smaller = *test_case;

		smaller.size--;
		if (!try_smaller(test_case, &smaller, still, data))
			break;
		changed = true;
	}
	return changed;
}

void kvg_shrink(struct kvg_case *test_case, bool (*still)(const struct kvg_case *, void *data),
		void *data)
{
	bool changed;

	do {
		changed = shrink_rules(test_case, still, data);
		changed |= shrink_services(test_case, still, data);
		changed |= shrink_packet(test_case, still, data);
	} while (changed);
}

void kvg_case_print(const struct kvg_case *test_case)
{
	const struct kvg_model_policy *policy = &test_case->policy;

	printf("policy: %s, %s, inbound %s, %s\n", policy->known ? "known" : "none",
	       policy->audit ? "audit" : "enforce", policy->deny_inbound ? "deny" : "allow",
	       policy->unite ? "an address gets what all say" : "the longest prefix says");
	for (size_t i = 0; i < policy->services_count; i++)
		printf("service %zu: %s/%u\n", i, policy->services[i].protocol == 6 ? "tcp" : "udp",
		       policy->services[i].port);
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_model_rule *rule = &policy->rules[i];
		char text[INET6_ADDRSTRLEN];

		inet_ntop(rule->ipv6 ? AF_INET6 : AF_INET, rule->addr, text, sizeof(text));
		printf("rule: %s/%u services %#x\n", text, rule->bits, rule->services);
	}
	printf("packet (%zu bytes):", test_case->size);
	for (size_t i = 0; i < test_case->size; i++)
		printf("%s%02x", i % 4 ? "" : " ", test_case->packet[i]);
	printf("\n");
}
