// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs on the host side of a container's network interface. kvg_tc sees what leaves the
 * container, also what no program on a cgroup sees: frames of packet sockets, packets that a network
 * namespace forwards. It judges by the same decision; kvg_witness sees what comes to the container and
 * only remembers who asked for a connection.
 *
 * A packet still holds the socket that sent it when it comes out of a veth, so that whose it is is a
 * fact (Linux 5.10 and later). Where it was lost on the way, by forwarding or by XDP, the kernel is asked
 * for the socket that has these addresses and ports.
 *
 * What a connection is answered to is not taken from the container's word: whoever may send packets
 * there can play the other side of a connection that looks inbound. A peer is one if its SYN came by.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "kvg_decide.h"
#include "kvg_port.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"
#include "verdict.bpf.h"

#define KVG_ARP_LEN 42   /* with the Ethernet header; nothing pads it on a veth */
#define KVG_TCP_FIN 0x01 /* in the byte of flags */
#define KVG_TCP_SYN 0x02
#define KVG_TCP_ACK 0x10

/* <linux/if_arp.h> wants libc's headers; RFC 826. */
struct kvg_arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_len;
	__u8 protocol_len;
	__be16 op;
};

#define KVG_ARP_ETHERNET 1
#define KVG_ARP_REQUEST  1
#define KVG_ARP_REPLY    2

/* All that is ever looked at of a packet. */
#define KVG_HEADERS_LEN (ETH_HLEN + sizeof(struct ipv6hdr) + sizeof(struct tcphdr))

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Gated interfaces: index -> array of one struct kvg_port. user/gate/ports.c writes, kvg_tc reads. A
 * packet of an interface without an entry is refused. Full: the next attach is refused.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, KVG_PORTS_MAX);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct kvg_port));
			__uint(max_entries, 1);
		});
} kvg_ports SEC(".maps");

/* Counters by interface, per CPU. user/gate/ports.c makes the entry; without one nothing is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, KVG_PORTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct kvg_counters);
} kvg_port_counts SEC(".maps");

/* struct kvg_request - who asked the container for a connection; addresses as in struct kvg_flow */
struct kvg_request {
	__u8 peer[16] __attribute__((aligned(8)));
	__u8 own[16] __attribute__((aligned(8)));
	__be16 peer_port;
	__be16 own_port;
	__u32 ifindex;
};

/*
 * Requests that came by. kvg_witness writes, kvg_tc reads until the connection has a socket that can be
 * marked; and neighbours' connections whose end went by, which kvg_tc writes. Full: the least recently
 * used are forgotten; a connection whose first packet comes later than that is refused. 4,096 are what
 * a flood of SYNs can have open while one handshake lasts.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct kvg_request);
	__type(value, __u32);
} kvg_requests SEC(".maps");

/* struct kvg_notes - of the packet that is being judged */
struct kvg_notes {
	struct kvg_packet packet;
	struct kvg_refused refused;
};

/*
 * Where a CPU keeps its notes. On the stack the verifier would remember each way of filling them in, and
 * follow all that comes after once for each; what a map holds it does not know. Cannot be full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kvg_notes);
} kvg_notes SEC(".maps");

static __always_inline struct kvg_notes *kvg_fresh_notes(void)
{
	__u32 zero = 0;
	struct kvg_notes *notes = bpf_map_lookup_elem(&kvg_notes, &zero);

	if (notes)
		__builtin_memset(notes, 0, sizeof(*notes));
	return notes;
}

/* struct kvg_frame - a packet and what is known of it; ctx of kvg_find_claim() */
struct kvg_frame {
	struct __sk_buff *skb;
	const struct kvg_port *port;
	struct kvg_packet *packet;
};

static __always_inline const struct kvg_port *kvg_own_port(__u32 ifindex)
{
	void *port = bpf_map_lookup_elem(&kvg_ports, &ifindex);
	__u32 zero = 0;

	return port ? bpf_map_lookup_elem(port, &zero) : NULL;
}

