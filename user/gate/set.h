/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set: the programs, loaded once, and the maps that they share, pinned under one folder of bpffs.
 *
 *   <bpffs-dir>/<set>/maps/<map>              kvg_gates, kvg_ring, ...
 *   <bpffs-dir>/<set>/progs/<program>         kvg_egress, kvg_connect4, ...
 *   <bpffs-dir>/<set>/links/<cgroup id>/<hook>
 *
 * A set has one reader of its record. `run` and `attach` make one for their one gate; the agent has
 * one for all of its gates. As everything is pinned, gates stay in force whatever happens to the
 * process that made them.
 */
#ifndef KVG_GATE_SET_H
#define KVG_GATE_SET_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"

#define KVG_BPFFS_DIR "/sys/fs/bpf/kvgate"

/* X(enumerator, map of bpf/maps.bpf.h) */
#define KVG_MAPS(X)             \
	X(GATES, kvg_gates)     \
	X(COUNTS, kvg_counts)   \
	X(TRIES4, kvg_tries4)   \
	X(TRIES6, kvg_tries6)   \
	X(TALLIES, kvg_tallies) \
	X(ROOM, kvg_room)       \
	X(RING, kvg_ring)       \
	X(LOST, kvg_lost)       \
	X(INFOS, kvg_infos)     \
	X(OWNERS, kvg_owners)   \
	X(MARKS, kvg_marks)     \
	X(ANSWERS, kvg_answers) \
	X(HEARING, kvg_hearing)

enum kvg_map {
#define X(name, map) KVG_MAP_##name,
	KVG_MAPS(X)
#undef X
		KVG_MAP_COUNT
};

/*
 * X(enumerator, program, attach type, name of the link's pin, is no gate without it), in the order of
 * attachment. Packets first: a socket that connect() lets go must not outrun the packet hook. sockops
 * before connect: an inbound connection must not be without its mark. All are of bpf/cgroup.bpf.c but
 * the last two. socket_create is bpf/lsm.bpf.c's, for those kernels that load it. ingress is bpf/dns.bpf.c's:
 * it makes records tell more and judges nothing, so that a gate without it is a gate, with a problem.
 */
#define KVG_PROGRAMS(X)                                                                   \
	X(EGRESS, kvg_egress, BPF_CGROUP_INET_EGRESS, "egress", true)                     \
	X(SOCKOPS, kvg_sockops, BPF_CGROUP_SOCK_OPS, "sockops", true)                     \
	X(SOCK_CREATE, kvg_sock_create, BPF_CGROUP_INET_SOCK_CREATE, "sock_create", true) \
	X(CONNECT4, kvg_connect4, BPF_CGROUP_INET4_CONNECT, "connect4", true)             \
	X(CONNECT6, kvg_connect6, BPF_CGROUP_INET6_CONNECT, "connect6", true)             \
	X(SENDMSG4, kvg_sendmsg4, BPF_CGROUP_UDP4_SENDMSG, "sendmsg4", true)              \
	X(SENDMSG6, kvg_sendmsg6, BPF_CGROUP_UDP6_SENDMSG, "sendmsg6", true)              \
	X(SOCKET, kvg_socket, BPF_LSM_CGROUP, "socket_create", false)                     \
	X(INGRESS, kvg_ingress, BPF_CGROUP_INET_INGRESS, "ingress", false)

enum kvg_program {
#define X(name, program, type, label, required) KVG_PROGRAM_##name,
	KVG_PROGRAMS(X)
#undef X
		KVG_PROGRAM_COUNT
};

/** struct kvg_program_row - a row of the table above */
struct kvg_program_row {
	const char *program; /* its name in the kernel and its pin's */
	enum bpf_attach_type type;
	const char *label; /* the link's pin */
	bool required;     /* there is no gate without it */
};

/** kvg_programs() - the table, by enum kvg_program */
const struct kvg_program_row *kvg_programs(void);

struct bpf_object;
struct kvg_set;

/**
 * kvg_set_create() - load the programs and pin a fresh set
 * @bpffs_dir:   folder in a bpffs, made if it is missing
 * @name:        the set's folder below it
 * @ret:         the set, for kvg_set_close(); untouched on failure
 * @reterr_diag: what is missing: bpffs, a privilege, a kernel feature
 *
 * Return: 0, or a negative errno: -EEXIST a set of that name, -EPERM privileges, -ENODEV no bpffs
 */
int kvg_set_create(const char *bpffs_dir, const char *name, struct kvg_set **ret,
		   struct kvg_diag *reterr_diag);

