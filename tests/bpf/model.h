/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the packet hook shall say, as a specification that runs: own parser, byte by byte, and a walk over
 * all rules. It shares names and limits with the product and nothing else.
 */
#ifndef KVG_TESTS_BPF_MODEL_H
#define KVG_TESTS_BPF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvg_event.h"
#include "kvg_policy.h"

#define KVG_MODEL_RULES_MAX    48
#define KVG_MODEL_SERVICES_MAX KVG_SERVICES_MAX

/** struct kvg_model_service - @port in host order */
struct kvg_model_service {
	uint8_t protocol;
	uint16_t port;
};

/** struct kvg_model_rule - a prefix; IPv4 in the first four bytes of @addr; @services as bits */
struct kvg_model_rule {
	bool ipv6;
	unsigned int bits;
	uint8_t addr[16];
	uint32_t services;
};

/**
 * struct kvg_model_policy - what is in force
 * @known:        false: the gate was never told
 * @audit:        record, and let pass
 * @deny_inbound: means nothing to what the client begins
 * @dhcp:         means nothing but at an interface: requests to the servers of the link pass
 * @unite:        the rules are permits: an address gets what any that holds it says, and there is no service
 *                that none gives; else the longest one says, and all services are there
 */
struct kvg_model_policy {
	bool known;
	bool audit;
	bool deny_inbound;
	bool dhcp;
	bool unite;
	struct kvg_model_service services[KVG_MODEL_SERVICES_MAX];
	size_t services_count;
	struct kvg_model_rule rules[KVG_MODEL_RULES_MAX];
	size_t rules_count;
};

/**
 * struct kvg_model_answer - the verdict, and what of the packet it went by
 * @version: 4 or 6; 0 if not even the IP header could be read, and then the rest is zero
 * @daddr:   IPv4 as ::ffff:a.b.c.d
 * @dport:   host order; 0 where there is none, or it was not looked at
 * @sport:   host order; 0 where there is none, or it was not looked at
 * @link:    it asks for, or tells, who is on the link
 */
struct kvg_model_answer {
	bool passes;
	enum kvg_reason reason;
	unsigned int version;
	uint8_t protocol;
	uint8_t daddr[16];
	uint16_t dport;
	uint16_t sport;
	bool link;
};

/** kvg_model_holds() - does the rule hold the address (of its own family)? */
bool kvg_model_holds(const struct kvg_model_rule *rule, const uint8_t *addr);

/** kvg_model_judge() - a packet that the client began, not on loopback */
struct kvg_model_answer kvg_model_judge(const struct kvg_model_policy *policy,
					const uint8_t *packet, size_t size);

/**
 * kvg_model_judge_frame() - an Ethernet frame at the container's interface
 * @policy: by which
 * @frame:  sent by nobody whose sockets are known
 * @size:   14 bytes at least
 *
 * Return: the answer; what is said of IP packets holds for what is in the frame
 */
struct kvg_model_answer kvg_model_judge_frame(const struct kvg_model_policy *policy,
					      const uint8_t *frame, size_t size);

#endif
