/* SPDX-License-Identifier: BSD-2-Clause */
/* The "nameserver" lines of a resolv.conf. */
#ifndef KVG_POLICY_NAMESERVERS_H
#define KVG_POLICY_NAMESERVERS_H

#define KVG_RESOLV_CONF_MAX_BYTES (64UL << 10) /* a real one has a dozen lines */

/**
 * kvg_nameservers_each() - go through the nameservers of a resolv.conf, in their order
 * @text: the file's; cut into pieces
 * @take: is given what stands for the address; a negative errno ends it, 1 too
 * @data: its first argument
 *
 * Return: how many it was given, or its negative errno
 */
int kvg_nameservers_each(char *text, int (*take)(void *data, const char *address), void *data);

#endif
