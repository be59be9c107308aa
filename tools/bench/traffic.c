// SPDX-License-Identifier: BSD-2-Clause
/*
 * traffic MODE CLIENT SERVER CGROUP CPU COUNT ADDRESS SPREAD STEP: a client and a server on one processor, in two
 * network namespaces (paths), the client in a cgroup. Prints operations, elapsed ns, and the ns of
 * processor time of both, which the kernel's part of the work is in: it runs on behalf of one of them.
 *
 *	connect   connect to ADDRESS:443, be closed
 *	pingpong  a byte there and a byte back
 *	udp       a datagram, to where its call says
 *	connected a datagram, by one of many connected sockets
 *	refused   a datagram that must not leave
 *	bulk      64 KiB of one connection
 *
 * IPv4 destinations take turns: SPREAD of them, STEP from one to the next.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT        443
#define CHUNK       65536
#define SOCKETS_MAX 256

static char buffer[CHUNK];

/* struct traffic - what is asked for, and the way to the server */
struct traffic {
	const char *mode;
	long count;
	struct sockaddr_storage to;
	socklen_t to_len;
	__u32 spread;
	__u32 step;
	int server; /* tells when it is ready, and at the end what it used */
};

static void insist(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static bool is(const struct traffic *traffic, const char *mode)
{
	return strcmp(traffic->mode, mode) == 0;
}

static void enter_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	insist(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, path);
	close(fd);
}

static void enter_cgroup(const char *path)
{
	char procs[4096];
	int fd;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	insist(fd >= 0 && write(fd, "0", 1) == 1, path);
	close(fd);
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	insist(sched_setaffinity(0, sizeof(set), &set) == 0, "processor");
}

/* --- the server ------------------------------------------------------------------------------ */

static int listen_on(int type)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int sock = socket(AF_INET6, type | SOCK_CLOEXEC, 0), off = 0, one = 1;

	insist(sock >= 0, "socket");
	setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	insist(bind(sock, (const struct sockaddr *)&any, sizeof(any)) == 0, "bind");
	insist(type == SOCK_DGRAM || listen(sock, 4096) == 0, "listen");
	return sock;
}

static void serve_stream(int sock, bool echo)
{
	int conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC), one = 1;
	ssize_t size;

	insist(conn >= 0, "accept");
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while ((size = read(conn, buffer, sizeof(buffer))) > 0) {
		if (echo)
			insist(write(conn, buffer, size) == size, "answer");
	}
	close(conn);
}

static void serve(const struct traffic *traffic, int client)
{
	int stream = listen_on(SOCK_STREAM), datagrams = listen_on(SOCK_DGRAM);
	double start;
	char byte = 0;

	start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	insist(write(client, &byte, 1) == 1, "ready");
	for (long i = 0; is(traffic, "connect") && i < traffic->count; i++)
		close(accept4(stream, NULL, NULL, SOCK_CLOEXEC));
	if (is(traffic, "pingpong") || is(traffic, "bulk"))
		serve_stream(stream, is(traffic, "pingpong"));
	insist(read(client, &byte, 1) == 1, "end");
	start = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	insist(write(client, &start, sizeof(start)) == sizeof(start), "result");
	close(datagrams);
}

