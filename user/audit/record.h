/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the record: a refused flow, or what its repeats added up to. JSON, or words. */
#ifndef KVG_AUDIT_RECORD_H
#define KVG_AUDIT_RECORD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "kvg_event.h"
#include "policy/policy.h"

/**
 * struct kvg_record - one line
 * @refusal:  the flow, the gate's cgroup id, hook, mode and reason
 * @owner:    who tried; the first of them where @count is more than one
 * @first_ns: CLOCK_BOOTTIME
 * @last_ns:  CLOCK_BOOTTIME; @first_ns where @count is one
 * @count:    refusals that this line stands for; never 0
 * @saddr:    source, network order; IPv4 as ::ffff:a.b.c.d; zero where unknown or not the same for all
 * @sport:    source port, network order; 0 likewise
 * @gate:     path of the gate's cgroup; NULL where unknown
 * @profile:  of the policy that refused; NULL where unknown
 * @digest:   of that policy, 32 bytes; NULL where unknown
 * @nearest:  the closest rule of that policy that lets the service through; NULL where there is none
 * @domain:   the name that a client of the gate last looked up for the destination; NULL where unknown
 * @user:     name of the owner's user; NULL where unknown
 * @container: name of the container; this and what follows: NULL where unknown
 * @image:    that it was made from
 * @namespace: of Kubernetes
 * @pod:      its name
 *
 * Nothing is owned: what it points to belongs to whoever filled it.
 */
struct kvg_record {
	struct kvg_refusal refusal;
	struct kvg_owner owner;
	__u64 first_ns;
	__u64 last_ns;
	__u64 count;
	__u8 saddr[16];
	__be16 sport;
	const char *gate;
	const char *profile;
	const unsigned char *digest;
	const struct kvg_rule *nearest;
	const char *domain;
	const char *user;
	const char *container;
	const char *image;
	const char *namespace;
	const char *pod;
};

/** kvg_record_from_event() - the line of an event: count 1, names unknown */
void kvg_record_from_event(const struct kvg_event *event, struct kvg_record *ret);

/** kvg_record_from_rest() - the line of @count refusals that no event told of, names unknown */
void kvg_record_from_rest(const struct kvg_refusal *refusal, const struct kvg_tally *tally,
			  __u64 count, struct kvg_record *ret);

/** kvg_record_wall_offset() - what to add to CLOCK_BOOTTIME, now, for the wall clock; in ns */
__s64 kvg_record_wall_offset(void);

/**
 * kvg_record_format_json() - the record's line by Elastic Common Schema names
 * @record:         what to write
 * @wall_offset_ns: see kvg_record_wall_offset()
 * @ret:            one line with its newline, NUL-terminated, freed by the caller
 * @ret_size:       bytes, the terminator not counted
 *
 * What is not known is left out.
 *
 * Return: 0 or -ENOMEM
 */
int kvg_record_format_json(const struct kvg_record *record, __s64 wall_offset_ns, char **ret,
			   size_t *ret_size);

/** kvg_record_format_loss_json() - as above, the line that says that @count refusals have no line */
int kvg_record_format_loss_json(__u64 count, const char *why, char **ret, size_t *ret_size);

/** kvg_record_action() - "egress-refused", "egress-would-refuse", or "connection-closed" */
const char *kvg_record_action(const struct kvg_record *record);

/**
 * kvg_record_format_address() - an address of a record
 * @address: network order; IPv4 as ::ffff:a.b.c.d, unless @family is AF_INET6
 * @family:  0 for unknown
 * @ret:     INET6_ADDRSTRLEN bytes; "" if @address is zero: there is none
 *
 * Return: @ret
 */
const char *kvg_record_format_address(const __u8 address[16], __u8 family, char *ret);

/* Longest line of words: "would refuse", the longest protocol, address, reason, names and count. */
#define KVG_RECORD_WORDS_LEN 512

/**
 * kvg_record_format_words() - "refused tcp 203.0.113.9:443 (destination) by curl[4242]"
 * @record: what to say
 * @ret:    where to, without a newline; only printable ASCII, whatever the process is called
 *
 * Return: @ret
 */
const char *kvg_record_format_words(const struct kvg_record *record,
				    char ret[KVG_RECORD_WORDS_LEN]);

/**
 * kvg_record_container_id() - the container that a cgroup belongs to
 * @cgroup: path, as podman, docker, containerd and CRI-O name cgroups: a part of the path is, or ends
 *          in, 64 hex digits, perhaps with ".scope" behind
 * @ret:    the digits
 *
 * Return: true if there is one
 */
bool kvg_record_container_id(const char *cgroup, char ret[65]);

#endif
