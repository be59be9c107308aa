// SPDX-License-Identifier: BSD-2-Clause
#include "gate/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/cleanup.h"

/* Type of a kernfs file handle that holds a 64-bit id, include/linux/exportfs.h: FILEID_KERNFS. */
#define FILEID_KERNFS 0xfe

#define ROOT_CGROUP_ID    1 /* the first node that kernfs makes */
#define CGROUP_LEVELS_MAX 256

/* A mountinfo line: "36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/x opts", proc(5). */
static bool parse_mount(char *line, const char *type, char **ret_mount_point)
{
	char *separator = strstr(line, " - ");
	char *field = line;

	if (!separator || strncmp(separator + 3, type, strlen(type)) != 0 ||
	    separator[3 + strlen(type)] != ' ')
		return false;

	for (int i = 0; i < 4; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	field[strcspn(field, " ")] = '\0';
	*ret_mount_point = field;
	return true;
}

int kvg_cgroup_find_root(char **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen("/proc/self/mountinfo", "re");
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	char *mount_point = NULL;
	size_t size = 0;
	char *found;

	if (!file)
		return kvg_diag_set(reterr_diag, -errno, "cannot read /proc/self/mountinfo: %s",
				    strerror(errno));

	while (getline(&line, &size, file) > 0) {
		if (!parse_mount(line, "cgroup2", &mount_point))
			continue;
		found = strdup(mount_point);
		if (!found)
			return -ENOMEM;
		*ret = found;
		return 0;
	}
	return kvg_diag_set(
		reterr_diag, -ENOENT,
		"cgroup v2 is not mounted: nothing can be gated (mount -t cgroup2 none "
		"/sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1)");
}

bool kvg_cgroup_is_moved_by_v1(void)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = fopen("/proc/self/mountinfo", "re");
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	unsigned int major = 0, minor = 0;
	struct utsname kernel;
	size_t size = 0;

	/* A behaviour that no probe can show without moving sockets, hence the version. */
	if (uname(&kernel) < 0 || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		return true;
	if (major > 5 || (major == 5 && minor >= 15))
		return false;
	if (!file)
		return true;

	while (getline(&line, &size, file) > 0) {
		if (strstr(line, " - cgroup ") &&
		    (strstr(line, "net_cls") || strstr(line, "net_prio")))
			return true;
	}
	return false;
}

int kvg_cgroup_of(pid_t pid, char **ret)
{
	KVG_CLEANUP(kvg_fclosep) FILE *file = NULL;
	KVG_CLEANUP(kvg_freep) char *line = NULL;
	char name[64] = "/proc/self/cgroup";
	size_t size = 0;
	char *path;

	if (pid)
		snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	file = fopen(name, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;

	while (getline(&line, &size, file) > 0) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		path = strdup(line + 3);
		if (!path)
			return -ENOMEM;
		*ret = path;
		return 0;
	}
	return -ENOENT;
}

static int read_id(int fd, __u64 *ret)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(__u64)];
	} u = {.handle.handle_bytes = sizeof(__u64)};
	int mount_id;

	if (name_to_handle_at(fd, "", &u.handle, &mount_id, AT_EMPTY_PATH) < 0)
		return -errno;
	memcpy(ret, u.handle.f_handle, sizeof(*ret));
	return 0;
}

