// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "discover/oci_state.h"
#include "discover/request.h"
#include "folder.h"
#include "gate/cgroup.h"
#include "ranges/json.h"

static int parse(const char *text, struct kvg_oci_state *ret, struct kvg_diag *diag)
{
	return kvg_oci_state_parse(text, strlen(text), ret, diag);
}

static void assert_refused(const char *text, int error, const char *why)
{
	struct kvg_oci_state untouched = {.pid = 7};
	struct kvg_diag diag = {};

	assert_int_equal(parse(text, &untouched, &diag), error);
	assert_int_equal(untouched.pid, 7);
	assert_null(untouched.id);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' was refused by '%s', not '%s'", text, diag.msg, why);
}

static void what_runc_writes_is_read(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state read = {};

	(void)state;
	assert_int_equal(
		parse("{\"ociVersion\":\"1.0.2-dev\",\"id\":\"c2\",\"status\":\"creating\","
		      "\"pid\":1759,\"bundle\":\"/run/c2\"}",
		      &read, NULL),
		0);
	assert_int_equal(read.pid, 1759);
	assert_string_equal(read.id, "c2");
	assert_string_equal(read.bundle, "/run/c2");
	assert_null(read.cgroup);
	assert_null(read.annotations);
}

static void what_podman_and_crun_add_is_read_or_ignored(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state read = {};

	(void)state;
	assert_int_equal(parse("{\"id\":\"c2\",\"status\":\"created\",\"pid\":1759,\"root\":\"/r\","
			       "\"bundle\":\"/run/c2\",\"annotations\":{\"a\":\"1\",\"b\":\"\"}}",
			       &read, NULL),
			 0);
	assert_int_equal(json_object_size(read.annotations), 2);
	assert_string_equal(json_string_value(json_object_get(read.annotations, "a")), "1");
}

#define STATE(pid, rest) "{\"id\":\"c2\",\"bundle\":\"/b\",\"pid\":" pid rest "}"

static void a_pid_of_the_containers_own_namespace_is_refused_with_the_stages_that_work(void **state)
{
	(void)state;
	assert_refused(STATE("0", ""), -EINVAL, "createRuntime or prestart");
	assert_refused(STATE("1", ""), -EINVAL, "createRuntime or prestart");
}

static void a_pid_that_no_process_has_is_refused(void **state)
{
	(void)state;
	assert_refused(STATE("-1", ""), -EINVAL, "-1, which is no process");
	assert_refused(STATE("4194305", ""), -EINVAL, "no process");
	assert_refused(STATE("4294967298", ""), -EINVAL, "no process");
	assert_refused(STATE("9223372036854775807", ""), -EINVAL, "no process");
	assert_refused(STATE("9223372036854775808", ""), -EINVAL, "broken JSON");
	assert_refused(STATE("42.0", ""), -EINVAL, "\"pid\" is a fraction");
	assert_refused(STATE("\"42\"", ""), -EINVAL, "\"pid\" is a string");
	assert_refused("{\"id\":\"c2\",\"bundle\":\"/b\"}", -EINVAL, "\"pid\" is missing");
}

static void an_id_or_a_bundle_that_names_nothing_is_refused(void **state)
{
	(void)state;
	assert_refused("{\"pid\":42,\"bundle\":\"/b\"}", -EINVAL, "\"id\" is missing");
	assert_refused("{\"pid\":42,\"bundle\":\"/b\",\"id\":\"\"}", -EINVAL, "\"id\" is empty");
	assert_refused("{\"pid\":42,\"bundle\":\"/b\",\"id\":{}}", -EINVAL, "is an object");
	assert_refused("{\"pid\":42,\"id\":\"c\"}", -EINVAL, "\"bundle\" is missing");
	assert_refused("{\"pid\":42,\"id\":\"c\",\"bundle\":\"b/c\"}", -EINVAL,
		       "\"b/c\", no absolute path");
	assert_refused(STATE("42", ",\"cgroup\":\"x\""), -EINVAL, "no absolute path");
	assert_refused("{\"pid\":42,\"id\":\"c\",\"bundle\":\"/b\\u0000/c\"}", -EINVAL,
		       "broken JSON");
}

