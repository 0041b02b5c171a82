/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flock(2) on a file that is removed by its holder. */
#include "host/os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/strv.h"
#include "util/visible.h"

/* Between attempts: flock(2) cannot wait with a limit. */
#define RETRY_USEC (10 * USEC_PER_MSEC)
/* Of a command line, in a message. */
#define COMMAND_SHOWN 100

/* Is the file that @fd locks still the one that others find at @path? */
static bool is_current(int fd, const char *path)
{
	struct stat ours, theirs;
	return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

/* Append what a process was called with: " ('machina prepare qemu web')". */
static void add_command(int pid, struct buf *ret)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(buf_done) struct buf text = {};
	if (process_argv(pid, &words, NULL) < 0 || !words.n)
		return;
	for (size_t i = 0; i < words.n && text.len <= COMMAND_SHOWN; i++)
		buf_printf(&text, "%s%s", i ? " " : "", words.items[i]);
	buf_puts(ret, " ('");
	visible_add(ret, buf_text(&text), text.len, COMMAND_SHOWN);
	buf_puts(ret, "')");
}

/* The file holds the number of the process that has the lock, for the message alone. */
static int busy(const char *path, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {}, command = {};
	int pid;
	if (file_read(path, 32, &text, NULL) < 0 ||
			parse_int(buf_text(&text), 1, INT32_MAX, &pid) < 0)
		return error_set(err, EBUSY, "'%s' is held by another process", path);
	add_command(pid, &command);
	return error_set(err, EBUSY, "'%s' is held by process %d%s", path, pid, buf_text(&command));
}

static int try_lock(const char *path, int *ret_fd)
{
	CLEANUP(closep)
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	/* The holder before us may have removed the file between the two calls. */
	if (!is_current(fd, path))
		return -EWOULDBLOCK;
	*ret_fd = take_fd(&fd);
	return 0;
}

int lock_take(const char *path, uint64_t deadline_usec, struct lock *ret, struct error *err)
{
	CLEANUP(closep) int fd = -1;

	for (;;) {
		int r = try_lock(path, &fd);
		if (r == 0)
			break;
		if (r != -EWOULDBLOCK && r != -EINTR)
			return error_code(err, r, "cannot lock '%s'", path);
		if (clock_now_usec() >= deadline_usec)
			return busy(path, err);
		clock_pause(RETRY_USEC);
	}

	CLEANUP(buf_done) struct buf text = {};
	buf_printf(&text, "%d", getpid());
	/* What is written here helps a message; the lock holds without. */
	if (ftruncate(fd, 0) == 0 && write_all(fd, text.text, text.len) < 0)
		errno = 0;
	*ret = (struct lock){ .path = xstrdup(path), .fd = take_fd(&fd) };
	return 0;
}

void lock_done(struct lock *lock)
{
	if (!lock->path)
		return;
	/* Removed while it is held: whoever waits sees that and begins anew. What others have
	 * removed may be another one's by now. */
	if (is_current(lock->fd, lock->path))
		unlink(lock->path);
	close(lock->fd);
	free(lock->path);
	*lock = (struct lock){};
}

int lock_machine(const char *dir, const char *machine, uint64_t wait_usec, struct lock *ret,
		struct error *err)
{
	/* No machine's name begins with a dot. */
	CLEANUP(freep) char *path = xasprintf("%s/.%s.lock", dir, machine);
	int r = lock_take(path, clock_deadline_usec(wait_usec), ret, err);
	return r < 0 ? error_wrap(err, "machine '%s'", machine) : 0;
}

bool lock_is_held(const char *path)
{
	CLEANUP(closep)
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}
