// SPDX-License-Identifier: BSD-2-Clause
#include "gate/intake.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

struct kvg_intake {
	struct kvg_set *set;
	struct kvg_intake_handler handler;
	struct ring_buffer *ring;
	int tallies;       /* the table in use, ours; -1 before the first taking */
	__u64 returned_ns; /* when flows were last put back into the pot; 0 never */
};

/* Entries of a table that are read in one call: 100 KB, and more than ever are in one of its buckets. */
#define BATCH 1024

struct batch {
	struct kvg_refusal keys[BATCH];
	struct kvg_tally tallies[BATCH];
};

static int take_event(void *data, void *bytes, size_t size)
{
	struct kvg_intake *intake = data;
	struct kvg_event event;

	if (size < sizeof(event))
		return 0;
	memcpy(&event, bytes, sizeof(event));
	intake->handler.event(intake->handler.data, &event);
	return 0;
}

int kvg_intake_open(struct kvg_set *set, const struct kvg_intake_handler *handler,
		    struct kvg_intake **ret)
{
	KVG_CLEANUP(kvg_intake_closep) struct kvg_intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return -ENOMEM;
	intake->set = set;
	intake->handler = *handler;
	intake->tallies = -1;
	intake->ring = ring_buffer__new(kvg_set_map(set, KVG_MAP_RING), take_event, intake, NULL);
	if (!intake->ring)
		return -errno;

	*ret = KVG_TAKE_PTR(intake);
	return 0;
}

struct kvg_intake *kvg_intake_close(struct kvg_intake *intake)
{
	if (!intake)
		return NULL;
	ring_buffer__free(intake->ring);
	kvg_closep(&intake->tallies);
	free(intake);
	return NULL;
}

void kvg_intake_closep(struct kvg_intake **intake)
{
	*intake = kvg_intake_close(*intake);
}

int kvg_intake_fd(const struct kvg_intake *intake)
{
	return ring_buffer__epoll_fd(intake->ring);
}

int kvg_intake_read(struct kvg_intake *intake)
{
	return ring_buffer__consume(intake->ring);
}

static int open_tallies(const struct kvg_set *set)
{
	__u32 zero = 0, id;
	int fd;

	if (bpf_map_lookup_elem(kvg_set_map(set, KVG_MAP_TALLIES), &zero, &id) < 0)
		return -errno;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? -errno : fd;
}

static int create_tallies(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "kvg_tally", sizeof(struct kvg_refusal),
				sizeof(struct kvg_tally), KVG_TALLIES_MAX, &options);

	return fd < 0 ? -errno : fd;
}

static int put_tallies(const struct kvg_set *set, int tallies)
{
	__u32 zero = 0;

	return bpf_map_update_elem(kvg_set_map(set, KVG_MAP_TALLIES), &zero, &tallies, BPF_ANY) < 0
		       ? -errno
		       : 0;
}

int kvg_intake_count(struct kvg_set *set)
{
	KVG_CLEANUP(kvg_closep) int tallies = open_tallies(set);

	if (tallies != -ENOENT)
		return tallies < 0 ? tallies : 0;
	tallies = create_tallies();
	return tallies < 0 ? tallies : put_tallies(set, tallies);
}

static int read_room(const struct kvg_intake *intake, enum kvg_room_side side, struct kvg_room *ret)
{
	__u32 index = side;

	return bpf_map_lookup_elem(kvg_set_map(intake->set, KVG_MAP_ROOM), &index, ret) < 0 ? -errno
											    : 0;
}

bool kvg_intake_has_counts(const struct kvg_intake *intake)
{
	struct kvg_room made, back;

	return read_room(intake, KVG_ROOM_KERNEL, &made) < 0 ||
	       read_room(intake, KVG_ROOM_READER, &back) < 0 || made.entries != back.entries;
}

static __u64 now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Flows that the pot gets back for the time since it last got some. */
static __u64 refill(struct kvg_intake *intake)
{
	__u64 now = now_ns();
	__u64 since = intake->returned_ns ? now - intake->returned_ns : 1000000000ULL;

	intake->returned_ns = now;
	if (since > KVG_POT_FLOWS / KVG_POT_FLOWS_S * 1000000000ULL)
		return KVG_POT_FLOWS;
	return since * KVG_POT_FLOWS_S / 1000000000ULL;
}