static void annotations_that_are_no_strings_are_refused_by_key(void **state)
{
	(void)state;
	assert_refused(STATE("42", ",\"annotations\":[]"), -EINVAL, "\"annotations\" is a list");
	assert_refused(STATE("42", ",\"annotations\":{\"a\":\"\",\"b\":{}}"), -EINVAL,
		       "annotation \"b\" is an object");
}

static void a_key_said_twice_is_refused_for_runtimes_could_take_the_other(void **state)
{
	(void)state;
	assert_refused(STATE("42", ",\"pid\":43"), -EINVAL, "duplicate");
	assert_refused(STATE("42", ",\"annotations\":{\"a\":\"\",\"a\":\"b\"}"), -EINVAL,
		       "duplicate");
}

static void what_is_no_object_is_refused(void **state)
{
	(void)state;
	assert_refused("", -EINVAL, "broken JSON");
	assert_refused("nothing", -EINVAL, "broken JSON");
	assert_refused("[42]", -EINVAL, "a list, not an object");
	assert_refused(STATE("42", "") "x", -EINVAL, "broken JSON");
}

static void a_state_above_its_bound_is_refused_unread(void **state)
{
	KVG_CLEANUP(kvg_freep) char *text = malloc(KVG_OCI_STATE_MAX_BYTES + 2);
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state read = {};
	static const char start[] = STATE("42", "");

	(void)state;
	memset(text, ' ', KVG_OCI_STATE_MAX_BYTES + 1);
	memcpy(text, start, sizeof(start) - 1);
	text[KVG_OCI_STATE_MAX_BYTES + 1] = '\0';
	assert_refused(text, -EFBIG, "longer than any container's state");
	assert_int_equal(kvg_oci_state_parse(text, KVG_OCI_STATE_MAX_BYTES, &read, NULL), 0);
}

static void the_request_says_what_the_state_does(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state read = {};
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state again = {};
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = NULL;

	(void)state;
	assert_int_equal(
		parse(STATE("42", ",\"cgroup\":\"/x\",\"annotations\":{\"a\":\"1\"}"), &read, NULL),
		0);
	request = kvg_oci_state_request(&read);
	assert_string_equal(json_string_value(json_object_get(request, "request")), "gate");
	assert_int_equal(kvg_oci_state_read(request, &again, NULL), 0);
	assert_int_equal(again.pid, 42);
	assert_string_equal(again.id, "c2");
	assert_string_equal(again.bundle, "/b");
	assert_string_equal(again.cgroup, "/x");
	assert_true(json_equal(again.annotations, read.annotations));
}

static void annotations_too_long_for_a_message_are_left_to_the_bundle(void **state)
{
	KVG_CLEANUP(kvg_freep) char *value = calloc(1, KVG_REQUEST_MESSAGE_MAX);
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state read = {};
	KVG_CLEANUP(kvg_json_decrefp) json_t *request = NULL;

	(void)state;
	memset(value, 'x', KVG_REQUEST_MESSAGE_MAX - 1);
	assert_true(asprintf(&text, STATE("42", ",\"annotations\":{\"a\":\"%s\"}"), value) > 0);
	assert_int_equal(parse(text, &read, NULL), 0);
	request = kvg_oci_state_request(&read);
	assert_null(json_object_get(request, "annotations"));
	assert_int_equal(json_integer_value(json_object_get(request, "pid")), 42);
}

/* --- whose cgroup ---------------------------------------------------------------------------- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A container whose bundle is the test's folder. */
static void make_container(void **state, const char *cgroup, const char *config,
			   struct kvg_oci_state *ret)
{
	if (config)
		free(folder_write(state, "config.json", config));
	ret->pid = getpid();
	ret->id = strdup(ID);
	ret->bundle = strdup(*state);
	ret->cgroup = strdup(cgroup);
}

