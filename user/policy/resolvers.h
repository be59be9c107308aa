/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `resolvers: [auto]` of the agent is for one gate: a few addresses, taken from a resolv.conf.
 *
 * The resolv.conf of a container is the container's to write, and what stands in it becomes a way out.
 * So of a container's only such addresses are taken as reach no further than the node's own network: private
 * ones, link-local ones of IPv4, and those that the node itself uses. A name server on the internet
 * has to be named in the profile.
 */
#ifndef KVG_POLICY_RESOLVERS_H
#define KVG_POLICY_RESOLVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/notes.h"
#include "ranges/prefix.h"

/* More nameserver lines of a file are not read, as in glibc and musl (MAXNS). */
#define KVG_RESOLVERS_MAX 3

/* Where systemd-resolved writes whom it asks itself: pods and containers get this one. */
#define KVG_RESOLVERS_UPSTREAM "/run/systemd/resolve/resolv.conf"

/**
 * struct kvg_resolvers - a set of name servers
 * @list:  sorted, each once; /32 or /128, none is loopback
 * @count: how many
 */
struct kvg_resolvers {
	struct kvg_prefix list[KVG_RESOLVERS_MAX];
	size_t count;
};

/**
 * struct kvg_resolvers_node - those of the node
 * @own:      of its resolv.conf: what gates of units have
 * @upstream: whom its local resolver asks; a container may have them, too
 */
struct kvg_resolvers_node {
	struct kvg_resolvers own;
	struct kvg_resolvers upstream;
};

/**
 * kvg_resolvers_read_node() - read the node's
 * @path:     its resolv.conf
 * @upstream: KVG_RESOLVERS_UPSTREAM; need not be there
 * @ret:      empty where a file cannot be read: a resolver less is a refusal more
 * @notes:    what was left out and why
 *
 * Return: 0, or -ENOMEM
 */
int kvg_resolvers_read_node(const char *path, const char *upstream, struct kvg_resolvers_node *ret,
			    struct kvg_notes *notes);

/**
 * kvg_resolvers_parse() - take those of a container's resolv.conf that it may have
 * @text:  the file's; cut into pieces. Nothing of it gets into @notes but addresses
 * @name:  of the file, for @notes
 * @node:  see the top of this file
 * @ret:   overwritten
 * @notes: what was left out and why
 *
 * Return: 0, or -ENOMEM
 */
int kvg_resolvers_parse(char *text, const char *name, const struct kvg_resolvers_node *node,
			struct kvg_resolvers *ret, struct kvg_notes *notes);

/** kvg_resolvers_equal() - are they the same? */
bool kvg_resolvers_equal(const struct kvg_resolvers *a, const struct kvg_resolvers *b);

/** kvg_resolvers_format() - one address a line, freed by the caller; NULL if there is no memory */
char *kvg_resolvers_format(const struct kvg_resolvers *resolvers);

/**
 * kvg_resolvers_keep() - write a set down, so that whoever finds its tag in the kernel knows it
 * @run_dir:   made if it is missing; files are in "resolvers" below it
 * @tag:       its name there, see policy/variant.h
 * @resolvers: the set
 *
 * Return: 0, or a negative errno
 */
int kvg_resolvers_keep(const char *run_dir, const char *tag, const struct kvg_resolvers *resolvers);

/** kvg_resolvers_recall() - read it again; 0, -ENOENT, -EINVAL it is damaged, or another negative errno */
int kvg_resolvers_recall(const char *run_dir, const char *tag, struct kvg_resolvers *ret);

/** kvg_resolvers_forget() - remove those that @is_used() knows nothing of; best effort */
void kvg_resolvers_forget(const char *run_dir, bool (*is_used)(const void *data, const char *tag),
			  const void *data);

#endif
