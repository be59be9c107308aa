// SPDX-License-Identifier: BSD-2-Clause
#include "model.h"

#include <string.h>

/* Numbers of IANA's protocol registry. */
enum {
	HOP_BY_HOP = 0,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAGMENT = 44,
	ICMPV6 = 58,
	ESP = 50,
	AH = 51,
	DESTINATION_OPTIONS = 60,
	MOBILITY = 135,
	HIP = 139,
	SHIM6 = 140
};

static unsigned int word(const uint8_t *bytes)
{
	return bytes[0] * 256U + bytes[1];
}

static unsigned int bit(const uint8_t *addr, unsigned int position)
{
	return addr[position / 8] >> (7 - position % 8) & 1;
}

bool kvg_model_holds(const struct kvg_model_rule *rule, const uint8_t *addr)
{
	for (unsigned int i = 0; i < rule->bits; i++) {
		if (bit(rule->addr, i) != bit(addr, i))
			return false;
	}
	return true;
}

/* Whole headers, or the packet is cut. A port is where TCP and UDP have it. */
static enum kvg_reason read_ports(const uint8_t *header, size_t size, struct kvg_model_answer *ret)
{
	if (ret->protocol == TCP && size < 20)
		return KVG_REASON_MALFORMED;
	if (ret->protocol == UDP && size < 8)
		return KVG_REASON_MALFORMED;
	if (ret->protocol == TCP || ret->protocol == UDP)
		ret->dport = word(header + 2);
	if (ret->protocol == TCP || ret->protocol == UDP)
		ret->sport = word(header);
	return KVG_REASON_ALLOWED;
}

static enum kvg_reason read_ipv4(const uint8_t *packet, size_t size, struct kvg_model_answer *ret)
{
	unsigned int header_words, fragment;

	if (size < 20)
		return KVG_REASON_MALFORMED;
	header_words = packet[0] % 16;
	if (header_words < 5)
		return KVG_REASON_MALFORMED;

	ret->version = 4;
	ret->protocol = packet[9];
	ret->daddr[10] = 255;
	ret->daddr[11] = 255;
	memcpy(ret->daddr + 12, packet + 16, 4);

	if (header_words > 5)
		return KVG_REASON_IP_OPTIONS;
	fragment = word(packet + 6) % 0x4000; /* without "reserved" and "don't fragment" */
	if (fragment)
		return KVG_REASON_FRAGMENT;
	return read_ports(packet + 20, size - 20, ret);
}

enum scope { LINK, WIDER_GROUP, HOST };

/* fe80::/10 and ff02::/16 do not leave the link. */
static enum scope scope_of(const uint8_t *addr)
{
	if ((addr[0] == 0xfe && addr[1] / 64 == 2) || (addr[0] == 0xff && addr[1] == 2))
		return LINK;
	return addr[0] == 0xff ? WIDER_GROUP : HOST;
}

/*
 * RFC 4861: a router solicitation stays on the link; neighbours are asked and answered at their own
 * addresses, too. Message and options are 32 bytes at most.
 */
static bool is_neighbour_discovery(const uint8_t *packet, size_t size)
{
	enum scope scope = scope_of(packet + 24);
	uint8_t type;

	if (packet[6] != ICMPV6 || packet[7] != 255 || size < 48 || size > 40 + 32)
		return false;
	type = packet[40];
	if (packet[41] != 0)
		return false;
	if (type == 133)
		return scope == LINK;
	return (type == 135 || type == 136) && scope != WIDER_GROUP;
}

/* RFC 2710 and 3810: behind a router alert, to the link, in no more than 456 bytes. */
static bool is_listener_report(const uint8_t *packet, size_t size)
{
	static const uint8_t alert[] = {ICMPV6, 0, 5, 2, 0, 0, 1, 0};

	if (packet[6] != HOP_BY_HOP || packet[7] != 1 || size < 56 || size > 40 + 456)
		return false;
	if (packet[24] != 0xff || packet[25] != 2 || memcmp(packet + 40, alert, 8) != 0)
		return false;
	return (packet[48] == 131 || packet[48] == 132 || packet[48] == 143) && packet[49] == 0;
}

static enum kvg_reason read_ipv6(const uint8_t *packet, size_t size, struct kvg_model_answer *ret)
{
	static const uint8_t extensions[] = {HOP_BY_HOP,          ROUTING,  ESP, AH,
					     DESTINATION_OPTIONS, MOBILITY, HIP, SHIM6};

	if (size < 40)
		return KVG_REASON_MALFORMED;
	ret->version = 6;
	ret->protocol = packet[6];
	memcpy(ret->daddr, packet + 24, 16);

	ret->link = is_neighbour_discovery(packet, size) || is_listener_report(packet, size);
	if (ret->link)
		return KVG_REASON_ALLOWED;
	if (ret->protocol == FRAGMENT)
		return KVG_REASON_FRAGMENT;
	if (memchr(extensions, ret->protocol, sizeof(extensions)))
		return KVG_REASON_IPV6_EXTENSION;
	return read_ports(packet + 40, size - 40, ret);
}

