/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Count, record, answer the kernel. The verdict is made before and is never changed here: what the
 * record has no room for is counted, and the flow is refused all the same.
 *
 * Counts are exact without any lock: an entry holds how often its flow was refused and how many of
 * these the ring took, both only ever added to; user space writes one line per event and, when it
 * takes the table, one more for the difference.
 *
 * Nobody takes the record away from others by flooding it. New entries, events and wake-ups come out of
 * the gate's own share, per CPU and window of a second, and beyond it out of what is there for all; when
 * that is used up, a gate's refusals add up in one entry by reason, exactly, and make no event. That
 * entry is in the table, not in the gate's storage, which goes with the cgroup, perhaps unread.
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

static __always_inline struct kvg_room *kvg_room_of(enum kvg_room_side side)
{
	__u32 index = side;

	return bpf_map_lookup_elem(&kvg_room, &index);
}

/* The gate's, on this CPU; a fresh one with each window. Not exact where it is interrupted: it need not be. */
static __always_inline struct kvg_share *kvg_own_share(struct kvg_counters *counters, __u64 now_ns)
{
	struct kvg_share *share;

	if (!counters)
		return NULL;
	share = &counters->share;
	if (share->window != now_ns >> KVG_SHARE_WINDOW_SHIFT) {
		share->window = now_ns >> KVG_SHARE_WINDOW_SHIFT;
		share->flows = 0;
		share->events = 0;
		share->wakes = 0;
	}
	return share;
}

/* May one flow more have an entry of its own? */
static __always_inline bool kvg_take_entry(struct kvg_share *share)
{
	struct kvg_room *made = kvg_room_of(KVG_ROOM_KERNEL);
	struct kvg_room *back = kvg_room_of(KVG_ROOM_READER);

	if (!made || !back || made->entries - back->entries >= KVG_TALLIES_MAX - KVG_TALLIES_KEPT)
		return false;
	if (share && share->flows < KVG_SHARE_FLOWS) {
		share->flows++;
		return true;
	}
	if (made->pot - back->pot >= KVG_POT_FLOWS)
		return false;
	__sync_fetch_and_add(&made->pot, 1);
	return true;
}

static __always_inline bool kvg_take_event(struct kvg_share *share)
{
	if (share && share->events < KVG_SHARE_EVENTS) {
		share->events++;
		return true;
	}
	return bpf_ringbuf_query(&kvg_ring, BPF_RB_AVAIL_DATA) <
	       bpf_ringbuf_query(&kvg_ring, BPF_RB_RING_SIZE) / 2;
}

/*
 * The first of a burst wake the reader, at 8 us each; the others wait until it looks by itself, within a
 * second. Forced, for the kernel wakes nobody who has not read all that came before.
 */
static __always_inline __u64 kvg_wake_flags(struct kvg_share *share)
{
	if (!share || share->wakes >= KVG_SHARE_WAKES)
		return BPF_RB_NO_WAKEUP;
	share->wakes++;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline bool kvg_send_event(const struct kvg_refused *refused,
					   struct kvg_share *share, __u64 now_ns, bool counted)
{
	struct kvg_event *event;

	if (!kvg_take_event(share))
		return false;
	event = bpf_ringbuf_reserve(&kvg_ring, sizeof(*event), 0);
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
	bpf_ringbuf_submit(event, kvg_wake_flags(share));
	return true;
}

static __always_inline void kvg_announce(struct kvg_tally *tally, const struct kvg_refused *refused,
					 struct kvg_share *share, __u64 now_ns)
{
	struct kvg_lost *lost;

	if (kvg_send_event(refused, share, now_ns, true)) {
		__sync_fetch_and_add(&tally->announced, 1);
		return;
	}
	lost = kvg_own_lost();
	if (lost)
		__sync_fetch_and_add(&lost->events, 1);
}

/* There is no table, or no memory: the event is all there is. */
static __always_inline void kvg_send_uncounted(const struct kvg_refused *refused,
					       struct kvg_share *share, __u64 now_ns)
{
	struct kvg_lost *lost;

	if (kvg_send_event(refused, share, now_ns, false))
		return;
	lost = kvg_own_lost();
	if (lost)
		__sync_fetch_and_add(&lost->flows, 1);
}

/* All that tells the gate's flows of this reason apart. */
static __always_inline void kvg_fold_refusal(struct kvg_refusal *refusal)
{
	__builtin_memset(refusal->daddr, 0, sizeof(refusal->daddr));
	refusal->dport = 0;
	refusal->protocol = 0;
	refusal->family = 0;
	refusal->folded = KVG_FOLDED_DESTINATIONS;
}

static __always_inline struct kvg_tally *kvg_add_tally(void *tallies,
						       const struct kvg_refused *refused,
						       struct kvg_counters *counters, __u64 now_ns)
{
	struct kvg_tally fresh = {.first_ns = now_ns, .owner = refused->owner};
	__u32 reason = refused->refusal.reason;
	struct kvg_room *room;

	/* Another CPU may be first: then this one fails, and the look-up finds the other's. */
	if (bpf_map_update_elem(tallies, &refused->refusal, &fresh, BPF_NOEXIST) == 0) {
		room = kvg_room_of(KVG_ROOM_KERNEL);
		if (room)
			__sync_fetch_and_add(&room->entries, 1);
		if (counters && !refused->refusal.folded && reason < KVG_REASON_COUNT)
			__sync_fetch_and_add(&counters->flows[reason], 1);
	}
	return bpf_map_lookup_elem(tallies, &refused->refusal);
}

/* The entry that counts it: its flow's, or the one for all that are not told apart. */
static __always_inline struct kvg_tally *kvg_find_tally(void *tallies, struct kvg_refused *refused,
							struct kvg_counters *counters,
							struct kvg_share *share, __u64 now_ns)
{
	struct kvg_tally *tally = bpf_map_lookup_elem(tallies, &refused->refusal);

	if (tally)
		return tally;
	if (!kvg_take_entry(share)) {
		kvg_fold_refusal(&refused->refusal);
		tally = bpf_map_lookup_elem(tallies, &refused->refusal);
		if (tally)
			return tally;
	}
	return kvg_add_tally(tallies, refused, counters, now_ns);
}

static __always_inline void kvg_record(struct kvg_refused *refused, struct kvg_counters *counters)
{
	__u64 now_ns = bpf_ktime_get_boot_ns();
	struct kvg_share *share = kvg_own_share(counters, now_ns);
	struct kvg_tally *tally = NULL;
	__u32 zero = 0;
	void *tallies;

	tallies = bpf_map_lookup_elem(&kvg_tallies, &zero);
	if (tallies)
		tally = kvg_find_tally(tallies, refused, counters, share, now_ns);
	if (!tally) {
		kvg_send_uncounted(refused, share, now_ns);
		return;
	}

	__sync_fetch_and_add(&tally->count, 1);
	__sync_fetch_and_add(&tally->bytes, refused->bytes);
	tally->last_ns = now_ns;
	if (!tally->announced && !refused->refusal.folded)
		kvg_announce(tally, refused, share, now_ns);
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
		__sync_fetch_and_add(&counters->refused[reason],
				     1); /* exact, also if interrupted */

	refused->refusal.reason = reason;
	if (gate) {
		refused->refusal.cgroup_id = gate->cgroup_id;
		refused->refusal.generation = gate->generation;
		refused->refusal.mode = gate->mode;
	}
	kvg_record(refused, counters);
	return gate && gate->mode == KVG_MODE_AUDIT;
}

#endif
