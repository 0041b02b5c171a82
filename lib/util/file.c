/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contents of files: read, compare, replace. */
#include "util/file.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "util/mem.h"

/* What a read(2) asks for when the size is not known (/proc and /sys say 0 or a page). */
#define READ_AHEAD ((size_t)4096)

static ssize_t read_some(int fd, void *data, size_t len)
{
	ssize_t n;
	do
		n = read(fd, data, len);
	while (n < 0 && errno == EINTR);
	return n;
}

/* What is no regular file. */
static const char *odd_kind(mode_t mode)
{
	return S_ISDIR(mode)			? "it is a directory"
	       : S_ISFIFO(mode)			? "it is a FIFO"
	       : S_ISSOCK(mode)			? "it is a socket"
	       : S_ISCHR(mode) || S_ISBLK(mode) ? "it is a device"
						: "it is no regular file";
}

char *file_reason(int dirfd, const char *path, int code)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n = code == ENOENT ? readlinkat(dirfd, path, target, sizeof(target)) : -1;
	if (n > 0)
		return xasprintf("it is a link to '%.*s', which leads nowhere", (int)n, target);
	if (code == ELOOP)
		return xstrdup("it is a link that leads back to itself");
	bool is_odd = (code == EINVAL || code == ENXIO) && fstatat(dirfd, path, &st, 0) == 0 &&
		      !S_ISREG(st.st_mode);
	return xstrdup(is_odd ? odd_kind(st.st_mode) : strerror(code));
}

int file_read_at(int dirfd, const char *path, size_t size_max, struct buf *buf, struct error *err)
{
	CLEANUP(closep)
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		int code = errno;
		CLEANUP(freep) char *reason = file_reason(dirfd, path, code);
		return error_set(err, code, "cannot open '%s': %s", path, reason);
	}
	return file_read_fd(fd, path, size_max, buf, err);
}

int file_read_fd(int fd, const char *path, size_t size_max, struct buf *buf, struct error *err)
{
	struct stat unused;
	return file_read_stat(fd, path, size_max, buf, &unused, err);
}

int file_read_stat(int fd, const char *path, size_t size_max, struct buf *buf, struct stat *ret,
		struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot read '%s'", path);
	*ret = st;
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "cannot read '%s': %s", path, odd_kind(st.st_mode));

	size_t start = buf->len;
	bool fits = st.st_size <= 0 || (uintmax_t)st.st_size <= size_max;
	/* One more than the size, so that the usual file needs no second allocation to find its
	 * end. */
	size_t room = fits && st.st_size > 0 ? (size_t)st.st_size + 1 : READ_AHEAD;
	while (fits) {
		ssize_t n = read_some(fd, buf_reserve(buf, room), room);
		if (n < 0) {
			int r = error_errno(err, "cannot read '%s'", path);
			buf_truncate(buf, start);
			return r;
		}
		if (n == 0)
			return 0;
		buf->len += (size_t)n;
		buf->text[buf->len] = '\0';
		/* More was asked for than it had: that was all. */
		if (st.st_size > 0 && n == st.st_size && buf->len - start == (size_t)n)
			return 0;
		fits = buf->len - start <= size_max;
		room = room > (size_t)n ? room - (size_t)n : READ_AHEAD;
	}
	buf_truncate(buf, start);
	return error_set(err, EFBIG, "cannot read '%s': it is larger than %zu bytes", path,
			size_max);
}

int file_read(const char *path, size_t size_max, struct buf *buf, struct error *err)
{
	return file_read_at(AT_FDCWD, path, size_max, buf, err);
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		/* 0 would never end; write(2) does not give it for files, pipes and sockets. */
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A umask, or the directory's default ACL, may have taken bits away: mostly neither has. */
static int set_mode(int fd, mode_t mode)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0 ? -errno : 0;
}

/*
 * "a/.b.tmp-12-0" for "a/b" and process 12: another one each time. A number that counts up is
 * cheaper than the random bytes of mkostemp(3).
 */
