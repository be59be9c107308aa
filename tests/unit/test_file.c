// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "folder.h"

#define NO_LIMIT (1UL << 20)

static size_t count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void assert_content(const char *path, const char *expected)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, NO_LIMIT, &data, &size), 0);
	assert_int_equal(size, strlen(expected));
	assert_string_equal(data, expected);
}

static void a_file_is_read_whole_and_ends_in_nul(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "file", "twelve bytes");
	KVG_CLEANUP(kvg_freep) char *empty = folder_write(state, "empty", "");

	assert_content(path, "twelve bytes");
	assert_content(empty, "");
}

static void the_bound_is_the_last_size_that_is_read(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "file", "12345");
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	char *untouched = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(path, 5, &data, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(kvg_file_read(path, 4, &untouched, &size), -EFBIG);
	assert_null(untouched);
}

/* A child fills a pipe with @size bytes; the parent reads it as /dev/fd/N. */
static int read_pipe(size_t size, size_t max_bytes, char **ret, size_t *ret_size)
{
	char path[32];
	int fds[2];
	pid_t child;
	int r;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fds[0]);
		while (size-- && write(fds[1], "x", 1) == 1)
			;
		_exit(0);
	}

	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	r = kvg_file_read(path, max_bytes, ret, ret_size);
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return r;
}

static void a_pipe_is_read_to_its_end(void **state)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;

	(void)state;
	assert_int_equal(read_pipe(200000, 200000, &data, &size), 0);
	assert_int_equal(size, 200000);
	assert_int_equal(strlen(data), 200000);
}

static void a_pipe_that_never_said_its_size_is_bounded_too(void **state)
{
	char *untouched = NULL;
	size_t size;

	(void)state;
	assert_int_equal(read_pipe(200001, 200000, &untouched, &size), -EFBIG);
	assert_null(untouched);
}

static void dash_is_standard_input(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "file", "from standard input");
	KVG_CLEANUP(kvg_closep) int kept = dup(STDIN_FILENO);
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	assert_content("-", "from standard input");
	assert_true(dup2(kept, STDIN_FILENO) == STDIN_FILENO);
}

static void a_file_without_a_size_is_read_to_its_end(void **state)
{
	KVG_CLEANUP(kvg_freep) char *data = NULL;
	size_t size;

	(void)state;
	assert_int_equal(kvg_file_read("/proc/self/status", NO_LIMIT, &data, &size), 0);
	assert_true(size > 0);
}

static void folders_and_missing_files_are_told_apart(void **state)
{
	KVG_CLEANUP(kvg_freep) char *missing = folder_path(state, "missing");
	char *untouched = NULL;
	size_t size;

	assert_int_equal(kvg_file_read(*state, NO_LIMIT, &untouched, &size), -EISDIR);
	assert_int_equal(kvg_file_read(missing, NO_LIMIT, &untouched, &size), -ENOENT);
	assert_null(untouched);
}

static void a_file_is_made_and_replaced_readable_by_all(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "file");
	struct stat st;

	assert_int_equal(kvg_file_replace(path, "first", 5), 0);
	assert_content(path, "first");

	assert_int_equal(kvg_file_replace(path, "second", 6), 0);
	assert_content(path, "second");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(count_entries(*state), 1);

	assert_int_equal(kvg_file_replace_volatile(path, "third", 5), 0);
	assert_content(path, "third");
	assert_int_equal(count_entries(*state), 1);
}

static void a_reader_of_the_old_file_keeps_the_old_file(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "file", "old");
	KVG_CLEANUP(kvg_fclosep) FILE *reader = fopen(path, "r");
	char text[8] = "";

	assert_int_equal(kvg_file_replace(path, "newer", 5), 0);
	assert_non_null(fgets(text, sizeof(text), reader));
	assert_string_equal(text, "old");
}

static void a_name_without_a_folder_is_written_here(void **state)
{
	KVG_CLEANUP(kvg_closep) int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(chdir(*state), 0);
	assert_int_equal(kvg_file_replace("bare", "text", 4), 0);
	assert_content("bare", "text");
	assert_int_equal(fchdir(here), 0);
}

/* A pipe stands for /dev/null, which a failure would make a file of. */
static void a_device_or_pipe_is_written_to_and_stays_one(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "pipe");
	KVG_CLEANUP(kvg_closep) int reader = -1;
	char text[8] = "";
	struct stat st;

	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(kvg_file_replace(path, "text", 4), 0);
	assert_int_equal(read(reader, text, sizeof(text)), 4);
	assert_string_equal(text, "text");
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
}

static void behind_a_symbolic_link_the_file_is_replaced(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_write(state, "file", "old");
	KVG_CLEANUP(kvg_freep) char *link = folder_path(state, "link");
	struct stat st;

	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(kvg_file_replace(link, "new", 3), 0);
	assert_content(path, "new");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void a_failed_replacement_leaves_nothing_beside(void **state)
{
	KVG_CLEANUP(kvg_freep) char *folder = folder_path(state, "folder");
	KVG_CLEANUP(kvg_freep) char *inside = folder_path(state, "missing/file");

	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(kvg_file_replace(folder, "text", 4), -EISDIR);
	assert_int_equal(count_entries(*state), 1);
	assert_int_equal(kvg_file_replace(inside, "text", 4), -ENOENT);
}

#define test(function) cmocka_unit_test_setup_teardown(function, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_is_read_whole_and_ends_in_nul),
		test(the_bound_is_the_last_size_that_is_read),
		test(a_pipe_is_read_to_its_end),
		test(a_pipe_that_never_said_its_size_is_bounded_too),
		test(dash_is_standard_input),
		test(a_file_without_a_size_is_read_to_its_end),
		test(folders_and_missing_files_are_told_apart),
		test(a_file_is_made_and_replaced_readable_by_all),
		test(a_reader_of_the_old_file_keeps_the_old_file),
		test(a_name_without_a_folder_is_written_here),
		test(a_device_or_pipe_is_written_to_and_stays_one),
		test(behind_a_symbolic_link_the_file_is_replaced),
		test(a_failed_replacement_leaves_nothing_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