/* Does the packet's socket belong to the client? Only of packets that have one. */
static __always_inline bool kvg_is_clients(const struct kvg_frame *frame)
{
	return bpf_skb_ancestor_cgroup_id(frame->skb, frame->port->level) ==
	       frame->port->gate.cgroup_id;
}

/*
 * Or to another process of the namespace? A socket of the root cgroup is none of these: threads of the
 * kernel make it, on whose behalf nobody knows (RDS over TCP asks for no privilege; subflows of MPTCP
 * before Linux 5.12).
 */
static __always_inline bool kvg_is_neighbours(const struct kvg_frame *frame)
{
	return !kvg_is_clients(frame) && bpf_skb_ancestor_cgroup_id(frame->skb, 1);
}

/* Whole headers must be in the linear part to be looked at. */
static __always_inline void kvg_pull_headers(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	__u32 len = skb->len;

	if (data + KVG_HEADERS_LEN <= end || end - data >= len)
		return;
	bpf_skb_pull_data(skb, len < KVG_HEADERS_LEN ? len : KVG_HEADERS_LEN);
}

/* Requests and answers for IPv4 over Ethernet, and not one byte more. */
static __always_inline void kvg_parse_arp(const struct kvg_bytes *bytes, struct kvg_packet *ret)
{
	struct kvg_arp *arp = bytes->data;

	ret->flow.fault = KVG_REASON_PACKET_SOCKET;
	if (bytes->data + sizeof(*arp) > bytes->end || bytes->len != KVG_ARP_LEN - ETH_HLEN)
		return;
	ret->flow.link =
		kvg_is_zero((arp->hardware ^ bpf_htons(KVG_ARP_ETHERNET)) |
			    (arp->protocol ^ bpf_htons(ETH_P_IP)) | (arp->hardware_len ^ ETH_ALEN) |
			    (arp->protocol_len ^ sizeof(__be32))) &
		(kvg_is_zero(arp->op ^ bpf_htons(KVG_ARP_REQUEST)) |
		 kvg_is_zero(arp->op ^ bpf_htons(KVG_ARP_REPLY)));
	if (ret->flow.link)
		ret->flow.fault = KVG_REASON_ALLOWED;
}

/*
 * IPv4 and IPv6 by their plain ethertypes, and ARP. A VLAN tag is in the packet's metadata, where the
 * kernel puts the outer one, or in the frame.
 */
static __always_inline void kvg_parse_frame(struct __sk_buff *skb, struct kvg_packet *ret)
{
	struct kvg_bytes bytes = {
		.data = (void *)(long)skb->data + ETH_HLEN,
		.end = (void *)(long)skb->data_end,
		.len = skb->len - ETH_HLEN,
	};
	struct ethhdr *ethernet = (void *)(long)skb->data;
	__be16 ethertype;

	if (bytes.data > bytes.end) {
		ret->flow.fault = KVG_REASON_MALFORMED;
		return;
	}
	ethertype = ethernet->h_proto;
	if (skb->vlan_present || skb->protocol != ethertype) {
		ret->flow.fault = KVG_REASON_PACKET_SOCKET;
	} else if (ethertype == bpf_htons(ETH_P_ARP)) {
		kvg_parse_arp(&bytes, ret);
	} else if (ethertype == bpf_htons(ETH_P_IP) || ethertype == bpf_htons(ETH_P_IPV6)) {
		kvg_parse_ip(&bytes, ret);
		if (ret->flow.family == KVG_AF_INET ? ethertype != bpf_htons(ETH_P_IP)
						    : ethertype != bpf_htons(ETH_P_IPV6))
			ret->flow.fault = KVG_REASON_MALFORMED;
	} else {
		ret->flow.fault = KVG_REASON_PACKET_SOCKET;
	}
}