static enum kvg_reason read_packet(const uint8_t *packet, size_t size, struct kvg_model_answer *ret)
{
	unsigned int version = size ? packet[0] / 16 : 0;

	if (version == 4)
		return read_ipv4(packet, size, ret);
	if (version == 6)
		return read_ipv6(packet, size, ret);
	return KVG_REASON_MALFORMED;
}

/* What the address gets; false if no rule holds it. */
static bool find_grant(const struct kvg_model_policy *policy, const struct kvg_model_answer *flow,
		       uint32_t *ret)
{
	bool ipv6 = flow->version == 6;
	const uint8_t *addr = ipv6 ? flow->daddr : flow->daddr + 12;
	const struct kvg_model_rule *longest = NULL;
	uint32_t all = 0;

	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_model_rule *rule = &policy->rules[i];

		if (rule->ipv6 != ipv6 || !kvg_model_holds(rule, addr))
			continue;
		all |= rule->services;
		if (!longest || rule->bits > longest->bits)
			longest = rule;
	}
	if (!longest)
		return false;
	*ret = policy->unite ? all : longest->services;
	return true;
}

static bool is_given(const struct kvg_model_policy *policy, uint32_t service)
{
	for (size_t i = 0; i < policy->rules_count; i++) {
		if (policy->rules[i].services & service)
			return true;
	}
	return false;
}

static enum kvg_reason judge_flow(const struct kvg_model_policy *policy,
				  const struct kvg_model_answer *flow)
{
	bool protocol_known = false, port_known = false;
	uint32_t wanted = 0, granted;

	if (flow->protocol != TCP && flow->protocol != UDP)
		return KVG_REASON_PROTOCOL;
	for (size_t i = 0; i < policy->services_count; i++) {
		if (policy->services[i].protocol != flow->protocol ||
		    (policy->unite && !is_given(policy, (uint32_t)1 << i)))
			continue;
		protocol_known = true;
		if (policy->services[i].port != flow->dport)
			continue;
		port_known = true;
		wanted = (uint32_t)1 << i;
	}
	if (!protocol_known)
		return KVG_REASON_PROTOCOL;
	if (!port_known)
		return KVG_REASON_PORT;
	if (!find_grant(policy, flow, &granted))
		return KVG_REASON_DESTINATION;
	return granted & wanted ? KVG_REASON_ALLOWED : KVG_REASON_PORT_FOR_DESTINATION;
}

/* Nothing but an answer's facts and the fault that was found when they were read. */
static void judge(const struct kvg_model_policy *policy, enum kvg_reason fault,
		  struct kvg_model_answer *answer)
{
	if (!policy->known)
		answer->reason = KVG_REASON_NO_POLICY;
	else if (fault != KVG_REASON_ALLOWED || answer->link)
		answer->reason = fault;
	else
		answer->reason = judge_flow(policy, answer);

	answer->passes = answer->reason == KVG_REASON_ALLOWED || (policy->known && policy->audit);
}

struct kvg_model_answer kvg_model_judge(const struct kvg_model_policy *policy,
					const uint8_t *packet, size_t size)
{
	struct kvg_model_answer answer = {0};

	judge(policy, read_packet(packet, size, &answer), &answer);
	return answer;
}

/* RFC 826, for IPv4 over Ethernet: a request or an answer, with nothing behind it. */
static bool is_arp(const uint8_t *arp, size_t size)
{
	static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};

	return size == 28 && memcmp(arp, head, sizeof(head)) == 0 && (arp[7] == 1 || arp[7] == 2);
}

/* RFC 2131 and 8415: from client to server port, to all that are on the link. */
static bool is_dhcp(const struct kvg_model_answer *answer)
{
	static const uint8_t everybody[] = {255, 255, 255, 255};
	static const uint8_t servers[] = {255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2};

	if (answer->protocol != UDP)
		return false;
	if (answer->version == 4)
		return answer->sport == 68 && answer->dport == 67 &&
		       memcmp(answer->daddr + 12, everybody, 4) == 0;
	return answer->sport == 546 && answer->dport == 547 &&
	       memcmp(answer->daddr, servers, 16) == 0;
}

static enum kvg_reason read_frame(const uint8_t *frame, size_t size, struct kvg_model_answer *ret)
{
	unsigned int type = word(frame + 12);
	enum kvg_reason fault;

	if (type == 0x0806) {
		ret->link = is_arp(frame + 14, size - 14);
		return ret->link ? KVG_REASON_ALLOWED : KVG_REASON_PACKET_SOCKET;
	}
	if (type != 0x0800 && type != 0x86dd)
		return KVG_REASON_PACKET_SOCKET;
	fault = read_packet(frame + 14, size - 14, ret);
	return ret->version == (type == 0x0800 ? 4 : 6) ? fault : KVG_REASON_MALFORMED;
}

struct kvg_model_answer kvg_model_judge_frame(const struct kvg_model_policy *policy,
					      const uint8_t *frame, size_t size)
{
	struct kvg_model_answer answer = {0};
	enum kvg_reason fault = read_frame(frame, size, &answer);

	if (policy->dhcp && is_dhcp(&answer))
		answer.link = true;
	judge(policy, fault, &answer);
	return answer;
}
