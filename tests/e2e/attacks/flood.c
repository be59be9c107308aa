// SPDX-License-Identifier: BSD-2-Clause
/*
 * flood SECONDS PER_SECOND PORT ADDRESS...: short flows to the addresses by turns, as many a second as said:
 * a TCP connection that is begun and dropped, then a datagram, each of a socket of its own. Says how many it
 * made, and how many of them the first address had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ADDRESSES_MAX 16
#define SLICES        100 /* of a second, each with its share of flows */

static const struct linger no_linger = {
	.l_onoff = 1}; /* leave no connection behind, not even closing */

static void one_flow(const struct sockaddr_in *to, bool tcp)
{
	int sock =
		socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr *address = (const struct sockaddr *)to;

	if (sock < 0) {
		perror("socket");
		exit(1);
	}
	if (tcp) {
		setsockopt(sock, SOL_SOCKET, SO_LINGER, &no_linger, sizeof(no_linger));
		(void)!connect(sock, address, sizeof(*to));
	} else {
		(void)!sendto(sock, "stolen:flood:run0;", 18, 0, address, sizeof(*to));
	}
	close(sock);
}

static void next_slice(struct timespec *at)
{
	at->tv_nsec += 1000000000L / SLICES;
	if (at->tv_nsec >= 1000000000L) {
		at->tv_nsec -= 1000000000L;
		at->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL) == EINTR)
		;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to[ADDRESSES_MAX] = {0};
	struct timespec began, at;
	long seconds, per_second, count, made = 0;

	count = argc - 4;
	if (count < 1 || count > ADDRESSES_MAX)
		return 2;
	seconds = atol(argv[1]);
	per_second = atol(argv[2]);
	for (long i = 0; i < count; i++) {
		to[i].sin_family = AF_INET;
		to[i].sin_port = htons(atoi(argv[3]));
		if (inet_pton(AF_INET, argv[4 + i], &to[i].sin_addr) != 1)
			return 2;
	}

	clock_gettime(CLOCK_MONOTONIC, &began);
	at = began;
	for (long slice = 0; slice < seconds * SLICES; slice++) {
		for (long i = 0; i < per_second / SLICES; i++, made++)
			one_flow(&to[made % count], made / count % 2);
		next_slice(&at);
	}
	clock_gettime(CLOCK_MONOTONIC, &at);
	printf("%ld flows, %ld to the first address, in %.1f s\n", made, (made + count - 1) / count,
	       (at.tv_sec - began.tv_sec) + (at.tv_nsec - began.tv_nsec) / 1e9);
	return 0;
}
