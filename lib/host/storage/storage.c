/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening volumes. */
#include "host/storage/storage.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/follow.h"
#include "host/os/guise.h"
#include "host/os/memory.h"
#include "host/storage/qcow2.h"
#include "util/mem.h"
#include "util/shell.h"
#include "util/visible.h"

/* "volume 'os' (pool 'guest-data'): '/tank/x.raw' ..." The caller frees it. */
static char *describe(const struct storage_file *file)
{
	return file->volume ? xasprintf("volume '%s' (pool '%s'): '%s'", file->volume, file->pool,
					      file->path)
			    : xasprintf("'%s'", file->path);
}

/* Returns -@code. */
static int refuse(const struct storage_file *file, int code, const char *why, struct error *err)
{
	CLEANUP(freep) char *what = describe(file);
	return error_set(err, code, "%s %s", what, why);
}

char *storage_find_variables(const char *code)
{
	static const char secure[] = ".secboot";
	const char *base = strrchr(code, '/'), *word = base ? strstr(base, "CODE") : NULL;
	if (!word)
		return NULL;
	char *path = xasprintf("%.*sVARS%s", (int)(word - code), code, word + strlen("CODE"));
	const char *at = strstr(path, secure);
	/* Those with the keys that such code checks. */
	if (access(path, F_OK) < 0 && at) {
		char *other = xasprintf("%.*s.ms%s", (int)(at - path), path, at + strlen(secure));
		free(path);
		path = other;
	}
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* What is to be done for the file to be there, with the command at the end; NULL: nothing that
 * could be told here. The caller frees it. */
static char *tell_maker(const struct storage_file *file, const char *missing_dir)
{
	if (!file->writable || file->device)
		return NULL;
	CLEANUP(freep) char *path = shell_quoted(file->path);
	CLEANUP(freep) char *dir = shell_quoted(missing_dir ? missing_dir : "");
	if (file->firmware) {
		CLEANUP(freep) char *found = storage_find_variables(file->firmware);
		CLEANUP(freep) char *from = shell_quoted(found ? found : STORAGE_VARIABLES);
		return xasprintf("copy the variables that came with the firmware there, as with: "
				 "install -D -m 0600 %s %s",
				from, path);
	}
	return xasprintf("%s%s%s%sqemu-img create -f %s %s SIZE", STORAGE_CREATE,
			missing_dir ? "mkdir -p " : "", missing_dir ? dir : "",
			missing_dir ? " && " : "", file->qcow2 ? "qcow2" : "raw", path);
}

/* A new file would be made where the link leads: maybe below a file system that is not mounted. */
static int refuse_link_to_nothing(
		const struct storage_file *file, const char *target, struct error *err)
{
	CLEANUP(freep) char *what = describe(file);
	CLEANUP(buf_done) struct buf shown = {};
	visible_add(&shown, target, strlen(target), PATH_MAX);
	return error_set(err, ENOENT,
			"%s does not exist: it is a link to '%s', and nothing is there; mount its "
			"file system, or correct the link",
			what, buf_text(&shown));
}

static int refuse_missing(const struct storage_file *file, struct error *err)
{
	char target[PATH_MAX];
	ssize_t len = readlink(file->path, target, sizeof(target) - 1);
	if (len > 0) {
		target[len] = '\0';
		return refuse_link_to_nothing(file, target, err);
	}
	CLEANUP(freep) char *dir = xstrdup(file->path);
	char *slash = strrchr(dir, '/');
	if (slash && slash != dir)
		*slash = '\0';
	bool has_dir = !slash || access(dir, F_OK) == 0;
	CLEANUP(freep) char *what = describe(file);
	CLEANUP(freep) char *maker = tell_maker(file, has_dir ? NULL : dir);
	if (has_dir)
		return error_set(err, ENOENT, "%s does not exist%s%s", what, maker ? "; " : "",
				maker ? maker : "");
	if (file->device)
		return error_set(err, ENOENT,
				"%s does not exist, nor does its directory; is its disk there, and "
				"its volume group active?",
				what);
	return error_set(err, ENOENT,
			"%s does not exist, nor does its directory; mount its file system, %s%s",
			what, maker ? "or if it is new, " : "or put it there", maker ? maker : "");
}

static int refuse_open(const struct storage_file *file, const struct stat *st, struct error *err)
{
	int code = errno;
	CLEANUP(freep) char *what = describe(file);
	const char *mode = file->writable ? "writing" : "reading";

	if (code == EINVAL && file->direct)
		return error_set(err, code,
				"%s is on a file system without direct access; set \"cache\" of "
				"the volume or its pool to \"writeback\"",
				what);
	if (code == EPERM && S_ISBLK(st->st_mode))
		return error_set(err, code,
				"%s: the unit does not allow this device; make it anew with "
				"'machina generate'",
				what);
	if (code == EROFS)
		return error_set(err, code,
				"%s is on a read-only file system; set \"readonly\" of the pool if "
				"the guest may only read",
				what);
	return error_code(err, -code, "%s cannot be opened for %s", what, mode);
}

/* Where the path leads, by a descriptor that reads nothing. */
static int find(const struct storage_file *file, struct stat *ret_st, int *ret_fd,
		struct error *err)
{
	CLEANUP(closep) int fd = -1;
	struct error why = {};
	int r = follow_open(file->path, 0, &fd, &why);
	if (r == -ENOENT)
		return refuse_missing(file, err);
	CLEANUP(freep) char *what = r < 0 ? describe(file) : NULL;
	if (r < 0)
		return error_set(err, why.code, "%s cannot be opened: %s", what, why.text);
	if (fstat(fd, ret_st) < 0)
		return error_errno(err, "cannot look at '%s'", file->path);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* Open for real what find() has found. */
static int reopen(int path_fd, int flags)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	return open(path, flags | O_CLOEXEC | O_NOCTTY);
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "is a file";
	case S_IFBLK:
		return "is a block device";
	case S_IFDIR:
		return "is a directory";
	case S_IFCHR:
		return "is a character device";
	case S_IFIFO:
		return "is a FIFO";
	case S_IFSOCK:
		return "is a socket";
	default:
		return "is of a type that is not known";
	}
}

