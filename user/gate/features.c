// SPDX-License-Identifier: BSD-2-Clause
#include "gate/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "gate/cgroup.h"
#include "gate/probe.h"
#include "gate/set.h"
#include "gate/sock_diag.h"
#include "gate/tc.h"
#include "kvg_policy.h"

/* struct where - what the probes may look at */
struct where {
	const char *bpffs_dir;
	const char *cgroup_root;
};

#define DETAIL_SIZE sizeof(((struct kvg_feature *)NULL)->detail)

static bool has_capability(int capability)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen("/proc/self/status", "re");
	unsigned long long effective = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	}
	return effective >> capability & 1;
}

static bool probe_cap_bpf(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return has_capability(CAP_BPF) || has_capability(CAP_SYS_ADMIN);
}

static bool probe_cap_net_admin(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return has_capability(CAP_NET_ADMIN);
}

static bool probe_cgroup(const struct where *where, char *detail)
{
	struct statfs fs;

	if (!where->cgroup_root || statfs(where->cgroup_root, &fs) < 0 ||
	    fs.f_type != CGROUP2_SUPER_MAGIC)
		return false;
	snprintf(detail, DETAIL_SIZE, "%s, %s layout", where->cgroup_root,
		 strcmp(where->cgroup_root, "/sys/fs/cgroup") == 0 ? "pure" : "hybrid");
	return true;
}

static bool probe_v1_peace(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return !kvg_cgroup_is_moved_by_v1();
}

static bool probe_bpffs(const struct where *where, char *detail)
{
	KVG_CLEANUP(kvg_freep) char *parent = strdup(where->bpffs_dir);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	struct statfs fs;

	if (!slash)
		return false;
	*slash = '\0';
	if (statfs(parent, &fs) < 0 || fs.f_type != BPF_FS_MAGIC)
		return false;
	snprintf(detail, DETAIL_SIZE, "%s%s", parent,
		 access(parent, W_OK) == 0 ? "" : " (not writable for this user)");
	return access(parent, W_OK) == 0;
}

static bool probe_programs(const struct where *where, char *detail)
{
	struct kvg_diag diag = {};

	(void)where;
	if (kvg_set_try(&diag) == 0)
		return true;
	snprintf(detail, DETAIL_SIZE, "%s", diag.msg);
	return false;
}

/* A link of a program to a descriptor that is no cgroup: EBADF if links exist, EINVAL if not. */
static bool probe_links(const struct where *where, char *detail)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_INET_EGRESS);
	KVG_CLEANUP(kvg_closep) int program = -1;
	int link;

	(void)where;
	(void)detail;
	program = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "kvg_probe", "Dual BSD/GPL", insns,
				KVG_ARRAY_SIZE(insns), &options);
	if (program < 0)
		return false;
	link = bpf_link_create(program, program, BPF_CGROUP_INET_EGRESS, NULL);
	if (link >= 0)
		close(link);
	return errno == EBADF;
}

static bool probe_packet_pid(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return kvg_probe_packet_pid();
}

static bool probe_packet_comm(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return kvg_probe_packet_comm();
}

static bool probe_batch(const struct where *where, char *detail)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	struct kvg_lpm4_key key = {.prefixlen = 32};
	__u32 value = 1, count = 1;
	KVG_CLEANUP(kvg_closep)
	int trie = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "kvg_probe", sizeof(key), sizeof(value), 1,
				  &options);

	(void)where;
	(void)detail;
	return trie >= 0 && bpf_map_update_batch(trie, &key, &value, &count, NULL) == 0;
}

static bool probe_sock_destroy(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return kvg_sock_diag_can_close();
}

/* The root has no cgroup.kill, so any cgroup below it must do; before there is one, nobody knows. */
static bool probe_cgroup_kill(const struct where *where, char *detail)
{
	KVG_CLEANUP(kvg_freep) char *pattern = NULL;
	glob_t found = {};
	bool present;

	if (!where->cgroup_root || asprintf(&pattern, "%s/*/cgroup.kill", where->cgroup_root) < 0)
		return false;
	present = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;
	globfree(&found);
	if (!present)
		snprintf(detail, DETAIL_SIZE, "not seen: no cgroup below the root to look at");
	return present;
}

