/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding QEMU's monitor: connecting to its socket, and whom to name when it does not greet. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/unix-peer.h"
#include "host/qmp/qmp.h"

/* Between attempts while the queue of the listening socket is full. */
#define RETRY_USEC (10 * USEC_PER_MSEC)

/* The kernel took the connection, but nobody greets: another client has the monitor, or a hang. */
static int occupied(const char *path, uint64_t waited_usec, struct error *err)
{
	CLEANUP(buf_done) struct buf who = {};
	unix_peer_text(path, &who);

	const double waited = (double)waited_usec / (double)USEC_PER_SEC;
	if (who.len > 0)
		error_set(err, ETIMEDOUT,
				"'%s': QEMU did not greet within %.1f s; it serves one client at a "
				"time, and %s is connected",
				path, waited, who.text);
	else
		error_set(err, ETIMEDOUT,
				"'%s': QEMU did not greet within %.1f s; it serves one client at a "
				"time, or it hangs",
				path, waited);
	return QMP_LATE;
}

static int connect_once(const char *path, int *ret_fd, struct error *err)
{
	int r = connect_unix_now(path, ret_fd);
	switch (r) {
	case 0:
		return QMP_DONE;
	case -EAGAIN:
		return QMP_LATE;
	case -ENOENT:
		error_set(err, ENOENT, "there is no QMP socket '%s'", path);
		return QMP_ABSENT;
	case -ECONNREFUSED:
		error_set(err, ECONNREFUSED, "'%s': nobody listens at this QMP socket", path);
		return QMP_ABSENT;
	case -ENAMETOOLONG:
		return error_set(err, ENAMETOOLONG,
				"'%s' is longer than the %d bytes of a socket's path", path,
				LISTEN_PATH_MAX);
	default:
		return error_code(err, r, "cannot connect to '%s'", path);
	}
}

/* Wait for @fd (-1: for nothing but the time) or the end of QEMU. */
static int wait_for(const char *path, int fd, int pidfd, uint64_t until_usec, struct error *err)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = pidfd, .events = POLLIN },
		};
		int n = clock_poll(fds, ARRAY_SIZE(fds), until_usec);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot wait for '%s'", path);
		if (fds[0].revents)
			return QMP_DONE;
		if (n == 0)
			return QMP_LATE;
		error_set(err, ECONNRESET, "'%s': QEMU has exited", path);
		return QMP_CLOSED;
	}
}

/* Has QEMU accepted others, and not us? Where the kernel does not tell, that is taken for true. */
static bool is_held(const char *path, int fd)
{
	size_t others;
	bool is_served;
	return unix_peer_look(path, fd, &others, &is_served, NULL) < 0 ||
	       (others > 0 && !is_served);
}

/* @held_usec: when to give up if another client has the monitor; looked at once a second. */
static int open_within(const char *path, int pidfd, uint64_t held_usec, uint64_t deadline_usec,
		struct qmp **ret, struct error *err)
{
	const uint64_t begin = clock_now_usec();
	CLEANUP(closep) int fd = -1;
	int r = QMP_LATE;
	for (;;) {
		const uint64_t now = clock_now_usec();
		uint64_t until = held_usec < deadline_usec ? held_usec : deadline_usec;
		if (fd < 0)
			r = connect_once(path, &fd, err);
		if (r != QMP_LATE && fd < 0)
			return r;
		if (fd < 0 && clock_add_usec(now, RETRY_USEC) < until)
			until = clock_add_usec(now, RETRY_USEC);
		r = wait_for(path, fd, pidfd, until, err);
		if (r == QMP_DONE)
			return qmp_attach_take(take_fd(&fd), path, pidfd, deadline_usec, ret, err);
		if (r != QMP_LATE)
			return r;
		const uint64_t then = clock_now_usec();
		if (then >= deadline_usec || (then >= held_usec && is_held(path, fd)))
			return occupied(path, then - begin, err);
		if (then >= held_usec)
			held_usec = clock_add_usec(then, QMP_HELD_USEC);
	}
}

int qmp_open(const char *path, int pidfd, uint64_t deadline_usec, struct qmp **ret,
		struct error *err)
{
	return open_within(path, pidfd, deadline_usec, deadline_usec, ret, err);
}

int qmp_open_free(const char *path, int pidfd, uint64_t deadline_usec, struct qmp **ret,
		struct error *err)
{
	return open_within(
			path, pidfd, clock_deadline_usec(QMP_HELD_USEC), deadline_usec, ret, err);
}

int qmp_begin(const char *path, struct qmp **ret, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	int r = connect_once(path, &fd, err);
	if (r == QMP_DONE)
		*ret = qmp_new_take(take_fd(&fd), path, -1);
	return r;
}
