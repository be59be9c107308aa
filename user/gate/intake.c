// SPDX-License-Identifier: BSD-2-Clause
#include "gate/intake.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

struct kvg_intake {
	struct kvg_set *set;
	struct kvg_intake_handler handler;
	struct ring_buffer *ring;
	int tallies; /* the table in use, ours; -1 before the first taking */
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

static bool has_tallies(int tallies)
{
	struct kvg_refusal first;

	return bpf_map_get_next_key(tallies, NULL, &first) == 0;
}

/* Nobody writes to @tallies any more. */
static void hand_over_rest(struct kvg_intake *intake, int tallies)
{
	struct kvg_refusal key, *previous = NULL;
	struct kvg_tally tally;

	while (bpf_map_get_next_key(tallies, previous, &key) == 0) {
		previous = &key;
		if (bpf_map_lookup_elem(tallies, &key, &tally) < 0)
			continue;
		if (tally.count > tally.announced)
			intake->handler.rest(intake->handler.data, &key, &tally,
					     tally.count - tally.announced);
	}
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
	KVG_CLEANUP(kvg_closep) int old = -1;
	KVG_CLEANUP(kvg_closep) int fresh = -1;
	int r;

	r = find_tallies(intake);
	if (r < 0)
		return r;
	kvg_intake_read(intake);
	if (!has_tallies(intake->tallies))
		return 0;

	fresh = create_tallies();
	if (fresh < 0)
		return fresh;
	r = put_tallies(intake->set, fresh);
	if (r < 0)
		return r;
	old = KVG_TAKE_FD(intake->tallies);
	intake->tallies = KVG_TAKE_FD(fresh);

	kvg_intake_read(intake);
	hand_over_rest(intake, old);
	return 0;
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