/* DHCP to whoever is on the link: renewals to one server would be a way to any host's port 67. */
static __always_inline bool kvg_is_dhcp(const struct kvg_packet *packet)
{
	const __u32 *to = (const __u32 *)packet->flow.daddr;

	if (packet->flow.protocol != IPPROTO_UDP)
		return false;
	if (packet->flow.family == KVG_AF_INET)
		return packet->sport == bpf_htons(68) && packet->flow.dport == bpf_htons(67) &&
		       to[3] == bpf_htonl(0xffffffff);
	return packet->sport == bpf_htons(546) && packet->flow.dport == bpf_htons(547) &&
	       to[0] == bpf_htonl(0xff020000) && !to[1] && !to[2] && to[3] == bpf_htonl(0x10002);
}

/*
 * Who sent it changes what its form is worth. A frame of the client's packet socket is refused whatever
 * it says; neighbour discovery that a router could pass on must be known not to be one.
 */
static __always_inline void kvg_weigh_sender(struct kvg_frame *frame)
{
	struct kvg_flow *flow = &frame->packet->flow;
	struct bpf_sock *sk = frame->skb->sk;

	if (frame->port->dhcp && kvg_is_dhcp(frame->packet)) {
		flow->link = true;
		return;
	}
	if (!sk) {
		flow->link &= !frame->packet->routable;
		return;
	}
	if (sk->family != KVG_AF_INET && sk->family != KVG_AF_INET6 && kvg_is_clients(frame))
		flow->fault = KVG_REASON_PACKET_SOCKET;
}

