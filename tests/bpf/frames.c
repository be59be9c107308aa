// SPDX-License-Identifier: BSD-2-Clause
#include "frames.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/counters.h"

#include "bpf/tc.skel.h" /* needs kvg_event.h and kvg_port.h */

#define LOOPBACK 1U /* index of the interface that test runs are on */

struct kvg_frames {
	struct kvg_tc_bpf *skel;
	int port; /* the array that holds the entry */
};

int kvg_frames_program(const struct kvg_frames *frames)
{
	return bpf_program__fd(frames->skel->progs.kvg_tc);
}

static int load(struct kvg_kernel *kernel, struct kvg_frames *frames)
{
	__u32 key = LOOPBACK;
	int r;

	frames->skel = kvg_tc_bpf__open();
	if (!frames->skel)
		return -errno;
	r = kvg_set_share(kvg_kernel_set(kernel), frames->skel->obj);
	if (r == 0)
		r = kvg_tc_bpf__load(frames->skel);
	if (r < 0)
		return r;
	frames->port = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kvg_port", sizeof(__u32),
				      sizeof(struct kvg_port), 1, NULL);
	if (frames->port < 0)
		return -errno;
	return kvg_counters_clear(bpf_map__fd(frames->skel->maps.kvg_port_counts), &key);
}

int kvg_frames_open(struct kvg_kernel *kernel, struct kvg_frames **ret)
{
	struct kvg_frames *frames = calloc(1, sizeof(*frames));
	int r;

	if (!frames)
		return -ENOMEM;
	frames->port = -1;
	r = load(kernel, frames);
	if (r < 0)
		kvg_frames_close(frames);
	else
		*ret = frames;
	return r;
}

struct kvg_frames *kvg_frames_close(struct kvg_frames *frames)
{
	if (!frames)
		return NULL;
	kvg_tc_bpf__destroy(frames->skel);
	kvg_closep(&frames->port);
	free(frames);
	return NULL;
}

/* The array is filled in place: nothing runs meanwhile. Only the first time waits for a grace period. */
int kvg_frames_gate(struct kvg_frames *frames, const struct kvg_gate *gate, bool dhcp)
{
	const struct kvg_port port = {
		.gate = *gate,
		.peer_netns = -1,
		.level = 1,
		.ifindex = LOOPBACK,
		.dhcp = dhcp,
	};
	int ports = bpf_map__fd(frames->skel->maps.kvg_ports);
	__u32 key = LOOPBACK, zero = 0, id;

	if (bpf_map_update_elem(frames->port, &zero, &port, BPF_ANY) < 0)
		return -errno;
	if (bpf_map_lookup_elem(ports, &key, &id) == 0)
		return 0;
	return bpf_map_update_elem(ports, &key, &frames->port, BPF_ANY) < 0 ? -errno : 0;
}

int kvg_frames_ungate(struct kvg_frames *frames)
{
	__u32 key = LOOPBACK;

	return bpf_map_delete_elem(bpf_map__fd(frames->skel->maps.kvg_ports), &key) < 0 ? -errno
											: 0;
}

int kvg_frames_run(struct kvg_frames *frames, const void *frame, size_t size,
		   struct kvg_verdict *ret)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = size);
	int counts = bpf_map__fd(frames->skel->maps.kvg_port_counts);
	struct kvg_counters counters;
	__u32 key = LOOPBACK;
	int r = kvg_counters_clear(counts, &key);

	if (r == 0)
		r = bpf_prog_test_run_opts(kvg_frames_program(frames), &options);
	if (r == 0)
		r = kvg_counters_read(counts, &key, &counters);
	if (r < 0)
		return r;
	if ((int)options.retval != TC_ACT_UNSPEC && options.retval != TC_ACT_SHOT)
		return -EPROTO;

	ret->passed = (int)options.retval == TC_ACT_UNSPEC;
	return kvg_verdict_reason(&counters, &ret->reason);
}
