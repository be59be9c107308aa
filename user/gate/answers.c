// SPDX-License-Identifier: BSD-2-Clause
#include "gate/answers.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct kvg_answers {
	struct kvg_answers_handler handler;
	struct ring_buffer *ring;
};

static int take_answer(void *data, void *bytes, size_t size)
{
	const struct kvg_answers *answers = data;
	const struct kvg_answer *answer = bytes;

	if (size >= sizeof(*answer) && answer->size <= size - sizeof(*answer))
		answers->handler.answer(answers->handler.data, answer);
	return 0;
}

int kvg_answers_open(const struct kvg_set *set, const struct kvg_answers_handler *handler,
		     struct kvg_answers **ret)
{
	KVG_CLEANUP(kvg_answers_closep) struct kvg_answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return -ENOMEM;
	answers->handler = *handler;
	answers->ring =
		ring_buffer__new(kvg_set_map(set, KVG_MAP_ANSWERS), take_answer, answers, NULL);
	if (!answers->ring)
		return -errno;

	*ret = KVG_TAKE_PTR(answers);
	return 0;
}

void kvg_answers_read(struct kvg_answers *answers)
{
	ring_buffer__consume(answers->ring);
}

struct kvg_answers *kvg_answers_close(struct kvg_answers *answers)
{
	if (!answers)
		return NULL;
	ring_buffer__free(answers->ring);
	free(answers);
	return NULL;
}

void kvg_answers_closep(struct kvg_answers **answers)
{
	*answers = kvg_answers_close(*answers);
}
