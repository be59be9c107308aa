/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ownership that a reader sees in the declaration: every owner carries KVG_CLEANUP(), starts as NULL
 * or -1, and gives its object away with KVG_TAKE_PTR() or KVG_TAKE_FD().
 */
#ifndef KVG_BASE_CLEANUP_H
#define KVG_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KVG_CLEANUP(function) __attribute__((cleanup(function)))

#define KVG_TAKE_PTR(p)                        \
	({                                     \
		__typeof__(p) kvg_taken = (p); \
		(p) = NULL;                    \
		kvg_taken;                     \
	})

#define KVG_TAKE_FD(fd)               \
	({                            \
		int kvg_taken = (fd); \
		(fd) = -1;            \
		kvg_taken;            \
	})

#define KVG_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/** kvg_freep() - free(3) for KVG_CLEANUP on any pointer */
static inline void kvg_freep(void *p)
{
	free(*(void **)p);
}

/** kvg_closep() - close(2) for KVG_CLEANUP on a descriptor, -1 for none */
static inline void kvg_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/** kvg_fclosep() - fclose(3) for KVG_CLEANUP */
static inline void kvg_fclosep(FILE **file)
{
	if (*file)
		fclose(*file);
}

#endif