static bool probe_lsm(const struct where *where, char *detail)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = NULL;
	char line[256] = "";
	int r = kvg_set_try_lsm();

	(void)where;
	if (r == 0)
		return true;
	file = fopen("/sys/kernel/security/lsm", "re");
	if (r == -EPERM || !file || !fgets(line, sizeof(line), file)) {
		snprintf(detail, DETAIL_SIZE, "the kernel refuses the program: %s", strerror(-r));
		return false;
	}
	line[strcspn(line, "\n")] = '\0';
	snprintf(detail, DETAIL_SIZE, "LSMs: %s", line);
	return false;
}

static bool probe_dns(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return kvg_set_try_dns() == 0;
}

static bool probe_tcx(const struct where *where, char *detail)
{
	(void)where;
	(void)detail;
	return kvg_tc_has_links();
}

static const struct probe {
	const char *name;
	bool required;
	bool (*probe)(const struct where *where, char *detail);
	const char *cost;
} probes[] = {
	{"CAP_BPF", true, probe_cap_bpf, "no program can be loaded: run as root"},
	{"CAP_NET_ADMIN", true, probe_cap_net_admin, "no program can be attached: run as root"},
	{"cgroup v2", true, probe_cgroup,
	 "there is nothing to gate: mount cgroup2, or boot with "
	 "systemd.unified_cgroup_hierarchy=1"},
	{"no net_cls/net_prio before 5.15", true, probe_v1_peace,
	 "cgroup v1 would take sockets out of their gate: boot with cgroup_no_v1=net_cls,net_prio"},
	{"bpffs", true, probe_bpffs,
	 "gates would end with the command that made them: mount -t bpf bpf /sys/fs/bpf"},
	{"cgroup links", true, probe_links,
	 "programs cannot be held in force (Linux 5.7 has them)"},
	{"kvgate's programs load", true, probe_programs, "nothing can be judged"},
	{"process id at the packet hook", false, probe_packet_pid,
	 "refused packets of sockets older than the gate have no process in their record "
	 "(Linux 6.18 knows)"},
	{"process name at the packet hook", false, probe_packet_comm,
	 "the same for the process's name (Linux 6.18 knows)"},
	{"batched trie updates", false, probe_batch,
	 "a policy takes twice as long to load (Linux 5.13 has them)"},
	{"cgroup.kill", false, probe_cgroup_kill,
	 "what `run` leaves running is killed one by one (Linux 5.14 has it)"},
	{"tcx", false, probe_tcx,
	 "interfaces are gated by filters of a clsact qdisc, before which others can be put; "
	 "`status` "
	 "says so (Linux 6.6 has it)"},
	{"SOCK_DESTROY", false, probe_sock_destroy,
	 "connections that lose their permission are refused, but run into their own time-out "
	 "(CONFIG_INET_DIAG_DESTROY)"},
	{"answers of name servers", false, probe_dns,
	 "records do not say which names the client looks up"},
	{"BPF LSM", false, probe_lsm,
	 "sockets of families without IP (packet, vsock, ...) cannot be refused when they are "
	 "made"},
};

int kvg_features_probe(const char *bpffs_dir, const char *cgroup_root, struct kvg_feature **ret,
		       size_t *ret_count)
{
	const struct where where = {.bpffs_dir = bpffs_dir, .cgroup_root = cgroup_root};
	struct kvg_feature *features = calloc(KVG_ARRAY_SIZE(probes), sizeof(*features));

	if (!features)
		return -ENOMEM;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(probes); i++) {
		const struct probe *probe = &probes[i];

		features[i].name = probe->name;
		features[i].required = probe->required;
		features[i].cost = probe->cost;
		features[i].present = probe->probe(&where, features[i].detail);
	}
	*ret = features;
	*ret_count = KVG_ARRAY_SIZE(probes);
	return 0;
}
