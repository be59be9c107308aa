// SPDX-License-Identifier: BSD-2-Clause
/*
 * observe ROOT PREFIX [RUN VAR_LIB]: one JSON line for each cgroup below ROOT whose path begins with PREFIX,
 * as it comes and goes, with the time (CLOCK_MONOTONIC) and whose it is; "ready" after those that are there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "discover/identity.h"
#include "discover/watch.h"

static const char *prefix;
static struct kvg_identity_roots roots;

static void print(const char *sign, const char *cgroup, const struct kvg_identity *identity)
{
	struct timespec now;
	json_t *line;

	clock_gettime(CLOCK_MONOTONIC, &now);
	line = json_pack("{ss ss sI}", "sign", sign, "cgroup", cgroup, "ns",
			 (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec);
	if (identity) {
		json_t *labels = json_object();

		for (size_t i = 0; i < identity->labels_count; i++)
			json_object_set_new(labels, identity->labels[i].key,
					    json_string(identity->labels[i].value));
		json_object_update_new(
			line, json_pack("{ss ss ss ss ss sb so}", "unit", identity->unit, "runtime",
					identity->runtime, "id", identity->container_id,
					"container", identity->container, "image", identity->image,
					"incomplete", identity->incomplete, "labels", labels));
	}
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static void on_appeared(void *data, const char *cgroup)
{
	KVG_CLEANUP(kvg_identity_done) struct kvg_identity identity = {0};

	(void)data;
	if (strncmp(cgroup, prefix, strlen(prefix)) != 0)
		return;
	if (kvg_identity_read(&roots, cgroup, &identity) < 0)
		exit(1);
	print("+", cgroup, &identity);
}

static void on_gone(void *data, const char *cgroup)
{
	(void)data;
	if (strncmp(cgroup, prefix, strlen(prefix)) == 0)
		print("-", cgroup, NULL);
}

int main(int argc, char **argv)
{
	static const struct kvg_watch_ops ops = {.appeared = on_appeared, .gone = on_gone};
	struct kvg_watch *watch = NULL;
	struct kvg_diag diag = {0};
	sd_event *event = NULL;

	if (argc < 3)
		return 2;
	prefix = argv[2];
	roots.run = argc > 3 ? argv[3] : NULL;
	roots.var_lib = argc > 4 ? argv[4] : NULL;
	if (sd_event_new(&event) < 0 || kvg_watch_open(argv[1], event, &ops, &watch, &diag) < 0) {
		fprintf(stderr, "observe: %s\n", diag.msg);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return sd_event_loop(event) < 0;
}
