// SPDX-License-Identifier: BSD-2-Clause
#include "cmd/status_flows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/line_words.h"
#include "audit/top.h"
#include "cmd/colour.h"
#include "discover/request.h"
#include "policy/words.h"

#define TIMEOUT_MS 5000

json_t *kvg_status_flows_ask(const char *run_dir)
{
	json_t *request = json_pack("{s:s}", "request", "flows");
	struct kvg_diag diag = {};
	json_t *answer = NULL;

	if (request)
		kvg_request_send(run_dir, request, TIMEOUT_MS, &answer, &diag);
	json_decref(request);
	return answer;
}

static const char *text_of(const json_t *flow, const char *key)
{
	const char *text = json_string_value(json_object_get(flow, key));

	return text ? text : "";
}

static json_int_t count_of(const json_t *flow)
{
	return json_integer_value(json_object_get(flow, "count"));
}

static json_t *find(const json_t *flows, const json_t *wanted)
{
	json_t *flow;
	size_t i;

	json_array_foreach(flows, i, flow)
	{
		if (strcmp(text_of(flow, "flow"), text_of(wanted, "flow")) == 0 &&
		    strcmp(text_of(flow, "reason"), text_of(wanted, "reason")) == 0)
			return flow;
	}
	return NULL;
}

/* Takes @flow over. */
static void add(json_t *flows, json_t *flow)
{
	json_t *known = find(flows, flow);

	if (!known) {
		json_array_append_new(flows, flow);
		return;
	}
	json_object_set_new(known, "count", json_integer(count_of(known) + count_of(flow)));
	json_decref(flow);
}

/* Only what is meant to be shown: the agent may be another version. */
static json_t *copy_of(const json_t *flow)
{
	return json_pack("{s:s, s:s, s:I, s:O*, s:O*}", "flow", text_of(flow, "flow"), "reason",
			 text_of(flow, "reason"), "count", count_of(flow), "process",
			 json_object_get(flow, "process"), "domain",
			 json_object_get(flow, "domain"));
}

static void add_asked(json_t *flows, __u64 cgroup_id, const json_t *asked)
{
	const json_t *gate, *flow;
	size_t i, j;

	json_array_foreach(json_object_get(asked, "gates"), i, gate)
	{
		json_int_t id = json_integer_value(json_object_get(gate, "cgroup_id"));

		if ((__u64)id != cgroup_id)
			continue;
		json_array_foreach(json_object_get(gate, "flows"), j, flow)
			add(flows, copy_of(flow));
	}
}

static int by_count(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	if (count_of(*x) != count_of(*y))
		return count_of(*x) > count_of(*y) ? -1 : 1;
	return strcmp(text_of(*x, "flow"), text_of(*y, "flow"));
}

/* Takes @flows over. */
static json_t *most_frequent(json_t *flows)
{
	size_t count = json_array_size(flows);
	json_t **list = calloc(count + 1, sizeof(*list));
	json_t *ret = json_array();

	for (size_t i = 0; list && i < count; i++)
		list[i] = json_array_get(flows, i);
	if (list)
		qsort(list, count, sizeof(*list), by_count);
	for (size_t i = 0; list && i < count && i < KVG_STATUS_FLOWS_MAX; i++)
		json_array_append(ret, list[i]);
	free(list);
	json_decref(flows);
	return ret;
}

json_t *kvg_status_flows(const struct kvg_gate_status *gate, const json_t *asked)
{
	json_t *flows = json_array();
	char flow[KVG_TOP_FLOW_STRLEN];

	for (size_t i = 0; i < gate->flows_count; i++) {
		const struct kvg_refusal *refusal = &gate->flows[i].refusal;

		if (refusal->hook == KVG_HOOK_SOCK_DESTROY)
			continue;
		add(flows, json_pack("{s:s, s:s, s:I}", "flow", kvg_top_format_flow(refusal, flow),
				     "reason", kvg_reason_word(refusal->reason), "count",
				     (json_int_t)gate->flows[i].count));
	}
	add_asked(flows, gate->cgroup_id, asked);
	return most_frequent(flows);
}

static void print_flow(const json_t *flow, int count_width, int flow_width)
{
	char text[KVG_LINE_WORD_LEN];

	printf("  refused   %s%*lld x%s %-*s (%s)", kvg_colour(KVG_COLOUR_WARN), count_width,
	       (long long)count_of(flow), kvg_colour_end(), flow_width, text_of(flow, "flow"),
	       text_of(flow, "reason"));
	if (*text_of(flow, "process")) {
		kvg_line_words_clean(text_of(flow, "process"), text, sizeof(text));
		printf(" by %s", text);
	}
	if (*text_of(flow, "domain")) {
		kvg_line_words_clean(text_of(flow, "domain"), text, sizeof(text));
		printf(", looked up as %s", text);
	}
	putchar('\n');
}

void kvg_status_flows_print(const json_t *flows)
{
	int count_width = 6, flow_width = 0, width;
	const json_t *flow;
	size_t i;

	json_array_foreach(flows, i, flow)
	{
		width = snprintf(NULL, 0, "%lld", (long long)count_of(flow));
		count_width = width > count_width ? width : count_width;
		width = (int)strlen(text_of(flow, "flow"));
		flow_width = width > flow_width ? width : flow_width;
	}
	json_array_foreach(flows, i, flow) print_flow(flow, count_width, flow_width);
}
