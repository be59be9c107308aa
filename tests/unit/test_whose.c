// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "discover/whose.h"
#include "folder.h"

#define ID     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER  "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD    "/kubepods.slice/kubepods-pod1.slice/cri-containerd-"
#define BUNDLE "run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID

/* struct fixture - with the runtime's folders */
struct fixture {
	char *run;
	char *lib;
	struct kvg_whose *whose;
};

static int make_folders(const char *path)
{
	KVG_CLEANUP(kvg_freep) char *copy = strdup(path);

	for (char *c = copy + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		mkdir(copy, 0755);
		*c = '/';
	}
	return mkdir(copy, 0755);
}

static void write_bundle(void **state)
{
	KVG_CLEANUP(kvg_freep) char *folder = folder_path(state, BUNDLE);
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	make_folders(folder);
	path = folder_write(state, BUNDLE "/config.json",
			    "{\"annotations\":{"
			    "\"io.kubernetes.cri.container-name\":\"vault-client\","
			    "\"io.kubernetes.cri.sandbox-name\":\"payments-7f9c\","
			    "\"io.kubernetes.cri.sandbox-namespace\":\"payments\","
			    "\"io.kubernetes.cri.image-name\":\"registry.example/payments:1.2\"}}");
	assert_non_null(path);
}

static struct fixture *open_fixture(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct kvg_identity_roots roots;

	assert_non_null(fixture);
	fixture->run = folder_path(state, "run");
	fixture->lib = folder_path(state, "lib");
	roots = (struct kvg_identity_roots){.run = fixture->run, .var_lib = fixture->lib};
	assert_int_equal(kvg_whose_open(&roots, &fixture->whose), 0);
	return fixture;
}

static void fixture_freep(struct fixture **fixture)
{
	kvg_whose_close((*fixture)->whose);
	free((*fixture)->run);
	free((*fixture)->lib);
	free(*fixture);
}

#define FIXTURE KVG_CLEANUP(fixture_freep) struct fixture

static struct kvg_record ask(struct fixture *fixture, __u64 cgroup_id, const char *cgroup)
{
	struct kvg_record record = {.refusal.cgroup_id = cgroup_id, .gate = cgroup};

	kvg_whose_fill(fixture->whose, &record);
	return record;
}

static void a_pods_container_is_named(void **state)
{
	FIXTURE *fixture = open_fixture(state);
	struct kvg_record record;

	write_bundle(state);
	record = ask(fixture, 1, POD ID ".scope");
	assert_string_equal(record.container, "vault-client");
	assert_string_equal(record.pod, "payments-7f9c");
	assert_string_equal(record.namespace, "payments");
	assert_string_equal(record.image, "registry.example/payments:1.2");
}

static void what_was_known_outlives_the_container(void **state)
{
	FIXTURE *fixture = open_fixture(state);
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, BUNDLE "/config.json");

	write_bundle(state);
	ask(fixture, 1, POD ID ".scope");
	assert_int_equal(unlink(path), 0);
	assert_string_equal(ask(fixture, 1, POD ID ".scope").container, "vault-client");
}

static void what_is_no_container_has_no_name(void **state)
{
	FIXTURE *fixture = open_fixture(state);
	struct kvg_record record = ask(fixture, 1, "/system.slice/app.service");

	assert_null(record.container);
	assert_null(record.pod);
	assert_null(record.namespace);
	assert_null(record.image);
}

static void another_container_is_another(void **state)
{
	FIXTURE *fixture = open_fixture(state);

	write_bundle(state);
	ask(fixture, 1, POD ID ".scope");
	assert_null(ask(fixture, 2, POD OTHER ".scope").container);
}

static void more_gates_than_are_remembered_are_all_told(void **state)
{
	FIXTURE *fixture = open_fixture(state);

	write_bundle(state);
	for (__u64 id = 1; id <= KVG_WHOSE_MAX + 100; id++)
		assert_non_null(ask(fixture, id, POD ID ".scope").container);
	assert_non_null(ask(fixture, 1, POD ID ".scope").container);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_pods_container_is_named),
		EACH(what_was_known_outlives_the_container),
		EACH(what_is_no_container_has_no_name),
		EACH(another_container_is_another),
		EACH(more_gates_than_are_remembered_are_all_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
