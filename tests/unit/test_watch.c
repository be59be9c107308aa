// SPDX-License-Identifier: BSD-2-Clause
/* A watch works on any tree of folders: here on one under TMPDIR, with a loop of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/cleanup.h"
#include "discover/watch.h"
#include "folder.h"

#define KNOWN_MAX 3000

/* What was told, and the set of what is there by that. */
static struct seen {
	struct kvg_watch *watch;
	sd_event *event;
	const char *top;
	char *known[KNOWN_MAX];
	size_t known_count;
	size_t appeared;
	size_t gone;
	char log[4096];
	char problem[256];
	size_t problems;
} seen;

static size_t find(const char *path)
{
	size_t i = 0;

	while (i < seen.known_count && strcmp(seen.known[i], path) != 0)
		i++;
	return i;
}

static bool is_known(const char *path)
{
	return find(path) < seen.known_count;
}

static bool is_unknown(const char *path)
{
	return !is_known(path);
}

static bool is_well(const char *none)
{
	(void)none;
	return !kvg_watch_problem(seen.watch);
}

static void tell(const char *sign, const char *path)
{
	size_t used = strlen(seen.log);

	snprintf(seen.log + used, sizeof(seen.log) - used, "%s%s%s", used ? " " : "", sign, path);
}

/* A parent is told of before its children. */
static void on_appeared(void *data, const char *path)
{
	KVG_CLEANUP(kvg_freep) char *parent = strdup(path);

	(void)data;
	assert_false(is_known(path));
	*strrchr(parent, '/') = '\0';
	if (strcmp(path, "/") != 0)
		assert_true(is_known(*parent ? parent : "/"));
	assert_true(seen.known_count < KNOWN_MAX);
	seen.known[seen.known_count++] = strdup(path);
	seen.appeared++;
	tell("+", path);
}

static void on_gone(void *data, const char *path)
{
	size_t length = strlen(path);
	size_t i = find(path);

	(void)data;
	assert_true(i < seen.known_count);
	free(seen.known[i]);
	seen.known[i] = seen.known[--seen.known_count];
	for (i = 0; i < seen.known_count; i++)
		assert_false(strncmp(seen.known[i], path, length) == 0 &&
			     seen.known[i][length] == '/');
	seen.gone++;
	tell("-", path);
}

static void on_problem(void *data, const char *message)
{
	(void)data;
	snprintf(seen.problem, sizeof(seen.problem), "%s", message ? message : "");
	seen.problems++;
}

static const struct kvg_watch_ops ops = {on_appeared, on_gone, on_problem, NULL};

static void open_watch(void)
{
	struct kvg_diag diag = {0};

	assert_true(sd_event_new(&seen.event) >= 0);
	if (kvg_watch_open(seen.top, seen.event, &ops, &seen.watch, &diag) < 0)
		fail_msg("%s", diag.msg);
}

static int set_up(void **state)
{
	memset(&seen, 0, sizeof(seen));
	if (folder_make(state) < 0)
		return -1;
	seen.top = *state;
	return 0;
}

static int tear_down(void **state)
{
	kvg_watch_close(seen.watch);
	sd_event_unref(seen.event);
	for (size_t i = 0; i < seen.known_count; i++)
		free(seen.known[i]);
	return folder_remove(state);
}

/* Until nothing is left to do. */
static void settle(void)
{
	while (sd_event_run(seen.event, 0) > 0)
		;
}

/* Until @kept() says so, at most five seconds. */
static bool run_until(bool (*kept)(const char *), const char *argument)
{
	time_t end = time(NULL) + 5;

	while (!kept(argument) && time(NULL) < end)
		sd_event_run(seen.event, 100000);
	return kept(argument);
}

static void make(const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s%s", seen.top, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void take(const char *path)
{
	char full[4096];

	snprintf(full, sizeof(full), "%s%s", seen.top, path);
	assert_int_equal(rmdir(full), 0);
}

static size_t on_disk;

static int count_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *below = path + strlen(seen.top);

	(void)st;
	(void)ftw;
	if (type != FTW_D)
		return 0;
	on_disk++;
	if (!is_known(*below ? below : "/"))
		fail_msg("'%s' was not told of", below);
	return 0;
}

/* What was told is what is there. */
static void assert_all_known(void)
{
	on_disk = 0;
	assert_int_equal(nftw(seen.top, count_folder, 8, FTW_PHYS), 0);
	assert_int_equal(seen.known_count, on_disk);
	assert_int_equal(kvg_watch_count(seen.watch), on_disk);
}

static void what_is_there_is_told_before_open_returns(void **state)
{
	(void)state;
	make("/a");
	make("/a/b");
	make("/a/b/c");
	open_watch();
	assert_string_equal(seen.log, "+/ +/a +/a/b +/a/b/c");
	assert_null(kvg_watch_problem(seen.watch));
}

static void what_comes_and_goes_is_told_in_order(void **state)
{
	(void)state;
	open_watch();
	make("/a");
	settle();
	make("/a/b");
	make("/c");
	settle();
	take("/a/b");
	take("/a");
	settle();
	assert_string_equal(seen.log, "+/ +/a +/a/b +/c -/a/b -/a");
	assert_all_known();
}

