// SPDX-License-Identifier: BSD-2-Clause
#include "audit/totals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/variant.h"

/* rows[0] is that of "", and always there */
struct kvg_totals {
	struct kvg_totals_row *rows;
	size_t count;
	size_t last; /* found last: lines of one gate come together */
};

int kvg_totals_open(struct kvg_totals **ret)
{
	KVG_CLEANUP(kvg_totals_closep) struct kvg_totals *totals = calloc(1, sizeof(*totals));

	if (!totals)
		return -ENOMEM;
	totals->rows = calloc(1, sizeof(*totals->rows));
	if (!totals->rows)
		return -ENOMEM;
	totals->count = 1;
	*ret = KVG_TAKE_PTR(totals);
	return 0;
}

static struct kvg_totals_row *add_row(struct kvg_totals *totals, const char *profile)
{
	struct kvg_totals_row *more;

	if (totals->count > KVG_TOTALS_PROFILES_MAX)
		return &totals->rows[0];
	more = reallocarray(totals->rows, totals->count + 1, sizeof(*more));
	if (!more)
		return &totals->rows[0];

	totals->rows = more;
	totals->last = totals->count++;
	more[totals->last] = (struct kvg_totals_row){};
	snprintf(more[totals->last].profile, sizeof(more->profile), "%s", profile);
	return &more[totals->last];
}

struct kvg_totals_row *kvg_totals_row(struct kvg_totals *totals, const char *name)
{
	char profile[KVG_PROFILE_LEN] = "";

	if (name)
		snprintf(profile, sizeof(profile), "%.*s", (int)kvg_variant_profile_len(name),
			 name);
	if (strcmp(totals->rows[totals->last].profile, profile) == 0)
		return &totals->rows[totals->last];
	for (size_t i = 0; i < totals->count; i++) {
		if (strcmp(totals->rows[i].profile, profile) == 0) {
			totals->last = i;
			return &totals->rows[i];
		}
	}
	return add_row(totals, profile);
}

size_t kvg_totals_list(const struct kvg_totals *totals, const struct kvg_totals_row **ret)
{
	*ret = totals->rows;
	return totals->count;
}

struct kvg_totals *kvg_totals_close(struct kvg_totals *totals)
{
	if (!totals)
		return NULL;
	free(totals->rows);
	free(totals);
	return NULL;
}

void kvg_totals_closep(struct kvg_totals **totals)
{
	*totals = kvg_totals_close(*totals);
}
