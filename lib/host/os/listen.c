/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making sockets for QEMU. */
#include "host/os/listen.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "host/os/clock.h"

/* Clients that may wait until they are accepted. */
#define BACKLOG 16
/* How often to look whether a port is free by now. */
#define RETRY_USEC (20 * USEC_PER_MSEC)

static int set_path(const char *path, struct sockaddr_un *ret, struct error *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) > LISTEN_PATH_MAX)
		return error_set(err, ENAMETOOLONG,
				"cannot use '%s': the path of a socket has at most %d bytes, and "
				"this one has %zu",
				path, LISTEN_PATH_MAX, strlen(path));
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

int listen_remove(const char *path, struct error *err)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return error_errno(err, "cannot look at '%s'", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return 0;
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove socket '%s'", path);
	return 0;
}

int listen_share(const char *path, const struct sharing *sharing, struct error *err)
{
	if (!sharing->is_shared)
		return 0;
	/* By a descriptor: a directory of an unprivileged user may hold a link in the next moment.
	 */
	CLEANUP(closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open socket '%s'", path);
	/* Nor may it be a second name of somebody else's socket. */
	if (!S_ISSOCK(st.st_mode) || st.st_nlink != 1)
		return error_set(err, EINVAL, "'%s' is not a socket of its own", path);
	char self[32];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fchownat(fd, "", (uid_t)-1, sharing->group, AT_EMPTY_PATH) < 0 || chmod(self, 0660) < 0)
		return error_errno(err, "cannot give socket '%s' to its group", path);
	return 0;
}

int listen_unix(const char *path, const struct sharing *sharing, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	int r = set_path(path, &address, err);
	if (r < 0)
		return r;
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "cannot make a socket");
	r = listen_remove(path, err);
	if (r < 0)
		return r;

	/* bind(2) follows no link, and takes the mode from the umask: never too much, not even for
	 * a moment. */
	mode_t mask = umask(0177);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (r == -EADDRINUSE)
		return error_set(err, EEXIST, "cannot listen at '%s': something else is there",
				path);
	if (r < 0)
		return error_code(err, r, "cannot listen at '%s'", path);

	r = listen_share(path, sharing, err);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = error_errno(err, "cannot listen at '%s'", path);
	if (r < 0) {
		unlink(path);
		return r;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int listen_never_wait(int fd, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return error_errno(err, "cannot change a socket");
	return 0;
}

/*
 * Who gets a listening socket can make a client of it: after shutdown(2) it may connect(2), in the
 * network in which it was made, which is the host's. So what answers a connect is not let in (a
 * segment with SYN and ACK: RFC 9293, 3.5), and that can't be undone (SO_LOCK_FILTER in socket(7)).
 * The data of the filter begin with TCP's header (tcp_filter() in net/ipv4/tcp_ipv4.c).
 */
static int let_in_clients_only(int fd)
{
	enum { FLAGS_AT = 13, SYN_ACK = 0x12 };
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SYN_ACK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYN_ACK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog filter = { .len = ARRAY_SIZE(steps), .filter = steps };
	int yes = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &yes, sizeof(yes));
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int try_tcp(uint16_t port, int *ret_fd)
{
	const struct sockaddr_in address = loopback(port);
	int yes = 1;
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Connections of an earlier run that are closing do not hold the port. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
			let_in_clients_only(fd) < 0 ||
			bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int listen_tcp(uint16_t port, uint64_t deadline_usec, int *ret_fd, struct error *err)
{
	int r;
	while ((r = try_tcp(port, ret_fd)) == -EADDRINUSE && clock_now_usec() < deadline_usec)
		clock_pause(RETRY_USEC);
	return r < 0 ? error_code(err, r, "cannot listen at port %u of 127.0.0.1", port) : 0;
}

int connect_unix_now(const char *path, int *ret_fd)
{
	struct sockaddr_un address;
	int r = set_path(path, &address, NULL);
	if (r < 0)
		return r;
	/* Blocking, connect(2) would wait for a place in a full queue without a limit. */
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int connect_tcp_now(uint16_t port, int *ret_fd)
{
	const struct sockaddr_in address = loopback(port);
	CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
				      errno != EINPROGRESS))
		return -errno;
	*ret_fd = take_fd(&fd);
	return 0;
}

int connect_unix(const char *path, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	int r = set_path(path, &address, err);
	if (r < 0)
		return r;
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, "cannot connect to '%s'", path);
	*ret_fd = take_fd(&fd);
	return 0;
}
