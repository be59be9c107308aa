// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "audit/sink_kind.h"
#include "base/cleanup.h"

static int open_callback(const struct kvg_sink_options *options, void **ret, char **ret_name,
			 struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) struct kvg_sink_callback *callback = malloc(sizeof(*callback));

	*ret_name = strdup(kvg_sink_word(options->kind));
	if (!callback || !*ret_name)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	*callback = options->callback;
	*ret = KVG_TAKE_PTR(callback);
	return 0;
}

static void deliver(void *state, const struct kvg_sink_line *line)
{
	const struct kvg_sink_callback *callback = state;

	if (line->record)
		callback->put(callback->data, line->record, line->json, line->size);
	else if (callback->put_loss)
		callback->put_loss(callback->data, line->lost, line->why);
}

const struct kvg_sink_ops kvg_sink_callback_ops = {
	.open = open_callback,
	.deliver = deliver,
	.close = free,
};