static void a_tree_made_at_once_is_found_whole(void **state)
{
	(void)state;
	open_watch();
	make("/a");
	make("/a/b");
	make("/a/b/c");
	make("/a/b/c/d");
	settle();
	assert_string_equal(seen.log, "+/ +/a +/a/b +/a/b/c +/a/b/c/d");
}

static void a_folder_made_again_is_another_one_and_watched(void **state)
{
	(void)state;
	open_watch();
	make("/a");
	make("/a/old");
	settle();
	take("/a/old");
	take("/a");
	make("/a");
	settle();
	assert_true(strstr(seen.log, "-/a/old") && strstr(seen.log, "-/a +/a"));
	make("/a/new");
	settle();
	assert_true(is_known("/a/new"));
	assert_all_known();
}

static void what_came_and_went_meanwhile_is_not_told(void **state)
{
	(void)state;
	open_watch();
	make("/a");
	take("/a");
	settle();
	assert_string_equal(seen.log, "+/");
}

static void files_and_links_are_nothing(void **state)
{
	KVG_CLEANUP(kvg_freep) char *file = NULL;
	char link[512];

	open_watch();
	file = folder_write(state, "file", "");
	snprintf(link, sizeof(link), "%s/link", seen.top);
	assert_int_equal(symlink(seen.top, link), 0);
	settle();
	kvg_watch_rescan(seen.watch);
	assert_string_equal(seen.log, "+/");
}

/* Another process makes and removes trees while this one watches. */
static void churn(unsigned int seed, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		char path[512];
		int used = snprintf(path, sizeof(path), "%s/%d", seen.top, rand_r(&seed) % 20);

		for (int depth = rand_r(&seed) % 4; depth > 0; depth--)
			used += snprintf(path + used, sizeof(path) - (size_t)used, "/%d",
					 rand_r(&seed) % 3);
		if (rand_r(&seed) % 3)
			mkdir(path, 0755);
		else
			rmdir(path);
	}
}

static void nothing_is_missed_while_others_make_and_remove(void **state)
{
	pid_t children[2];
	int status;

	(void)state;
	open_watch();
	for (unsigned int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			churn(i + 1, 20000);
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++) {
		while (waitpid(children[i], &status, WNOHANG) == 0)
			sd_event_run(seen.event, 1000);
		assert_int_equal(status, 0);
	}
	settle();
	assert_true(seen.appeared > 1000);
	assert_all_known();
}

static void two_hundred_containers_at_once_are_all_found(void **state)
{
	char path[64];

	(void)state;
	open_watch();
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "/c%d", i);
		make(path);
		snprintf(path, sizeof(path), "/c%d/init", i);
		make(path);
		snprintf(path, sizeof(path), "/c%d/init/inner", i);
		make(path);
	}
	settle();
	assert_int_equal(seen.appeared, 601);
	assert_all_known();
}

#define STORM 2000

static void storm(bool removal)
{
	char path[64];

	for (int i = 0; i < STORM; i++) {
		snprintf(path, sizeof(path), "/s%d", i);
		if (removal)
			take(path);
		else
			make(path);
	}
}

/* Two events each, and more than the kernel keeps: the rest is dropped. */
static void overflow_queue(void **state)
{
	KVG_CLEANUP(kvg_freep) char *path = folder_path(state, "file");
	KVG_CLEANUP(kvg_fclosep) FILE *limit = NULL;
	int events = 0;

	limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	assert_non_null(limit);
	assert_int_equal(fscanf(limit, "%d", &events), 1);
	for (int i = 0; i < events / 2 + 10; i++) {
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

		assert_true(fd >= 0);
		close(fd);
		assert_int_equal(unlink(path), 0);
	}
}

static void after_an_overflow_nothing_is_missing(void **state)
{
	open_watch();
	make("/kept");
	make("/kept/same");
	make("/removed");
	make("/removed/below");
	settle();
	overflow_queue(state);
	take("/removed/below");
	take("/removed");
	take("/kept/same");
	take("/kept");
	make("/kept");
	make("/kept/same");
	make("/new");
	make("/new/below");
	settle();
	assert_all_known();
	assert_int_equal(seen.known_count, 5);

	/* What was made again is another one, and told of as such. */
	assert_int_equal(seen.gone, 4);
	make("/kept/same/late");
	make("/new/below/late");
	settle();
	assert_true(is_known("/kept/same/late") && is_known("/new/below/late"));
}

/* A removal of what was before the loss, which the queue still holds, says nothing of what is now. */
static void events_from_before_a_rescan_take_nothing_away(void **state)
{
	(void)state;
	open_watch();
	make("/a");
	settle();
	take("/a");
	make("/a");
	assert_int_equal(kvg_watch_rescan(seen.watch), 0);
	settle();
	make("/a/b");
	settle();
	assert_string_equal(seen.log, "+/ +/a -/a +/a +/a/b");
}