/**
 * kvg_set_create_beside() - the same, to take over from a set that another version made
 * @bpffs_dir:   as before
 * @name:        the new set
 * @other:       name of the one to be left; it and its gates stay as they are
 * @ret:         the set, for kvg_set_close(); untouched on failure
 * @reterr_diag: what is missing
 *
 * Both have one map of marks (kvg_marks): connections that others opened are known to the new one, too.
 *
 * Return: as kvg_set_create()
 */
int kvg_set_create_beside(const char *bpffs_dir, const char *name, const char *other,
			  struct kvg_set **ret, struct kvg_diag *reterr_diag);

/** kvg_set_try() - load the programs and forget them; Return: 0, or why a gate could not be made */
int kvg_set_try(struct kvg_diag *reterr_diag);

/** kvg_set_try_lsm(), kvg_set_try_dns() - the same with one that a gate can do without; 0, -EOPNOTSUPP, ... */
int kvg_set_try_lsm(void);
int kvg_set_try_dns(void);

/**
 * kvg_set_adopt() - a set without pins, of programs that somebody else loaded: for test runs
 * @object: bpf/cgroup.bpf.c, loaded; may go before the set does
 * @ret:    the set, for kvg_set_close(); untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_set_adopt(const struct bpf_object *object, struct kvg_set **ret);

/**
 * kvg_set_share() - let another object's programs work on the set's maps
 * @set:    whose maps
 * @object: opened, not loaded yet; its maps of the same names (bpf/maps.bpf.h) become the set's
 *
 * Return: 0, or a negative errno
 */
int kvg_set_share(const struct kvg_set *set, struct bpf_object *object);

/** kvg_set_open() - a pinned set, whoever made it; Return: 0, -ENOENT, -EPROTO if its layout is another */
int kvg_set_open(const char *bpffs_dir, const char *name, struct kvg_set **ret,
		 struct kvg_diag *reterr_diag);

/**
 * kvg_set_renew() - pin this binary's programs in place of a set's, where they are others
 * @set:         an open one; its maps stay
 * @reterr_diag: why not
 *
 * Links still hold the old ones until kvg_mend(). Killed meanwhile, the same call does the rest.
 *
 * Return: how many were replaced; or a negative errno: its maps are not for these programs, ...
 */
int kvg_set_renew(struct kvg_set *set, struct kvg_diag *reterr_diag);

/** kvg_set_close() - forget it; pins and gates stay; NULL is fine; Return: NULL */
struct kvg_set *kvg_set_close(struct kvg_set *set);

/** kvg_set_closep() - for KVG_CLEANUP */
void kvg_set_closep(struct kvg_set **set);

/**
 * kvg_set_remove() - detach every gate of a set and remove all of its pins
 * @bpffs_dir: as before; itself removed when it is empty
 * @name:      the set; also one that is half there
 *
 * Return: 0, -ENOENT, or another negative errno
 */
int kvg_set_remove(const char *bpffs_dir, const char *name);

/**
 * kvg_set_remove_unused() - remove what an interrupted kvgate left, if it gates nothing
 * @bpffs_dir:   as before
 * @name:        the set
 * @reterr_diag: why not
 *
 * Return: 0, also if there is no such set; -EBUSY a gate hangs on it
 */
int kvg_set_remove_unused(const char *bpffs_dir, const char *name, struct kvg_diag *reterr_diag);

/** kvg_set_list() - names of all sets, NULL-terminated, sorted; freed by kvg_set_list_free() */
int kvg_set_list(const char *bpffs_dir, char ***ret);

/** kvg_set_list_free() - free it; NULL is fine */
void kvg_set_list_free(char **names);

/** kvg_set_name(), kvg_set_path() - its name; its folder; both belong to the set */
const char *kvg_set_name(const struct kvg_set *set);
const char *kvg_set_path(const struct kvg_set *set);

/** kvg_set_map() - descriptor of a map, owned by the set */
int kvg_set_map(const struct kvg_set *set, enum kvg_map map);

/** kvg_set_program() - descriptor of a program, owned by the set; -1 if it has none of that */
int kvg_set_program(const struct kvg_set *set, enum kvg_program program);

/**
 * kvg_set_lock() - keep other kvgates from changing sets while this one does
 * @bpffs_dir: made if it is missing
 * @ret:       descriptor that holds the lock until it is closed
 *
 * Return: 0, or a negative errno
 */
int kvg_set_lock(const char *bpffs_dir, int *ret, struct kvg_diag *reterr_diag);

#endif
