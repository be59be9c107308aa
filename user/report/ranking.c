// SPDX-License-Identifier: BSD-2-Clause
#include "report/ranking.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int by_key(const void *a, const void *b)
{
	const struct kvg_ranking_row *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int by_count(const void *a, const void *b)
{
	const struct kvg_ranking_row *const *x = a, *const *y = b;
	__u64 count_x = kvg_ranking_sum(&(*x)->count), count_y = kvg_ranking_sum(&(*y)->count);

	if (count_x != count_y)
		return count_x > count_y ? -1 : 1;
	return by_key(*x, *y);
}

static struct kvg_ranking_row *row_free(struct kvg_ranking_row *row)
{
	if (!row)
		return NULL;
	for (int i = 0; i < KVG_RANKING_TEXTS; i++)
		free(row->texts[i]);
	free(row->key);
	free(row);
	return NULL;
}

static void row_freep(struct kvg_ranking_row **row)
{
	row_free(*row);
}

/* At most KVG_RANKING_TEXT_LEN bytes, and no half of a character of UTF-8. */
static char *copy_text(const char *text)
{
	size_t len = strnlen(text, KVG_RANKING_TEXT_LEN);

	while (len && text[len] && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return strndup(text, len);
}

static void set_text(char **place, const char *text)
{
	char *copy;

	if (!text || !*text || (*place && strcmp(*place, text) == 0))
		return;
	copy = copy_text(text);
	if (!copy)
		return; /* the one before is as good */
	free(*place);
	*place = copy;
}

void kvg_ranking_sort(struct kvg_ranking *ranking)
{
	if (ranking->count)
		qsort(ranking->rows, ranking->count, sizeof(struct kvg_ranking_row *), by_count);
}

static void put_together(struct kvg_ranking *ranking)
{
	kvg_ranking_sort(ranking);
	while (ranking->count > ranking->rows_max / 2) {
		struct kvg_ranking_row *row = ranking->rows[--ranking->count];

		kvg_ranking_increase(&ranking->others, &row->count);
		ranking->others_rows++;
		tdelete(row, &ranking->tree, by_key);
		row_free(row);
	}
}

static int make_room(struct kvg_ranking *ranking)
{
	struct kvg_ranking_row **rows;
	size_t more = 2 * ranking->allocated + 64;

	if (!ranking->rows_max)
		ranking->rows_max = KVG_RANKING_ROWS_MAX;
	if (ranking->count >= ranking->rows_max)
		put_together(ranking);
	if (ranking->count < ranking->allocated)
		return 0;
	rows = reallocarray(ranking->rows, more, sizeof(struct kvg_ranking_row *));
	if (!rows)
		return -ENOMEM;
	ranking->rows = rows;
	ranking->allocated = more;
	return 0;
}

static int add_row(struct kvg_ranking *ranking, const struct kvg_ranking_entry *entry,
		   struct kvg_ranking_row **ret)
{
	KVG_CLEANUP(row_freep) struct kvg_ranking_row *row = NULL;
	int r = make_room(ranking);

	if (r < 0)
		return r;
	row = calloc(1, sizeof(*row));
	if (!row)
		return -ENOMEM;
	row->first_us = row->last_us = entry->time_us;
	row->key = strdup(entry->key);
	if (!row->key || !tsearch(row, &ranking->tree, by_key))
		return -ENOMEM;
	*ret = ranking->rows[ranking->count++] = KVG_TAKE_PTR(row);
	return 0;
}

static struct kvg_ranking_row *find(const struct kvg_ranking *ranking, const char *key)
{
	const struct kvg_ranking_row wanted = {.key = (char *)key};
	struct kvg_ranking_row *const *node = tfind(&wanted, &ranking->tree, by_key);

	return node ? *node : NULL;
}

int kvg_ranking_add(struct kvg_ranking *ranking, const struct kvg_ranking_entry *entry)
{
	struct kvg_ranking_row *row = find(ranking, entry->key);
	int r = row ? 0 : add_row(ranking, entry, &row);

	if (r < 0) {
		kvg_ranking_increase(&ranking->others, &entry->count);
		ranking->others_rows++;
		return r;
	}
	kvg_ranking_increase(&row->count, &entry->count);
	if (entry->time_us < row->first_us)
		row->first_us = entry->time_us;
	if (entry->time_us > row->last_us)
		row->last_us = entry->time_us;
	for (int i = 0; i < KVG_RANKING_TEXTS; i++)
		set_text(&row->texts[i], entry->texts[i]);
	return 0;
}

static void pass_over(void *row)
{
	(void)row;
}

void kvg_ranking_done(struct kvg_ranking *ranking)
{
	tdestroy(ranking->tree, pass_over);
	for (size_t i = 0; i < ranking->count; i++)
		row_free(ranking->rows[i]);
	free(ranking->rows);
	*ranking = (struct kvg_ranking){0};
}
