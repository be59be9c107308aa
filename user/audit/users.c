// SPDX-License-Identifier: BSD-2-Clause
#include "audit/users.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

/* struct user - @at: which line of the file it was, for the first of several counts */
struct user {
	__u32 uid;
	__u32 at;
	char *name;
};

struct kvg_users {
	char *path;
	struct stat seen;
	struct user *list; /* sorted */
	size_t count;
};

static void forget(struct kvg_users *users)
{
	for (size_t i = 0; i < users->count; i++)
		free(users->list[i].name);
	free(users->list);
	users->list = NULL;
	users->count = 0;
}

static int compare(const void *a, const void *b)
{
	const struct user *left = a;
	const struct user *right = b;

	if (left->uid != right->uid)
		return left->uid < right->uid ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

static int add(struct kvg_users *users, const struct passwd *entry)
{
	struct user *more = reallocarray(users->list, users->count + 1, sizeof(*more));
	char *name;

	if (!more)
		return -ENOMEM;
	users->list = more;
	name = strdup(entry->pw_name);
	if (!name)
		return -ENOMEM;
	more[users->count] = (struct user){entry->pw_uid, (__u32)users->count, name};
	users->count++;
	return 0;
}

static void read_file(struct kvg_users *users)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen(users->path, "re");
	const struct passwd *entry;

	forget(users);
	if (!file)
		return;
	while (users->count < KVG_USERS_MAX && (entry = fgetpwent(file))) {
		if (add(users, entry) < 0)
			break;
	}
	if (users->count)
		qsort(users->list, users->count, sizeof(*users->list), compare);
}

int kvg_users_open(const char *path, struct kvg_users **ret)
{
	KVG_CLEANUP(kvg_users_closep) struct kvg_users *users = calloc(1, sizeof(*users));

	if (!users)
		return -ENOMEM;
	users->path = strdup(path);
	if (!users->path)
		return -ENOMEM;
	kvg_users_refresh(users);
	*ret = KVG_TAKE_PTR(users);
	return 0;
}

void kvg_users_refresh(struct kvg_users *users)
{
	struct stat now = {0};

	if (stat(users->path, &now) == 0 && now.st_ino == users->seen.st_ino &&
	    now.st_size == users->seen.st_size &&
	    memcmp(&now.st_mtim, &users->seen.st_mtim, sizeof(now.st_mtim)) == 0)
		return;
	users->seen = now;
	read_file(users);
}

const char *kvg_users_find(const struct kvg_users *users, __u32 uid)
{
	size_t lo = 0;
	size_t hi = users->count;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (users->list[middle].uid < uid)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < users->count && users->list[lo].uid == uid ? users->list[lo].name : NULL;
}

struct kvg_users *kvg_users_close(struct kvg_users *users)
{
	if (!users)
		return NULL;
	forget(users);
	free(users->path);
	free(users);
	return NULL;
}

void kvg_users_closep(struct kvg_users **users)
{
	*users = kvg_users_close(*users);
}
