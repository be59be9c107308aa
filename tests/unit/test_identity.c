// SPDX-License-Identifier: BSD-2-Clause
/* Runtimes' files as their documentation describes them, made in folders of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "discover/identity.h"
#include "folder.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

#define IDENTITY KVG_CLEANUP(kvg_identity_done) struct kvg_identity
#define TASKS    "run/containerd/io.containerd.runtime.v2.task/"

/* A file and the folders that lead to it. */
static void put(void **state, const char *name, const char *text)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, name);
	KVG_CLEANUP(kvg_freep) char *written = NULL;

	for (char *c = path + strlen(*state) + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*c = '/';
	}
	written = folder_write(state, name, text);
	assert_non_null(written);
}

static struct kvg_identity identify(void **state, const char *cgroup)
{
	KVG_CLEANUP(kvg_freep) char *run = folder_path(state, "run");
	KVG_CLEANUP(kvg_freep) char *lib = folder_path(state, "lib");
	const struct kvg_identity_roots roots = {.run = run, .var_lib = lib};
	struct kvg_identity identity;

	assert_int_equal(kvg_identity_read(&roots, cgroup, &identity), 0);
	assert_string_equal(identity.cgroup, cgroup);
	return identity;
}

static void assert_container(const struct kvg_identity *identity, const char *runtime,
			     const char *container, const char *image)
{
	assert_string_equal(identity->runtime, runtime);
	assert_string_equal(identity->container_id, ID);
	assert_string_equal(identity->container, container);
	assert_string_equal(identity->image, image);
	assert_false(identity->incomplete);
}

static void assert_unit(void **state, const char *cgroup, const char *unit)
{
	IDENTITY identity = identify(state, cgroup);

	assert_string_equal(identity.unit, unit);
}

static void the_unit_is_the_first_below_slices(void **state)
{
	assert_unit(state, "/system.slice/app.service", "app.service");
	assert_unit(state, "/system.slice/app.service/inner.service", "app.service");
	assert_unit(state, "/a.slice/a-b.slice/run-1.scope/x/y", "run-1.scope");
	assert_unit(state, "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
		    "user@1000.service");
	assert_unit(state, "/a.slice/a-b.slice", "a-b.slice");
	assert_unit(state, "/system.slice/_cpu.service", "cpu.service");
	assert_unit(state, "/init.scope", "init.scope");
	assert_unit(state, "/a.slice/plain", "");
	assert_unit(state, "/plain/app.service", "");
	assert_unit(state, "/", "");
	assert_unit(state, "/.service", "");
}

static void what_is_no_container_has_nothing_of_one(void **state)
{
	static const char *const paths[] = {
		"/",
		"/system.slice/app.service",
		"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" ID ".scope",
		"/machine.slice/libpod-conmon-" ID ".scope",
		"/libpod_parent/" ID,
		"/docker-" ID "0.scope",
		"/docker-0123.scope",
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(paths); i++) {
		IDENTITY identity = identify(state, paths[i]);

		assert_string_equal(identity.runtime, "");
		assert_string_equal(identity.container_id, "");
		assert_string_equal(identity.container, "");
		assert_string_equal(identity.namespace, "");
		assert_int_equal(identity.labels_count, 0);
		assert_false(identity.incomplete);
	}
}