static __always_inline __u32 kvg_tcp_at(const struct kvg_flow *flow)
{
	return ETH_HLEN +
	       (flow->family == KVG_AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
}

/* A TCP segment without data, nor anything behind it. */
static __always_inline bool kvg_is_bare(const struct kvg_frame *frame)
{
	__u32 tcp_at = kvg_tcp_at(&frame->packet->flow);
	__u8 words;

	if (bpf_skb_load_bytes(frame->skb, tcp_at + 12, &words, sizeof(words)) < 0)
		return false;
	return frame->skb->len == tcp_at + (words >> 4) * 4;
}

static __always_inline void kvg_make_request(const struct kvg_frame *frame, struct kvg_request *ret)
{
	const struct kvg_packet *packet = frame->packet;

	__builtin_memcpy(ret->peer, packet->flow.daddr, sizeof(ret->peer));
	__builtin_memcpy(ret->own, packet->saddr, sizeof(ret->own));
	ret->peer_port = packet->flow.dport;
	ret->own_port = packet->sport;
	ret->ifindex = frame->skb->ifindex;
}

/* Did the host that the packet goes to ask for this connection, or was its end seen? */
static __always_inline bool kvg_was_asked(const struct kvg_frame *frame)
{
	struct kvg_request request;

	kvg_make_request(frame, &request);
	return bpf_map_lookup_elem(&kvg_requests, &request) != NULL;
}

/* The client's own: an answer if the other side opened the connection, and was seen to. */
static __always_inline enum kvg_claim kvg_ask_mark(const struct kvg_frame *frame,
						   struct bpf_sock *sk)
{
	struct kvg_mark *mark = bpf_sk_storage_get(&kvg_marks, sk, 0, 0);

	if (!mark || !mark->inbound)
		return KVG_CLAIM_NONE;
	if (!mark->witnessed)
		mark->witnessed = kvg_was_asked(frame);
	return mark->witnessed ? KVG_CLAIM_REPLY : KVG_CLAIM_NONE;
}

/* Not what a tunnel or a translation made of it. A closed socket has lost its own port. */
static __always_inline bool kvg_is_sockets(const struct kvg_packet *packet, struct bpf_sock *sk)
{
	if (sk->src_port != bpf_ntohs(packet->sport) && sk->state != BPF_TCP_CLOSE)
		return false;
	return kvg_goes_to_peer(&packet->flow, sk);
}

static __always_inline struct bpf_sock *kvg_look_up(const struct kvg_frame *frame)
{
	const struct kvg_packet *packet = frame->packet;
	struct bpf_sock_tuple tuple = {};
	__u32 size;

	if (frame->port->peer_netns < 0)
		return NULL;
	if (packet->flow.family == KVG_AF_INET) {
		tuple.ipv4.saddr = *(__be32 *)&packet->flow.daddr[12];
		tuple.ipv4.daddr = *(__be32 *)&packet->saddr[12];
		tuple.ipv4.sport = packet->flow.dport;
		tuple.ipv4.dport = packet->sport;
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, packet->flow.daddr, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, packet->saddr, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = packet->flow.dport;
		tuple.ipv6.dport = packet->sport;
		size = sizeof(tuple.ipv6);
	}
	return bpf_skc_lookup_tcp(frame->skb, &tuple, size, frame->port->peer_netns, 0);
}

/*
 * The packet has lost its socket, or the kernel sent it for one that is no more: then it has no data.
 * Nothing tells whose a socket is that was looked up, unless it is marked.
 */
static __always_inline enum kvg_claim kvg_ask_namespace(const struct kvg_frame *frame)
{
	enum kvg_claim claim = KVG_CLAIM_NONE;
	struct bpf_sock *sk = kvg_look_up(frame);
	struct bpf_sock *full;

	if (!sk)
		return KVG_CLAIM_NONE;
	full = bpf_sk_fullsock(sk);
	if (full)
		claim = kvg_ask_mark(frame, full);
	bpf_sk_release(sk);
	return claim;
}

/*
 * A neighbour that ends its connection: the last acknowledgement may be the kernel's, when the socket is
 * gone. That something waits for its end there (TIME_WAIT) would be no proof: a client with an address of
 * its choice on lo can bring that about by itself.
 */
static __always_inline void kvg_note_end(const struct kvg_frame *frame)
{
	__u8 flags;

	if (bpf_skb_load_bytes(frame->skb, kvg_tcp_at(&frame->packet->flow) + 13, &flags,
			       sizeof(flags)) == 0 &&
	    flags & KVG_TCP_FIN) {
		struct kvg_request request;
		__u32 one = 1;

		kvg_make_request(frame, &request);
		bpf_map_update_elem(&kvg_requests, &request, &one, BPF_ANY);
	}
}

/* Of a packet with its own socket: a neighbour's, or the client's. */
static __always_inline enum kvg_claim kvg_ask_socket(const struct kvg_frame *frame,
						     struct bpf_sock *full)
{
	if (!kvg_is_neighbours(frame))
		return kvg_ask_mark(frame, full);
	kvg_note_end(frame);
	return KVG_CLAIM_OTHERS;
}

/*
 * A bare segment may also belong to a request that has no full socket, or to a connection whose end was
 * seen: a listener's SYN-ACK, also one of a SYN cookie, the reset of a port that nobody listens on, or the
 * last acknowledgement.
 */
static __always_inline enum kvg_claim kvg_claim_tcp(const struct kvg_frame *frame)
{
	struct bpf_sock *sk = frame->skb->sk;
	enum kvg_claim claim = KVG_CLAIM_NONE;
	bool bare = kvg_is_bare(frame);
	struct bpf_sock *full;

	full = sk ? bpf_sk_fullsock(sk) : NULL;
	if (full && full->type == KVG_SOCK_STREAM) {
		if (full->protocol != IPPROTO_TCP || !kvg_is_sockets(frame->packet, full))
			return KVG_CLAIM_NONE;
		claim = kvg_ask_socket(frame, full);
	} else if (!sk || (full && bare)) {
		claim = kvg_ask_namespace(frame);
	}
	if (claim != KVG_CLAIM_NONE || !bare || !kvg_was_asked(frame))
		return claim;
	return sk && !kvg_is_clients(frame) ? KVG_CLAIM_OTHERS : KVG_CLAIM_REPLY;
}

/* Only where the socket is known: there is no way to tell a datagram's by its addresses. */
static __always_inline enum kvg_claim kvg_claim_udp(const struct kvg_frame *frame)
{
	struct bpf_sock *sk = frame->skb->sk;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->type != KVG_SOCK_DGRAM || sk->protocol != IPPROTO_UDP ||
	    sk->src_port != bpf_ntohs(frame->packet->sport))
		return KVG_CLAIM_NONE;
	return kvg_is_neighbours(frame) ? KVG_CLAIM_OTHERS : KVG_CLAIM_NONE;
}

