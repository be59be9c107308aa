// SPDX-License-Identifier: BSD-2-Clause
/*
 * libbpf finds the function that an LSM program attaches to in the kernel's types, all of which it reads
 * and sorts out for that. Here a handler of a section of our own tells it the id, and the program's type
 * only after it has decided what it has to read.
 */
#include "gate/lsm.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "gate/kernel_btf.h"
#include "kvg_event.h"
#include "kvg_policy.h"

#include "bpf/lsm.skel.h" /* needs kvg_event.h and kvg_policy.h */

#define SECTION  "kvg_lsm_cgroup"
#define FUNCTION "bpf_lsm_socket_create"

static __u32 function_id;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int ready;

static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
	(void)cookie;
	options->attach_btf_id = function_id;
	options->expected_attach_type = BPF_LSM_CGROUP;
	return bpf_program__set_type(program, BPF_PROG_TYPE_LSM);
}

/* No program without a place to attach to: a kernel that would take one says so. */
static int ask_kernel(void)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_CGROUP);
	int program = bpf_prog_load(BPF_PROG_TYPE_LSM, "kvg_probe", "Dual BSD/GPL", insns,
				    KVG_ARRAY_SIZE(insns), &options);

	if (program >= 0)
		close(program);
	return program < 0 && errno == EPERM ? -EPERM : 0;
}

static void get_ready(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = prepare);

	ready = ask_kernel();
	if (ready == 0)
		ready = kvg_kernel_btf_find_function(KVG_KERNEL_BTF, FUNCTION, &function_id);
	if (ready == 0)
		ready = libbpf_register_prog_handler(SECTION, BPF_PROG_TYPE_CGROUP_SKB,
						     BPF_CGROUP_INET_EGRESS, &options);
	if (ready == -ENOENT)
		ready = -EOPNOTSUPP; /* CONFIG_BPF_LSM or CONFIG_DEBUG_INFO_BTF is missing */
	if (ready > 0)
		ready = 0;
}

int kvg_lsm_prepare(void)
{
	pthread_once(&once, get_ready);
	return ready;
}

int kvg_lsm_load(const struct kvg_set *set, int *ret)
{
	struct kvg_lsm_bpf *skel;
	int fd, r;

	r = kvg_lsm_prepare();
	if (r < 0)
		return r;

	skel = kvg_lsm_bpf__open();
	if (!skel)
		return -errno;
	r = kvg_set_share(set, skel->obj);
	if (r == 0)
		r = kvg_lsm_bpf__load(skel);
	if (r == 0) {
		fd = fcntl(bpf_program__fd(skel->progs.kvg_socket), F_DUPFD_CLOEXEC, 3);
		r = fd < 0 ? -errno : 0;
		if (r == 0)
			*ret = fd;
	}
	kvg_lsm_bpf__destroy(skel);
	return r == -EINVAL ? -EOPNOTSUPP : r; /* the attach type is unknown */
}
