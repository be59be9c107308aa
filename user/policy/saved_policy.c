// SPDX-License-Identifier: BSD-2-Clause
#include "policy/saved_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

/* The digest is the last member of the document. */
#define TAIL_BYTES 128

static int find_path(const char *state_dir, const unsigned char *digest, char **ret)
{
	char hex[KVG_DIGEST_HEX_LEN];

	kvg_digest_format(digest, hex);
	return asprintf(ret, "%s/policies/%s.json", state_dir, hex) < 0 ? -ENOMEM : 0;
}

static int make_folders(const char *state_dir)
{
	KVG_CLEANUP(kvg_freep) char *policies = NULL;

	if (asprintf(&policies, "%s/policies", state_dir) < 0)
		return -ENOMEM;
	if (mkdir(state_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(policies, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int kvg_saved_policy_put(const char *state_dir, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = make_folders(state_dir);
	if (r == 0)
		r = find_path(state_dir, policy->digest, &path);
	if (r == 0)
		r = kvg_policy_write(policy, &text, &size);
	return r < 0 ? r : kvg_file_replace(path, text, size);
}

int kvg_saved_policy_get(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES],
			 struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = find_path(state_dir, digest, &path);
	if (r == 0)
		r = kvg_file_read(path, KVG_POLICY_MAX_BYTES, &text, &size);
	if (r == 0)
		r = kvg_policy_parse(text, size, ret, NULL);
	if (r == 0 && memcmp((*ret)->digest, digest, KVG_DIGEST_BYTES) != 0) {
		*ret = kvg_policy_free(*ret);
		r = -EINVAL;
	}
	return r;
}

void kvg_saved_policy_drop(const char *state_dir, const unsigned char digest[KVG_DIGEST_BYTES])
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;

	if (find_path(state_dir, digest, &path) == 0)
		unlink(path);
}

static int find_last(const char *state_dir, const char *profile, char **ret)
{
	return asprintf(ret, "%s/policies/%s.json", state_dir, profile) < 0 ? -ENOMEM : 0;
}

static bool ends_with(int fd, const struct kvg_policy *policy)
{
	char expected[KVG_DIGEST_HEX_LEN + 16] = "\"sha256:";
	char tail[TAIL_BYTES + 1] = "";

	kvg_digest_format(policy->digest, expected + strlen(expected));
	strcat(expected, "\"");
	return fd >= 0 && lseek(fd, -TAIL_BYTES, SEEK_END) >= 0 &&
	       read(fd, tail, TAIL_BYTES) == TAIL_BYTES && strstr(tail, expected);
}

bool kvg_saved_policy_is(const char *path, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	return ends_with(fd, policy);
}

/* What is not there is short. */
static bool is_short(const char *path, size_t max_bytes)
{
	struct stat st;

	return stat(path, &st) < 0 || (size_t)st.st_size <= max_bytes;
}

bool kvg_saved_policy_is_short(const char *state_dir, const char *profile,
			       const unsigned char digest[KVG_DIGEST_BYTES], size_t max_bytes)
{
	KVG_CLEANUP(kvg_freep) char *by_digest = NULL;
	KVG_CLEANUP(kvg_freep) char *last = NULL;

	return find_path(state_dir, digest, &by_digest) == 0 &&
	       find_last(state_dir, profile, &last) == 0 && is_short(by_digest, max_bytes) &&
	       is_short(last, max_bytes);
}

int kvg_saved_policy_put_last(const char *state_dir, const struct kvg_policy *policy)
{
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = find_last(state_dir, policy->profile, &path);
	if (r < 0 || kvg_saved_policy_is(path, policy))
		return r;
	r = make_folders(state_dir);
	if (r == 0)
		r = kvg_policy_write(policy, &text, &size);
	return r < 0 ? r : kvg_file_replace(path, text, size);
}

int kvg_saved_policy_get_last(const char *state_dir, const char *profile, struct kvg_policy **ret)
{
	KVG_CLEANUP(kvg_policy_freep) struct kvg_policy *policy = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *text = NULL;
	size_t size;
	int r;

	r = find_last(state_dir, profile, &path);
	if (r == 0)
		r = kvg_file_read(path, KVG_POLICY_MAX_BYTES, &text, &size);
	if (r == 0)
		r = kvg_policy_parse(text, size, &policy, NULL);
	if (r < 0)
		return r;
	if (strcmp(policy->profile, profile) != 0)
		return -EINVAL;
	*ret = KVG_TAKE_PTR(policy);
	return 0;
}

int kvg_saved_policy_link_last(const char *state_dir, const struct kvg_policy *policy,
			       const char *path)
{
	KVG_CLEANUP(kvg_freep) char *last = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;
	struct stat st;
	int r;

	r = find_last(state_dir, policy->profile, &last);
	if (r < 0)
		return r;
	fd = open(last, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_nlink != 1 || !ends_with(fd, policy))
		return -ENOENT;
	return link(last, path) < 0 || futimens(fd, NULL) < 0 ? -errno : 0;
}
