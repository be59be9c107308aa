// SPDX-License-Identifier: BSD-2-Clause
#include "policy/explain.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kvg_decide.h"
#include "policy/address.h"
#include "policy/profile.h"

#define TEXT_MAX_LEN 80

static int bad_destination(const char *text, struct kvg_diag *reterr_diag)
{
	return kvg_diag_set(reterr_diag, -EINVAL,
			    "bad destination '%s': expected ADDR:PORT[/tcp|udp], such as "
			    "192.0.2.1:443 or [2001:db8::1]:53/udp",
			    text);
}

/* An IPv4-mapped address goes on the wire as IPv4, and is judged as such. */
static int parse_address(const char *text, bool ipv6, struct kvg_prefix *ret)
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct kvg_prefix address = {.family = ipv6 ? AF_INET6 : AF_INET, .bits = ipv6 ? 128 : 32};

	if (inet_pton(address.family, text, address.addr) != 1)
		return -EINVAL;

	if (ipv6 && memcmp(address.addr, mapped, sizeof(mapped)) == 0) {
		struct kvg_prefix inner = {.family = AF_INET, .bits = 32};

		memcpy(inner.addr, address.addr + sizeof(mapped), 4);
		address = inner;
	}
	*ret = address;
	return 0;
}

int kvg_destination_parse(const char *text, struct kvg_destination *ret,
			  struct kvg_diag *reterr_diag)
{
	bool ipv6 = text[0] == '[';
	struct kvg_destination destination;
	char copy[TEXT_MAX_LEN];
	char service[TEXT_MAX_LEN + 8];
	char *port;
	char *protocol;

	if (strlen(text) >= sizeof(copy))
		return bad_destination(text, reterr_diag);
	strcpy(copy, text + ipv6);

	port = strstr(copy, ipv6 ? "]:" : ":");
	if (!port)
		return bad_destination(text, reterr_diag);
	*port = '\0';
	port += ipv6 ? 2 : 1;

	protocol = strchr(port, '/');
	if (protocol)
		*protocol++ = '\0';
	snprintf(service, sizeof(service), "%s/%s", protocol ? protocol : "tcp", port);

	if (parse_address(copy, ipv6, &destination.address) < 0 ||
	    kvg_service_parse(service, &destination.service, NULL) < 0)
		return bad_destination(text, reterr_diag);
	*ret = destination;
	return 0;
}

const char *kvg_destination_format(const struct kvg_destination *destination,
				   char ret[KVG_DESTINATION_STRLEN])
{
	bool ipv6 = destination->address.family == AF_INET6;
	char address[INET6_ADDRSTRLEN];

	inet_ntop(destination->address.family, destination->address.addr, address, sizeof(address));
	snprintf(ret, KVG_DESTINATION_STRLEN, "%s%s%s:%u/%s", ipv6 ? "[" : "", address,
		 ipv6 ? "]" : "", ntohs(destination->service.port),
		 destination->service.protocol == IPPROTO_TCP ? "tcp" : "udp");
	return ret;
}

void kvg_destination_flow(const struct kvg_destination *destination, struct kvg_flow *ret)
{
	const struct kvg_prefix *address = &destination->address;

	*ret = (struct kvg_flow){
		.dport = destination->service.port,
		.family = address->family,
		.protocol = destination->service.protocol,
		.loopback = kvg_address_classify(address) == KVG_ADDRESS_LOOPBACK,
	};

	if (address->family == AF_INET) {
		ret->daddr[10] = 0xff;
		ret->daddr[11] = 0xff;
		memcpy(ret->daddr + 12, address->addr, 4);
	} else {
		memcpy(ret->daddr, address->addr, sizeof(ret->daddr));
	}
}

/* What kvg_decide() asks, answered by the compiled rules. */
struct facts {
	const struct kvg_policy *policy;
	struct kvg_prefix address;
};

static __always_inline bool kvg_longest_grant(const struct kvg_gate *gate,
					      const struct kvg_flow *flow, void *ctx,
					      __u32 *ret_services)
{
	const struct facts *facts = ctx;
	const struct kvg_rule *rule = kvg_policy_longest(facts->policy, &facts->address);

	(void)gate;
	(void)flow;
	if (!rule)
		return false;
	*ret_services = rule->services;
	return true;
}

/* A destination is all that is asked about: nobody opened a connection from there. */
static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	(void)flow;
	(void)ctx;
	return KVG_CLAIM_NONE;
}

/*
 * Of the rules of the address's family with a bit of @services, the one with most leading bits in
 * common. Rules that share equally many lie on one side of the address: below it the last is closest.
 */
static const struct kvg_rule *find_nearest(const struct kvg_policy *policy,
					   const struct kvg_prefix *address, __u32 services)
{
	const struct kvg_rule *nearest = NULL;
	unsigned int most = 0;

	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct kvg_rule *rule = &policy->rules[i];
		unsigned int bits;
		bool below;

		if (rule->prefix.family != address->family || !(rule->services & services))
			continue;
		bits = kvg_address_common_bits(&rule->prefix, address);
		below = bits < address->bits && kvg_address_bit(address, bits);
		if (!nearest || bits > most || (bits == most && below)) {
			nearest = rule;
			most = bits;
		}
	}
	return nearest;
}

static __u32 service_bit(const struct kvg_policy *policy, const struct kvg_service *service)
{
	for (size_t i = 0; i < policy->services_count; i++) {
		if (policy->services[i].protocol == service->protocol &&
		    policy->services[i].port == service->port)
			return 1U << i;
	}
	return 0;
}

void kvg_explain(const struct kvg_policy *policy, const struct kvg_destination *destination,
		 struct kvg_explanation *ret)
{
	struct facts facts = {.policy = policy, .address = destination->address};
	__u32 bit = service_bit(policy, &destination->service);
	struct kvg_gate gate;
	struct kvg_flow flow;

	kvg_policy_gate(policy, 0, 1, 1, &gate);
	kvg_destination_flow(destination, &flow);

	*ret = (struct kvg_explanation){.reason = kvg_decide(&gate, &flow, &facts)};
	if (!flow.loopback)
		ret->rule = kvg_policy_longest(policy, &destination->address);
	if (ret->reason != KVG_REASON_ALLOWED)
		ret->nearest = find_nearest(policy, &destination->address, bit ? bit : ~(__u32)0);
}
