/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting to passt, and not to what only looks like it. */
#include "host/net/passt.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host/os/listen.h"
#include "scratch.h"
#include "test.h"

static const struct sharing nobody = {};

static int listen_at(const char *name)
{
	struct error err = {};
	int fd = -1;
	if (listen_unix(scratch_path(name), &nobody, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	return fd;
}

static void check_refused(int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(passt_connect(scratch_path("p/socket"), &fd, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
	CHECK_INT(fd, -1);
}

TEST(its_socket_is_connected_to)
{
	struct error err = {};
	int fd = -1;
	scratch_begin();
	make_directory("p");
	int listening = listen_at("p/socket");
	CHECK_INT(passt_connect(scratch_path("p/socket"), &fd, &err), 0);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
	close(fd);
	close(listening);
	scratch_end();
}

TEST(without_passt_there_is_none)
{
	scratch_begin();
	make_directory("p");
	check_refused(ENOENT, "cannot open 'DIR/p/socket': No such file or directory");
	close(listen_at("p/socket"));
	struct error err = {};
	int fd = -1;
	CHECK_INT(passt_connect(scratch_path("p/socket"), &fd, &err), -ECONNREFUSED);
	scratch_end();
}

/* A passt that was taken over could put another program's socket in place of its own. */
TEST(links_and_sockets_of_others_are_refused)
{
	scratch_begin();
	make_directory("p");
	int fd = listen_at("other");
	CHECK_INT(symlink("../other", scratch_path("p/socket")), 0);
	check_refused(EPERM, "'DIR/p/socket' is not the socket of passt");
	CHECK_INT(unlink(scratch_path("p/socket")), 0);
	put_file("p/socket", "");
	check_refused(EPERM, "'DIR/p/socket' is not the socket of passt");
	if (geteuid() != 0)
		SKIP("only root gives files away");
	CHECK_INT(unlink(scratch_path("p/socket")), 0);
	close(fd);
	fd = listen_at("p/socket");
	CHECK_INT(chown(scratch_path("p/socket"), 64123, 64123), 0);
	check_refused(EPERM, "'DIR/p/socket' is not the socket of passt");
	close(fd);
	scratch_end();
}

TEST_MAIN()
