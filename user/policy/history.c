// SPDX-License-Identifier: BSD-2-Clause
#include "policy/history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/folder.h"
#include "policy/saved_policy.h"

#define HELD        "held.json"
#define NUMBER_FORM "%06u.json"
#define NUMBER_LEN  32

static int folder_of(const char *state_dir, const char *profile, char **ret)
{
	if (asprintf(ret, "%s/history/%s", state_dir, profile) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int path_of(const char *state_dir, const char *profile, const char *name, char **ret)
{
	if (asprintf(ret, "%s/history/%s/%s", state_dir, profile, name) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int path_of_number(const char *folder, unsigned int number, char **ret)
{
	if (asprintf(ret, "%s/" NUMBER_FORM, folder, number) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

/* The number that a file's name is; 0 if it is none. */
static unsigned int number_of(const char *name)
{
	char again[NUMBER_LEN];
	unsigned int number;

	if (sscanf(name, "%9u", &number) != 1)
		return 0;
	snprintf(again, sizeof(again), NUMBER_FORM, number);
	return strcmp(again, name) == 0 ? number : 0;
}

/* Numbers of the entries, in order: their names have leading zeros. */
static int list_numbers(const char *folder, unsigned int **ret, size_t *ret_count)
{
	KVG_CLEANUP(kvg_folder_names_done) struct kvg_folder_names names = {0};
	unsigned int *numbers;
	size_t count = 0;
	int r;

	r = kvg_folder_list(folder, &names);
	if (r < 0 && r != -ENOENT)
		return r;
	numbers = calloc(names.count + 1, sizeof(*numbers));
	if (!numbers)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++) {
		numbers[count] = number_of(names.items[i]);
		count += numbers[count] != 0;
	}
	*ret = numbers;
	*ret_count = count;
	return 0;
}

static int read_policy(const char *path, struct kvg_policy **ret, struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = kvg_file_read(path, KVG_POLICY_MAX_BYTES, &text, &size);
	if (r < 0)
		return kvg_diag_set(diag, r, "cannot read '%s': %s", path, strerror(-r));
	return kvg_policy_parse(text, size, ret, diag);
}

static int read_entry(const char *folder, unsigned int number, struct kvg_history_entry *ret)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	struct stat st;
	int r;

	r = path_of_number(folder, number, &path);
	if (r < 0)
		return r;
	if (stat(path, &st) < 0)
		return -errno;

	*ret = (struct kvg_history_entry){.number = number, .since = st.st_mtime};
	r = read_policy(path, &ret->policy, NULL);
	return r == -ENOMEM ? r : 0;
}

int kvg_history_read(const char *state_dir, const char *profile, struct kvg_history *ret)
{
	KVG_CLEANUP(kvg_freep) char *folder = NULL;
	KVG_CLEANUP(kvg_freep) unsigned int *numbers = NULL;
	size_t count = 0;
	int r;

	r = folder_of(state_dir, profile, &folder);
	if (r == 0)
		r = list_numbers(folder, &numbers, &count);
	if (r < 0)
		return r;

	ret->entries = calloc(count + 1, sizeof(*ret->entries));
	if (!ret->entries)
		return -ENOMEM;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = read_entry(folder, numbers[i], &ret->entries[ret->count]);
		if (r == 0)
			ret->count++;
		else if (r == -ENOENT)
			r = 0; /* it became one too many meanwhile */
	}
	return r;
}

void kvg_history_done(struct kvg_history *history)
{
	for (size_t i = 0; i < history->count; i++)
		kvg_policy_free(history->entries[i].policy);
	free(history->entries);
	*history = (struct kvg_history){0};
}

static int write_policy(const char *path, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = kvg_policy_write(policy, &text, &size);
	return r < 0 ? r : kvg_file_replace(path, text, size);
}

static void prune(const char *folder, const unsigned int *numbers, size_t count)
{
	/* One was added just now. */
	for (size_t i = 0; i + KVG_HISTORY_MAX < count + 1; i++) {
		char *path;

		if (path_of_number(folder, numbers[i], &path) < 0)
			return;
		unlink(path);
		free(path);
	}
}

static int add(const char *state_dir, const char *folder, const struct kvg_policy *policy,
	       struct kvg_diag *diag)
{
	KVG_CLEANUP(kvg_freep) unsigned int *numbers = NULL;
	KVG_CLEANUP(kvg_freep) char *newest = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	unsigned int number;
	size_t count = 0;
	int r;

	r = kvg_folder_make(folder);
	if (r == 0)
		r = list_numbers(folder, &numbers, &count);
	if (r < 0)
		return kvg_diag_set(diag, r, "cannot use '%s': %s", folder, strerror(-r));

	number = count ? numbers[count - 1] : 0;
	r = path_of_number(folder, number, &newest);
	if (r == 0)
		r = path_of_number(folder, number + 1, &path);
	if (r < 0)
		return kvg_diag_set(diag, r, "out of memory");
	if (kvg_saved_policy_is(newest, policy))
		return 0;
	/* Most often it was saved just now. */
	if (kvg_saved_policy_link_last(state_dir, policy, path) < 0)
		r = write_policy(path, policy);
	if (r < 0)
		return kvg_diag_set(diag, r, "cannot write '%s': %s", path, strerror(-r));
	prune(folder, numbers, count);
	return 0;
}

int kvg_history_add(const char *state_dir, const struct kvg_policy *policy,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *folder = NULL;

	if (folder_of(state_dir, policy->profile, &folder) < 0)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	return add(state_dir, folder, policy, reterr_diag);
}

int kvg_history_hold(const char *state_dir, const char *profile, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) char *folder = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r;

	r = folder_of(state_dir, profile, &folder);
	if (r == 0)
		r = kvg_folder_make(folder);
	if (r == 0)
		r = path_of(state_dir, profile, HELD, &path);
	return r < 0 ? r : write_policy(path, policy);
}

int kvg_history_release(const char *state_dir, const char *profile)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	int r;

	r = path_of(state_dir, profile, HELD, &path);
	if (r == 0 && unlink(path) < 0)
		r = -errno;
	return r;
}

int kvg_history_held(const char *state_dir, const char *profile, struct kvg_policy **ret,
		     struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (path_of(state_dir, profile, HELD, &path) < 0)
		return kvg_diag_set(reterr_diag, -ENOMEM, "out of memory");
	return read_policy(path, ret, reterr_diag);
}