static int check_type(const struct storage_file *file, const struct stat *st, mode_t type,
		struct error *err)
{
	if ((st->st_mode & S_IFMT) == type)
		return 0;
	if (type == S_IFDIR)
		return refuse(file, ENOTDIR, "is not a directory", err);
	CLEANUP(freep) char *why = xasprintf("%s, not a file", type_name(st->st_mode));
	return refuse(file, EINVAL, why, err);
}

/* A volume: the unit and QEMU's arguments were made for what the path says that it is. */
static int check_volume(const struct storage_file *file, const struct stat *st, struct error *err)
{
	bool is_block = S_ISBLK(st->st_mode);
	if (is_block ? file->device : !file->device && S_ISREG(st->st_mode))
		return 0;
	if (is_block)
		return refuse(file, EINVAL,
				"is a block device, which has to be named by a path below '/dev': "
				"set \"path\" of the pool so",
				err);
	CLEANUP(freep)
	char *why = file->device ? xasprintf("%s, not a block device, as a volume below '/dev' has "
					     "to be",
						   type_name(st->st_mode))
				 : xasprintf("%s, not a file or a block device",
						   type_name(st->st_mode));
	return refuse(file, EINVAL, why, err);
}

static int check_size(const struct storage_file *file, const struct stat *st, struct error *err)
{
	if (st->st_size <= STORAGE_COPY_MAX)
		return 0;
	CLEANUP(freep)
	char *why = xasprintf("is too large: %jd MiB, and at most %jd MiB are copied to memory",
			(intmax_t)(st->st_size >> 20), (intmax_t)(STORAGE_COPY_MAX >> 20));
	return refuse(file, EFBIG, why, err);
}

static int check_qcow2(const struct storage_file *file, int path_fd, struct error *err)
{
	/* Not the descriptor that QEMU gets: with O_DIRECT it reads whole blocks only. */
	CLEANUP(closep) int fd = reopen(path_fd, O_RDONLY);
	CLEANUP(freep) char *what = describe(file);
	if (fd < 0)
		return error_errno(err, "%s cannot be opened for reading", what);
	int r = qcow2_check(fd, err);
	return r < 0 ? error_wrap(err, "%s", what) : 0;
}

int storage_check(const struct storage_file *file, mode_t type, struct error *err)
{
	CLEANUP(closep) int path_fd = -1;
	struct stat st = {};
	int r = find(file, &st, &path_fd, err);
	if (r < 0)
		return r;
	r = type ? check_type(file, &st, type, err) : check_volume(file, &st, err);
	if (r == 0 && type == S_IFREG)
		return check_size(file, &st, err);
	bool is_read = !type && file->qcow2 && S_ISREG(st.st_mode);
	return r == 0 && is_read ? check_qcow2(file, path_fd, err) : r;
}

