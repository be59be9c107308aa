/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server's answer, read: which addresses does it give for the name that was asked for? */
#ifndef KVG_AUDIT_ANSWER_H
#define KVG_AUDIT_ANSWER_H

#include <linux/types.h>
#include <stddef.h>

#define KVG_DOMAIN_LEN 256 /* bytes, NUL included: the longest name of DNS in words */

/* Addresses of one answer that are looked at; more than any client tries. */
#define KVG_ANSWER_ADDRESSES_MAX 32

/** struct kvg_answer_address - network order, IPv4 as ::ffff:a.b.c.d */
struct kvg_answer_address {
	__u8 addr[16];
};

/**
 * struct kvg_answer_names - what there is to learn from an answer
 * @name:      that was asked for: lower case, without the last dot; bytes that no host name has are '?'
 * @addresses: that it has, or the names that it leads to (CNAME)
 * @count:     how many
 * @ttl_s:     the least of all that led there
 */
struct kvg_answer_names {
	char name[KVG_DOMAIN_LEN];
	struct kvg_answer_address addresses[KVG_ANSWER_ADDRESSES_MAX];
	size_t count;
	__u32 ttl_s;
};

/**
 * kvg_answer_parse() - read a DNS message
 * @message: from its header on; whatever is in it
 * @size:    bytes
 * @ret:     what it says
 *
 * Return: 0, or -EBADMSG: it is damaged, no answer, or has no address
 */
int kvg_answer_parse(const void *message, size_t size, struct kvg_answer_names *ret);

#endif
