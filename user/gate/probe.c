// SPDX-License-Identifier: BSD-2-Clause
/*
 * By loading a program that asks. libbpf_probe_bpf_helper() of libbpf 1.1 goes by the words in which the
 * verifier refuses, and says yes to everything since these have changed (Linux 6.12).
 */
#include "gate/probe.h"

#include <bpf/bpf.h>

#include "base/cleanup.h"

#define CALL(helper)                                                 \
	{                                                            \
		.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_##helper \
	}
#define PASS                                                                        \
	{                                                                           \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

static bool loads(const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_EGRESS);
	KVG_CLEANUP(kvg_closep)
	int program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "kvg_probe", "Dual BSD/GPL", insns,
				    count, &options);

	return program >= 0;
}

bool kvg_probe_packet_pid(void)
{
	const struct bpf_insn insns[] = {
		CALL(get_current_cgroup_id),
		CALL(get_current_pid_tgid),
		CALL(get_current_uid_gid),
		PASS,
		EXIT,
	};

	return loads(insns, KVG_ARRAY_SIZE(insns));
}

bool kvg_probe_packet_comm(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = -16},
		{.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 16},
		CALL(get_current_comm),
		PASS,
		EXIT,
	};

	return loads(insns, KVG_ARRAY_SIZE(insns));
}