/* -1: there is no regular file that can be read. Nothing else is opened. */
static int open_plain(const char *path)
{
	CLEANUP(closep) int path_fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	if (path_fd < 0 || fstat(path_fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return reopen(path_fd, O_RDONLY);
}

bool storage_is_qcow2(const char *path)
{
	CLEANUP(closep) int fd = open_plain(path);
	return fd >= 0 && qcow2_is_one(fd);
}

bool storage_is_elf(const char *path)
{
	CLEANUP(closep) int fd = open_plain(path);
	char mark[SELFMAG];
	return fd >= 0 && pread(fd, mark, sizeof(mark), 0) == (ssize_t)sizeof(mark) &&
	       memcmp(mark, ELFMAG, sizeof(mark)) == 0;
}

int storage_open(const struct storage_file *file, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int path_fd = -1;
	struct stat st = {};
	int r = find(file, &st, &path_fd, err);
	if (r == 0)
		r = check_volume(file, &st, err);
	if (r == 0 && file->qcow2)
		r = check_qcow2(file, path_fd, err);
	if (r < 0)
		return r;
	int fd = reopen(path_fd,
			(file->writable ? O_RDWR : O_RDONLY) | (file->direct ? O_DIRECT : 0));
	if (fd < 0)
		return refuse_open(file, &st, err);
	*ret_fd = fd;
	return 0;
}

/* Returns 0 or a negative errno. The file may still grow. */
static int copy_all(int from, int to)
{
	for (off_t left = STORAGE_COPY_MAX + 1; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, left < 1 << 30 ? (size_t)left : 1 << 30);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		left -= n > 0 ? n : 0;
	}
	return -EFBIG;
}

/* Opened for reading, with what stat(2) says of it. */
static int open_regular(const struct storage_file *file, struct stat *ret_st, int *ret_fd,
		struct error *err)
{
	CLEANUP(closep) int path_fd = -1;
	int r = find(file, ret_st, &path_fd, err);
	if (r == 0)
		r = check_type(file, ret_st, S_IFREG, err);
	if (r < 0)
		return r;
	int fd = reopen(path_fd, O_RDONLY);
	if (fd < 0)
		return refuse_open(file, ret_st, err);
	*ret_fd = fd;
	return 0;
}

int storage_open_file(const struct storage_file *file, int *ret_fd, struct error *err)
{
	struct stat st = {};
	return open_regular(file, &st, ret_fd, err);
}

int storage_copy(const struct storage_file *file, int *ret_fd, struct error *err)
{
	struct stat st = {};
	CLEANUP(closep) int from = -1;
	int r = open_regular(file, &st, &from, err);
	if (r == 0 && st.st_size == 0)
		r = refuse(file, EINVAL, "is empty", err);
	if (r == 0)
		r = check_size(file, &st, err);
	if (r < 0)
		return r;

	CLEANUP(freep) char *what = describe(file);
	CLEANUP(closep) int copy = memory_new();
	r = copy < 0 ? -errno : copy_all(from, copy);
	if (r == 0)
		r = memory_seal(copy);
	if (r < 0)
		return error_code(err, r, "%s cannot be copied to memory", what);
	*ret_fd = take_fd(&copy);
	return 0;
}

int storage_open_log(const char *path, mode_t mode, int *ret_fd, struct error *err)
{
	CLEANUP(closep)
	int fd = open(path,
			O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
					O_CLOEXEC,
			0600);
	struct stat st = {};
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s' for writing", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' %s, not a file", path, type_name(st.st_mode));
	if (fchmod(fd, mode) < 0 || fcntl(fd, F_SETFL, O_APPEND) < 0)
		return error_errno(err, "cannot set the mode of '%s'", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The path as a whole counts: QEMU walks it again. */
static int enter_as(const struct account *user, const char *path)
{
	CLEANUP(guise_done) struct guise guise = {};
	guise_put_on(&guise, user, NULL);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || faccessat(fd, ".", X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int storage_check_directory(
		const struct storage_file *file, const struct account *user, struct error *err)
{
	int r = storage_check(file, S_IFDIR, err);
	if (r < 0)
		return r;
	r = enter_as(user, file->path);
	if (r == -EACCES)
		return refuse(file, EACCES,
				"cannot be read by the user of the machine's unit; allow it for "
				"everyone, also for the directories above (chmod o+rx)",
				err);
	CLEANUP(freep) char *what = describe(file);
	return r < 0 ? error_code(err, r, "%s cannot be opened", what) : 0;
}
