// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sockets of families that leave the machine without IP (packet, xdp, vsock, ...), which no other hook on
 * a cgroup sees: refused when they are made. An object of its own, since it loads only where the BPF LSM
 * is on, from Linux 6.0 on. What stays is a list: a family that comes with a later kernel is refused.
 *
 * The section is not libbpf's "lsm_cgroup/socket_create": user/gate/lsm.c says where it attaches, for
 * which libbpf would read all of the kernel's types (23 ms, 11 MB).
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "gate.bpf.h"
#include "kvg_decide.h"
#include "maps.bpf.h"
#include "parse.bpf.h"
#include "report.bpf.h"

/* <sys/socket.h> is libc's; the numbers are the kernel's ABI. */
#define KVG_AF_UNIX    1
#define KVG_AF_NETLINK 16
#define KVG_AF_PACKET  17
#define KVG_AF_ALG     38

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The family decides, not a destination: nothing asks for these. */
static __always_inline bool kvg_longest_grant(const struct kvg_gate *gate,
					      const struct kvg_flow *flow, void *ctx,
					      __u32 *ret_services)
{
	(void)gate;
	(void)flow;
	(void)ctx;
	(void)ret_services;
	return false;
}

static __always_inline enum kvg_claim kvg_find_claim(const struct kvg_flow *flow, void *ctx)
{
	(void)flow;
	(void)ctx;
	return KVG_CLAIM_NONE;
}

static __always_inline enum kvg_reason kvg_judge_family(__u32 family)
{
	switch (family) {
	case KVG_AF_INET: /* the other hooks judge them */
	case KVG_AF_INET6:
	case KVG_AF_UNIX: /* these stay on the machine */
	case KVG_AF_NETLINK:
	case KVG_AF_ALG:
		return KVG_REASON_ALLOWED;
	case KVG_AF_PACKET:
		return KVG_REASON_PACKET_SOCKET;
	default:
		return KVG_REASON_SOCKET_TYPE;
	}
}

/* int socket_create(int family, int type, int protocol, int kern); those that the kernel makes for itself go */
SEC("kvg_lsm_cgroup")
int kvg_socket(__u64 *ctx)
{
	__u32 family = ctx[0];
	__u32 kern = ctx[3];
	enum kvg_reason reason = kern ? KVG_REASON_ALLOWED : kvg_judge_family(family);
	struct kvg_refused refused = {};

	if (reason == KVG_REASON_ALLOWED)
		return 1;

	kvg_note_current(&refused.owner);
	refused.refusal.family = family;
	refused.refusal.hook = KVG_HOOK_SOCK_CREATE;
	return kvg_enforce(kvg_own_gate(), kvg_own_counters(), &refused, reason);
}
