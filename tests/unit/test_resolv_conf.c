// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "discover/resolv_conf.h"
#include "folder.h"

#define TEXT  KVG_CLEANUP(kvg_freep) char *
#define ROOT  "\"root\":{\"path\":\"rootfs\"}"
#define MOUNT "{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"%s/%s\"}"

/* A bundle in the test's folder, with a root file system; mounts are of files in the same folder. */
static void make_bundle(void **state, const char *mounts)
{
	static const char *const folders[] = {"rootfs", "rootfs/etc", "rootfs/run"};
	KVG_CLEANUP(kvg_freep) char *text = NULL;

	for (size_t i = 0; i < KVG_ARRAY_SIZE(folders); i++) {
		TEXT path = folder_path(state, folders[i]);

		mkdir(path, 0755);
	}
	assert_true(asprintf(&text, "{" ROOT ",\"mounts\":[%s]}", mounts) > 0);
	TEXT config = folder_write(state, "config.json", text);
	assert_non_null(config);
}

static char *mount_of(void **state, const char *name)
{
	char *text;

	assert_true(asprintf(&text, MOUNT, (const char *)*state, name) > 0);
	return text;
}

static void write_conf(void **state, const char *name, const char *address)
{
	TEXT text = NULL;

	assert_true(asprintf(&text, "search x\nnameserver %s\n", address) > 0);
	TEXT path = folder_write(state, name, text);
	assert_non_null(path);
}

static int look(void **state, bool started, struct kvg_resolvers *ret, struct kvg_diag *diag)
{
	const struct kvg_resolv_conf_container container = {*state, started};
	const struct kvg_resolvers_node node = {};

	return kvg_resolv_conf_read(&container, &node, ret, NULL, diag);
}

static void assert_read(void **state, const char *expected)
{
	struct kvg_diag diag = {};
	struct kvg_resolvers set;

	if (look(state, false, &set, &diag) < 0)
		fail_msg("%s", diag.msg);
	TEXT text = kvg_resolvers_format(&set);
	assert_string_equal(text, expected);
}

static void assert_refused(void **state, bool started, int error, const char *why)
{
	struct kvg_diag diag = {};
	struct kvg_resolvers set = {.count = 1};

	assert_int_equal(look(state, started, &set, &diag), error);
	assert_int_equal(set.count, 0);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' is not in '%s'", why, diag.msg);
}

static void a_mounted_one_hides_that_of_the_image(void **state)
{
	TEXT mount = mount_of(state, "mounted");

	make_bundle(state, mount);
	write_conf(state, "rootfs/etc/resolv.conf", "10.0.0.1");
	write_conf(state, "mounted", "10.0.0.2");
	assert_read(state, "10.0.0.2\n");
}

static void of_two_mounts_the_later_one_counts(void **state)
{
	TEXT first = mount_of(state, "first");
	TEXT second = mount_of(state, "second");
	TEXT both = NULL;

	assert_true(asprintf(&both, "%s,%s", first, second) > 0);
	make_bundle(state, both);
	write_conf(state, "first", "10.0.0.1");
	write_conf(state, "second", "10.0.0.2");
	assert_read(state, "10.0.0.2\n");
}

static void a_mounted_etc_is_looked_into(void **state)
{
	TEXT mounts = NULL;
	TEXT folder = folder_path(state, "other");

	assert_true(asprintf(&mounts,
			     "{\"destination\":\"/etc\",\"options\":[\"rbind\"],"
			     "\"source\":\"%s\"}",
			     folder) > 0);
	make_bundle(state, mounts);
	mkdir(folder, 0755);
	write_conf(state, "rootfs/etc/resolv.conf", "10.0.0.1");
	write_conf(state, "other/resolv.conf", "10.0.0.2");
	assert_read(state, "10.0.0.2\n");
}

static void without_a_mount_it_is_the_images_and_none_if_that_has_none(void **state)
{
	make_bundle(state, "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}");
	assert_read(state, "");
	write_conf(state, "rootfs/etc/resolv.conf", "10.0.0.1");
	assert_read(state, "10.0.0.1\n");
}

