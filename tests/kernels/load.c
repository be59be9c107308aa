// SPDX-License-Identifier: BSD-2-Clause
/*
 * load OBJECT...: loads each compiled BPF object into this kernel and forgets it; prints, as JSON,
 * what the verifier said of each program, and how long the whole set takes as kvgate loads it.
 *
 * The count is the verifier's own ("processed N insns"): every supported kernel says it in its log,
 * while bpf_prog_info has it since 5.16 only.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "gate/lsm.h"
#include "gate/probe.h"
#include "gate/set.h"

#define PROGRAMS_MAX         32
#define LOG_SIZE             1024 /* the statistics are a few lines */
#define LOG_LEVEL_STATISTICS 4
#define TRIES                5 /* the best of them counts */

/* struct object - a BPF object and the verifier's words on each of its programs */
struct object {
	struct bpf_object *bpf;
	char logs[PROGRAMS_MAX][LOG_SIZE];
	int count;
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* Where a constant of that name lies in the object's .rodata; -ENOENT: it has none. */
static int find_constant(const struct bpf_object *bpf, const char *name)
{
	const struct btf *btf = bpf_object__btf(bpf);
	const struct btf_type *section;
	int id;

	id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -ENOENT;
	if (id < 0)
		return -ENOENT;
	section = btf__type_by_id(btf, id);
	for (int i = 0; i < btf_vlen(section); i++) {
		const struct btf_var_secinfo *place = &btf_var_secinfos(section)[i];
		const struct btf_type *variable = btf__type_by_id(btf, place->type);

		if (strcmp(btf__name_by_offset(btf, variable->name_off), name) == 0)
			return place->offset;
	}
	return -ENOENT;
}

static int set_constant(const struct bpf_object *bpf, const char *name, bool value)
{
	struct bpf_map *map = bpf_object__find_map_by_name(bpf, ".rodata");
	KVG_CLEANUP(kvg_freep) bool *copy = NULL;
	int offset = find_constant(bpf, name);
	const void *initial;
	size_t size;

	initial = map ? bpf_map__initial_value(map, &size) : NULL;
	if (offset < 0 || !initial)
		return 0;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, initial, size);
	copy[offset] = value;
	return bpf_map__set_initial_value(map, copy, size);
}

static int load_object(const char *path, struct object *object)
{
	struct bpf_program *program;
	int r;

	object->bpf = bpf_object__open_file(path, NULL);
	if (!object->bpf)
		return -errno;
	r = set_constant(object->bpf, "kvg_cfg_packet_pid", kvg_probe_packet_pid());
	if (r == 0)
		r = set_constant(object->bpf, "kvg_cfg_packet_comm", kvg_probe_packet_comm());
	if (r < 0)
		return r;

	bpf_object__for_each_program(program, object->bpf)
	{
		if (object->count == PROGRAMS_MAX)
			return -E2BIG;
		bpf_program__set_log_level(program, LOG_LEVEL_STATISTICS);
		bpf_program__set_log_buf(program, object->logs[object->count++], LOG_SIZE);
	}
	return bpf_object__load(object->bpf);
}

static json_t *describe_programs(const struct object *object)
{
	json_t *programs = json_array();
	struct bpf_program *program;
	int i = 0;

	bpf_object__for_each_program(program, object->bpf)
	{
		const char *said = strstr(object->logs[i++], "processed ");
		unsigned count;

		if (said && sscanf(said, "processed %u insns", &count) == 1)
			json_array_append_new(
				programs,
				json_pack("{s:s, s:I, s:I}", "program", bpf_program__name(program),
					  "verified_insns", (json_int_t)count, "insns",
					  (json_int_t)bpf_program__insn_cnt(program)));
	}
	return programs;
}

/* cgroup of .../cgroup.bpf.o */
static json_t *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	return json_stringn(name, strcspn(name, "."));
}

static json_t *try_object(const char *path)
{
	struct object *object = calloc(1, sizeof(*object));
	json_t *said;
	int r;

	if (!object)
		return NULL;
	r = load_object(path, object);
	said = json_pack("{s:o, s:b, s:s}", "object", short_name(path), "loaded", r == 0, "error",
			 r == 0 ? "" : strerror(-r));
	if (object->bpf)
		json_object_set_new(said, "programs", describe_programs(object));
	bpf_object__close(object->bpf);
	free(object);
	return said;
}

/* As a command of kvgate loads it; negative: it does not load, and why is in the diagnostic. */
static double time_set(struct kvg_diag *reterr_diag)
{
	double best = -1;

	for (int i = 0; i < TRIES; i++) {
		double start = now_ms(), took;

		if (kvg_set_try(reterr_diag) < 0)
			return -1;
		took = now_ms() - start;
		if (best < 0 || took < best)
			best = took;
	}
	return best;
}

int main(int argc, char **argv)
{
	json_t *objects = json_array();
	struct kvg_diag diag = {};
	json_t *said;
	double ms;

	kvg_lsm_prepare(); /* where it fails, that object does not load */
	ms = time_set(&diag);
	libbpf_set_print(silent);
	for (int i = 1; i < argc; i++)
		json_array_append_new(objects, try_object(argv[i]));
	said = json_pack("{s:f, s:s, s:o}", "load_ms", ms, "load_error", diag.msg, "objects",
			 objects);
	json_dumpf(said, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(4));
	putchar('\n');
	json_decref(said);
	return ms < 0;
}