static char *temporary_name(const char *path, pid_t owner)
{
	static unsigned number;
	const char *slash = strrchr(path, '/');
	const int dir_len = slash ? (int)(slash + 1 - path) : 0;
	return xasprintf("%.*s.%s.tmp-%d-%u", dir_len, path, path + dir_len, (int)owner, number++);
}

/* O_EXCL makes the name ours; the next one is tried when it is taken. */
int file_temporary(int dirfd, const char *path, pid_t owner, mode_t mode, char **ret_temporary)
{
	for (;;) {
		CLEANUP(freep) char *temporary = temporary_name(path, owner);
		int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0)
			*ret_temporary = take_ptr(temporary);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
}

char *file_temporary_directory(const char *path)
{
	for (;;) {
		CLEANUP(freep) char *temporary = temporary_name(path, getpid());
		if (mkdir(temporary, 0700) == 0)
			return take_ptr(temporary);
		if (errno != EEXIST)
			return NULL;
	}
}

/* One that holds @data, flushed if @sync says so. */
static int write_temporary(int dirfd, pid_t owner, const char *name, const void *data, size_t len,
		mode_t mode, bool sync, char **ret_temporary)
{
	CLEANUP(freep) char *temporary = NULL;
	CLEANUP(closep) int fd = file_temporary(dirfd, name, owner, mode, &temporary);
	if (fd < 0)
		return fd;
	int r = write_all(fd, data, len);
	if (r == 0)
		r = set_mode(fd, mode);
	if (r == 0 && sync && fsync(fd) < 0)
		r = -errno;
	/* close(2) is where some file systems tell that the disk is full. */
	if (close(take_fd(&fd)) < 0 && r == 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temporary, 0);
		return r;
	}
	*ret_temporary = take_ptr(temporary);
	return 0;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(freep)
	char *dir = slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path))
			  : xstrdup(".");
	CLEANUP(closep) int dirfd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_errno(err, "cannot write '%s'", path);

	CLEANUP(freep) char *temporary = NULL;
	int r = write_temporary(dirfd, getpid(), name, data, len, mode, true, &temporary);
	if (r < 0)
		return error_code(err, r, "cannot write '%s'", path);
	if (renameat(dirfd, temporary, dirfd, name) < 0) {
		r = error_errno(err, "cannot replace '%s'", path);
		unlinkat(dirfd, temporary, 0);
		return r;
	}
	if (fsync(dirfd) < 0)
		return error_errno(err, "cannot flush directory '%s'", dir);
	return 0;
}

int file_batch_init(struct file_batch *batch, const char *dir, struct error *err)
{
	int fd = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open directory '%s'", dir);
	*batch = (struct file_batch){ .dir = xstrdup(dir), .dirfd = fd, .owner = getpid() };
	return 0;
}

void file_batch_done(struct file_batch *batch)
{
	if (!batch->dir)
		return;
	for (size_t i = 0; i < batch->temporaries.n; i++)
		unlinkat(batch->dirfd, batch->temporaries.items[i], 0);
	strv_done(&batch->temporaries);
	strv_done(&batch->names);
	closep(&batch->dirfd);
	free(batch->dir);
	*batch = (struct file_batch){};
}

bool file_is_stale(const char *name)
{
	static const char mark[] = ".tmp-", digits[] = "0123456789";

	if (name[0] != '.')
		return false;
	const char *tail = NULL;
	for (const char *p = strstr(name + 1, mark); p; p = strstr(p + 1, mark))
		tail = p + sizeof(mark) - 1;
	size_t n_pid = tail ? strspn(tail, digits) : 0;
	if (n_pid == 0 || n_pid > 9 || tail[n_pid] != '-')
		return false;
	const char *number = tail + n_pid + 1;
	if (!*number || number[strspn(number, digits)])
		return false;
	pid_t pid = 0;
	for (size_t i = 0; i < n_pid; i++)
		pid = pid * 10 + (tail[i] - '0');
	return pid > 0 && kill(pid, 0) < 0 && errno == ESRCH;
}

