// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/agent_status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/colour.h"
#include "discover/request.h"

#define TIMEOUT_MS 5000 /* a reload with many documents */

json_t *kvg_agent_status_ask(const char *run_dir)
{
	json_t *request = json_pack("{s:s}", "request", "status");
	struct kvg_diag diag = {};
	json_t *answer = NULL;
	int r = -ENOMEM;

	if (request)
		r = kvg_request_send(run_dir, request, TIMEOUT_MS, &answer, &diag);
	json_decref(request);
	if (r < 0 && r != -ECONNREFUSED)
		kvg_log_note("the agent does not say how it is: %s",
			     diag.msg[0] ? diag.msg : strerror(-r));
	return answer;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static void print_lines(const json_t *answer, const char *key, const char *label)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(answer, key), i, line)
		printf("  %-9s %s\n", label, json_string_value(line));
}

static void print_profiles(const json_t *answer)
{
	const json_t *profile;
	size_t i;

	json_array_foreach(json_object_get(answer, "profiles"), i, profile)
		printf("  profile   %s: policy of %s, %.19s\n", text_of(profile, "name"),
		       text_of(profile, "source"), text_of(profile, "policy_digest"));
}

/* Where more than one profile is for a cgroup, all are shown. */
static void print_cgroups(const json_t *answer)
{
	const json_t *cgroup, *also;
	size_t i, j;

	json_array_foreach(json_object_get(answer, "cgroups"), i, cgroup)
	{
		const char *cover = json_string_value(json_object_get(cgroup, "covered_by"));

		printf("  matched   %s by %s", text_of(cgroup, "cgroup"),
		       text_of(cgroup, "profile"));
		json_array_foreach(json_object_get(cgroup, "also"), j, also)
			printf(", also by %s", json_string_value(also));
		if (cover)
			printf("; covered by the gate of %s", cover);
		printf("\n");
	}
}

void kvg_agent_status_print(const json_t *answer)
{
	bool healthy;

	if (!answer)
		return;
	healthy = kvg_agent_status_is_healthy(answer);
	printf("agent       process %lld, %s%s%s\n",
	       (long long)json_integer_value(json_object_get(answer, "pid")),
	       kvg_colour(healthy ? KVG_COLOUR_GOOD : KVG_COLOUR_BAD),
	       healthy ? "healthy" : "UNHEALTHY", kvg_colour_end());
	print_lines(answer, "problems", "problem");
	print_lines(answer, "notes", "note");
	print_profiles(answer);
	print_cgroups(answer);
}

bool kvg_agent_status_is_healthy(const json_t *answer)
{
	return !answer || json_is_true(json_object_get(answer, "healthy"));
}
