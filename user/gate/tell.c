// SPDX-License-Identifier: BSD-2-Clause
#include "gate/tell.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "base/cleanup.h"
#include "kvg_policy.h"

#include "bpf/tell.skel.h" /* needs kvg_event.h and kvg_policy.h */

struct kvg_tell {
	struct kvg_tell_bpf *skel;
};

int kvg_tell_open(const struct kvg_set *set, struct kvg_tell **ret)
{
	KVG_CLEANUP(kvg_tell_closep) struct kvg_tell *tell = calloc(1, sizeof(*tell));
	int r;

	if (!tell)
		return -ENOMEM;
	tell->skel = kvg_tell_bpf__open();
	if (!tell->skel)
		return -errno;
	r = kvg_set_share(set, tell->skel->obj);
	if (r < 0)
		return r;
	r = kvg_tell_bpf__load(tell->skel);
	if (r < 0)
		return r;

	*ret = KVG_TAKE_PTR(tell);
	return 0;
}

int kvg_tell_event(struct kvg_tell *tell, const struct kvg_event *event)
{
	char frame[ETH_HLEN + sizeof(*event)] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);

	memcpy(frame + ETH_HLEN, event, sizeof(*event));
	if (bpf_prog_test_run_opts(bpf_program__fd(tell->skel->progs.kvg_tell), &options) < 0)
		return -errno;
	return options.retval ? -EIO : 0;
}

struct kvg_tell *kvg_tell_close(struct kvg_tell *tell)
{
	if (!tell)
		return NULL;
	kvg_tell_bpf__destroy(tell->skel);
	free(tell);
	return NULL;
}

void kvg_tell_closep(struct kvg_tell **tell)
{
	*tell = kvg_tell_close(*tell);
}