int kvg_cgroup_read_id(const char *root, const char *path, __u64 *ret)
{
	KVG_CLEANUP(kvg_freep) char *whole = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;

	if (asprintf(&whole, "%s%s", root, path) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	fd = open(whole, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : read_id(fd, ret);
}

/* From directory to directory, as the path may be of a mount that shows only a part. */
int kvg_cgroup_level(const struct kvg_cgroup *cgroup, __u32 *ret)
{
	KVG_CLEANUP(kvg_closep) int fd = -1;
	__u64 id = cgroup->id;

	for (__u32 level = 0; level < CGROUP_LEVELS_MAX; level++) {
		int up;

		if (id == ROOT_CGROUP_ID) {
			*ret = level;
			return 0;
		}
		up = openat(fd < 0 ? cgroup->fd : fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up < 0)
			return -errno;
		kvg_closep(&fd);
		fd = up;
		if (read_id(fd, &id) < 0)
			return -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}

int kvg_cgroup_find_by_id(const char *root, __u64 id, char **ret)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + sizeof(__u64)];
	} u = {.handle = {.handle_bytes = sizeof(__u64), .handle_type = FILEID_KERNFS}};
	KVG_CLEANUP(kvg_closep) int root_fd = -1;
	KVG_CLEANUP(kvg_closep) int fd = -1;
	char link[64], path[PATH_MAX];
	size_t root_len = strlen(root);
	ssize_t len;

	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	memcpy(u.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root_fd, &u.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return -errno;
	path[len] = '\0';
	if (strncmp(path, root, root_len) != 0 || strstr(path, " (deleted)"))
		return -ESTALE;

	*ret = strdup(path[root_len] ? path + root_len : "/");
	return *ret ? 0 : -ENOMEM;
}

/* Is @path, or something below it, where process @pid lives? */
static bool holds_process(const char *path, pid_t pid)
{
	KVG_CLEANUP(kvg_freep) char *of = NULL;
	size_t len = strlen(path);

	if (kvg_cgroup_of(pid, &of) < 0)
		return false;
	return strncmp(of, path, len) == 0 && (of[len] == '\0' || of[len] == '/');
}

/* @ret: path below @root without a trailing slash, "" for the root itself. */
static int resolve(const char *root, const char *path, char **ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *real_root = realpath(root, NULL);
	KVG_CLEANUP(kvg_freep) char *joined = NULL;
	KVG_CLEANUP(kvg_freep) char *real = NULL;
	size_t root_len;

	if (!real_root)
		return kvg_diag_set(reterr_diag, -errno, "cgroup root \"%s\": %s", root,
				    strerror(errno));
	root_len = strlen(real_root);

	if (strncmp(path, real_root, root_len) == 0 &&
	    (path[root_len] == '/' || path[root_len] == '\0'))
		path += root_len;
	if (asprintf(&joined, "%s/%s", real_root, path) < 0)
		return -ENOMEM;
	real = realpath(joined, NULL);
	if (!real)
		return kvg_diag_set(reterr_diag, -errno, "no cgroup \"%s\" below %s: %s", path,
				    real_root, strerror(errno));
	if (strncmp(real, real_root, root_len) != 0 || (real[root_len] && real[root_len] != '/'))
		return kvg_diag_set(reterr_diag, -EPERM,
				    "\"%s\" is outside the cgroup v2 hierarchy at %s", path,
				    real_root);

	*ret = strdup(real + root_len);
	return *ret ? 0 : -ENOMEM;
}

static int check_is_safe(const char *path, struct kvg_diag *reterr_diag)
{
	if (!*path)
		return kvg_diag_set(
			reterr_diag, -EPERM,
			"refusing to gate the root of the cgroup hierarchy: it would cut off "
			"the whole machine");
	if (holds_process(path, 1))
		return kvg_diag_set(
			reterr_diag, -EPERM,
			"refusing to gate \"%s\": process 1 lives in it, and the machine "
			"would be cut off",
			path);
	if (holds_process(path, 0))
		return kvg_diag_set(reterr_diag, -ELOOP,
				    "refusing to gate \"%s\": kvgate itself lives in it", path);
	return 0;
}

static int open_checked(const char *root, const char *path, struct kvg_cgroup *ret,
			struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *full = NULL;
	KVG_CLEANUP(kvg_closep) int fd = -1;
	__u64 id = 0;
	char *copy;
	int r;

	if (asprintf(&full, "%s%s", root, path) < 0)
		return -ENOMEM;
	fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return kvg_diag_set(reterr_diag, -errno, "cgroup \"%s\": %s", path,
				    strerror(errno));
	r = read_id(fd, &id);
	if (r < 0)
		return kvg_diag_set(reterr_diag, r, "\"%s\" is no cgroup v2: %s", full,
				    strerror(-r));
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;

	*ret = (struct kvg_cgroup){.fd = KVG_TAKE_FD(fd), .id = id, .path = copy};
	return 0;
}

int kvg_cgroup_open(const char *root, const char *path, struct kvg_cgroup *ret,
		    struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *below = NULL;
	int r;

	if (!*path)
		return kvg_diag_set(reterr_diag, -EPERM,
				    "an empty cgroup path would mean the root of the "
				    "hierarchy: name a cgroup");
	r = resolve(root, path, &below, reterr_diag);
	if (r < 0)
		return r;
	r = check_is_safe(below, reterr_diag);
	if (r < 0)
		return r;
	return open_checked(root, below, ret, reterr_diag);
}

int kvg_cgroup_open_known(const char *root, const char *path, __u64 id, struct kvg_cgroup *ret)
{
	KVG_CLEANUP(kvg_cgroup_done) struct kvg_cgroup cgroup = KVG_CGROUP_NONE;
	int r;

	if (!*path || strcmp(path, "/") == 0)
		return -EPERM;
	r = open_checked(root, path, &cgroup, NULL);
	if (r < 0)
		return r;
	if (cgroup.id != id)
		return -ESTALE;
	*ret = cgroup;
	cgroup = (struct kvg_cgroup)KVG_CGROUP_NONE;
	return 0;
}

int kvg_cgroup_create(const char *root, const char *parent, const char *name,
		      struct kvg_cgroup *ret, struct kvg_diag *reterr_diag)
{
	KVG_CLEANUP(kvg_freep) char *own = NULL;
	KVG_CLEANUP(kvg_freep) char *base = NULL;
	KVG_CLEANUP(kvg_freep) char *path = NULL;
	KVG_CLEANUP(kvg_freep) char *full = NULL;
	int r;

	if (!parent) {
		r = kvg_cgroup_of(0, &own);
		if (r < 0)
			return kvg_diag_set(reterr_diag, r, "kvgate's own cgroup is not known: %s",
					    strerror(-r));
		parent = own;
	}
	r = resolve(root, parent, &base, reterr_diag);
	if (r < 0)
		return r;

	if (asprintf(&path, "%s/%s", base, name) < 0)
		return -ENOMEM;
	if (asprintf(&full, "%s%s", root, path) < 0)
		return -ENOMEM;
	if (mkdir(full, 0755) < 0)
		return kvg_diag_set(reterr_diag, -errno, "cannot make cgroup \"%s\": %s", path,
				    strerror(errno));

	r = open_checked(root, path, ret, reterr_diag);
	if (r < 0)
		rmdir(full);
	return r;
}

/* "populated 0" in cgroup.events: no process in it or below, kernel's cgroup-v2.rst. */
static bool is_populated(int events_fd)
{
	char text[128] = "";

	if (pread(events_fd, text, sizeof(text) - 1, 0) < 0)
		return false; /* ENODEV: removed meanwhile */
	return strstr(text, "populated 1") != NULL;
}

/* cgroup.kill is there since Linux 5.14. FIXME: drop the walk when that is the baseline. */
static int kill_listed(int cgroup_fd)
{
	KVG_CLEANUP(kvg_fclosep) FILE *procs = NULL;
	int fd = openat(cgroup_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	int pid;

	if (fd < 0)
		return -errno;
	procs = fdopen(fd, "r");
	if (!procs) {
		close(fd);
		return -ENOMEM;
	}
	while (fscanf(procs, "%d", &pid) == 1) {
		if (pid > 0)
			kill(pid, SIGKILL);
	}
	return 0;
}

/* struct place - a cgroup on a walk */
struct place {
	int parent_fd;
	const char *name;
	int fd;
};

/* Calls @visit for every cgroup below @fd, innermost first. */
static void walk_below(int fd, void (*visit)(const struct place *place, void *data), void *data)
{
	int dir_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (dir_fd < 0)
		return;
	dir = fdopendir(dir_fd);
	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		KVG_CLEANUP(kvg_closep) int child = -1;
		struct place place = {.parent_fd = fd, .name = entry->d_name};

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child < 0)
			continue;
		walk_below(child, visit, data);
		place.fd = child;
		visit(&place, data);
	}
	closedir(dir);
}

