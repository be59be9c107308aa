// SPDX-License-Identifier: BSD-2-Clause
/*
 * Preloaded: the wall clock of a process is wrong by the seconds that the file KVGATE_TEST_CLOCK says, from one
 * moment to the next. Clocks that no operator can set are left alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long wrong_by(void)
{
	const char *path = getenv("KVGATE_TEST_CLOCK");
	FILE *file = path ? fopen(path, "re") : NULL;
	long long seconds = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lld", &seconds) != 1)
		seconds = 0;
	fclose(file);
	return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret->tv_sec += wrong_by();
	return r;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	struct timespec now;
	int r = clock_gettime(CLOCK_REALTIME, &now);

	(void)zone;
	if (r == 0)
		*ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
	return r;
}

time_t time(time_t *ret)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}
