/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of users, of the machine's own file alone: a directory on the network would have records wait. */
#ifndef KVG_AUDIT_USERS_H
#define KVG_AUDIT_USERS_H

#include <linux/types.h>

/* Users that are read; a longer file is read so far. */
#define KVG_USERS_MAX 4096

struct kvg_users;

/** kvg_users_open() - of @path, "/etc/passwd"; one that is not there has nobody; Return: 0 or -ENOMEM */
int kvg_users_open(const char *path, struct kvg_users **ret);

/** kvg_users_refresh() - read it again if it has changed; one stat(2) if it has not */
void kvg_users_refresh(struct kvg_users *users);

/** kvg_users_find() - the first name of a user, until the next refresh; NULL if the file does not say */
const char *kvg_users_find(const struct kvg_users *users, __u32 uid);

/** kvg_users_close() - forget them; NULL is fine; Return: NULL */
struct kvg_users *kvg_users_close(struct kvg_users *users);

/** kvg_users_closep() - for KVG_CLEANUP */
void kvg_users_closep(struct kvg_users **users);

#endif