/* Expects @count of them; the first @outside are not the container's. */
static void assert_identified(const struct kvg_oci_state *container, size_t count, size_t outside)
{
	struct kvg_identity *identities = NULL;
	size_t found = 0;

	assert_int_equal(kvg_oci_state_identify(container, NULL, &identities, &found, NULL), 0);
	assert_int_equal(found, count);
	for (size_t i = 0; i < count; i++) {
		const struct kvg_identity *identity = &identities[i];
		const char *who = kvg_identity_label(identity, "who");

		assert_memory_equal(identity->cgroup, container->cgroup, strlen(identity->cgroup));
		assert_int_equal(strcmp(identity->container_id, ID) == 0, i >= outside);
		assert_int_equal(who && strcmp(who, "bundle") == 0, i >= outside);
		assert_false(i >= outside && identity->incomplete);
	}
	assert_string_equal(identities[count - 1].cgroup, container->cgroup);
	kvg_oci_state_free_identities(identities, count);
}

static void a_cgroup_that_names_nobody_is_the_containers_if_it_is_the_innermost(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};

	make_container(state, "/payments.slice/a/b", "{\"annotations\":{\"who\":\"bundle\"}}",
		       &container);
	assert_identified(&container, 3, 2);
}

static void the_cgroup_that_names_it_and_those_below_are_the_containers(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};

	make_container(state, "/machine.slice/libpod-" ID ".scope/container",
		       "{\"annotations\":{\"who\":\"bundle\"}}", &container);
	assert_identified(&container, 3, 1);
}

/* Who may make cgroups in a container could give them any name. */
static void below_another_containers_cgroup_it_is_the_others(void **state)
{
	static const char other[] =
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};
	KVG_CLEANUP(kvg_freep) char *cgroup = NULL;
	struct kvg_identity *identities = NULL;
	size_t count = 0;

	assert_true(asprintf(&cgroup, "/docker/%s/docker/" ID, other) > 0);
	make_container(state, cgroup, "{}", &container);
	assert_int_equal(kvg_oci_state_identify(&container, NULL, &identities, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_string_equal(identities[3].container_id, other);
	kvg_oci_state_free_identities(identities, count);
}

static void assert_unidentified(struct kvg_oci_state *container, int error, const char *why)
{
	struct kvg_identity *untouched = NULL;
	struct kvg_diag diag = {};
	size_t count;

	assert_int_equal(kvg_oci_state_identify(container, NULL, &untouched, &count, &diag), error);
	assert_null(untouched);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' is not '%s'", diag.msg, why);
}

static void a_bundle_that_cannot_be_read_is_missed_unless_the_hook_says_the_same(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};

	make_container(state, "/a", NULL, &container);
	assert_unidentified(&container, -ENOENT, "/config.json: No such file");
	container.annotations = json_pack("{s:s}", "who", "bundle");
	assert_identified(&container, 1, 0);
}

static void a_broken_bundle_is_refused(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};

	make_container(state, "/a", "{\"annotations\":", &container);
	assert_unidentified(&container, -EINVAL, "/config.json: ");
}

static void the_root_of_the_hierarchy_is_no_containers(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};

	make_container(state, "/", "{}", &container);
	assert_unidentified(&container, -EPERM, "root of the cgroup hierarchy");
}

static void assert_lost(struct kvg_oci_state *container, int error, const char *why)
{
	struct kvg_diag diag = {};

	assert_int_equal(kvg_oci_state_find_cgroup(container, &diag), error);
	if (!strstr(diag.msg, why))
		fail_msg("'%s' is not '%s'", diag.msg, why);
}

static void a_process_that_is_somebody_else_here_or_gone_is_refused(void **state)
{
	KVG_CLEANUP(kvg_oci_state_done) struct kvg_oci_state container = {};
	KVG_CLEANUP(kvg_freep) char *cgroup = NULL;

	make_container(state, "/elsewhere", "{}", &container);
	if (kvg_cgroup_of(getpid(), &cgroup) < 0) {
		print_message("SKIP: this process has no cgroup v2\n");
		skip();
	}
	assert_lost(&container, -ESTALE, "'/elsewhere' for the hook");
	container.pid = 4194304;
	assert_lost(&container, -ESRCH, "process 4194304: No such process");
}

