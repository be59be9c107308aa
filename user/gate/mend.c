// SPDX-License-Identifier: BSD-2-Clause
#include "gate/mend.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "gate/own.h"
#include "gate/pins.h"

#define FOLDER_LEN 40 /* "links/" and a 64-bit number */

/* What is left of a link, best first. */
enum found { FOUND_WHOLE, FOUND_OTHER_PROGRAM, FOUND_NOTHING };

static enum found look(int link, const struct kvg_cgroup *cgroup, __u32 program_id)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	/* A link that was detached says cgroup 0. */
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) < 0 ||
	    info.cgroup.cgroup_id != cgroup->id)
		return FOUND_NOTHING;
	return info.prog_id == program_id ? FOUND_WHOLE : FOUND_OTHER_PROGRAM;
}

static int make_anew(struct kvg_set *set, const struct kvg_cgroup *cgroup, enum kvg_program which,
		     const char *folder)
{
	const struct kvg_program_row *row = &kvg_programs()[which];
	KVG_CLEANUP(kvg_closep)
	int link = bpf_link_create(kvg_set_program(set, which), cgroup->fd, row->type, NULL);
	int r;

	if (link < 0)
		return row->required ? -errno : 0; /* status says so */
	r = kvg_pins_make_folder(kvg_set_path(set), folder);
	if (r == 0)
		r = kvg_pins_replace(kvg_set_path(set), folder, row->label, link);
	return r < 0 ? r : 1;
}

/* Return: 1 mended, 0 nothing to do, or a negative errno */
static int mend_link(struct kvg_set *set, const struct kvg_cgroup *cgroup, enum kvg_program which)
{
	int program = kvg_set_program(set, which);
	KVG_CLEANUP(kvg_closep) int link = -1;
	char folder[FOLDER_LEN];
	enum found found;

	if (program < 0)
		return 0;
	snprintf(folder, sizeof(folder), "links/%llu", (unsigned long long)cgroup->id);
	link = kvg_pins_get(kvg_set_path(set), folder, kvg_programs()[which].label);
	found = look(link, cgroup, kvg_own_program_id(program));
	if (found == FOUND_WHOLE)
		return 0;
	if (found == FOUND_OTHER_PROGRAM && bpf_link_update(link, program, NULL) == 0)
		return 1;
	return make_anew(set, cgroup, which, folder);
}

int kvg_mend(struct kvg_set *set, const struct kvg_cgroup *cgroup, struct kvg_diag *reterr_diag)
{
	int mended = 0;
	int error = 0;

	for (int i = 0; i < KVG_PROGRAM_COUNT; i++) {
		int r = mend_link(set, cgroup, i);

		if (r >= 0)
			mended += r;
		else if (!error)
			error = kvg_diag_set(
				reterr_diag, r,
				"the %s program is not in force on cgroup \"%s\", and cannot "
				"be put there: %s",
				kvg_programs()[i].label, cgroup->path, strerror(-r));
	}
	return error ? error : mended;
}
