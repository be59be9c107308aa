/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Answers of name servers, as bpf/dns.bpf.c hears them and user/gate/answers.c reads them. They explain
 * records and nothing else: no verdict knows of them. ABI: a change means a new KVG_ABI.
 */
#ifndef KVG_ANSWER_H
#define KVG_ANSWER_H

#include <linux/types.h>

#define KVG_ANSWER_SHORT 512  /* bytes; most are shorter, and take less room in the ring */
#define KVG_ANSWER_MAX   1472 /* what fits into a frame of 1,500; longer ones are not told */

/*
 * Answers of one gate that are told in a window: a client that looks up more costs no more than 32 parsed
 * messages a second, and loses names. A gate that had few is told of even when the ring is half full.
 */
#define KVG_ANSWERS_WINDOW_SHIFT 30 /* ns: 1.07 s */
#define KVG_ANSWERS_PER_WINDOW   32
#define KVG_ANSWERS_FEW          4

/**
 * struct kvg_answer - a name server's answer, told by the gate whose policy allows to ask it
 * @time_ns:   CLOCK_BOOTTIME
 * @cgroup_id: the gate
 * @server:    who answered, network order; IPv4 as ::ffff:a.b.c.d
 * @size:      bytes of @message
 * @pad:       zero
 * @message:   from the DNS header on; room for KVG_ANSWER_SHORT or KVG_ANSWER_MAX
 */
struct kvg_answer {
	__u64 time_ns;
	__u64 cgroup_id;
	__u8 server[16];
	__u16 size;
	__u8 pad[6];
	__u8 message[];
};
_Static_assert(sizeof(struct kvg_answer) == 40, "kvg_answer is ABI");

/**
 * struct kvg_heard - how many answers a gate was told of
 * @window: the last one, CLOCK_BOOTTIME >> KVG_ANSWERS_WINDOW_SHIFT
 * @count:  in it
 * @pad:    zero
 */
struct kvg_heard {
	__u64 window;
	__u32 count;
	__u32 pad;
};
_Static_assert(sizeof(struct kvg_heard) == 16, "kvg_heard is ABI");

#endif