static void kill_visit(const struct place *place, void *data)
{
	(void)data;
	kill_listed(place->fd);
}

static void kill_all(int cgroup_fd)
{
	KVG_CLEANUP(kvg_closep)
	int kill_fd = openat(cgroup_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (kill_fd >= 0 && write(kill_fd, "1", 1) == 1)
		return;
	walk_below(cgroup_fd, kill_visit, NULL);
	kill_listed(cgroup_fd);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int kvg_cgroup_kill(const struct kvg_cgroup *cgroup, int timeout_ms)
{
	KVG_CLEANUP(kvg_closep) int events = -1;
	long deadline = now_ms() + timeout_ms;

	events = openat(cgroup->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return errno == ENODEV || errno == ENOENT ? 0 : -errno;

	while (is_populated(events)) {
		struct pollfd change = {.fd = events, .events = POLLPRI};

		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		kill_all(cgroup->fd);
		if (is_populated(events))
			poll(&change, 1,
			     50); /* woken by the change; again for who forked meanwhile */
	}
	return 0;
}

static void remove_visit(const struct place *place, void *data)
{
	(void)data;
	unlinkat(place->parent_fd, place->name, AT_REMOVEDIR);
}

int kvg_cgroup_remove(const char *root, const struct kvg_cgroup *cgroup)
{
	KVG_CLEANUP(kvg_freep) char *full = NULL;

	if (!*cgroup->path)
		return -EPERM;
	walk_below(cgroup->fd, remove_visit, NULL);
	if (asprintf(&full, "%s%s", root, cgroup->path) < 0)
		return -ENOMEM;
	return rmdir(full) < 0 && errno != ENOENT ? -errno : 0;
}

/* struct visitor - whom kvg_cgroup_visit() calls */
struct visitor {
	void (*visit)(void *data, int fd, __u64 id);
	void *data;
};

static void call_visitor(const struct place *place, void *data)
{
	const struct visitor *visitor = data;
	__u64 id = 0;

	if (read_id(place->fd, &id) == 0)
		visitor->visit(visitor->data, place->fd, id);
}

void kvg_cgroup_visit(const struct kvg_cgroup *cgroup, void (*visit)(void *data, int fd, __u64 id),
		      void *data)
{
	struct visitor visitor = {.visit = visit, .data = data};

	walk_below(cgroup->fd, call_visitor, &visitor);
	visit(data, cgroup->fd, cgroup->id);
}

void kvg_cgroup_done(struct kvg_cgroup *cgroup)
{
	if (cgroup->fd >= 0)
		close(cgroup->fd);
	cgroup->fd = -1;
	free(cgroup->path);
	cgroup->path = NULL;
}