/* @made: as it was before the table was taken, so that no entry of the fresh one is among them */
static int give_room_back(struct kvg_intake *intake, const struct kvg_room *made)
{
	__u32 index = KVG_ROOM_READER;
	struct kvg_room back;
	__u64 pot;
	int r = read_room(intake, KVG_ROOM_READER, &back);

	if (r < 0)
		return r;
	pot = refill(intake);
	back.entries = made->entries;
	back.pot = made->pot - back.pot > pot ? back.pot + pot : made->pot;
	return bpf_map_update_elem(kvg_set_map(intake->set, KVG_MAP_ROOM), &index, &back, BPF_ANY) <
			       0
		       ? -errno
		       : 0;
}

static void hand_over(struct kvg_intake *intake, const struct kvg_refusal *key,
		      const struct kvg_tally *tally)
{
	if (tally->count > tally->announced)
		intake->handler.rest(intake->handler.data, key, tally,
				     tally->count - tally->announced);
}

/* Nobody writes to @tallies any more. */
static int hand_over_rest(struct kvg_intake *intake, int tallies)
{
	KVG_CLEANUP(kvg_freep) struct batch *batch = malloc(sizeof(*batch));
	__u32 place, *from = NULL;
	int r = 0;

	if (!batch)
		return -ENOMEM;
	while (r == 0) {
		__u32 count = BATCH;

		if (bpf_map_lookup_batch(tallies, from, &place, batch->keys, batch->tallies, &count,
					 NULL) < 0)
			r = -errno;
		if (r < 0 && r != -ENOENT) /* which says that these are the last */
			return r;
		for (__u32 i = 0; i < count; i++)
			hand_over(intake, &batch->keys[i], &batch->tallies[i]);
		from = &place;

		/* Nobody's event waits for the rest of a flood. */
		kvg_intake_read(intake);
		if (intake->handler.pause)
			intake->handler.pause(intake->handler.data);
	}
	return 0;
}

/* The table that the kernel side writes to, kept open; it appears when somebody first asks for it. */
static int find_tallies(struct kvg_intake *intake)
{
	int r;

	if (intake->tallies >= 0)
		return 0;
	r = kvg_intake_count(intake->set);
	if (r < 0)
		return r;
	intake->tallies = open_tallies(intake->set);
	return intake->tallies < 0 ? intake->tallies : 0;
}

int kvg_intake_take(struct kvg_intake *intake)
{
	KVG_CLEANUP(kvg_closep) int fresh = -1;
	KVG_CLEANUP(kvg_closep) int old = -1;
	struct kvg_room made;
	int r;

	r = find_tallies(intake);
	if (r < 0)
		return r;
	kvg_intake_read(intake);
	if (!kvg_intake_has_counts(intake))
		return 0;

	fresh = create_tallies();
	if (fresh < 0)
		return fresh;
	r = read_room(intake, KVG_ROOM_KERNEL, &made);
	if (r == 0)
		r = put_tallies(intake->set, fresh);
	if (r < 0)
		return r;
	old = KVG_TAKE_FD(intake->tallies);
	intake->tallies = KVG_TAKE_FD(fresh);

	r = give_room_back(intake, &made);
	kvg_intake_read(intake);
	return hand_over_rest(intake, old) < 0 ? -EIO : r;
}

int kvg_intake_lost(const struct kvg_intake *intake, struct kvg_lost *ret)
{
	KVG_CLEANUP(kvg_freep) struct kvg_lost *cpus = NULL;
	int count = libbpf_num_possible_cpus();
	__u32 zero = 0;

	if (count < 0)
		return count;
	cpus = calloc(count, sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	if (bpf_map_lookup_elem(kvg_set_map(intake->set, KVG_MAP_LOST), &zero, cpus) < 0)
		return -errno;

	memset(ret, 0, sizeof(*ret));
	for (int cpu = 0; cpu < count; cpu++) {
		ret->events += cpus[cpu].events;
		ret->flows += cpus[cpu].flows;
	}
	return 0;
}
