// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/explaining.h"

#include <string.h>

#include "base/log.h"

static void identify(void *data, struct kvg_record *record)
{
	kvg_whose_fill(data, record);
}

void kvg_explaining_open(const struct kvg_set *set, const char *state_dir,
			 const struct kvg_policy *policy, struct kvg_recorder *recorder,
			 struct kvg_explaining *ret)
{
	struct kvg_context_options options = {.state_dir = state_dir, .identify = identify};
	int r = kvg_whose_open(NULL, &ret->whose);

	options.data = ret->whose;
	if (r == 0)
		r = kvg_context_open(set, &options, &ret->context);
	if (r == 0 && policy)
		r = kvg_context_know(ret->context, policy);
	if (r < 0) {
		kvg_explaining_done(ret);
		kvg_log_note("records say only what the kernel knows: %s", strerror(-r));
		return;
	}
	kvg_recorder_explain_by(recorder, ret->context);
}

void kvg_explaining_done(struct kvg_explaining *explaining)
{
	explaining->context = kvg_context_close(explaining->context);
	explaining->whose = kvg_whose_close(explaining->whose);
}