/* Those whose names begin so. */
static void list_stale(const char *dir, const char *begin, struct strv *ret_paths)
{
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(dir, &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.items[i];
		if (strncmp(name, begin, strlen(begin)) == 0 && file_is_stale(name))
			strv_push_take(ret_paths, path_join(dir, name));
	}
}

void file_remove_stale(const char *dir)
{
	CLEANUP(strv_done) struct strv paths = {};
	list_stale(dir, "", &paths);
	for (size_t i = 0; i < paths.n; i++)
		unlink(paths.items[i]);
}

void file_remove_stale_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(freep) char *dir = xasprintf("%.*s.", (int)(name - path), path);
	CLEANUP(freep) char *begin = xasprintf(".%s.tmp-", name);
	CLEANUP(strv_done) struct strv paths = {};
	list_stale(dir, begin, &paths);
	for (size_t i = 0; i < paths.n; i++) {
		struct stat st;
		if (lstat(paths.items[i], &st) == 0 && st.st_uid == geteuid() &&
				remove_tree(paths.items[i], NULL) < 0)
			continue;
	}
}

int file_batch_add(struct file_batch *batch, const char *name, const void *data, size_t len,
		mode_t mode, struct error *err)
{
	assert(!strchr(name, '/'));
	CLEANUP(freep) char *temporary = NULL;
	int r = write_temporary(
			batch->dirfd, batch->owner, name, data, len, mode, false, &temporary);
	if (r < 0)
		return error_code(err, r, "cannot write '%s/%s'", batch->dir, name);
	file_batch_adopt(batch, name, temporary);
	return 0;
}

void file_batch_adopt(struct file_batch *batch, const char *name, const char *temporary)
{
	strv_push(&batch->temporaries, temporary);
	strv_push(&batch->names, name);
}

void file_batch_drop(struct file_batch *batch, const char *name)
{
	CLEANUP(strv_done) struct strv names = {}, temporaries = {};
	for (size_t i = 0; i < batch->names.n; i++) {
		if (!strcmp(batch->names.items[i], name)) {
			unlinkat(batch->dirfd, batch->temporaries.items[i], 0);
			continue;
		}
		strv_push(&names, batch->names.items[i]);
		strv_push(&temporaries, batch->temporaries.items[i]);
	}
	strv_clear(&batch->names);
	strv_clear(&batch->temporaries);
	strv_move(&batch->names, &names);
	strv_move(&batch->temporaries, &temporaries);
}

int file_batch_commit(struct file_batch *batch, struct error *err)
{
	if (batch->names.n == 0)
		return 0;
	/* Before the renames: a name must never lead to a file whose contents could still be lost.
	 */
	if (syncfs(batch->dirfd) < 0)
		return error_errno(err, "cannot flush '%s'", batch->dir);
	for (size_t i = 0; i < batch->names.n; i++) {
		const char *name = batch->names.items[i];
		if (renameat(batch->dirfd, batch->temporaries.items[i], batch->dirfd, name) < 0)
			return error_errno(err, "cannot replace '%s/%s'", batch->dir, name);
	}
	strv_clear(&batch->names);
	strv_clear(&batch->temporaries);
	if (fsync(batch->dirfd) < 0)
		return error_errno(err, "cannot flush directory '%s'", batch->dir);
	return 0;
}

/* Before file_allow_many(); 0: it has changed nothing. */
static rlim_t given_files;

void file_allow_many(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	rlim_t given = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		given_files = given;
}

void file_allow_as_given(void)
{
	struct rlimit limit;
	if (!given_files || getrlimit(RLIMIT_NOFILE, &limit) < 0 || given_files > limit.rlim_max)
		return;
	limit.rlim_cur = given_files;
	(void)!setrlimit(RLIMIT_NOFILE, &limit);
}
