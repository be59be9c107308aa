// SPDX-License-Identifier: BSD-2-Clause
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FIRST_READ_BYTES 65536 /* of what does not tell its size: pipes, /proc */

/* A buffer that grows; @data always has room for a NUL behind @capacity. */
struct buffer {
	char *data;
	size_t size;
	size_t capacity;
};

static int grow(struct buffer *buffer, size_t capacity)
{
	char *data = realloc(buffer->data, capacity + 1);

	if (!data)
		return -ENOMEM;

	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

/* One byte more than is allowed, or than is expected, so that the end shows without a second call. */
static int first_capacity(int fd, size_t max_bytes, size_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > max_bytes)
		return -EFBIG;

	*ret = S_ISREG(st.st_mode) && st.st_size ? (size_t)st.st_size + 1 : FIRST_READ_BYTES;
	return 0;
}

static int read_all(int fd, size_t max_bytes, struct buffer *buffer)
{
	while (true) {
		ssize_t n;
		int r;

		if (buffer->size > max_bytes)
			return -EFBIG;
		if (buffer->size == buffer->capacity) {
			r = grow(buffer, 2 * buffer->capacity);
			if (r < 0)
				return r;
		}

		n = read(fd, buffer->data + buffer->size, buffer->capacity - buffer->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		buffer->size += (size_t)n;
	}
}

int kvg_file_read(const char *path, size_t max_bytes, char **ret, size_t *ret_size)
{
	KVG_CLEANUP(kvg_closep) int owned_fd = -1;
	struct buffer buffer = {};
	int fd = STDIN_FILENO;
	size_t capacity;
	int r;

	if (strcmp(path, "-") != 0) {
		owned_fd = open(path, O_RDONLY | O_CLOEXEC);
		if (owned_fd < 0)
			return -errno;
		fd = owned_fd;
	}

	r = first_capacity(fd, max_bytes, &capacity);
	if (r < 0)
		return r;

	r = grow(&buffer, capacity);
	if (r == 0)
		r = read_all(fd, max_bytes, &buffer);
	if (r < 0) {
		free(buffer.data);
		return r;
	}

	buffer.data[buffer.size] = '\0';
	*ret = buffer.data;
	*ret_size = buffer.size;
	return 0;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int fill(int fd, const void *data, size_t size, bool lasting)
{
	int r;

	r = write_all(fd, data, size);
	if (r < 0)
		return r;
	return fchmod(fd, 0644) < 0 || (lasting && fsync(fd) < 0) ? -errno : 0;
}

/* The new name may be lost in a crash until the folder itself is on disk; then the old file is back. */
static void sync_folder_of(const char *path, size_t folder_len)
{
	KVG_CLEANUP(kvg_freep) char *folder = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	folder = folder_len ? strndup(path, folder_len) : strdup(".");
	if (!folder)
		return;

	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fsync(fd);
}

/* A device, a pipe: it is written to, for nobody wants /dev/null to become a file. */
static int write_into(const char *path, const void *data, size_t size)
{
	KVG_CLEANUP(kvg_closep) int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : write_all(fd, data, size);
}

static int replace_file(const char *path, const void *data, size_t size, bool lasting)
{
	KVG_CLEANUP(kvg_freep) char *beside = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;
	const char *slash = strrchr(path, '/');
	size_t folder_len = slash ? (size_t)(slash - path) + 1 : 0;
	int r;

	/* Hidden, so that nobody who looks through the folder takes it for the file. */
	if (asprintf(&beside, "%.*s.%s.XXXXXX", (int)folder_len, path, path + folder_len) < 0) {
		beside = NULL;
		return -ENOMEM;
	}

	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;

	r = fill(fd, data, size, lasting);
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(beside);
		return r;
	}

	if (lasting)
		sync_folder_of(path, folder_len);
	return 0;
}

static int replace(const char *path, const void *data, size_t size, bool lasting)
{
	KVG_CLEANUP(kvg_freep) char *target = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return write_into(path, data, size);

	/* Behind a symbolic link, the file that it leads to. */
	target = realpath(path, NULL);
	return replace_file(target ? target : path, data, size, lasting);
}

int kvg_file_replace(const char *path, const void *data, size_t size)
{
	return replace(path, data, size, true);
}

int kvg_file_replace_volatile(const char *path, const void *data, size_t size)
{
	return replace(path, data, size, false);
}
