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
	enum kvg_claim claim;
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

static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	const struct facts *facts = ctx;

	(void)flow;
	return facts->claim;
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

static struct kvg_prefix flow_address(const struct kvg_flow *flow)
{
	bool ipv4 = flow->family == AF_INET;
	struct kvg_prefix ret = {.family = flow->family, .bits = ipv4 ? 32 : 128};

	memcpy(ret.addr, flow->daddr + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
	return ret;
}

enum kvg_reason kvg_explain_reason(const struct kvg_policy *policy, const struct kvg_flow *flow,
				   enum kvg_claim claim)
{
	struct facts facts = {.policy = policy, .address = flow_address(flow), .claim = claim};
	struct kvg_gate gate;

	kvg_policy_gate(policy, 0, 1, 1, &gate);
	return kvg_decide(&gate, flow, &facts);
}

void kvg_explain_flow(const struct kvg_policy *policy, const struct kvg_flow *flow,
		      enum kvg_claim claim, struct kvg_explanation *ret)
{
	struct kvg_service service = {.port = flow->dport, .protocol = (__u8)flow->protocol};
	bool has_port =
		(flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) && !flow->fault;
	struct kvg_prefix address = flow_address(flow);
	__u32 bit = service_bit(policy, &service);

	*ret = (struct kvg_explanation){.reason = kvg_explain_reason(policy, flow, claim)};
	if (!flow->loopback && flow->family)
		ret->rule = kvg_policy_longest(policy, &address);
	if (ret->reason != KVG_REASON_ALLOWED && has_port)
		ret->nearest = find_nearest(policy, &address, bit ? bit : ~(__u32)0);
}

/* A destination is all that is asked about: nobody opened a connection from there. */
void kvg_explain(const struct kvg_policy *policy, const struct kvg_destination *destination,
		 struct kvg_explanation *ret)
{
	struct kvg_flow flow;

	kvg_destination_flow(destination, &flow);
	kvg_explain_flow(policy, &flow, KVG_CLAIM_NONE, ret);
}
