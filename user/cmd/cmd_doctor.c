// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/places.h"
#include "gate/cgroup.h"
#include "gate/features.h"
#include "gate/status.h"

/* struct doctor - options */
struct doctor {
	struct kvg_places places;
	bool json;
};

static const struct kvg_option options[] = {
	{.name = "json",
	 .set = kvg_option_set_flag,
	 .offset = offsetof(struct doctor, json),
	 .help = "findings as JSON"},
	KVG_PLACES_OPTIONS(offsetof(struct doctor, places)),
	{0},
};

static const struct kvg_usage usage = {
	.command = "doctor",
	.operands = "[CGROUP]",
	.help = "Says what this kernel, cgroup layout and privilege can and cannot do for kvgate, "
		"and "
		"what each missing thing costs. With CGROUP, also whose programs are on it.",
	.exit_status = "0 usable, 1 not, 2 usage",
	.options = options,
	.max_operands = 1,
};

/* struct findings - all that there is to print */
struct findings {
	struct kvg_feature *features;
	size_t features_count;
	const char *cgroup; /* NULL: none was asked for */
	struct kvg_foreign *foreign;
	size_t foreign_count;
	bool usable;
};

static void findings_done(struct findings *findings)
{
	free(findings->features);
	free(findings->foreign);
}

static void print_text(const struct findings *findings)
{
	struct utsname kernel;

	if (uname(&kernel) == 0)
		printf("Linux %s, %s\n", kernel.release, kernel.machine);
	for (size_t i = 0; i < findings->features_count; i++) {
		const struct kvg_feature *feature = &findings->features[i];

		printf("%-8s %s%s%s%s\n",
		       feature->present    ? "yes"
		       : feature->required ? "MISSING"
					   : "no",
		       feature->name, feature->detail[0] ? " (" : "", feature->detail,
		       feature->detail[0] ? ")" : "");
		if (!feature->present)
			printf("         %s\n", feature->cost);
	}
	if (findings->cgroup && !findings->foreign_count)
		printf("yes      no foreign program on %s\n", findings->cgroup);
	for (size_t i = 0; i < findings->foreign_count; i++)
		printf("note     program %u \"%s\" of somebody else runs at %s of %s\n",
		       findings->foreign[i].id, findings->foreign[i].name,
		       findings->foreign[i].hook, findings->cgroup);
	printf("%s\n", findings->usable ? "kvgate can gate on this machine."
					: "kvgate cannot gate on this machine: see MISSING above.");
}

static json_t *feature_json(const struct kvg_feature *feature)
{
	return json_pack("{s:s, s:b, s:b, s:s, s:s*}", "name", feature->name, "present",
			 feature->present, "required", feature->required, "cost", feature->cost,
			 "detail", feature->detail[0] ? feature->detail : NULL);
}

static int print_json(const struct findings *findings)
{
	json_t *features = json_array();
	json_t *foreign = json_array();
	json_t *root;
	int r;

	for (size_t i = 0; i < findings->features_count; i++)
		json_array_append_new(features, feature_json(&findings->features[i]));
	for (size_t i = 0; i < findings->foreign_count; i++)
		json_array_append_new(foreign, json_pack("{s:i, s:s, s:s}", "id",
							 (int)findings->foreign[i].id, "name",
							 findings->foreign[i].name, "hook",
							 findings->foreign[i].hook));
	root = json_pack("{s:b, s:o, s:o}", "usable", findings->usable, "features", features,
			 "foreign_programs", foreign);
	r = root ? json_dumpf(root, stdout, JSON_INDENT(2)) : -1;
	json_decref(root);
	putchar('\n');
	return r;
}

static int look_at_cgroup(const struct doctor *doctor, const char *root, const char *path,
			  struct findings *ret)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	struct kvg_diag diag = {};
	int r = kvg_cgroup_open(root, path, &cgroup, &diag);

	if (r < 0) {
		kvg_log_error("%s", diag.msg);
		return KVG_EXIT_FAILED;
	}
	ret->cgroup = path;
	r = kvg_status_list_foreign(kvg_places_bpffs(&doctor->places), cgroup.fd, &ret->foreign,
				    &ret->foreign_count);
	if (r < 0) {
		kvg_log_error("the programs on \"%s\" cannot be read: %s", path, strerror(-r));
		return KVG_EXIT_FAILED;
	}
	return 0;
}

int kvg_cmd_doctor(int argc, char **argv)
{
	KVG_CLEANUP(findings_done) struct findings findings = {.usable = true};
	KVG_CLEANUP(kvg_freep) char *root = NULL;
	struct doctor doctor = {};
	int status;

	status = kvg_options_parse(&usage, argc, argv, NULL, &doctor);
	if (status != KVG_OPTIONS_GO)
		return status;

	if (doctor.places.cgroup_root)
		root = strdup(doctor.places.cgroup_root);
	else
		kvg_cgroup_find_root(&root, NULL); /* its absence is one of the findings */
	if (kvg_features_probe(kvg_places_bpffs(&doctor.places), root, &findings.features,
			       &findings.features_count) < 0) {
		kvg_log_error("out of memory");
		return KVG_EXIT_FAILED;
	}
	for (size_t i = 0; i < findings.features_count; i++) {
		if (findings.features[i].required && !findings.features[i].present)
			findings.usable = false;
	}
	if (optind < argc && root) {
		status = look_at_cgroup(&doctor, root, argv[optind], &findings);
		if (status)
			return status;
	}

	if (doctor.json)
		print_json(&findings);
	else
		print_text(&findings);
	return findings.usable ? 0 : KVG_EXIT_FAILED;
}