static void the_cgroup_is_found_where_the_hook_does_not_say_it(void **state)
{
	struct kvg_oci_state container = {.pid = getpid()};
	KVG_CLEANUP(kvg_freep) char *cgroup = NULL;

	(void)state;
	if (kvg_cgroup_of(getpid(), &cgroup) < 0) {
		print_message("SKIP: this process has no cgroup v2\n");
		skip();
	}
	assert_int_equal(kvg_oci_state_find_cgroup(&container, NULL), 0);
	assert_string_equal(container.cgroup, cgroup);
	kvg_oci_state_done(&container);
}

/* --- kvgate's own ---------------------------------------------------------------------------- */

static bool is_kvgate(void **state, const char *args, const char *capabilities,
		      const char *namespace)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	struct kvg_oci_state container = {.bundle = *state};

	assert_true(asprintf(&text,
			     "{\"process\":{\"args\":[%s],\"capabilities\":{\"effective\":[%s]}},"
			     "\"linux\":{\"namespaces\":[{\"type\":\"%s\"}]}}",
			     args, capabilities, namespace) > 0);
	free(folder_write(state, "config.json", text));
	return kvg_oci_state_is_kvgate(&container);
}

static void kvgate_with_the_hosts_bpf_is_let_start(void **state)
{
	assert_true(is_kvgate(state, "\"/usr/sbin/kvgate\",\"agent\"", "\"CAP_SYS_ADMIN\"", "pid"));
	assert_true(is_kvgate(state, "\"kvgate\"", "\"CAP_NET_ADMIN\",\"CAP_BPF\"", "mount"));
}

static void nobody_else_passes_for_kvgate(void **state)
{
	static const char args[] = "\"/usr/sbin/kvgate\",\"agent\"";
	struct kvg_oci_state nothing = {.bundle = "/proc/nothing"};

	assert_false(is_kvgate(state, args, "", "pid"));
	assert_false(is_kvgate(state, args, "\"CAP_NET_ADMIN\",\"CAP_NET_RAW\"", "pid"));
	assert_false(is_kvgate(state, args, "\"CAP_BPF\"", "pid"));
	assert_false(is_kvgate(state, args, "\"CAP_SYS_ADMIN\"", "user"));
	assert_false(is_kvgate(state, "\"sh\",\"kvgate\"", "\"CAP_SYS_ADMIN\"", "pid"));
	assert_false(is_kvgate(state, "\"/kvgate/sh\"", "\"CAP_SYS_ADMIN\"", "pid"));
	assert_false(is_kvgate(state, "", "\"CAP_SYS_ADMIN\"", "pid"));
	assert_false(is_kvgate(state, "7", "7", "pid"));
	assert_false(kvg_oci_state_is_kvgate(&nothing));
}

#define in_folder(claim) cmocka_unit_test_setup_teardown(claim, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runc_writes_is_read),
		cmocka_unit_test(what_podman_and_crun_add_is_read_or_ignored),
		cmocka_unit_test(
			a_pid_of_the_containers_own_namespace_is_refused_with_the_stages_that_work),
		cmocka_unit_test(a_pid_that_no_process_has_is_refused),
		cmocka_unit_test(an_id_or_a_bundle_that_names_nothing_is_refused),
		cmocka_unit_test(annotations_that_are_no_strings_are_refused_by_key),
		cmocka_unit_test(a_key_said_twice_is_refused_for_runtimes_could_take_the_other),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(a_state_above_its_bound_is_refused_unread),
		cmocka_unit_test(the_request_says_what_the_state_does),
		cmocka_unit_test(annotations_too_long_for_a_message_are_left_to_the_bundle),
		in_folder(a_cgroup_that_names_nobody_is_the_containers_if_it_is_the_innermost),
		in_folder(the_cgroup_that_names_it_and_those_below_are_the_containers),
		in_folder(below_another_containers_cgroup_it_is_the_others),
		in_folder(a_bundle_that_cannot_be_read_is_missed_unless_the_hook_says_the_same),
		in_folder(a_broken_bundle_is_refused),
		in_folder(the_root_of_the_hierarchy_is_no_containers),
		in_folder(a_process_that_is_somebody_else_here_or_gone_is_refused),
		cmocka_unit_test(the_cgroup_is_found_where_the_hook_does_not_say_it),
		in_folder(kvgate_with_the_hosts_bpf_is_let_start),
		in_folder(nobody_else_passes_for_kvgate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