static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	if (flow->protocol == KVG_IPPROTO_TCP)
		return kvg_claim_tcp(ctx);
	if (flow->protocol == KVG_IPPROTO_UDP)
		return kvg_claim_udp(ctx);
	return KVG_CLAIM_NONE;
}

static __always_inline void kvg_note_frame(const struct kvg_frame *frame, struct kvg_refused *ret)
{
	__u64 cookie = bpf_get_socket_cookie(frame->skb);
	struct kvg_owner *owner;

	__builtin_memcpy(ret->saddr, frame->packet->saddr, sizeof(ret->saddr));
	ret->sport = frame->packet->sport;
	ret->bytes = frame->skb->len - ETH_HLEN;
	owner = bpf_map_lookup_elem(&kvg_owners, &cookie);
	if (owner)
		ret->owner = *owner;
}

/* What passes here goes on to others' programs and filters. */
SEC("tc")
int kvg_tc(struct __sk_buff *skb)
{
	struct kvg_notes *notes = kvg_fresh_notes();
	__u32 ifindex = skb->ifindex;
	struct kvg_frame frame = {.skb = skb, .port = kvg_own_port(ifindex)};
	const struct kvg_gate *gate = (const struct kvg_gate *)frame.port;
	struct kvg_counters *counters;
	enum kvg_reason reason;

	if (!notes)
		return TC_ACT_SHOT;
	frame.packet = &notes->packet;
	kvg_pull_headers(skb);
	kvg_parse_frame(skb, frame.packet);
	if (frame.port)
		kvg_weigh_sender(&frame);

	reason = kvg_forget(kvg_decide(gate, &frame.packet->flow, &frame));
	kvg_note_flow(&notes->refused, KVG_HOOK_TC, &frame.packet->flow);
	if (reason != KVG_REASON_ALLOWED)
		kvg_note_frame(&frame, &notes->refused);
	counters = bpf_map_lookup_elem(&kvg_port_counts, &ifindex);
	return kvg_enforce(gate, counters, &notes->refused, reason) ? TC_ACT_UNSPEC : TC_ACT_SHOT;
}

/* Lets everything pass. */
SEC("tc")
int kvg_witness(struct __sk_buff *skb)
{
	struct kvg_request request = {.ifindex = skb->ifindex};
	struct kvg_notes *notes = kvg_fresh_notes();
	struct kvg_packet *packet;
	__u32 one = 1;
	__u8 flags;

	if (!notes)
		return TC_ACT_UNSPEC;
	packet = &notes->packet;
	kvg_pull_headers(skb);
	kvg_parse_frame(skb, packet);
	if (packet->flow.fault || packet->flow.protocol != IPPROTO_TCP)
		return TC_ACT_UNSPEC;
	if (bpf_skb_load_bytes(skb, kvg_tcp_at(&packet->flow) + 13, &flags, sizeof(flags)) < 0 ||
	    (flags & (KVG_TCP_SYN | KVG_TCP_ACK)) != KVG_TCP_SYN)
		return TC_ACT_UNSPEC;

	__builtin_memcpy(request.peer, packet->saddr, sizeof(request.peer));
	__builtin_memcpy(request.own, packet->flow.daddr, sizeof(request.own));
	request.peer_port = packet->sport;
	request.own_port = packet->flow.dport;
	bpf_map_update_elem(&kvg_requests, &request, &one, BPF_ANY);
	return TC_ACT_UNSPEC;
}
