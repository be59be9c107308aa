// SPDX-License-Identifier: BSD-2-Clause
#include "discover/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "discover/container.h"

/* Runtimes write some 50; Kubernetes bounds annotations by size, so that there can be thousands. */
#define LABELS_MAX 512

void kvg_identity_done(struct kvg_identity *identity)
{
	for (size_t i = 0; i < identity->labels_count; i++) {
		free(identity->labels[i].key);
		free(identity->labels[i].value);
	}
	free(identity->labels);
	free(identity->cgroup);
	free(identity->unit);
	free(identity->runtime);
	free(identity->container_id);
	free(identity->container);
	free(identity->namespace);
	free(identity->pod);
	free(identity->image);
	free(identity->bundle);
	*identity = (struct kvg_identity){0};
}

const char *kvg_identity_label(const struct kvg_identity *identity, const char *key)
{
	for (size_t i = 0; i < identity->labels_count; i++) {
		if (strcmp(identity->labels[i].key, key) == 0)
			return identity->labels[i].value;
	}
	return NULL;
}

/* --- labels by which runtimes tell names ------------------------------------------------------------ */

#define FIELD(name) offsetof(struct kvg_identity, name)

/**
 * struct known - a label that fills a field
 * @runtime: believed of this one, which writes it itself
 * @kubelet: and of any below the cgroup that kubelet makes
 */
static const struct known {
	const char *key;
	size_t field;
	const char *runtime;
	bool kubelet;
} known_labels[] = {
	{"io.kubernetes.cri.container-name", FIELD(container), "containerd", false},
	{"io.kubernetes.cri.sandbox-name", FIELD(pod), "containerd", false},
	{"io.kubernetes.cri.sandbox-namespace", FIELD(namespace), "containerd", false},
	{"io.kubernetes.cri.image-name", FIELD(image), "containerd", false},
	{"nerdctl/name", FIELD(container), "containerd", false},
	{"io.kubernetes.container.name", FIELD(container), "cri-o", true},
	{"io.kubernetes.pod.name", FIELD(pod), "cri-o", true},
	{"io.kubernetes.pod.namespace", FIELD(namespace), "cri-o", true},
	{"io.kubernetes.cri-o.ImageName", FIELD(image), "cri-o", false},
};

static bool is_believed(const struct known *known, const struct kvg_identity *identity)
{
	return strcmp(identity->runtime, known->runtime) == 0 ||
	       (known->kubelet && strstr(identity->cgroup, "kubepods"));
}

static int fill_field(struct kvg_identity *identity, const char *key, const char *value)
{
	for (size_t i = 0; i < KVG_ARRAY_SIZE(known_labels); i++) {
		const struct known *known = &known_labels[i];
		char **field = (char **)((char *)identity + known->field);
		char *copy;

		if (strcmp(known->key, key) != 0 || **field || !is_believed(known, identity))
			continue;
		copy = strdup(value);
		if (!copy)
			return -ENOMEM;
		free(*field);
		*field = copy;
	}
	return 0;
}

int kvg_identity_add_label(struct kvg_identity *identity, const char *key, const char *value)
{
	struct kvg_label *labels;
	struct kvg_label *label;
	int r;

	r = fill_field(identity, key, value);
	if (r < 0 || kvg_identity_label(identity, key))
		return r;
	if (identity->labels_count >= LABELS_MAX)
		return -E2BIG;

	labels = reallocarray(identity->labels, identity->labels_count + 1, sizeof(*labels));
	if (!labels)
		return -ENOMEM;
	identity->labels = labels;
	label = &labels[identity->labels_count];
	label->key = strdup(key);
	label->value = strdup(value);
	identity->labels_count++;
	return label->key && label->value ? 0 : -ENOMEM;
}

/* --- systemd ---------------------------------------------------------------------------------------- */

static bool has_suffix(const char *name, size_t length, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return length > suffix_len && strncmp(name + length - suffix_len, suffix, suffix_len) == 0;
}

static bool is_unit(const char *name, size_t length)
{
	static const char *const suffixes[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < KVG_ARRAY_SIZE(suffixes); i++) {
		if (has_suffix(name, length, suffixes[i]))
			return true;
	}
	return false;
}

/*
 * As systemd does: below slices the first component is the unit; what comes then is the unit's own affair.
 * A slice that no unit follows is one itself. Names that could be taken for files of the kernel's have an
 * underscore in front.
 */
static char *find_unit(const char *cgroup)
{
	const char *unit = "";
	size_t unit_len = 0;

	for (const char *name = cgroup; *name == '/' && name[1];) {
		size_t length = strcspn(++name, "/");
		bool slice = has_suffix(name, length, ".slice");

		if (slice || is_unit(name, length)) {
			unit = name + (*name == '_');
			unit_len = length - (*name == '_');
		} else {
			unit_len = 0;
		}
		if (!slice)
			break;
		name += length;
	}
	return strndup(unit, unit_len);
}

/* --- all together ------------------------------------------------------------------------------------ */

static int init(struct kvg_identity *identity, const char *cgroup)
{
	char **const empty[] = {
		&identity->runtime,   &identity->container_id, &identity->container,
		&identity->namespace, &identity->pod,          &identity->image,
	};

	*identity = (struct kvg_identity){.cgroup = strdup(cgroup), .unit = find_unit(cgroup)};
	if (!identity->cgroup || !identity->unit)
		return -ENOMEM;
	for (size_t i = 0; i < KVG_ARRAY_SIZE(empty); i++) {
		*empty[i] = strdup("");
		if (!*empty[i])
			return -ENOMEM;
	}
	return 0;
}

int kvg_identity_read(const struct kvg_identity_roots *roots, const char *cgroup,
		      struct kvg_identity *ret)
{
	const struct kvg_identity_roots places = {
		.run = roots && roots->run ? roots->run : "/run",
		.var_lib = roots && roots->var_lib ? roots->var_lib : "/var/lib",
	};
	KVG_CLEANUP(kvg_freep) char *id = NULL;
	const char *runtime;
	int r;

	r = init(ret, cgroup);
	if (r == 0)
		r = kvg_container_find(cgroup, &runtime, &id);
	if (r < 0)
		return r;
	if (r == 0)
		return kvg_container_read_plain(&places, ret);

	free(ret->container_id);
	ret->container_id = KVG_TAKE_PTR(id);
	free(ret->runtime);
	ret->runtime = strdup(runtime);
	if (!ret->runtime)
		return -ENOMEM;

	r = kvg_container_read(&places, ret);
	ret->incomplete = r < 0;
	return r == -ENOMEM ? r : 0;
}
