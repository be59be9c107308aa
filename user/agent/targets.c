// SPDX-License-Identifier: BSD-2-Clause
#include "agent/targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define FIRST_ROOM 64

static void target_free(struct kvg_target *target)
{
	if (!target)
		return;
	if (target->told)
		kvg_identity_done(target->told);
	free(target->told);
	free(target->bundle);
	free(target->matches);
	free(target->cover);
	free(target->cgroup);
	free(target);
}

static void target_freep(struct kvg_target **target)
{
	target_free(*target);
}

/* Where @cgroup is, or should be. */
static size_t find_place(const struct kvg_targets *targets, const char *cgroup)
{
	size_t low = 0, high = targets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(targets->list[middle]->cgroup, cgroup) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct kvg_targets *targets, size_t place, const char *cgroup)
{
	return place < targets->count && strcmp(targets->list[place]->cgroup, cgroup) == 0;
}

static int make_room(struct kvg_targets *targets)
{
	size_t room = targets->room ? 2 * targets->room : FIRST_ROOM;
	struct kvg_target **list;

	if (targets->count < targets->room)
		return 0;
	list = reallocarray(targets->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	targets->list = list;
	targets->room = room;
	return 0;
}

int kvg_targets_add(struct kvg_targets *targets, const char *cgroup, struct kvg_target **ret)
{
	KVG_CLEANUP(target_freep) struct kvg_target *target = NULL;
	size_t place = find_place(targets, cgroup);

	if (is_at(targets, place, cgroup)) {
		*ret = targets->list[place];
		return 0;
	}

	target = calloc(1, sizeof(*target));
	if (target)
		target->cgroup = strdup(cgroup);
	if (!target || !target->cgroup || make_room(targets) < 0)
		return -ENOMEM;

	memmove(&targets->list[place + 1], &targets->list[place],
		(targets->count - place) * sizeof(*targets->list));
	targets->count++;
	*ret = targets->list[place] = KVG_TAKE_PTR(target);
	return 0;
}

struct kvg_target *kvg_targets_find(const struct kvg_targets *targets, const char *cgroup)
{
	size_t place = find_place(targets, cgroup);

	return is_at(targets, place, cgroup) ? targets->list[place] : NULL;
}

void kvg_targets_remove(struct kvg_targets *targets, const char *cgroup)
{
	size_t place = find_place(targets, cgroup);

	if (!is_at(targets, place, cgroup))
		return;
	target_free(targets->list[place]);
	targets->count--;
	memmove(&targets->list[place], &targets->list[place + 1],
		(targets->count - place) * sizeof(*targets->list));
}

static int note_bundle(struct kvg_target *target, const char *bundle)
{
	free(target->bundle);
	target->bundle = bundle ? strdup(bundle) : NULL;
	return bundle && !target->bundle ? -ENOMEM : 0;
}

/* What was told by the hook, or what the disk says. */
static int match(struct kvg_target *target, const struct kvg_config *config,
		 const struct kvg_identity_roots *roots)
{
	KVG_CLEANUP(kvg_identity_done) struct kvg_identity read = {};
	const struct kvg_identity *identity = target->told;
	struct kvg_match *matches = NULL;
	size_t count = 0;
	int r = 0;

	if (!identity) {
		r = kvg_identity_read(roots, target->cgroup, &read);
		identity = &read;
	}
	if (r == 0)
		r = kvg_match_all(config, identity, &matches, &count);
	if (r < 0)
		return r;

	free(target->matches);
	target->matches = matches;
	target->count = count;
	target->incomplete = identity->incomplete;
	return note_bundle(target, identity->bundle);
}

/* The outermost one that covers it, so that a change between them moves no gate. */
static int find_cover(const struct kvg_targets *targets, struct kvg_target *target)
{
	KVG_CLEANUP(kvg_freep) char *path = strdup(target->cgroup);

	free(target->cover);
	target->cover = NULL;
	if (!path)
		return -ENOMEM;
	for (char *slash = strchr(path + 1, '/'); slash && target->count;
	     slash = strchr(slash + 1, '/')) {
		const struct kvg_target *above;

		*slash = '\0';
		above = kvg_targets_find(targets, path);
		if (above && above->in_force && kvg_target_profile(above) &&
		    kvg_match_is_covered(target->matches, above->matches)) {
			target->cover = KVG_TAKE_PTR(path);
			return 0;
		}
		*slash = '/';
	}
	return 0;
}

int kvg_targets_decide(struct kvg_targets *targets, struct kvg_target *target,
		       const struct kvg_config *config, const struct kvg_identity_roots *roots)
{
	int r = match(target, config, roots);

	return r < 0 ? r : find_cover(targets, target);
}

const char *kvg_target_profile(const struct kvg_target *target)
{
	return target->count && !target->cover ? target->matches[0].profile->profile.name : NULL;
}

void kvg_targets_done(struct kvg_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++)
		target_free(targets->list[i]);
	free(targets->list);
	*targets = (struct kvg_targets){};
}
