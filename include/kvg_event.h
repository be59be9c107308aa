/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel side tells user space: reasons, hooks, the flow that repeats are folded by, the
 * event of a first refusal, and the counters. Everything here is ABI: a change means a new KVG_ABI.
 */
#ifndef KVG_EVENT_H
#define KVG_EVENT_H

#include <linux/types.h>

/*
 * Entries of the table of counts, of which the last are kept for what is not told apart: a gate that floods
 * takes two or three of these, so that all gates of a node have room.
 */
#define KVG_TALLIES_MAX  65536
#define KVG_TALLIES_KEPT 8192

/*
 * New flows, whoever makes them: as many at once as a scan of half of all ports, and as many a second as
 * the reader turns into lines with a few per cent of a processor, in about 1.5 MB a second.
 */
#define KVG_POT_FLOWS   32768
#define KVG_POT_FLOWS_S 2048

/*
 * What each gate has besides on each CPU, whatever the others do, in a window of 2^30 ns: new flows told
 * apart, events, and events that wake the reader. Whoever is refused something is refused less than that,
 * unless it is looking for a way out.
 */
#define KVG_SHARE_WINDOW_SHIFT 30
#define KVG_SHARE_FLOWS        64
#define KVG_SHARE_EVENTS       64
#define KVG_SHARE_WAKES        16

#define KVG_COMM_LEN 16 /* bytes, NUL included; equals the kernel's TASK_COMM_LEN */

/*
 * X(enumerator, label, meaning): the label is the metric's label and the word in records and logs;
 * the meaning completes the sentence "refused, because ...".
 */
#define KVG_REASONS(X)                                                                            \
	X(ALLOWED, "allowed", "nothing is wrong with it")                                         \
	X(NO_POLICY, "no_policy", "the gate has no policy yet, and so refuses everything")        \
	X(DESTINATION, "destination", "no prefix of the policy holds the address")                \
	X(PORT, "port", "the policy gives this port to no destination at all")                    \
	X(PORT_FOR_DESTINATION, "port_for_destination",                                           \
	  "the policy holds the address, but not for this port")                                  \
	X(PROTOCOL, "protocol", "the policy lets nothing through with this protocol")             \
	X(FRAGMENT, "fragment", "a fragment does not show its port")                              \
	X(IP_OPTIONS, "ip_options", "IPv4 options may route the packet elsewhere")                \
	X(IPV6_EXTENSION, "ipv6_extension", "IPv6 extension headers may route it elsewhere")      \
	X(MALFORMED, "malformed", "the packet cannot be understood")                              \
	X(SOCKET_TYPE, "socket_type", "only TCP and UDP sockets may be made")                     \
	X(PACKET_SOCKET, "packet_socket", "a packet socket sent it, or it is no plain IP packet") \
	X(INBOUND_DENIED, "inbound_denied", "the profile does not answer inbound connections")

enum kvg_reason {
#define X(name, label, meaning) KVG_REASON_##name,
	KVG_REASONS(X)
#undef X
		KVG_REASON_COUNT
};

/* X(enumerator, label): where a flow was judged; sock_destroy: user space closed its socket. */
#define KVG_HOOKS(X)                  \
	X(CONNECT4, "connect4")       \
	X(CONNECT6, "connect6")       \
	X(SENDMSG4, "sendmsg4")       \
	X(SENDMSG6, "sendmsg6")       \
	X(EGRESS, "egress")           \
	X(SOCK_CREATE, "sock_create") \
	X(TC, "tc")                   \
	X(SOCK_DESTROY, "sock_destroy")

enum kvg_hook {
#define X(name, label) KVG_HOOK_##name,
	KVG_HOOKS(X)
#undef X
		KVG_HOOK_COUNT
};

/* X(enumerator, label): what a count does not tell apart, because there was too much of it. */
#define KVG_FOLDEDS(X) \
	X(NOTHING, "") \
	X(DESTINATIONS, "destinations")

enum kvg_folded {
#define X(name, label) KVG_FOLDED_##name,
	KVG_FOLDEDS(X)
#undef X
		KVG_FOLDED_COUNT
};

/**
 * struct kvg_refusal - what repeats of a refused flow have in common; key of the exact counts
 * @cgroup_id:  the gate's cgroup; 0 while the gate has no policy
 * @daddr:      destination, network order; IPv4 as ::ffff:a.b.c.d; zero if there is none
 * @generation: policy of the gate that refused it, see struct kvg_gate
 * @dport:      destination port, network order; 0 if the protocol has none
 * @protocol:   IPPROTO_*; MPTCP's does not fit into a byte
 * @family:     AF_INET or AF_INET6 as it goes on the wire
 * @reason:     enum kvg_reason
 * @hook:       enum kvg_hook
 * @mode:       enum kvg_mode: KVG_MODE_AUDIT means it went through all the same
 * @folded:     enum kvg_folded: KVG_FOLDED_DESTINATIONS stands for flows of this gate, generation, reason,
 *              hook and mode that are not told apart: all that would tell them apart is zero
 * @pad:        zero, for it is part of a key
 *
 * Neither source port nor process: a client that tries again has new ones each time.
 */
