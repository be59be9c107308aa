// SPDX-License-Identifier: BSD-2-Clause
/* The date of a document is in the name of its file and nowhere else. */
#include <ctype.h>
#include <string.h>

#include "ranges/reader.h"

/* Digits from @text on, up to @limit; their value in @ret. */
static size_t read_digits(const char *text, size_t limit, unsigned int *ret)
{
	size_t len = 0;

	*ret = 0;
	while (len < limit && isdigit((unsigned char)text[len]))
		*ret = 10 * *ret + (unsigned int)(text[len++] - '0');
	return len;
}

static bool is_month(unsigned int year, unsigned int month)
{
	return year >= 2010 && year <= 2099 && month >= 1 && month <= 12;
}

static unsigned int month_days(unsigned int year, unsigned int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && year % 4 == 0);
}

static bool is_day(unsigned int year, unsigned int month, unsigned int day)
{
	return is_month(year, month) && day >= 1 && day <= month_days(year, month);
}

/* YYYYMMDD, or with the two digits of an M365 version or the time behind it. */
static bool read_compact(const char *text, size_t run, unsigned int *ret)
{
	if (run != 8 && run != 10 && run != 12 && run != 14)
		return false;

	read_digits(text, 8, ret);
	return is_day(*ret / 10000, *ret / 100 % 100, *ret % 100);
}

/* YYYY-MM-DD or YYYY-MM; the month's days are all that it may mean. */
static bool read_dashed(const char *text, unsigned int *ret_first, unsigned int *ret_last)
{
	unsigned int year, month, day, ignored;

	read_digits(text, 4, &year);
	if (text[4] != '-' || read_digits(text + 5, 3, &month) != 2 || !is_month(year, month))
		return false;

	if (text[7] != '-' || read_digits(text + 8, 2, &day) != 2 ||
	    read_digits(text + 10, 1, &ignored) != 0 || !is_day(year, month, day)) {
		*ret_first = year * 10000 + month * 100 + 1;
		*ret_last = year * 10000 + month * 100 + month_days(year, month);
		return true;
	}

	*ret_first = *ret_last = year * 10000 + month * 100 + day;
	return true;
}

void kvg_document_read_date(const char *file, unsigned int *ret_first, unsigned int *ret_last)
{
	size_t run;

	*ret_first = 0;
	*ret_last = 0;
	for (const char *c = file; *c; c += run ? run : 1) {
		unsigned int first, last;
		bool found;

		run = strspn(c, "0123456789");
		found = run == 4 && read_dashed(c, &first, &last);
		if (!found && read_compact(c, run, &first)) {
			last = first;
			found = true;
		}
		if (!found)
			continue;

		if (!*ret_first || first < *ret_first)
			*ret_first = first;
		if (last > *ret_last)
			*ret_last = last;
	}
}
