/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own types (BTF), as far as a program's place of attachment is named by one. */
#ifndef KVG_GATE_KERNEL_BTF_H
#define KVG_GATE_KERNEL_BTF_H

#include <linux/types.h>

#define KVG_KERNEL_BTF "/sys/kernel/btf/vmlinux"

/**
 * kvg_kernel_btf_find_function() - the id of a function of the kernel
 * @path: KVG_KERNEL_BTF
 * @name: of the function
 * @ret:  its id
 *
 * Reads through the file once: libbpf keeps all of it in memory and sorts out what is in it, which
 * takes ten times as long.
 *
 * Return: 0, -ENOENT no such function, or no such file; -EPROTO it cannot be understood, ...
 */
int kvg_kernel_btf_find_function(const char *path, const char *name, __u32 *ret);

#endif
