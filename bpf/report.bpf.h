/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Count, record, answer the kernel. The verdict is made before and is never changed here: what the
 * record has no room for is counted, and the flow is refused all the same.
 *
 * Counts are exact without any lock: an entry holds how often its flow was refused and how many of
 * these the ring took, both only ever added to; user space writes one line per event and, when it
 * takes the table, one more for the difference.
 */
#ifndef KVG_REPORT_BPF_H
#define KVG_REPORT_BPF_H

#include <linux/bpf.h>
#include <linux/errno.h>

#include <bpf/bpf_helpers.h>

#include "config.bpf.h"
#include "kvg_decide.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

/* struct kvg_refused - all that a hook knows of a flow when it is refused */
struct kvg_refused {
	struct kvg_refusal refusal;
	struct kvg_owner owner;
	__u8 saddr[16];
	__be16 sport;
	__u32 bytes;
};

/* At hooks that run for a process: the calls. */
static __always_inline void kvg_note_current(struct kvg_owner *ret)
{
	ret->tgid = bpf_get_current_pid_tgid() >> 32;
	ret->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(ret->comm, sizeof(ret->comm));
}

static __always_inline void kvg_note_flow(struct kvg_refused *ret, enum kvg_hook hook,
					  const struct kvg_flow *flow)
{
	__builtin_memcpy(ret->refusal.daddr, flow->daddr, sizeof(ret->refusal.daddr));
	ret->refusal.dport = flow->dport;
	ret->refusal.family = flow->family;
	ret->refusal.protocol = flow->protocol;
	ret->refusal.hook = hook;
}

static __always_inline struct kvg_lost *kvg_own_lost(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&kvg_lost, &zero);
}

static __always_inline bool kvg_send_event(const struct kvg_refused *refused, __u64 now_ns,
					   bool counted)
{
	struct kvg_event *event = bpf_ringbuf_reserve(&kvg_ring, sizeof(*event), 0);

	if (!event)
		return false;

	event->refusal = refused->refusal;
	event->owner = refused->owner;
	event->time_ns = now_ns;
	__builtin_memcpy(event->saddr, refused->saddr, sizeof(event->saddr));
	event->sport = refused->sport;
	event->counted = counted;
	event->pad = 0;
	event->bytes = refused->bytes;
	bpf_ringbuf_submit(event, 0);
	return true;
}

static __always_inline void kvg_announce(struct kvg_tally *tally, const struct kvg_refused *refused,
					 __u64 now_ns)
{
	struct kvg_lost *lost;

	if (kvg_send_event(refused, now_ns, true)) {
		__sync_fetch_and_add(&tally->announced, 1);
		return;
	}
	lost = kvg_own_lost();
	if (lost)
		lost->events++;
}

/* The table is full, or gone: the event is all there is. */
static __always_inline void kvg_send_uncounted(const struct kvg_refused *refused, __u64 now_ns)
{
	struct kvg_lost *lost;

	if (kvg_send_event(refused, now_ns, false))
		return;
	lost = kvg_own_lost();
	if (lost)
		lost->flows++;
}

static __always_inline void kvg_record(const struct kvg_refused *refused)
{
	__u64 now_ns = bpf_ktime_get_boot_ns();
	struct kvg_tally *tally;
	__u32 zero = 0;
	void *tallies;

	tallies = bpf_map_lookup_elem(&kvg_tallies, &zero);
	if (!tallies) {
		kvg_send_uncounted(refused, now_ns);
		return;
	}

	tally = bpf_map_lookup_elem(tallies, &refused->refusal);
	if (!tally) {
		struct kvg_tally fresh = {.first_ns = now_ns, .owner = refused->owner};

		/* Another CPU may be first: then this one fails, and the look-up finds the other's. */
		bpf_map_update_elem(tallies, &refused->refusal, &fresh, BPF_NOEXIST);
		tally = bpf_map_lookup_elem(tallies, &refused->refusal);
		if (!tally) {
			kvg_send_uncounted(refused, now_ns);
			return;
		}
	}

	__sync_fetch_and_add(&tally->count, 1);
	__sync_fetch_and_add(&tally->bytes, refused->bytes);
	tally->last_ns = now_ns;
	if (!tally->announced)
		kvg_announce(tally, refused, now_ns);
}

/*
 * The kernel's answer for a reason: 1 lets it through, 0 refuses. Only the packet hooks' allowed flows
 * are counted; a socket call that is let through shows up there. Without @counters nothing is counted.
 */
static __always_inline int kvg_enforce(const struct kvg_gate *gate, struct kvg_counters *counters,
				       struct kvg_refused *refused, enum kvg_reason reason)
{
	__u8 hook = refused->refusal.hook;

	if (reason == KVG_REASON_ALLOWED) {
		if (counters && (hook == KVG_HOOK_EGRESS || hook == KVG_HOOK_TC))
			counters->allowed++;
		return 1;
	}
	if (counters && reason < KVG_REASON_COUNT)
		counters->refused[reason]++;

	refused->refusal.reason = reason;
	if (gate) {
		refused->refusal.cgroup_id = gate->cgroup_id;
		refused->refusal.generation = gate->generation;
		refused->refusal.mode = gate->mode;
	}
	kvg_record(refused);
	return gate && gate->mode == KVG_MODE_AUDIT;
}

#endif
