/* SPDX-License-Identifier: BSD-2-Clause */
/* What name servers answered the clients of a set, as bpf/dns.bpf.c heard it. One reader for a set. */
#ifndef KVG_GATE_ANSWERS_H
#define KVG_GATE_ANSWERS_H

#include "gate/set.h"
#include "kvg_answer.h"

/**
 * struct kvg_answers_handler - who is told
 * @answer: one of them; its size is what the kernel side took, whatever the message says of itself
 * @data:   first argument
 */
struct kvg_answers_handler {
	void (*answer)(void *data, const struct kvg_answer *answer);
	void *data;
};

struct kvg_answers;

/**
 * kvg_answers_open() - become the reader of a set's answers
 * @set:     may go before the reader does
 * @handler: copied
 * @ret:     for kvg_answers_close(); untouched on failure
 *
 * Return: 0, or a negative errno
 */
int kvg_answers_open(const struct kvg_set *set, const struct kvg_answers_handler *handler,
		     struct kvg_answers **ret);

/** kvg_answers_read() - hand over those that are there now; nobody is ever woken for them */
void kvg_answers_read(struct kvg_answers *answers);

/** kvg_answers_close() - stop reading; NULL is fine; Return: NULL */
struct kvg_answers *kvg_answers_close(struct kvg_answers *answers);

/** kvg_answers_closep() - for KVG_CLEANUP */
void kvg_answers_closep(struct kvg_answers **answers);

#endif
