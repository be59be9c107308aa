// SPDX-License-Identifier: BSD-2-Clause
#include "gate/dns.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>

#include "kvg_answer.h"
#include "kvg_event.h"
#include "kvg_policy.h"

#include "bpf/dns.skel.h" /* needs kvg_event.h and kvg_policy.h */

int kvg_dns_load(const struct kvg_set *set, int *ret)
{
	struct kvg_dns_bpf *skel = kvg_dns_bpf__open();
	int fd, r;

	if (!skel)
		return -errno;
	r = kvg_set_share(set, skel->obj);
	if (r == 0)
		r = kvg_dns_bpf__load(skel);
	if (r == 0) {
		fd = fcntl(bpf_program__fd(skel->progs.kvg_ingress), F_DUPFD_CLOEXEC, 3);
		r = fd < 0 ? -errno : 0;
		if (r == 0)
			*ret = fd;
	}
	kvg_dns_bpf__destroy(skel);
	return r;
}
