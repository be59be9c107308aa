// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/config_reader.h"

void kvg_config_select_done(struct kvg_select *select)
{
	for (size_t i = 0; i < select->labels_count; i++) {
		free(select->labels[i].key);
		free(select->labels[i].value);
	}
	free(select->labels);
	free(select->cgroup);
	free(select->unit);
	free(select->namespace);
	free(select->pod);
	free(select->container);
	free(select->image);
}

/* A path that no cgroup can have would match nothing, and nobody would know. */
static bool is_cgroup_path(const char *pattern)
{
	if (pattern[0] != '/')
		return false;
	for (const char *part = pattern; *part; part += 1 + strcspn(part + 1, "/")) {
		size_t length = strcspn(part + 1, "/");

		if (length == 0 || (part[1] == '.' && length == 1) ||
		    (part[1] == '.' && part[2] == '.' && length == 2))
			return false;
	}
	return true;
}

static int read_cgroup(struct kvg_config_reader *reader, const char *path, const char *pattern,
		       struct kvg_select *ret)
{
	char inner[KVG_CONFIG_PATH_LEN + 8];

	if (pattern && !is_cgroup_path(pattern)) {
		snprintf(inner, sizeof(inner), "%s.cgroup", path);
		return kvg_config_bad(
			reader, inner, pattern,
			"a path below the root of the hierarchy, such as /payments.slice/**");
	}
	return kvg_config_copy(&ret->cgroup, pattern);
}

static int read_labels(struct kvg_config_reader *reader, const char *path, const char *part,
		       struct kvg_select *ret)
{
	struct kvg_config_pair pair;
	char inner[KVG_CONFIG_PATH_LEN + 8];
	int r = 0;

	snprintf(inner, sizeof(inner), "%s%s.labels", path, part);
	for (size_t i = 0; r == 0 && kvg_config_tree_pair(&reader->tree, inner, i, &pair); i++) {
		struct kvg_select_label *labels;

		labels = reallocarray(ret->labels, i + 1, sizeof(*labels));
		if (!labels)
			return -ENOMEM;
		ret->labels = labels;
		labels[i] = (struct kvg_select_label){0};
		ret->labels_count = i + 1;
		r = kvg_config_copy(&labels[i].key, pair.key);
		if (r == 0)
			r = kvg_config_copy(&labels[i].value, pair.value);
	}
	return r;
}

/* container, image and labels: of any runtime, or below `kubernetes` of Kubernetes only. */
static int read_container(struct kvg_config_reader *reader, const char *path,
			  const struct kvg_raw_select *raw, struct kvg_select *ret)
{
	int r;

	r = kvg_config_copy(&ret->container, raw->container);
	if (r == 0)
		r = kvg_config_copy(&ret->image, raw->image);
	return r < 0 ? r : read_labels(reader, path, "", ret);
}

static int read_kubernetes(struct kvg_config_reader *reader, const char *path,
			   const struct kvg_raw_kubernetes *raw, struct kvg_select *ret)
{
	int r;

	ret->kubernetes = true;
	r = kvg_config_copy(&ret->namespace, raw->namespace);
	if (r == 0)
		r = kvg_config_copy(&ret->pod, raw->pod);
	if (r == 0)
		r = kvg_config_copy(&ret->container, raw->container);
	if (r == 0)
		r = kvg_config_copy(&ret->image, raw->image);
	if (r == 0)
		r = read_labels(reader, path, ".kubernetes", ret);
	if (r < 0 || ret->namespace || ret->pod || ret->container || ret->image || ret->labels)
		return r;

	kvg_diag_set(
		reader->diag, -EINVAL,
		"'%s.kubernetes' is empty: expected namespace, pod, container, image or labels",
		path);
	return kvg_config_place(reader, -EINVAL, "%s.kubernetes", path);
}

static int check_select(struct kvg_config_reader *reader, const char *path,
			const struct kvg_raw_select *raw)
{
	struct kvg_config_pair pair;
	char labels[KVG_CONFIG_PATH_LEN + 8];
	bool container;

	snprintf(labels, sizeof(labels), "%s.labels", path);
	container = raw->container || raw->image ||
		    kvg_config_tree_pair(&reader->tree, labels, 0, &pair);
	if (container && raw->kubernetes)
		kvg_diag_set(reader->diag, -EINVAL,
			     "'%s': container, image and labels go below kubernetes where that is "
			     "named",
			     path);
	else if (!container && !raw->kubernetes && !raw->cgroup && !raw->unit)
		kvg_diag_set(reader->diag, -EINVAL,
			     "'%s' is empty: expected cgroup, unit, kubernetes, container, image "
			     "or labels",
			     path);
	else
		return 0;
	return kvg_config_place(reader, -EINVAL, "%s", path);
}

static int read_select(struct kvg_config_reader *reader, const char *path,
		       const struct kvg_raw_select *raw, struct kvg_select *ret)
{
	int r;

	r = check_select(reader, path, raw);
	if (r == 0)
		r = read_cgroup(reader, path, raw->cgroup, ret);
	if (r == 0)
		r = kvg_config_copy(&ret->unit, raw->unit);
	if (r < 0)
		return r;
	return raw->kubernetes ? read_kubernetes(reader, path, raw->kubernetes, ret)
			       : read_container(reader, path, raw, ret);
}

int kvg_config_read_selects(struct kvg_config_reader *reader, const char *path,
			    struct kvg_config_profile *profile, const struct kvg_raw_profile *raw)
{
	char inner[KVG_CONFIG_PATH_LEN];
	int r = 0;

	if (raw->select_count == 0)
		return 0;
	profile->selects = calloc(raw->select_count, sizeof(*profile->selects));
	if (!profile->selects)
		return -ENOMEM;

	profile->selects_count = raw->select_count;
	for (unsigned int i = 0; i < raw->select_count && r == 0; i++) {
		snprintf(inner, sizeof(inner), "%s.select[%u]", path, i);
		r = read_select(reader, inner, &raw->select[i], &profile->selects[i]);
	}
	return r;
}
