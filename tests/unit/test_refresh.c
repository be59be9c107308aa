// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <time.h>

#include "agent/refresh.h"
#include "base/cleanup.h"
#include "folder.h"

#define TEXT KVG_CLEANUP(kvg_freep) char *

#define LONG_MS  10000
#define QUIET_MS 800 /* more than a change takes to be told */

/* struct scene - what was told */
struct scene {
	sd_event *event;
	struct kvg_refresh *refresh;
	char *directory;
	char *program;
	int changed;
	int failed;
	int ended;
	unsigned int failures;
	char sentence[256];
};

static void on_changed(void *data)
{
	((struct scene *)data)->changed++;
}

static void on_failed(void *data, const char *sentence)
{
	struct scene *scene = data;

	scene->failed++;
	snprintf(scene->sentence, sizeof(scene->sentence), "%s", sentence);
}

static void on_ended(void *data, unsigned int failures)
{
	struct scene *scene = data;

	scene->ended++;
	scene->failures = failures;
}

static const struct kvg_refresh_ops scene_ops = {
	.changed = on_changed,
	.failed = on_failed,
	.ended = on_ended,
};

static void scene_done(struct scene *scene)
{
	kvg_refresh_close(scene->refresh);
	sd_event_unref(scene->event);
	free(scene->directory);
	free(scene->program);
}

#define SCENE KVG_CLEANUP(scene_done) struct scene

static struct kvg_refresh_options options_of(const struct scene *scene, unsigned long every_s)
{
	return (struct kvg_refresh_options){
		.program = scene->program,
		.config = "kvgate.yaml",
		.state_dir = "state",
		.directory = scene->directory,
		.every_s = every_s,
	};
}

/* @script: what stands for kvgate; it is called as "fetch --config kvgate.yaml ..." */
static void scene_open(struct scene *scene, void **state, const char *script, unsigned long every_s)
{
	struct kvg_refresh_ops ops = scene_ops;
	struct kvg_refresh_options options;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	scene->directory = scene->directory ? scene->directory : folder_path(state, "ranges");
	scene->program = folder_write(state, "program", script);
	assert_int_equal(chmod(scene->program, 0755), 0);
	assert_true(sd_event_new(&scene->event) >= 0);
	options = options_of(scene, every_s);
	ops.data = scene;
	assert_int_equal(kvg_refresh_open(scene->event, &options, &ops, &scene->refresh, NULL), 0);
}

/* Runs the loop until @count is another, or nothing happens for @ms. */
static void wait_for(struct scene *scene, const int *count, uint64_t ms)
{
	int before = *count;

	while (*count == before && sd_event_run(scene->event, ms * 1000) > 0)
		;
}

static void the_first_round_is_at_once(void **state)
{
	SCENE scene = {};

	scene_open(
		&scene, state,
		"#!/bin/sh\n[ \"$*\" = \"fetch --config kvgate.yaml --state-dir state --directory "
		"${0%/*}/ranges\" ]\n",
		3600);
	wait_for(&scene, &scene.ended, LONG_MS);
	assert_int_equal(scene.ended, 1);
	assert_int_equal(scene.failures, 0);
	assert_int_equal(scene.failed, 0);
}

static void each_complaint_is_told_and_no_note_is(void **state)
{
	SCENE scene = {};

	scene_open(&scene, state,
		   "#!/bin/sh\necho 'kvgate: note: all is well' >&2\n"
		   "echo 'kvgate: one is refused' >&2\nprintf 'kvgate: two is, too' >&2\nexit 1\n",
		   3600);
	wait_for(&scene, &scene.ended, LONG_MS);
	assert_int_equal(scene.failures, 2);
	assert_int_equal(scene.failed, 2);
	assert_string_equal(scene.sentence, "two is, too");
}

static void a_child_that_dies_in_silence_is_told(void **state)
{
	SCENE scene = {};

	scene_open(&scene, state, "#!/bin/sh\nkill -9 $$\n", 3600);
	wait_for(&scene, &scene.ended, LONG_MS);
	assert_int_equal(scene.failures, 1);
	assert_string_equal(scene.sentence, "'kvgate fetch' was killed, and did not say why");
}