static void after_a_storm_of_removals_nothing_is_left(void **state)
{
	(void)state;
	open_watch();
	storm(false);
	settle();
	assert_int_equal(seen.known_count, STORM + 1);
	storm(true);
	storm(false);
	storm(true);
	settle();
	assert_int_equal(seen.known_count, 1);
	assert_all_known();
}

static void at_rest_nothing_runs(void **state)
{
	struct rusage before;
	struct rusage after;

	(void)state;
	storm(false);
	open_watch();
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(sd_event_run(seen.event, 1500000), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec -
			    before.ru_utime.tv_sec * 1000000 - before.ru_utime.tv_usec <
		    2000);
}

static void a_root_that_is_none_is_refused(void **state)
{
	KVG_CLEANUP(kvg_freep) char *file = folder_write(state, "file", "");
	struct kvg_diag diag = {0};

	assert_true(sd_event_new(&seen.event) >= 0);
	assert_int_equal(kvg_watch_open("/nowhere/at/all", seen.event, &ops, &seen.watch, &diag),
			 -ENOENT);
	assert_string_equal(diag.msg,
			    "'/nowhere/at/all' cannot be watched: No such file or directory");
	assert_int_equal(kvg_watch_open(file, seen.event, &ops, &seen.watch, &diag), -ENOTDIR);
	assert_null(seen.watch);
	assert_int_equal(seen.appeared, 0);
}

/* --- where the kernel gives no watches: limits of a user namespace of the test's own ---------------- */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* In a process of its own: 0 done, 77 there are no such namespaces. */
static void in_namespace(void (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		char map[64];

		snprintf(map, sizeof(map), "0 %d 1", (int)getuid());
		if (unshare(CLONE_NEWUSER) < 0 || !write_text("/proc/self/uid_map", map) ||
		    !write_text("/proc/sys/user/max_inotify_watches", "1000"))
			_exit(77);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("SKIP: user namespaces cannot be made here\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void must(bool kept, const char *what)
{
	if (kept)
		return;
	fprintf(stderr, "not so: %s; told: %s\n", what, seen.log);
	_exit(1);
}

#define MUST(kept) must(kept, #kept)

static void without_enough_watches(void)
{
	make("/a");
	make("/a/b");
	MUST(write_text("/proc/sys/user/max_inotify_watches", "2"));
	open_watch();
	MUST(strcmp(seen.log, "+/ +/a +/a/b") == 0);
	MUST(strstr(seen.problem, "fs.inotify.max_user_watches") != NULL);
	MUST(kvg_watch_problem(seen.watch) != NULL);

	/* What has no watch is found by and by, below it, too. */
	make("/a/b/c");
	make("/a/b/c/d");
	settle();
	MUST(!is_known("/a/b/c"));
	MUST(run_until(is_known, "/a/b/c/d"));
	take("/a/b/c/d");
	make("/a/near");
	settle();
	MUST(is_known("/a/near"));
	MUST(run_until(is_unknown, "/a/b/c/d"));

	/* As soon as there are enough, all is watched again, and that is said. */
	MUST(write_text("/proc/sys/user/max_inotify_watches", "1000"));
	MUST(run_until(is_well, NULL));
	MUST(!seen.problem[0] && seen.problems == 2);
	make("/a/b/c/e");
	settle();
	MUST(is_known("/a/b/c/e"));
	assert_all_known();
}

static void without_watches_the_tree_is_polled_and_the_sysctl_named(void **state)
{
	(void)state;
	in_namespace(without_enough_watches);
}

static void without_inotify(void)
{
	MUST(write_text("/proc/sys/user/max_inotify_instances", "0"));
	make("/a");
	open_watch();
	MUST(is_known("/a"));
	MUST(strstr(seen.problem, "fs.inotify.max_user_instances") != NULL);
	make("/a/b");
	MUST(run_until(is_known, "/a/b"));
	MUST(write_text("/proc/sys/user/max_inotify_instances", "5"));
	MUST(run_until(is_well, NULL));
	make("/a/b/c");
	settle();
	MUST(is_known("/a/b/c"));
}

static void without_inotify_the_tree_is_polled_and_the_sysctl_named(void **state)
{
	(void)state;
	in_namespace(without_inotify);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_told_before_open_returns),
		TEST(what_comes_and_goes_is_told_in_order),
		TEST(a_tree_made_at_once_is_found_whole),
		TEST(a_folder_made_again_is_another_one_and_watched),
		TEST(what_came_and_went_meanwhile_is_not_told),
		TEST(files_and_links_are_nothing),
		TEST(nothing_is_missed_while_others_make_and_remove),
		TEST(two_hundred_containers_at_once_are_all_found),
		TEST(after_an_overflow_nothing_is_missing),
		TEST(events_from_before_a_rescan_take_nothing_away),
		TEST(after_a_storm_of_removals_nothing_is_left),
		TEST(at_rest_nothing_runs),
		TEST(a_root_that_is_none_is_refused),
		TEST(without_watches_the_tree_is_polled_and_the_sysctl_named),
		TEST(without_inotify_the_tree_is_polled_and_the_sysctl_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
