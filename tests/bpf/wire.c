// SPDX-License-Identifier: BSD-2-Clause
#include "wire.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

int kvg_wire_run(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command) == 0 ? 0 : -EIO;
}

/* The kernel's own IPv6 frames would be counted, too. */
int kvg_wire_enter(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	return kvg_wire_run("echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6");
}

unsigned int kvg_wire_make(void)
{
	kvg_wire_run("ip link del kvgfar 2>/dev/null");
	if (kvg_wire_run("ip link add kvgfar type veth peer name kvgnear") < 0 ||
	    kvg_wire_run("ip link set kvgfar up && ip link set kvgnear up") < 0)
		return 0;
	return if_nametoindex("kvgnear");
}

int kvg_wire_send(void)
{
	KVG_CLEANUP(kvg_closep) int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	struct ethhdr frame[5] = {{.h_proto = htons(ETH_P_802_EX1)}}; /* 14 bytes each */

	memset(frame[0].h_dest, 0xff, ETH_ALEN);
	to.sll_ifindex = (int)if_nametoindex("kvgfar");
	return sendto(sock, frame, 60, 0, (struct sockaddr *)&to, sizeof(to)) == 60 ? 0 : -errno;
}

int kvg_counting_open(const char *name, bool xdp, int verdict, struct kvg_counting *ret)
{
	const struct bpf_insn insns[] = {
		/* r1 = address of the counter */
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = ret->map},
		{0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_2,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn copy[KVG_ARRAY_SIZE(insns)];

	ret->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), sizeof(__u64), 1, NULL);
	if (ret->map < 0)
		return -errno;
	memcpy(copy, insns, sizeof(insns));
	copy[0].imm = ret->map;
	ret->program = bpf_prog_load(xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS, name,
				     "Dual BSD/GPL", copy, KVG_ARRAY_SIZE(copy), NULL);
	return ret->program < 0 ? -errno : 0;
}

__u64 kvg_counting_read(const struct kvg_counting *counting)
{
	__u32 zero = 0;
	__u64 count = 0;

	bpf_map_lookup_elem(counting->map, &zero, &count);
	return count;
}

void kvg_counting_done(struct kvg_counting *counting)
{
	kvg_closep(&counting->program);
	kvg_closep(&counting->map);
	*counting = (struct kvg_counting)KVG_COUNTING_NONE;
}
