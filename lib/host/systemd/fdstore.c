/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd's notification protocol, as far as it is about descriptors. */
#include "host/systemd/fdstore.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/os/clock.h"
#include "host/os/pass-fd.h"

#define NAME_MAX_BYTES 255

int fdstore_open(const char *socket_name, struct fdstore *ret, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!socket_name || !*socket_name)
		return error_set(err, ENOTCONN,
				"systemd does not listen for descriptors ($NOTIFY_SOCKET is not "
				"set): this works in a hook of a unit only");
	size_t len = strlen(socket_name);
	if ((socket_name[0] != '/' && socket_name[0] != '@') || len >= sizeof(address.sun_path))
		return error_set(err, EINVAL, "'%s' is no address of systemd ($NOTIFY_SOCKET)",
				socket_name);
	memcpy(address.sun_path, socket_name, len);
	if (socket_name[0] == '@')
		address.sun_path[0] = '\0';
	/* An abstract name ends with the address, a path with a NUL. */
	socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len +
					    (socket_name[0] == '/'));

	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, address_len) < 0)
		return error_errno(err, "cannot connect to systemd at '%s'", socket_name);
	*ret = (struct fdstore){ .fd = take_fd(&fd), .is_open = true };
	return 0;
}

void fdstore_done(struct fdstore *store)
{
	if (store->is_open)
		closep(&store->fd);
	*store = (struct fdstore){};
}

void fdstore_store_message(const char *name, struct buf *ret)
{
	/* Without FDPOLL=0 systemd drops taps and sockets as soon as they report an error. */
	buf_printf(ret, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
}

void fdstore_remove_message(const char *name, struct buf *ret)
{
	buf_printf(ret, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

/* @passed_fd: goes along, or -1. Returns 0 or a negative errno. */
static int send_message(const struct fdstore *store, const char *text, size_t len, int passed_fd)
{
	ssize_t n = pass_fd_send(store->fd, text, len, passed_fd, 0);
	return n < 0 ? (int)n : 0;
}

static int check_name(const char *name, struct error *err)
{
	size_t len = strlen(name);
	bool good = len > 0 && len <= NAME_MAX_BYTES;

	for (size_t i = 0; good && i < len; i++)
		good = name[i] >= ' ' && name[i] <= '~' && name[i] != ':';
	return good ? 0 : error_set(err, EINVAL, "'%s' is no name for a descriptor", name);
}

static int push(const struct fdstore *store, int fd, const char *name, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	int r = check_name(name, err);
	if (r < 0)
		return r;
	fdstore_store_message(name, &text);
	r = send_message(store, text.text, text.len, fd);
	return r < 0 ? error_code(err, r, "cannot give descriptor '%s' to systemd", name) : 0;
}

int fdstore_push_all(const struct fdstore *store, const int *fds, const char *const *names,
		size_t n, struct error *err)
{
	while (n-- > 0) {
		int r = push(store, fds[n], names[n], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int fdstore_remove(const struct fdstore *store, const char *name, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	int r = check_name(name, err);
	if (r < 0)
		return r;
	fdstore_remove_message(name, &text);
	r = send_message(store, text.text, text.len, -1);
	return r < 0 ? error_code(err, r, "cannot take descriptor '%s' from systemd", name) : 0;
}

int fdstore_barrier(const struct fdstore *store, uint64_t deadline_usec, struct error *err)
{
	static const char text[] = "BARRIER=1";
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	CLEANUP(closep) int read_end = ends[0];
	CLEANUP(closep) int write_end = ends[1];

	int r = send_message(store, text, sizeof(text) - 1, write_end);
	if (r < 0)
		return error_code(err, r, "cannot ask systemd for an answer");
	closep(&write_end);

	/* systemd closes its end when it has come to this message. */
	struct pollfd poll_end = { .fd = read_end };
	do
		r = clock_poll(&poll_end, 1, deadline_usec);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(err, "cannot wait for systemd");
	return r > 0 ? 0 : error_set(err, ETIMEDOUT, "systemd does not read what it is told");
}