struct kvg_refusal {
	__u64 cgroup_id;
	__u8 daddr[16];
	__u32 generation;
	__be16 dport;
	__u16 protocol;
	__u8 family;
	__u8 reason;
	__u8 hook;
	__u8 mode;
	__u8 folded;
	__u8 pad[3];
};
_Static_assert(sizeof(struct kvg_refusal) == 40, "kvg_refusal is ABI");

/**
 * struct kvg_owner - the process that made or used a socket
 * @tgid: process id in the initial pid namespace; 0 if no hook knew it
 * @uid:  user id in the initial user namespace; meaningless if @tgid is 0
 * @comm: the thread's name
 */
struct kvg_owner {
	__u32 tgid;
	__u32 uid;
	char comm[KVG_COMM_LEN];
};
_Static_assert(sizeof(struct kvg_owner) == 24, "kvg_owner is ABI");

/**
 * struct kvg_mark - kept with a socket
 * @inbound:   1: others opened it towards the client
 * @witnessed: 1: and a gated interface saw them ask for it; see bpf/tc.bpf.c
 *
 * The same in every KVG_ABI: whoever takes over goes on with the marks that are there.
 */
struct kvg_mark {
	__u32 inbound;
	__u32 witnessed;
};
_Static_assert(sizeof(struct kvg_mark) == 8, "kvg_mark is ABI");

/**
 * struct kvg_event - the first refusal of a flow since its counts were last taken
 * @refusal: what was refused
 * @owner:   who tried
 * @time_ns: ns since boot, suspend included (CLOCK_BOOTTIME)
 * @saddr:   source, network order; IPv4 as ::ffff:a.b.c.d; zero where the hook does not know it
 * @sport:   source port, network order; 0 where the hook does not know it
 * @counted: 1: the flow's count includes this one; 0: there was no table of counts, this event is all
 * @pad:     zero
 * @bytes:   length of the packet from its IP header on; 0 at a socket call
 */
struct kvg_event {
	struct kvg_refusal refusal;
	struct kvg_owner owner;
	__u64 time_ns;
	__u8 saddr[16];
	__be16 sport;
	__u8 counted;
	__u8 pad;
	__u32 bytes;
};
_Static_assert(sizeof(struct kvg_event) == 96, "kvg_event is ABI");

/**
 * struct kvg_tally - exact count of a refused flow, in the table of counts
 * @first_ns:  CLOCK_BOOTTIME
 * @last_ns:   CLOCK_BOOTTIME
 * @count:     refusals, the one reported by an event included
 * @bytes:     sum over the refused packets, from the IP header on; 0 at socket calls
 * @announced: 1 once the ring took an event for this entry; else the count is all that is known
 * @owner:     who tried first
 */
struct kvg_tally {
	__u64 first_ns;
	__u64 last_ns;
	__u64 count;
	__u64 bytes;
	__u64 announced;
	struct kvg_owner owner;
};
_Static_assert(sizeof(struct kvg_tally) == 64, "kvg_tally is ABI");

/**
 * struct kvg_share - what a gate has used of its own on a CPU
 * @window: to which the rest belongs: CLOCK_BOOTTIME, in units of 2^KVG_SHARE_WINDOW_SHIFT ns
 * @flows:  new flows told apart
 * @events: events
 * @wakes:  of these, those that woke the reader
 * @pad:    zero
 */
struct kvg_share {
	__u64 window;
	__u32 flows;
	__u32 events;
	__u32 wakes;
	__u32 pad;
};
_Static_assert(sizeof(struct kvg_share) == 24, "kvg_share is ABI");

/**
 * struct kvg_counters - per gate and CPU
 * @allowed: packets let through by a packet hook
 * @refused: refusals by enum kvg_reason, at every hook, audit mode included
 * @flows:   flows by enum kvg_reason that got an entry in the table of counts; a flow that goes on gets one
 *           after each taking
 * @share:   of the record
 */
struct kvg_counters {
	__u64 allowed;
	__u64 refused[KVG_REASON_COUNT];
	__u64 flows[KVG_REASON_COUNT];
	struct kvg_share share;
};

/* Who writes which entry of kvg_room. */
enum kvg_room_side { KVG_ROOM_KERNEL, KVG_ROOM_READER, KVG_ROOM_COUNT };

/**
 * struct kvg_room - how full the record is: the kernel side's less the reader's
 * @entries: kernel: made in tables of counts so far; reader: of these, those in tables that were taken
 * @pot:     kernel: flows taken out of the pot so far; reader: put back
 */
struct kvg_room {
	__u64 entries;
	__u64 pot;
};
_Static_assert(sizeof(struct kvg_room) == 16, "kvg_room is ABI");

/**
 * struct kvg_lost - per CPU: what the record had no room for; the verdict was the same
 * @events:  the ring, or what the gate may have of it, was full; the flow's count still holds it
 * @flows:   the table of counts took nothing and neither did the ring: only struct kvg_counters holds it
 */
struct kvg_lost {
	__u64 events;
	__u64 flows;
};
_Static_assert(sizeof(struct kvg_lost) == 16, "kvg_lost is ABI");

#endif
