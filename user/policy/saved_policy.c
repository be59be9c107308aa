// SPDX-License-Identifier: BSD-2-Clause
#include "policy/saved_policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

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
