// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/gates.h"
#include "agent/lock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "gate/cgroup.h"
#include "gate/set.h"

const char *kvg_places_bpffs(const struct kvg_places *places)
{
	return places->bpffs_dir ? places->bpffs_dir : KVG_BPFFS_DIR;
}

const char *kvg_places_run_dir(const struct kvg_places *places)
{
	return places->run_dir ? places->run_dir : KVG_RUN_DIR;
}

const char *kvg_places_set_name(__u64 cgroup_id, char ret[KVG_PLACES_SET_LEN])
{
	snprintf(ret, KVG_PLACES_SET_LEN, "cgroup-%llu", cgroup_id);
	return ret;
}

void kvg_places_log(int error, const struct kvg_diag *diag)
{
	const char *msg = diag->msg[0] ? diag->msg : strerror(-error);

	if ((error == -EPERM || error == -EACCES) && geteuid() != 0)
		kvg_log_error(
			"%s; gates are made by root, or with CAP_BPF, CAP_NET_ADMIN and write "
			"access to bpffs and the cgroup",
			msg);
	else
		kvg_log_error("%s", msg);
}

int kvg_places_cgroup_root(const struct kvg_places *places, char **ret)
{
	struct kvg_diag diag = {};
	int r = 0;

	if (places->cgroup_root) {
		*ret = strdup(places->cgroup_root);
		if (!*ret)
			r = kvg_diag_set(&diag, -ENOMEM, "out of memory");
	} else {
		r = kvg_cgroup_find_root(ret, &diag);
	}
	if (r < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_places_cgroup_path(const char *root, const char *operand, char **ret)
{
	size_t root_len = strlen(root);
	char *path = malloc(strlen(operand) + 2);
	char *end = path;

	if (!path)
		return -ENOMEM;
	if (strncmp(operand, root, root_len) == 0 &&
	    (operand[root_len] == '/' || !operand[root_len]))
		operand += root_len;
	while (*operand) {
		size_t len = strcspn(operand, "/");

		if (len) {
			*end++ = '/';
			end = mempcpy(end, operand, len);
		}
		operand += len + (operand[len] == '/');
	}
	*end = '\0';
	*ret = path;
	return 0;
}

bool kvg_places_has_agent(const struct kvg_places *places, const char *set, long *ret_pid)
{
	return kvg_gates_is_set(set) && kvg_lock_is_taken(kvg_places_run_dir(places), ret_pid);
}

int kvg_places_refuse_agents(const struct kvg_places *places, const char *set, const char *cgroup,
			     const struct kvg_gate_info *info, struct kvg_diag *reterr_diag)
{
	long pid = 0;

	if (!kvg_places_has_agent(places, set, &pid))
		return 0;
	return kvg_diag_set(reterr_diag, -EBUSY,
			    "\"%s\" is gated by profile \"%s\" of the agent that runs (process "
			    "%ld), which would put it right again: change its configuration, or "
			    "stop it first",
			    cgroup, info->profile, pid);
}

int kvg_places_refuse_own(const struct kvg_places *places, const char *cgroup,
			  struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *own = NULL;
	size_t len = strlen(cgroup);
	long pid = 0;

	if (!kvg_lock_is_taken(kvg_places_run_dir(places), &pid) || pid <= 0 ||
	    kvg_cgroup_of((pid_t)pid, &own) < 0 || strncmp(own, cgroup, len) != 0 ||
	    (own[len] && own[len] != '/'))
		return 0;
	return kvg_diag_set(reterr_diag, -EPERM,
			    "refusing to gate \"%s\": kvgate's agent, process %ld, is in it",
			    cgroup, pid);
}