static void every_runtimes_cgroup_tells_the_id(void **state)
{
	static const struct {
		const char *path;
		const char *runtime;
	} rows[] = {
		{"/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "containerd"},
		{"/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope", "cri-o"},
		{"/kubepods/burstable/pod1/crio-" ID, "cri-o"},
		{"/kubepods/besteffort/pod1/" ID, ""},
		{"/system.slice/docker-" ID ".scope", "docker"},
		{"/docker/" ID, "docker"},
		{"/docker/" ID "/docker/" OTHER, "docker"},
		{"/own-parent/" ID, ""},
		{"/machine.slice/libpod-" ID ".scope/container", "podman"},
		{"/user.slice/app.service/libpod-payload-" ID, "podman"},
		{"/libpod_parent/" OTHER "/libpod-" ID, "podman"},
		{"/system.slice/nerdctl-" ID ".scope", "containerd"},
		{"/system.slice/x.service/kubepods-pod1.slice:cri-containerd:" ID, "containerd"},
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(rows); i++) {
		IDENTITY identity = identify(state, rows[i].path);

		assert_string_equal(identity.container_id, ID);
		assert_string_equal(identity.runtime, rows[i].runtime);
		assert_true(identity.incomplete);
	}
}

#define CRI                                                               \
	"{\"ociVersion\": \"1.1.0\", \"annotations\": {"                  \
	"\"io.kubernetes.cri.container-name\": \"vault-client\","         \
	"\"io.kubernetes.cri.container-type\": \"container\","            \
	"\"io.kubernetes.cri.image-name\": \"registry.example/app:1.2\"," \
	"\"io.kubernetes.cri.sandbox-name\": \"payments-7d9\","           \
	"\"io.kubernetes.cri.sandbox-namespace\": \"payments\"}}"

static void a_container_of_containerd_in_kubernetes_is_known(void **state)
{
	put(state, TASKS "k8s.io/" ID "/config.json", CRI);
	IDENTITY identity =
		identify(state, "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope");
	IDENTITY plain = identify(state, "/kubepods/besteffort/pod1/" ID "/below");

	assert_container(&identity, "containerd", "vault-client", "registry.example/app:1.2");
	assert_string_equal(identity.namespace, "payments");
	assert_string_equal(identity.pod, "payments-7d9");
	assert_int_equal(identity.labels_count, 5);
	assert_string_equal(kvg_identity_label(&identity, "io.kubernetes.cri.container-type"),
			    "container");
	assert_null(kvg_identity_label(&identity, "absent"));

	assert_container(&plain, "containerd", "vault-client", "registry.example/app:1.2");
	assert_string_equal(plain.pod, "payments-7d9");
}

static void a_container_of_k3s_is_known(void **state)
{
	put(state, "run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json",
	    CRI);
	IDENTITY identity = identify(state, "/kubepods/pod1/" ID);

	assert_container(&identity, "containerd", "vault-client", "registry.example/app:1.2");
}

static void a_container_of_ctr_is_known_by_its_name(void **state)
{
	put(state, TASKS "default/box/config.json", "{\"annotations\": {\"team\": \"red\"}}");
	IDENTITY identity = identify(state, "/default/box");
	IDENTITY other = identify(state, "/default/other");

	assert_string_equal(identity.runtime, "containerd");
	assert_string_equal(identity.container, "box");
	assert_string_equal(kvg_identity_label(&identity, "team"), "red");
	assert_string_equal(other.runtime, "");
}

static void a_container_of_cri_o_is_known(void **state)
{
	put(state, "run/containers/storage/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\": {"
	    "\"io.kubernetes.container.name\": \"vault-client\","
	    "\"io.kubernetes.pod.name\": \"payments-7d9\","
	    "\"io.kubernetes.pod.namespace\": \"payments\","
	    "\"io.kubernetes.cri-o.ImageName\": \"registry.example/app:1.2\","
	    "\"example.com/tier\": \"back\"}}");
	IDENTITY identity =
		identify(state, "/kubepods.slice/kubepods-pod1.slice/crio-" ID ".scope");

	assert_container(&identity, "cri-o", "vault-client", "registry.example/app:1.2");
	assert_string_equal(identity.namespace, "payments");
	assert_string_equal(identity.pod, "payments-7d9");
	assert_string_equal(kvg_identity_label(&identity, "example.com/tier"), "back");
}

static void a_container_of_docker_is_known(void **state)
{
	put(state, "lib/docker/containers/" ID "/config.v2.json",
	    "{\"Name\": \"/web\", \"Config\": {\"Image\": \"registry.example/web:3\","
	    "\"Labels\": {\"com.example.team\": \"red\"}}}");
	put(state, TASKS "moby/" ID "/config.json",
	    "{\"annotations\": {\"by\": \"--annotation\"}}");
	IDENTITY scope = identify(state, "/system.slice/docker-" ID ".scope");
	IDENTITY folder = identify(state, "/docker/" ID);
	IDENTITY parent = identify(state, "/own-parent/" ID);

	assert_container(&scope, "docker", "web", "registry.example/web:3");
	assert_string_equal(kvg_identity_label(&scope, "com.example.team"), "red");
	assert_string_equal(kvg_identity_label(&scope, "by"), "--annotation");
	assert_container(&folder, "docker", "web", "registry.example/web:3");
	assert_container(&parent, "docker", "web", "registry.example/web:3");
}

static void a_container_of_docker_below_kubelet_has_the_name_in_its_pod(void **state)
{
	put(state, "lib/docker/containers/" ID "/config.v2.json",
	    "{\"Name\": \"/k8s_vault-client_payments-7d9_payments_1_0\", \"Config\": {\"Image\": "
	    "\"i\","
	    "\"Labels\": {\"io.kubernetes.container.name\": \"vault-client\","
	    "\"io.kubernetes.pod.name\": \"payments-7d9\","
	    "\"io.kubernetes.pod.namespace\": \"payments\"}}}");
	IDENTITY identity = identify(state, "/kubepods/pod1/" ID);

	assert_container(&identity, "docker", "vault-client", "i");
	assert_string_equal(identity.namespace, "payments");
}

/* An image may bring any label. */
static void a_label_alone_makes_no_container_of_kubernetes(void **state)
{
	put(state, "lib/docker/containers/" ID "/config.v2.json",
	    "{\"Name\": \"/web\", \"Config\": {\"Labels\": {"
	    "\"io.kubernetes.container.name\": \"vault-client\","
	    "\"io.kubernetes.pod.name\": \"payments-7d9\","
	    "\"io.kubernetes.cri.sandbox-namespace\": \"payments\","
	    "\"io.kubernetes.pod.namespace\": \"payments\"}}}");
	IDENTITY identity = identify(state, "/docker/" ID);

	assert_container(&identity, "docker", "web", "");
	assert_string_equal(identity.namespace, "");
	assert_string_equal(identity.pod, "");
}

static void a_container_of_podman_is_known(void **state)
{
	put(state, "lib/containers/storage/overlay-containers/" ID "/userdata/config.json",
	    "{\"annotations\": {\"io.container.manager\": \"libpod\"}}");
	put(state, "lib/containers/storage/overlay-containers/containers.json",
	    "[{\"id\": \"" OTHER "\", \"names\": [\"other\"]},"
	    "{\"id\": \"" ID "\", \"names\": [\"web\"],"
	    "\"metadata\": \"{\\\"image-name\\\": \\\"registry.example/web:3\\\"}\"}]");
	IDENTITY scope = identify(state, "/machine.slice/libpod-" ID ".scope");
	IDENTITY folder = identify(state, "/x/libpod-" ID);

	assert_container(&scope, "podman", "web", "registry.example/web:3");
	assert_string_equal(scope.unit, "libpod-" ID ".scope");
	assert_string_equal(kvg_identity_label(&scope, "io.container.manager"), "libpod");
	assert_container(&folder, "podman", "web", "registry.example/web:3");
}

static void podmans_list_alone_leaves_it_incomplete(void **state)
{
	put(state, "run/containers/storage/vfs-containers/volatile-containers.json",
	    "[{\"id\": \"" ID "\", \"names\": [\"web\"], \"metadata\": \"broken {\"}]");
	IDENTITY identity = identify(state, "/x/libpod-" ID);

	assert_string_equal(identity.container, "web");
	assert_string_equal(identity.image, "");
	assert_true(identity.incomplete);
}

static void a_container_of_runc_alone_is_known_by_its_state(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;

	assert_true(asprintf(&text,
			     "{\"id\": \"box\", \"cgroup_paths\": {\"\": \"/sys/fs/cgroup/a/own\"},"
			     "\"config\": {\"labels\": [\"x=y\", \"bundle=%s/bundle\"]}}",
			     (const char *)*state) > 0);
	put(state, "run/runc/own/state.json", text);
	put(state, "bundle/config.json", "{\"annotations\": {\"team\": \"red\"}}");
	IDENTITY identity = identify(state, "/a/own/below");
	IDENTITY elsewhere = identify(state, "/b/own");

	assert_string_equal(identity.runtime, "runc");
	assert_string_equal(identity.container, "own");
	assert_string_equal(identity.container_id, "own");
	assert_string_equal(kvg_identity_label(&identity, "team"), "red");

	/* A cgroup of that name elsewhere is somebody else's. */
	assert_string_equal(elsewhere.runtime, "");
}

static void a_container_of_crun_alone_is_known_by_its_state(void **state)
{
	put(state, "run/crun/box/status",
	    "{\"cgroup-path\": \"/system.slice/crun-box.scope\", \"bundle\": \"/nowhere/at/all\"}");
	IDENTITY identity = identify(state, "/system.slice/crun-box.scope");

	assert_string_equal(identity.runtime, "crun");
	assert_string_equal(identity.container, "box");
	assert_true(identity.incomplete);
}

static void a_broken_or_hostile_file_leaves_it_incomplete(void **state)
{
	static const char path[] = TASKS "k8s.io/" ID "/config.json";
	static const char *const texts[] = {
		"",
		"{\"annotations\": {\"io.kubernetes.cri.sandbox-name\": \"p",
		"[]",
		"{\"annotations\": {\"a\": \"b\", \"a\": \"c\"}}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(texts); i++) {
		put(state, path, texts[i]);
		IDENTITY identity = identify(state, "/x/cri-containerd-" ID ".scope");

		assert_true(identity.incomplete);
		assert_string_equal(identity.pod, "");
		assert_int_equal(identity.labels_count, 0);
	}
}

static void a_file_larger_than_any_is_not_read(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = malloc((2 << 20) + 1);

	memset(text, ' ', 2 << 20);
	memcpy(text, CRI, strlen(CRI));
	text[2 << 20] = '\0';
	put(state, TASKS "k8s.io/" ID "/config.json", text);
	IDENTITY identity = identify(state, "/x/cri-containerd-" ID ".scope");

	assert_true(identity.incomplete);
}

static void annotations_of_other_types_are_left_out(void **state)
{
	put(state, TASKS "k8s.io/" ID "/config.json",
	    "{\"annotations\": {\"io.kubernetes.cri.sandbox-name\": 5, \"a\": [], \"b\": \"c\"}}");
	IDENTITY identity = identify(state, "/x/cri-containerd-" ID ".scope");

	assert_string_equal(identity.pod, "");
	assert_int_equal(identity.labels_count, 1);
	assert_false(identity.incomplete);
}

/* The hook has the bundle and the annotations before anything else is on disk. */
static void a_bundle_and_labels_fill_what_is_empty(void **state)
{
	KVG_CLEANUP(kvg_freep) char *bundle = folder_path(state, "bundle");
	KVG_CLEANUP(kvg_freep) char *nowhere = folder_path(state, "nowhere");
	IDENTITY identity = identify(state, "/x/cri-containerd-" ID ".scope");

	put(state, "bundle/config.json", CRI);
	assert_int_equal(
		kvg_identity_add_label(&identity, "io.kubernetes.cri.sandbox-name", "first"), 0);
	assert_int_equal(kvg_identity_add_bundle(&identity, nowhere), -ENOENT);
	assert_int_equal(kvg_identity_add_bundle(&identity, bundle), 0);
	assert_string_equal(identity.pod, "first");
	assert_string_equal(kvg_identity_label(&identity, "io.kubernetes.cri.sandbox-name"),
			    "first");
	assert_string_equal(identity.container, "vault-client");
	assert_string_equal(identity.namespace, "payments");
	assert_int_equal(identity.labels_count, 5);
}

static void more_labels_than_any_container_has_still_tell_the_names(void **state)
{
	IDENTITY identity = identify(state, "/x/cri-containerd-" ID ".scope");
	char key[32];

	for (int i = 0; i < 512; i++) {
		snprintf(key, sizeof(key), "label-%d", i);
		assert_int_equal(kvg_identity_add_label(&identity, key, "v"), 0);
	}
	assert_int_equal(kvg_identity_add_label(&identity, "one-more", "v"), -E2BIG);
	assert_int_equal(kvg_identity_add_label(&identity, "io.kubernetes.cri.sandbox-name", "p"),
			 -E2BIG);
	assert_int_equal(identity.labels_count, 512);
	assert_string_equal(identity.pod, "p");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_unit_is_the_first_below_slices),
		TEST(what_is_no_container_has_nothing_of_one),
		TEST(every_runtimes_cgroup_tells_the_id),
		TEST(a_container_of_containerd_in_kubernetes_is_known),
		TEST(a_container_of_k3s_is_known),
		TEST(a_container_of_ctr_is_known_by_its_name),
		TEST(a_container_of_cri_o_is_known),
		TEST(a_container_of_docker_is_known),
		TEST(a_container_of_docker_below_kubelet_has_the_name_in_its_pod),
		TEST(a_label_alone_makes_no_container_of_kubernetes),
		TEST(a_container_of_podman_is_known),
		TEST(podmans_list_alone_leaves_it_incomplete),
		TEST(a_container_of_runc_alone_is_known_by_its_state),
		TEST(a_container_of_crun_alone_is_known_by_its_state),
		TEST(a_broken_or_hostile_file_leaves_it_incomplete),
		TEST(a_file_larger_than_any_is_not_read),
		TEST(annotations_of_other_types_are_left_out),
		TEST(a_bundle_and_labels_fill_what_is_empty),
		TEST(more_labels_than_any_container_has_still_tell_the_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
