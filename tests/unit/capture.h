/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures in memory, byte by byte, for the tests of what is made of them. */
#ifndef KVG_TESTS_CAPTURE_H
#define KVG_TESTS_CAPTURE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CAPTURE_ETHERNET 1
#define CAPTURE_RAW      101
#define CAPTURE_COOKED   113

#define TCP_SYN     0x02
#define TCP_ACK     0x10
#define TCP_SYN_ACK 0x12

/** struct capture - a file */
struct capture {
	uint8_t bytes[8192];
	size_t size;
};

static inline void capture_put(struct capture *capture, const void *bytes, size_t size)
{
	assert_true(capture->size + size <= sizeof(capture->bytes));
	memcpy(capture->bytes + capture->size, bytes, size);
	capture->size += size;
}

static inline void capture_put32(struct capture *capture, uint32_t number)
{
	capture_put(capture, &number, sizeof(number));
}

/** capture_init() - its head */
static inline void capture_init(struct capture *capture, uint32_t link_type)
{
	capture->size = 0;
	capture_put32(capture, 0xa1b2c3d4);
	capture_put(capture, &(uint16_t[]){2, 4}, 4);
	capture_put32(capture, 0);
	capture_put32(capture, 0);
	capture_put32(capture, 65535);
	capture_put32(capture, link_type);
}

/** capture_frame() - one that had @len bytes, of which @size were captured */
static inline void capture_frame(struct capture *capture, const void *frame, size_t size,
				 size_t len)
{
	capture_put32(capture, 1);
	capture_put32(capture, 0);
	capture_put32(capture, (uint32_t)size);
	capture_put32(capture, (uint32_t)len);
	capture_put(capture, frame, size);
}

/** struct ip - a packet */
struct ip {
	uint8_t bytes[96];
	size_t size;
};

/** ip_make() - from there to there, TCP with these @flags, or UDP if they are negative */
static inline struct ip ip_make(const char *from, uint16_t sport, const char *to, uint16_t dport,
				int flags)
{
	bool ipv6 = strchr(from, ':') != NULL;
	uint8_t *l4;
	struct ip ip = {.size = (ipv6 ? 40 : 20) + (flags < 0 ? 8 : 20)};

	l4 = ip.bytes + (ipv6 ? 40 : 20);
	ip.bytes[0] = ipv6 ? 0x60 : 0x45;
	ip.bytes[ipv6 ? 6 : 9] = flags < 0 ? IPPROTO_UDP : IPPROTO_TCP;
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, from, ip.bytes + (ipv6 ? 8 : 12)), 1);
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, to, ip.bytes + (ipv6 ? 24 : 16)), 1);
	l4[0] = sport >> 8;
	l4[1] = sport & 0xff;
	l4[2] = dport >> 8;
	l4[3] = dport & 0xff;
	if (flags >= 0)
		l4[13] = (uint8_t)flags;
	return ip;
}

/** capture_raw() - a packet without anything around it */
static inline void capture_raw(struct capture *capture, struct ip ip)
{
	capture_frame(capture, ip.bytes, ip.size, ip.size);
}

/** capture_behind() - a packet behind a header of the link's */
static inline void capture_behind(struct capture *capture, const char *header, size_t size,
				  struct ip ip)
{
	uint8_t frame[160];

	memcpy(frame, header, size);
	memcpy(frame + size, ip.bytes, ip.size);
	capture_frame(capture, frame, size + ip.size, size + ip.size);
}

#endif
