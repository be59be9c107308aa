/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of bpf/tc.bpf.c in the kernel, for test runs. The kernel puts their frames on the loopback
 * device, so that is the gated interface; and gives them a socket of its own, which is nobody's.
 */
#ifndef KVG_TESTS_BPF_FRAMES_H
#define KVG_TESTS_BPF_FRAMES_H

#include <stddef.h>

#include "kernel.h"
#include "kvg_port.h"

struct kvg_frames;

/** kvg_frames_open() - load it, with the maps of @kernel, which goes after it; 0 or a negative errno */
int kvg_frames_open(struct kvg_kernel *kernel, struct kvg_frames **ret);

/** kvg_frames_close() - forget it; NULL is fine; Return: NULL */
struct kvg_frames *kvg_frames_close(struct kvg_frames *frames);

/** kvg_frames_gate() - judge by this from now on; nothing else of the port is set but @dhcp */
int kvg_frames_gate(struct kvg_frames *frames, const struct kvg_gate *gate, bool dhcp);

/** kvg_frames_ungate() - the interface has no entry; kvg_frames_gate() gives it one again */
int kvg_frames_ungate(struct kvg_frames *frames);

/**
 * kvg_frames_run() - a frame leaves the container
 * @frames: where
 * @frame:  from the Ethernet header on
 * @size:   14 bytes at least
 * @ret:    the verdict
 *
 * Return: 0; -EINVAL if this kernel does not run a frame as short as that; -EPROTO if not exactly one
 * reason was counted; or another negative errno
 */
int kvg_frames_run(struct kvg_frames *frames, const void *frame, size_t size,
		   struct kvg_verdict *ret);

/** kvg_frames_program() - descriptor of the program */
int kvg_frames_program(const struct kvg_frames *frames);

#endif
