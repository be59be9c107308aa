/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files: read with a bound, written so that a reader sees the old one or the new one. */
#ifndef KVG_BASE_FILE_H
#define KVG_BASE_FILE_H

#include <stddef.h>

/**
 * kvg_file_read() - read a whole file
 * @path:      regular file or pipe; "-" is standard input
 * @max_bytes: a longer one is -EFBIG, however long it claims to be
 * @ret:       its bytes, NUL-terminated for convenience, freed by the caller with free(3)
 * @ret_size:  bytes, the terminator not counted
 *
 * Return: 0, or a negative errno; -EISDIR for a folder, -EFBIG above @max_bytes
 */
int kvg_file_read(const char *path, size_t max_bytes, char **ret, size_t *ret_size);

/**
 * kvg_file_replace() - write beside it, fsync, rename over it
 * @path: file to make or replace, mode 0644
 * @data: bytes
 * @size: how many
 *
 * On failure the old file stays as it was and nothing is left beside it. A device or a pipe is only
 * written to; behind a symbolic link the file that it leads to is replaced.
 *
 * Return: 0, or a negative errno
 */
int kvg_file_replace(const char *path, const void *data, size_t size);

/** kvg_file_replace_volatile() - the same for what nobody needs after a crash of the machine: no fsync */
int kvg_file_replace_volatile(const char *path, const void *data, size_t size);

#endif