static void start_server(struct traffic *traffic, const char *netns)
{
	int pair[2];
	char byte;
	pid_t pid;

	insist(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	pid = fork();
	insist(pid >= 0, "fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		enter_netns(netns);
		serve(traffic, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	traffic->server = pair[0];
	insist(read(traffic->server, &byte, 1) == 1, "server");
}

/* --- the client ------------------------------------------------------------------------------ */

static const struct sockaddr *destination(struct traffic *traffic, long i)
{
	static struct sockaddr_in next;

	if (traffic->to.ss_family != AF_INET)
		return (const struct sockaddr *)&traffic->to;
	memcpy(&next, &traffic->to, sizeof(next));
	next.sin_addr.s_addr =
		htonl(ntohl(next.sin_addr.s_addr) + i % traffic->spread * traffic->step);
	return (const struct sockaddr *)&next;
}

static int connect_to(struct traffic *traffic, long i)
{
	int sock = socket(traffic->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	insist(sock >= 0, "socket");
	insist(connect(sock, destination(traffic, i), traffic->to_len) == 0, "connect");
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return sock;
}

static void connect_and_close(struct traffic *traffic)
{
	for (long i = 0; i < traffic->count; i++) {
		int sock = connect_to(traffic, i);

		insist(read(sock, buffer, 1) == 0, "end of the connection");
		close(sock);
	}
}

static void exchange(struct traffic *traffic)
{
	int sock = connect_to(traffic, 0);

	for (long i = 0; i < traffic->count; i++)
		insist(write(sock, buffer, 1) == 1 && read(sock, buffer, 1) == 1, "exchange");
	close(sock);
}

static void pour(struct traffic *traffic)
{
	int sock = connect_to(traffic, 0);

	for (long i = 0; i < traffic->count; i++)
		insist(write(sock, buffer, CHUNK) == CHUNK, "write");
	shutdown(sock, SHUT_WR);
	insist(read(sock, buffer, 1) == 0, "end of the stream");
	close(sock);
}

static void send_datagrams(struct traffic *traffic, bool refused)
{
	int sock = socket(traffic->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	insist(sock >= 0, "socket");
	for (long i = 0; i < traffic->count; i++) {
		ssize_t size =
			sendto(sock, buffer, 64, 0, destination(traffic, i), traffic->to_len);

		if (refused)
			insist(size < 0 && errno == EPERM, "a datagram that should be refused");
		else
			insist(size == 64, "send");
	}
	close(sock);
}

static void send_connected(struct traffic *traffic)
{
	int count = traffic->spread < SOCKETS_MAX ? traffic->spread : SOCKETS_MAX;
	int socks[SOCKETS_MAX];

	/* As far apart as the destinations of the other modes. */
	traffic->step *= traffic->spread / count;
	for (int i = 0; i < count; i++) {
		socks[i] = socket(traffic->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		insist(socks[i] >= 0, "socket");
		insist(connect(socks[i], destination(traffic, i), traffic->to_len) == 0, "connect");
	}
	for (long i = 0; i < traffic->count; i++)
		insist(send(socks[i % count], buffer, 64, 0) == 64, "send");
	for (int i = 0; i < count; i++)
		close(socks[i]);
}

static void work(struct traffic *traffic)
{
	if (is(traffic, "connect"))
		connect_and_close(traffic);
	else if (is(traffic, "pingpong"))
		exchange(traffic);
	else if (is(traffic, "bulk"))
		pour(traffic);
	else if (is(traffic, "connected"))
		send_connected(traffic);
	else
		send_datagrams(traffic, is(traffic, "refused"));
}

static void read_address(struct traffic *traffic, const char *text)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&traffic->to;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&traffic->to;

	errno = EINVAL;
	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(PORT);
		traffic->to_len = sizeof(*ipv4);
	} else {
		insist(inet_pton(AF_INET6, text, &ipv6->sin6_addr) == 1, text);
		ipv6->sin6_family = AF_INET6;
		ipv6->sin6_port = htons(PORT);
		traffic->to_len = sizeof(*ipv6);
	}
}

int main(int argc, char **argv)
{
	struct traffic traffic = {0};
	double wall, used, servers;

	if (argc != 10) {
		fprintf(stderr,
			"usage: traffic MODE CLIENT SERVER CGROUP CPU COUNT ADDRESS SPREAD STEP\n");
		return 2;
	}
	traffic.mode = argv[1];
	traffic.count = strtol(argv[6], NULL, 10);
	traffic.spread = strtoul(argv[8], NULL, 10);
	traffic.step = strtoul(argv[9], NULL, 10);
	insist(traffic.count > 0 && traffic.spread > 0, "COUNT and SPREAD are not 0");
	read_address(&traffic, argv[7]);
	stay_on(atoi(argv[5]));
	start_server(&traffic, argv[3]);
	enter_netns(argv[2]);
	enter_cgroup(argv[4]);

	wall = clock_ns(CLOCK_MONOTONIC);
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	work(&traffic);
	insist(write(traffic.server, "", 1) == 1, "server");
	insist(read(traffic.server, &servers, sizeof(servers)) == sizeof(servers), "server");
	wall = clock_ns(CLOCK_MONOTONIC) - wall;
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used;
	printf("%ld %.0f %.0f\n", traffic.count, wall, used + servers);
	return 0;
}
