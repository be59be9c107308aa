/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A veth in a network namespace of the test's own, and programs of nobody's on it that count what they
 * see. What goes in at one end comes out at the other, where the programs are.
 */
#ifndef KVG_TESTS_BPF_WIRE_H
#define KVG_TESTS_BPF_WIRE_H

#include <linux/types.h>
#include <stdbool.h>

/** kvg_wire_enter() - a fresh network namespace, for this process and for good; 0 or a negative errno */
int kvg_wire_enter(void);

/** kvg_wire_make() - the veth anew; Return: index of the end with the programs; 0 on failure */
unsigned int kvg_wire_make(void);

/** kvg_wire_send() - a frame of 60 bytes, of no protocol that anybody knows, from the other end */
int kvg_wire_send(void);

/** kvg_wire_run() - a command by the shell that must succeed, as of printf(3); 0 or -EIO */
int kvg_wire_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * struct kvg_counting - a program that counts
 * @program: descriptor; counts and then answers as it was told
 * @map:     of its counter
 */
struct kvg_counting {
	int program;
	int map;
};

#define KVG_COUNTING_NONE \
	{                 \
		-1, -1    \
	}

/** kvg_counting_open() - load one that answers @verdict (TC_ACT_*, XDP_*); 0 or a negative errno */
int kvg_counting_open(const char *name, bool xdp, int verdict, struct kvg_counting *ret);

/** kvg_counting_read() - how many frames it has seen */
__u64 kvg_counting_read(const struct kvg_counting *counting);

/** kvg_counting_done() - forget it; where it is attached it stays */
void kvg_counting_done(struct kvg_counting *counting);

#endif
