/* SPDX-License-Identifier: BSD-2-Clause */
/* What rotate.bpf.c and the bench that loads it have in common. */
#ifndef KVG_ROTATE_H
#define KVG_ROTATE_H

#define KVG_ROTATE_COUNT 4096 /* destinations; a power of two */

#endif