static void a_link_of_the_image_leads_nowhere_outside(void **state)
{
	TEXT outside = folder_path(state, "outside");
	TEXT link = folder_path(state, "rootfs/etc/resolv.conf");

	make_bundle(state, "");
	write_conf(state, "outside", "10.0.0.1");
	assert_int_equal(symlink("../../outside", link), 0);
	assert_read(state, "");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink(outside, link), 0);
	assert_read(state, "");
	assert_int_equal(unlink(link), 0);

	/* Inside, it is followed. */
	write_conf(state, "rootfs/run/conf", "10.0.0.3");
	assert_int_equal(symlink("/run/conf", link), 0);
	assert_read(state, "10.0.0.3\n");
}

static void what_is_no_file_is_not_opened(void **state)
{
	TEXT path = folder_path(state, "rootfs/etc/resolv.conf");

	make_bundle(state, "");
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_refused(state, false, -EINVAL, "not used"); /* would wait for a writer for ever */
}

static void a_huge_one_is_refused(void **state)
{
	TEXT path = folder_path(state, "rootfs/etc/resolv.conf");

	make_bundle(state, "");
	write_conf(state, "rootfs/etc/resolv.conf", "10.0.0.1");
	assert_int_equal(truncate(path, 1 << 20), 0);
	assert_refused(state, false, -EFBIG, "too large");
}

static void a_mount_of_no_file_and_a_file_that_is_not_there_are_refused(void **state)
{
	TEXT mount = mount_of(state, "absent");

	make_bundle(state,
		    "{\"destination\":\"/etc/resolv.conf\",\"type\":\"tmpfs\",\"source\":\"x\"}");
	assert_refused(state, false, -EMEDIUMTYPE, "no file of the host");
	make_bundle(state, mount);
	assert_refused(state, false, -ENXIO, "does not see");
}

static void a_bundle_without_a_readable_configuration_is_refused(void **state)
{
	assert_refused(state, false, -ENOENT, "No such file");
	TEXT config = folder_write(state, "config.json", "{\"mounts\":[]}");
	assert_non_null(config);
	assert_refused(state, false, -EINVAL, "not used");
}

/* Clocks of file systems go on by a tick of 10 ms at most. */
static void tick(void)
{
	usleep(30000);
}

static void of_a_running_container_only_one_that_it_has_not_changed_is_read(void **state)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	TEXT path = folder_path(state, "mounted");
	TEXT mount = mount_of(state, "mounted");
	struct kvg_resolvers set;

	make_bundle(state, "");
	write_conf(state, "mounted", "10.0.0.1");
	tick();
	make_bundle(state, mount);
	tick();
	assert_int_equal(look(state, true, &set, NULL), 0);
	assert_int_equal(set.count, 1);

	write_conf(state, "mounted", "10.0.0.66");
	assert_refused(state, true, -ESTALE, "changed since the container was made");

	/* The time of the last write can be set back, that of the last change cannot. */
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	assert_refused(state, true, -ESTALE, "changed since the container was made");

	/* Before the start, nobody but the runtime can have written it. */
	assert_read(state, "10.0.0.66\n");
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_mounted_one_hides_that_of_the_image),
		IN_FOLDER(of_two_mounts_the_later_one_counts),
		IN_FOLDER(a_mounted_etc_is_looked_into),
		IN_FOLDER(without_a_mount_it_is_the_images_and_none_if_that_has_none),
		IN_FOLDER(a_link_of_the_image_leads_nowhere_outside),
		IN_FOLDER(what_is_no_file_is_not_opened),
		IN_FOLDER(a_huge_one_is_refused),
		IN_FOLDER(a_mount_of_no_file_and_a_file_that_is_not_there_are_refused),
		IN_FOLDER(a_bundle_without_a_readable_configuration_is_refused),
		IN_FOLDER(of_a_running_container_only_one_that_it_has_not_changed_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
