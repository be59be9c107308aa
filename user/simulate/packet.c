// SPDX-License-Identifier: BSD-2-Clause
#include "simulate/packet.h"

#include <netinet/in.h>
#include <string.h>

#include "kvg_event.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER  20
#define TCP_FLAGS   13 /* offset in its header */
#define UDP_HEADER  8
#define ICMP6_HEAD  8
#define MLD_OPTION  8 /* hop-by-hop options with one "router alert" */

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* As in bpf/parse.bpf.h, where the RFCs are named. */
#define ND_MAX       72
#define MLD_MAX      496
#define IPPROTO_HIP  139
#define IPPROTO_SHIM 140

/* struct bytes - what there is of a packet, and how long all of it is */
struct bytes {
	const __u8 *data;
	size_t size;
	size_t len;
};

/* Of headers that end at @end: are they there? If not, is it the capture's fault? */
enum presence { PRESENT, MISSING, NOT_CAPTURED };

static enum presence find(const struct bytes *bytes, size_t end)
{
	if (bytes->size >= end)
		return PRESENT;
	return bytes->size < bytes->len ? NOT_CAPTURED : MISSING;
}

void kvg_packet_map4(const void *addr, __u8 ret[16])
{
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, addr, 4);
}

bool kvg_packet_is_inside(const struct kvg_seen_key *key)
{
	static const __u8 zero[16];
	const __u8 *from = key->saddr;

	if (memcmp(from, key->flow.daddr, sizeof(key->saddr)) == 0)
		return true;
	if (key->flow.family == AF_INET)
		return from[12] == 127 || memcmp(from + 12, zero, 4) == 0;
	return memcmp(from, zero, 15) == 0 && from[15] <= 1;
}

static bool read_ports(const struct bytes *bytes, size_t at, struct kvg_seen *ret)
{
	struct kvg_flow *flow = &ret->key.flow;
	const __u8 *ports = bytes->data + at;
	bool tcp = flow->protocol == IPPROTO_TCP;
	enum presence presence;

	if (!tcp && flow->protocol != IPPROTO_UDP)
		return true;

	presence = find(bytes, at + (tcp ? TCP_HEADER : UDP_HEADER));
	if (presence != PRESENT) {
		flow->fault = KVG_REASON_MALFORMED;
		return presence == MISSING;
	}
	memcpy(&ret->key.sport, ports, 2);
	memcpy(&flow->dport, ports + 2, 2);
	if (tcp && ports[TCP_FLAGS] & TCP_SYN)
		ret->signs = ports[TCP_FLAGS] & TCP_ACK ? KVG_SIGN_ANSWERS : KVG_SIGN_OPENS;
	return true;
}

static bool read_ipv4(const struct bytes *bytes, struct kvg_seen *ret)
{
	struct kvg_flow *flow = &ret->key.flow;
	const __u8 *ip = bytes->data;
	enum presence presence = find(bytes, IPV4_HEADER);

	if (presence != PRESENT || (ip[0] & 0x0f) < 5) {
		flow->fault = KVG_REASON_MALFORMED;
		return presence != NOT_CAPTURED;
	}

	flow->family = AF_INET;
	flow->protocol = ip[9];
	kvg_packet_map4(ip + 12, ret->key.saddr);
	kvg_packet_map4(ip + 16, flow->daddr);

	if ((ip[0] & 0x0f) > 5) {
		flow->fault = KVG_REASON_IP_OPTIONS;
	} else if (ip[6] & 0x3f || ip[7]) {
		flow->fault = KVG_REASON_FRAGMENT;
	} else {
		return read_ports(bytes, IPV4_HEADER, ret);
	}
	return true;
}

static enum kvg_reason judge_next_header(__u8 next)
{
	switch (next) {
	case IPPROTO_FRAGMENT:
		return KVG_REASON_FRAGMENT;
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_ESP:
	case IPPROTO_MH:
	case IPPROTO_HIP:
	case IPPROTO_SHIM:
		return KVG_REASON_IPV6_EXTENSION;
	default:
		return KVG_REASON_ALLOWED;
	}
}

/* Neighbour discovery as the kernel sends it: RFC 4861. */
static bool is_discovery(const struct bytes *bytes)
{
	const __u8 *ip = bytes->data;
	const __u8 *to = ip + 24;
	const __u8 *icmp = ip + IPV6_HEADER;
	bool on_link = (to[0] == 0xfe && (to[1] & 0xc0) == 0x80) || (to[0] == 0xff && to[1] == 2);

	if (bytes->len > ND_MAX || ip[7] != 255 || icmp[1] != 0)
		return false;
	if (icmp[0] == 133)
		return on_link;
	return (icmp[0] == 135 || icmp[0] == 136) && (on_link || to[0] != 0xff);
}

/* Reports of multicast listeners: RFC 2710, 3810. */
static bool is_report(const struct bytes *bytes)
{
	static const __u8 alert[7] = {0, 5, 2, 0, 0, 1, 0};
	const __u8 *ip = bytes->data;
	const __u8 *option = ip + IPV6_HEADER;
	const __u8 *icmp = option + MLD_OPTION;

	return bytes->len <= MLD_MAX && ip[7] == 1 && ip[24] == 0xff && ip[25] == 2 &&
	       option[0] == IPPROTO_ICMPV6 && memcmp(option + 1, alert, sizeof(alert)) == 0 &&
	       icmp[1] == 0 && (icmp[0] == 131 || icmp[0] == 132 || icmp[0] == 143);
}

/* What keeps a link going; false where that cannot be seen in what was captured. */
static bool read_link(const struct bytes *bytes, struct kvg_flow *flow)
{
	bool report = flow->protocol == IPPROTO_HOPOPTS;
	enum presence presence = find(bytes, IPV6_HEADER + ICMP6_HEAD + (report ? MLD_OPTION : 0));

	if (presence == PRESENT)
		flow->link = report ? is_report(bytes) : is_discovery(bytes);
	return presence != NOT_CAPTURED;
}

static bool read_ipv6(const struct bytes *bytes, struct kvg_seen *ret)
{
	struct kvg_flow *flow = &ret->key.flow;
	const __u8 *ip = bytes->data;
	enum presence presence = find(bytes, IPV6_HEADER);

	if (presence != PRESENT) {
		flow->fault = KVG_REASON_MALFORMED;
		return presence == MISSING;
	}

	flow->family = AF_INET6;
	flow->protocol = ip[6];
	memcpy(ret->key.saddr, ip + 8, 16);
	memcpy(flow->daddr, ip + 24, 16);

	if (ip[6] == IPPROTO_HOPOPTS || ip[6] == IPPROTO_ICMPV6) {
		if (!read_link(bytes, flow))
			return false;
		if (flow->link || ip[6] == IPPROTO_ICMPV6)
			return true;
	}
	flow->fault = judge_next_header(ip[6]);
	return flow->fault || read_ports(bytes, IPV6_HEADER, ret);
}

bool kvg_packet_read(const __u8 *data, size_t size, size_t len, struct kvg_seen *ret)
{
	struct bytes bytes = {data, size, len > size ? len : size};

	*ret = (struct kvg_seen){.packets = 1, .bytes = bytes.len};
	if (find(&bytes, 1) == PRESENT && data[0] >> 4 == 4)
		return read_ipv4(&bytes, ret);
	if (find(&bytes, 1) == PRESENT && data[0] >> 4 == 6)
		return read_ipv6(&bytes, ret);
	ret->key.flow.fault = KVG_REASON_MALFORMED;
	return find(&bytes, 1) != NOT_CAPTURED;
}
