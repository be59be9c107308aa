// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <errno.h>

#include "base/cleanup.h"
#include "folder.h"
#include "gate/kernel_btf.h"

#define FUNCTIONS 50

static void free_btfp(struct btf **btf)
{
	btf__free(*btf);
}

/* A type of every kind that the kernel has, with functions behind each. */
static struct btf *some_types(void)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	char name[32];

	btf__add_ptr(btf, number);
	btf__add_array(btf, number, number, 7);
	btf__add_struct(btf, "flow", 12);
	btf__add_field(btf, "bpf_lsm_socket_create", number, 0, 0); /* a name is not enough */
	btf__add_field(btf, "two", number, 32, 0);
	btf__add_union(btf, "either", 4);
	btf__add_field(btf, "one", number, 0, 0);
	btf__add_enum(btf, "verdict", 4);
	btf__add_enum_value(btf, "YES", 1);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "MUCH", 1ULL << 40);
	btf__add_fwd(btf, "later", BTF_FWD_STRUCT);
	btf__add_typedef(btf, "number_t", number);
	btf__add_volatile(btf, number);
	btf__add_const(btf, number);
	btf__add_restrict(btf, number);
	btf__add_float(btf, "float", 4);
	btf__add_type_tag(btf, "rcu", number);
	btf__add_decl_tag(btf, "tag", number, -1);
	btf__add_var(btf, "counter", BTF_VAR_STATIC, number);
	btf__add_datasec(btf, ".data", 4);
	btf__add_datasec_var_info(btf, btf__type_cnt(btf) - 2, 0, 4);
	btf__add_func_proto(btf, number);
	btf__add_func_param(btf, "family", number);
	btf__add_func_param(btf, "kern", number);
	number = btf__type_cnt(btf) - 1;
	for (int i = 0; i < FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "bpf_lsm_%d", i);
		btf__add_func(btf, name, BTF_FUNC_STATIC, number);
	}
	btf__add_func(btf, "bpf_lsm_socket_create", BTF_FUNC_STATIC, number);
	btf__add_func(btf, "bpf_lsm_socket_created", BTF_FUNC_STATIC, number);
	return btf;
}

static int find(const char *path, const void *bytes, size_t size, const char *name, __u32 *ret)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
	return kvg_kernel_btf_find_function(path, name, ret);
}

static void every_function_is_found_as_libbpf_finds_it(void **state)
{
	KVG_CLEANUP(free_btfp) struct btf *btf = some_types();
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "types");
	__u32 size, id;
	const void *bytes = btf__raw_data(btf, &size);
	char name[32];

	for (int i = 0; i < FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "bpf_lsm_%d", i);
		assert_int_equal(find(path, bytes, size, name, &id), 0);
		assert_int_equal(id, btf__find_by_name_kind(btf, name, BTF_KIND_FUNC));
	}
	assert_int_equal(find(path, bytes, size, "bpf_lsm_socket_create", &id), 0);
	assert_int_equal(id, btf__find_by_name_kind(btf, "bpf_lsm_socket_create", BTF_KIND_FUNC));
}

static void what_is_no_function_is_not_found(void **state)
{
	KVG_CLEANUP(free_btfp) struct btf *btf = some_types();
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "types");
	static const char *const names[] = {"flow", "family", "lsm_1", "bpf_lsm_", "nobody"};
	__u32 size, id = 7;
	const void *bytes = btf__raw_data(btf, &size);

	for (size_t i = 0; i < KVG_ARRAY_SIZE(names); i++)
		assert_int_equal(find(path, bytes, size, names[i], &id), -ENOENT);
	assert_int_equal(kvg_kernel_btf_find_function("/nowhere", "f", &id), -ENOENT);
	assert_int_equal(id, 7);
}

static void a_file_that_is_cut_anywhere_gives_no_other_answer(void **state)
{
	KVG_CLEANUP(free_btfp) struct btf *btf = some_types();
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "types");
	__u32 size, id;
	const void *bytes = btf__raw_data(btf, &size);
	__u32 true_id = btf__find_by_name_kind(btf, "bpf_lsm_7", BTF_KIND_FUNC);

	for (__u32 cut = 0; cut < size; cut++) {
		id = true_id;
		assert_true(find(path, bytes, cut, "bpf_lsm_7", &id) < 0 || id == true_id);
	}
	assert_int_equal(find(path, bytes, 10, "bpf_lsm_7", &id), -EPROTO);
}

static void bytes_that_lie_do_no_harm(void **state)
{
	KVG_CLEANUP(free_btfp) struct btf *btf = some_types();
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "types");
	KVG_CLEANUP(kvg_freep) unsigned char *copy = NULL;
	__u32 size, id;
	const void *bytes = btf__raw_data(btf, &size);

	copy = malloc(size);
	assert_non_null(copy);
	for (__u32 i = 0; i < size; i++) {
		memcpy(copy, bytes, size);
		copy[i] ^= 0xff;
		find(path, copy, size, "bpf_lsm_7", &id); /* the sanitizers are the judge */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_function_is_found_as_libbpf_finds_it,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(what_is_no_function_is_not_found, folder_make,
						folder_remove),
		cmocka_unit_test_setup_teardown(a_file_that_is_cut_anywhere_gives_no_other_answer,
						folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(bytes_that_lie_do_no_harm, folder_make,
						folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
