// SPDX-License-Identifier: BSD-2-Clause
/*
 * flood ADDRESS/BITS SECONDS THREADS: UDP packets to one destination after the other of an IPv4 prefix,
 * port after port, as fast as the kernel refuses them, until the time is over or SIGTERM comes. Prints
 * how many were refused (EPERM) and how long it took in ms; any other outcome is an error, as the count would not be the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 64
#define FIRST_PORT  1024
#define PORTS       60000
#define ROUND       256 /* packets between two looks at the clock */

struct flooder {
	pthread_t thread;
	unsigned int number;
	unsigned long refused;
	int error;
};

static struct in_addr network;
static unsigned int hosts;
static unsigned int threads;
static double end;
static volatile sig_atomic_t stopped;

static void stop(int signum)
{
	(void)signum;
	stopped = true;
}

static double now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Thread by thread another part of all destinations and ports. */
static void aim(struct sockaddr_in *to, const struct flooder *flooder)
{
	unsigned long i = flooder->refused * threads + flooder->number;

	to->sin_addr.s_addr = htonl(ntohl(network.s_addr) + i % hosts);
	to->sin_port = htons(FIRST_PORT + i / hosts % PORTS);
}

static void *flood(void *data)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct flooder *flooder = data;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	while (fd >= 0 && !flooder->error && !stopped && now() < end) {
		for (int i = 0; i < ROUND && !flooder->error; i++) {
			aim(&to, flooder);
			if (sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) >= 0)
				flooder->error = EISCONN; /* let through */
			else if (errno != EPERM)
				flooder->error = errno;
			else
				flooder->refused++;
		}
	}
	close(fd);
	return NULL;
}

static int parse(char **argv)
{
	char *slash = strchr(argv[1], '/');
	int bits = slash ? atoi(slash + 1) : 0;

	if (!slash || bits < 1 || bits > 32)
		return -EINVAL;
	*slash = '\0';
	hosts = 1U << (32 - bits);
	threads = atoi(argv[3]);
	end = now() + atof(argv[2]);
	return inet_pton(AF_INET, argv[1], &network) == 1 && threads && threads <= THREADS_MAX
		       ? 0
		       : -EINVAL;
}

int main(int argc, char **argv)
{
	struct flooder flooders[THREADS_MAX] = {0};
	double start = now();
	unsigned long refused = 0;
	int error = 0;

	if (argc != 4 || parse(argv) < 0) {
		fprintf(stderr, "usage: flood ADDRESS/BITS SECONDS THREADS\n");
		return 2;
	}
	signal(SIGTERM, stop);
	for (unsigned int i = 0; i < threads; i++) {
		flooders[i].number = i;
		if (pthread_create(&flooders[i].thread, NULL, flood, &flooders[i]))
			return 1;
	}
	for (unsigned int i = 0; i < threads; i++) {
		pthread_join(flooders[i].thread, NULL);
		refused += flooders[i].refused;
		error = error ? error : flooders[i].error;
	}
	if (error)
		fprintf(stderr, "not refused: %s\n", strerror(error));
	printf("%lu %.0f\n", refused, (now() - start) * 1000);
	return error ? 1 : 0;
}
