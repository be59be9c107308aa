// SPDX-License-Identifier: BSD-2-Clause
/* What is told of containers; a folder of the test's plays the hierarchy of cgroups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "discover/told.h"
#include "folder.h"

/* struct fixture - the places, and what was recalled */
struct fixture {
	char *folder;
	char *run_dir;
	char *root;
	struct kvg_told_places places;
	size_t recalled;
	char last[64]; /* id, and who the annotation says it is */
};

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (folder_make((void **)&fixture->folder) < 0)
		return -1;
	fixture->run_dir = folder_path((void **)&fixture->folder, "run");
	fixture->root = folder_path((void **)&fixture->folder, "cgroups");
	fixture->places.run_dir = fixture->run_dir;
	fixture->places.cgroup_root = fixture->root;
	*state = fixture;
	return mkdir(fixture->root, 0755);
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;
	int r = folder_remove((void **)&fixture->folder);

	free(fixture->run_dir);
	free(fixture->root);
	free(fixture);
	return r;
}

static void on_found(void *data, struct kvg_oci_state *container)
{
	struct fixture *fixture = data;

	fixture->recalled++;
	snprintf(fixture->last, sizeof(fixture->last), "%s %s", container->id,
		 json_string_value(json_object_get(container->annotations, "who")));
}

static size_t recall(struct fixture *fixture)
{
	fixture->recalled = 0;
	kvg_told_each(&fixture->places, on_found, fixture);
	return fixture->recalled;
}

static void change_cgroup(const struct fixture *fixture, const char *cgroup,
			  int (*change)(const char *path))
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	assert_true(asprintf(&path, "%s%s", fixture->root, cgroup) > 0);
	assert_int_equal(change(path), 0);
}

static int make_folder(const char *path)
{
	return mkdir(path, 0755);
}

static void keep(const struct fixture *fixture, const char *id)
{
	KVG_CLEANUP(kvg_oci_state_done)
	struct kvg_oci_state container = {
		.pid = 42,
		.id = strdup(id),
		.bundle = strdup("/b"),
		.cgroup = strdup("/one"),
		.annotations = json_pack("{s:s}", "who", "vault"),
	};

	assert_int_equal(kvg_told_keep(&fixture->places, &container, NULL), 0);
}

static void what_was_kept_is_recalled_as_long_as_its_cgroup_is_there(void **state)
{
	struct fixture *fixture = *state;

	change_cgroup(fixture, "/one", make_folder);
	keep(fixture, "first");
	assert_int_equal(recall(fixture), 1);
	assert_string_equal(fixture->last, "first vault");
	change_cgroup(fixture, "/one", rmdir);
	assert_int_equal(recall(fixture), 0);
	change_cgroup(fixture, "/one", make_folder);
	assert_int_equal(recall(fixture), 0);
}

static void another_cgroup_of_the_same_path_is_not_the_same(void **state)
{
	struct fixture *fixture = *state;

	change_cgroup(fixture, "/one", make_folder);
	change_cgroup(fixture, "/two", make_folder);
	keep(fixture, "first");
	change_cgroup(fixture, "/one", rmdir);
	change_cgroup(fixture, "/three", make_folder); /* takes the number, if it is given again */
	change_cgroup(fixture, "/one", make_folder);
	assert_int_equal(recall(fixture), 0);
}

static void what_is_told_again_replaces_what_was_told(void **state)
{
	struct fixture *fixture = *state;

	change_cgroup(fixture, "/one", make_folder);
	keep(fixture, "first");
	keep(fixture, "second");
	assert_int_equal(recall(fixture), 1);
	assert_string_equal(fixture->last, "second vault");
}

static void only_what_is_gone_is_forgotten(void **state)
{
	struct fixture *fixture = *state;

	change_cgroup(fixture, "/one", make_folder);
	keep(fixture, "first");
	kvg_told_forget(&fixture->places, "/two");
	kvg_told_forget(&fixture->places, "/one");
	assert_int_equal(recall(fixture), 1);
	change_cgroup(fixture, "/one", rmdir);
	kvg_told_forget(&fixture->places, "/one");
	assert_int_equal(recall(fixture), 0);
}

static void a_broken_file_is_removed_and_others_are_recalled(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *broken = NULL;

	change_cgroup(fixture, "/one", make_folder);
	keep(fixture, "first");
	broken = folder_write((void **)&fixture->folder, "run/containers/broken.json", "{\"pid\":");
	assert_non_null(broken);
	assert_int_equal(recall(fixture), 1);
	assert_int_equal(access(broken, F_OK), -1);
}

static void annotations_are_for_root_alone(void **state)
{
	struct fixture *fixture = *state;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct stat st;

	change_cgroup(fixture, "/one", make_folder);
	keep(fixture, "first");
	path = folder_path((void **)&fixture->folder, "run/containers");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void where_nothing_can_be_kept_the_folder_is_named(void **state)
{
	struct fixture *fixture = *state;
	struct kvg_oci_state container = {.pid = 42, .id = "c", .bundle = "/b", .cgroup = "/one"};
	struct kvg_diag diag = {};

	fixture->places.run_dir = "/proc/nothing";
	assert_int_equal(kvg_told_keep(&fixture->places, &container, &diag), -ENOENT);
	assert_non_null(strstr(diag.msg, "/proc/nothing/containers"));
	assert_int_equal(recall(fixture), 0);
}

#define test(claim) cmocka_unit_test_setup_teardown(claim, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_was_kept_is_recalled_as_long_as_its_cgroup_is_there),
		test(another_cgroup_of_the_same_path_is_not_the_same),
		test(what_is_told_again_replaces_what_was_told),
		test(only_what_is_gone_is_forgotten),
		test(a_broken_file_is_removed_and_others_are_recalled),
		test(annotations_are_for_root_alone),
		test(where_nothing_can_be_kept_the_folder_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
