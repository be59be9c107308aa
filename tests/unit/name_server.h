/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server on UDP that says the same to whatever it is asked; cmocka.h comes before. */
#ifndef KVG_TESTS_NAME_SERVER_H
#define KVG_TESTS_NAME_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define TYPE_A         1
#define TYPE_AAAA      28

/* What it says, and how often it was asked for IPv4 and IPv6. */
static struct {
	const char *a[4];
	size_t a_count;
	const char *aaaa;
	unsigned int ttl_s;
	unsigned char rcode;
	unsigned char rcode_aaaa;
	unsigned int asked[2];
} server;

/** put_record() - an address; Return: bytes */
static inline size_t put_record(unsigned char *at, int type, const char *text)
{
	const unsigned char fixed[] = {0xc0,
				       12,
				       0,
				       (unsigned char)type,
				       0,
				       1,
				       0,
				       0,
				       (unsigned char)(server.ttl_s >> 8),
				       (unsigned char)server.ttl_s,
				       0,
				       type == TYPE_A ? 4 : 16};

	memcpy(at, fixed, sizeof(fixed));
	inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, at + sizeof(fixed));
	return sizeof(fixed) + fixed[sizeof(fixed) - 1];
}

/** on_question() - for sd_event_add_io() */
static inline int on_question(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	unsigned char packet[4096];
	struct sockaddr_in from;
	socklen_t from_size = sizeof(from);
	size_t size = 12, count = 0;
	ssize_t got;
	int type;

	(void)source;
	(void)revents;
	(void)userdata;
	got = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_size);
	assert_true(got > 12);
	while (packet[size])
		size += packet[size] + 1U;
	type = packet[size + 2];
	size += 5;
	server.asked[type == TYPE_AAAA]++;

	packet[3] = type == TYPE_AAAA ? server.rcode_aaaa : server.rcode;
	packet[2] = 0x85;
	for (; !packet[3] && type == TYPE_A && count < server.a_count; count++)
		size += put_record(packet + size, type, server.a[count]);
	if (!packet[3] && type == TYPE_AAAA && server.aaaa) {
		size += put_record(packet + size, type, server.aaaa);
		count = 1;
	}
	packet[7] = (unsigned char)count;
	memset(packet + 8, 0, 4);
	assert_true(sendto(fd, packet, size, 0, (struct sockaddr *)&from, from_size) > 0);
	return 0;
}

#endif
