// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a container runtime tells its hooks. Claims, on any bytes:
 *   - what is read names a process that is neither 0 nor 1, a container and an absolute path;
 *   - a refusal has one of the documented errors, says why in one line, and returns nothing;
 *   - the agent reads the same from the request that is made of it, which fits in a message unless the
 *     names alone do not.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "discover/oci_state.h"
#include "discover/request.h"
#include "ranges/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool kept)
{
	if (!kept)
		abort();
}

static void check_refusal(int r, const struct kvg_oci_state *state, const struct kvg_diag *diag)
{
	check(r == -EINVAL || r == -EFBIG);
	check(!state->pid && !state->id && !state->bundle && !state->annotations);
	check(diag->msg[0] && strlen(diag->msg) < sizeof(diag->msg));
	check(!strpbrk(diag->msg, "\r\n"));
}

static void check_state(const struct kvg_oci_state *state)
{
	const char *key;
	json_t *value;

	check(state->pid > 1);
	check(state->id[0]);
	check(state->bundle[0] == '/');
	check(!state->cgroup || state->cgroup[0] == '/');
	json_object_foreach(state->annotations, key, value) check(json_is_string(value));
}

static void check_request(const struct kvg_oci_state *state)
{
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = kvg_oci_state_request(state);
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state again = {};

	check(kvg_oci_state_read(request, &again, NULL) == 0);
	check(again.pid == state->pid && strcmp(again.id, state->id) == 0 &&
	      strcmp(again.bundle, state->bundle) == 0);
	if (json_object_get(request, "annotations")) {
		check(json_equal(again.annotations, state->annotations));
		check(json_dumpb(request, NULL, 0, JSON_COMPACT) <= KVG_REQUEST_MESSAGE_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state state = {};
	struct kvg_diag diag = {0};
	int r = kvg_oci_state_parse((const char *)data, size, &state, &diag);

	if (r < 0) {
		check_refusal(r, &state, &diag);
		return 0;
	}
	check_state(&state);
	check_request(&state);
	return 0;
}