static void a_program_that_is_not_there_is_told(void **state)
{
	SCENE scene = {};

	scene_open(&scene, state, "#!/does/not/exist\n", 3600);
	wait_for(&scene, &scene.failed, LONG_MS);
	assert_int_equal(scene.failed, 1);
	assert_non_null(strstr(scene.sentence, "cannot be started: No such file"));
}

static void a_round_that_was_lately_is_not_repeated(void **state)
{
	SCENE scene = {};
	TEXT memory = NULL;

	scene.directory = folder_path(state, "ranges");
	assert_int_equal(mkdir(scene.directory, 0755), 0);
	memory = folder_write(state, "ranges/.fetch.json", "{}");
	assert_non_null(memory);
	scene_open(&scene, state, "#!/bin/sh\n", 3600);
	wait_for(&scene, &scene.ended, QUIET_MS);
	assert_int_equal(scene.ended, 0);
	assert_int_equal(kvg_refresh_now(scene.refresh), 0);
	wait_for(&scene, &scene.ended, LONG_MS);
	assert_int_equal(scene.ended, 1);
}

static void a_round_of_the_future_is_a_clock_that_went_back(void **state)
{
	const struct timespec future[2] = {{.tv_sec = time(NULL) + 86400},
					   {.tv_sec = time(NULL) + 86400}};
	SCENE scene = {};
	TEXT memory = NULL;

	scene.directory = folder_path(state, "ranges");
	assert_int_equal(mkdir(scene.directory, 0755), 0);
	memory = folder_write(state, "ranges/.fetch.json", "{}");
	assert_int_equal(utimensat(AT_FDCWD, memory, future, 0), 0);
	scene_open(&scene, state, "#!/bin/sh\n", 3600);
	wait_for(&scene, &scene.ended, LONG_MS);
	assert_int_equal(scene.ended, 1);
}

static void never_is_never_and_the_folder_is_watched(void **state)
{
	SCENE scene = {};
	TEXT own = NULL;
	TEXT document = NULL;

	scene_open(&scene, state, "#!/bin/sh\n", 0);
	wait_for(&scene, &scene.ended, QUIET_MS);
	assert_int_equal(scene.ended, 0);
	own = folder_write(state, "ranges/.fetch.json", "{}");
	wait_for(&scene, &scene.changed, QUIET_MS);
	assert_int_equal(scene.changed, 0);
	document = folder_write(state, "ranges/ServiceTags_Public_20260105.json", "{}");
	wait_for(&scene, &scene.changed, LONG_MS);
	assert_int_equal(scene.changed, 1);
}

static void a_folder_that_goes_is_made_again(void **state)
{
	SCENE scene = {};
	TEXT document = NULL;

	scene_open(&scene, state, "#!/bin/sh\n", 0);
	assert_int_equal(rmdir(scene.directory), 0);
	wait_for(&scene, &scene.changed, LONG_MS);
	assert_int_equal(scene.changed, 1);
	assert_int_equal(scene.failed, 0);
	document = folder_write(state, "ranges/document.json", "{}");
	wait_for(&scene, &scene.changed, LONG_MS);
	assert_int_equal(scene.changed, 2);
}

static void another_folder_is_watched_after_a_reload(void **state)
{
	struct kvg_refresh_options options;
	SCENE scene = {};
	TEXT document = NULL;

	scene_open(&scene, state, "#!/bin/sh\n", 0);
	free(scene.directory);
	scene.directory = folder_path(state, "others");
	options = options_of(&scene, 0);
	assert_int_equal(kvg_refresh_update(scene.refresh, &options, NULL), 0);
	document = folder_write(state, "others/document.json", "{}");
	wait_for(&scene, &scene.changed, LONG_MS);
	assert_int_equal(scene.changed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)
		TEST(the_first_round_is_at_once),
		TEST(each_complaint_is_told_and_no_note_is),
		TEST(a_child_that_dies_in_silence_is_told),
		TEST(a_program_that_is_not_there_is_told),
		TEST(a_round_that_was_lately_is_not_repeated),
		TEST(a_round_of_the_future_is_a_clock_that_went_back),
		TEST(never_is_never_and_the_folder_is_watched),
		TEST(a_folder_that_goes_is_made_again),
		TEST(another_folder_is_watched_after_a_reload),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
