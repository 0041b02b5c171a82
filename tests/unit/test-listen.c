/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets and directories of a machine at run time: modes, what is replaced, what is left alone. */
#include "host/os/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "host/os/clock.h"
#include "host/os/rundir.h"
#include "host/os/unix-peer.h"
#include "scratch.h"
#include "test.h"

/* A group that surely is not the one of new files. */
static const struct sharing shared = { .is_shared = true, .group = 4711 };
static const struct sharing alone = {};

static gid_t group_at(const char *name)
{
	struct stat st = {};
	lstat(scratch_path(name), &st);
	return st.st_gid;
}

static const char *const kept[] = { "swtpm", "share", NULL };

TEST(a_socket_is_for_its_owner)
{
	scratch_begin();
	mode_t mask = umask(0);
	int fd = -1;
	struct error err = {};
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &fd, &err), 0);
	CHECK_INT(mode_at("s"), S_IFSOCK | 0600);
	CHECK_INT(umask(mask), 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	int client = -1;
	CHECK_INT(connect_unix(scratch_path("s"), &client, &err), 0);
	CHECK(fcntl(client, F_GETFD) & FD_CLOEXEC);
	CHECK(accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0);
	close(client);
	close(fd);
	scratch_end();
}

TEST(who_accepts_need_not_wait)
{
	scratch_begin();
	int fd = -1, client = -1;
	struct error err = {};
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &fd, &err), 0);
	CHECK_INT(listen_never_wait(fd, &err), 0);
	CHECK_INT(accept4(fd, NULL, NULL, SOCK_CLOEXEC), -1);
	CHECK_INT(errno, EAGAIN);
	CHECK_INT(connect_unix(scratch_path("s"), &client, &err), 0);
	/* What is said there may be waited for all the same. */
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
	close(accepted);
	close(client);
	CHECK_INT(listen_never_wait(-1, &err), -EBADF);
	close(fd);
	scratch_end();
}

TEST(of_two_clients_one_is_known_to_be_served)
{
	scratch_begin();
	int fd = -1, first = -1, second = -1;
	size_t others = 9;
	bool is_served = false;
	struct error err = {};
	const char *path = scratch_path("s");
	CHECK_INT(listen_unix(path, &alone, &fd, &err), 0);
	CHECK_INT(connect_unix_now(path, &first), 0);
	int accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(connect_unix_now(path, &second), 0);
	CHECK_INT(unix_peer_look(path, first, &others, &is_served, &err), 0);
	CHECK(is_served && others == 0);
	CHECK_INT(unix_peer_look(path, second, &others, &is_served, &err), 0);
	CHECK(!is_served && others == 1);
	CHECK_INT(unix_peer_look(path, -1, &others, &is_served, &err), 0);
	CHECK(!is_served && others == 1);
	close(first);
	CHECK_INT(unix_peer_look(path, second, &others, &is_served, &err), 0);
	CHECK(!is_served && others == 0);
	close(accepted);
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	CHECK_INT(unix_peer_look(path, second, &others, &is_served, &err), 0);
	CHECK(is_served && others == 0);
	close(accepted);
	close(second);
	close(fd);
	scratch_end();
}

TEST(what_cannot_be_connected_to_is_told_by_its_number)
{
	int fd = -1;
	scratch_begin();
	CHECK_INT(connect_unix_now(scratch_path("none"), &fd), -ENOENT);
	put_file("file", "");
	CHECK_INT(connect_unix_now(scratch_path("file"), &fd), -ECONNREFUSED);
	CLEANUP(freep) char *path = xasprintf("/%0200d", 0);
	CHECK_INT(connect_unix_now(path, &fd), -ENAMETOOLONG);
	CHECK_INT(fd, -1);
	scratch_end();
}

TEST(a_shared_socket_is_for_its_group)
{
	if (geteuid() != 0)
		SKIP("only root gives sockets to groups");
	scratch_begin();
	mode_t mask = umask(0777);
	int fd = -1;
	CHECK_INT(listen_unix(scratch_path("s"), &shared, &fd, NULL), 0);
	CHECK_INT(umask(mask), 0777);
	CHECK_INT(mode_at("s"), S_IFSOCK | 0660);
	CHECK_INT(group_at("s"), shared.group);
	close(fd);
	scratch_end();
}

TEST(a_socket_of_others_is_shared)
{
	if (geteuid() != 0)
		SKIP("only root gives sockets to groups");
	scratch_begin();
	int fd = -1;
	struct error err = {};
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &fd, NULL), 0);
	CHECK_INT(chown(scratch_path("s"), 64000, 64000), 0);
	CHECK_INT(listen_share(scratch_path("s"), &alone, &err), 0);
	CHECK_INT(mode_at("s"), S_IFSOCK | 0600);
	CHECK_INT(listen_share(scratch_path("s"), &shared, &err), 0);
	CHECK_INT(mode_at("s"), S_IFSOCK | 0660);
	CHECK_INT(group_at("s"), shared.group);
	struct stat st = {};
	CHECK_INT(lstat(scratch_path("s"), &st), 0);
	CHECK_INT(st.st_uid, 64000);

	/* What its owner may have put in its place. */
	CHECK_INT(link(scratch_path("s"), scratch_path("second")), 0);
	CHECK_INT(symlink("s", scratch_path("link")), 0);
	static const char *const names[] = { "second", "link" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep)
		char *text = xasprintf("'DIR/%s' is not a socket of its own", names[i]);
		CHECK_INT(listen_share(scratch_path(names[i]), &shared, &err), -EINVAL);
		CHECK_STR(without_scratch(err.text), text);
	}
	CHECK_INT(listen_share(scratch_path("none"), &shared, &err), -ENOENT);
	close(fd);
	scratch_end();
}

TEST(a_socket_of_an_earlier_run_is_replaced)
{
	scratch_begin();
	int first = -1, second = -1, client = -1;
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &first, NULL), 0);
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &second, NULL), 0);
	CHECK_INT(connect_unix(scratch_path("s"), &client, NULL), 0);
	CHECK_INT(fcntl(first, F_SETFL, O_NONBLOCK), 0);
	CHECK_INT(accept4(first, NULL, NULL, SOCK_CLOEXEC), -1);
	CHECK(accept4(second, NULL, NULL, SOCK_CLOEXEC) >= 0);
	close(first);
	close(second);
	close(client);
	scratch_end();
}

TEST(what_is_no_socket_is_left_alone)
{
	scratch_begin();
	put_file("file", "kept");
	CHECK_INT(symlink("nowhere", scratch_path("link")), 0);
	make_directory("dir");
	static const char *const names[] = { "file", "link", "dir" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct error err = {};
		int fd = -1;
		CHECK_INT(listen_unix(scratch_path(names[i]), &alone, &fd, &err), -EEXIST);
		CLEANUP(freep)
		char *text = xasprintf(
				"cannot listen at 'DIR/%s': something else is there", names[i]);
		CHECK_STR(without_scratch(err.text), text);
		CHECK_INT(fd, -1);
		CHECK_INT(listen_remove(scratch_path(names[i]), &err), 0);
		if (geteuid() == 0)
			CHECK_INT(listen_share(scratch_path(names[i]), &shared, &err), -EINVAL);
	}
	check_tree("", "dir file link ");
	check_file("file", "kept");
	scratch_end();
}

TEST(sockets_are_removed)
{
	scratch_begin();
	int fd = -1;
	CHECK_INT(listen_unix(scratch_path("s"), &alone, &fd, NULL), 0);
	CHECK_INT(listen_remove(scratch_path("s"), NULL), 0);
	CHECK_INT(listen_remove(scratch_path("s"), NULL), 0);
	CHECK_INT(listen_remove(scratch_path("no/such/dir"), NULL), 0);
	put_file("file", "");
	CHECK_INT(listen_remove(scratch_path("file/below"), NULL), 0);
	close(fd);
	check_tree("", "file ");
	scratch_end();
}

TEST(paths_have_a_limit)
{
	scratch_begin();
	CLEANUP(buf_done) struct buf path = {};
	buf_puts(&path, scratch_path(""));
	while (path.len < LISTEN_PATH_MAX)
		buf_putc(&path, 's');
	int fd = -1;
	struct error err = {};
	CHECK_INT(listen_unix(path.text, &alone, &fd, &err), 0);
	close(fd);
	buf_putc(&path, 's');
	CHECK_INT(listen_unix(path.text, &alone, &fd, &err), -ENAMETOOLONG);
	CLEANUP(freep)
	char *text = xasprintf("cannot use '%s': the path of a socket has at most 107 bytes, and "
			       "this one has 108",
			path.text);
	CHECK_STR(err.text, text);
	CHECK_INT(connect_unix(path.text, &fd, &err), -ENAMETOOLONG);
	scratch_end();
}

TEST(a_missing_directory_is_an_error)
{
	scratch_begin();
	struct error err = {};
	int fd = -1;
	CHECK_INT(listen_unix(scratch_path("no/s"), &alone, &fd, &err), -ENOENT);
	CHECK_STR(without_scratch(err.text),
			"cannot listen at 'DIR/no/s': No such file or directory");
	CHECK_INT(connect_unix(scratch_path("no/s"), &fd, &err), -ENOENT);
	CHECK_STR(without_scratch(err.text),
			"cannot connect to 'DIR/no/s': No such file or directory");
	scratch_end();
}

static int held_fd;

static void let_go(int signal)
{
	(void)signal;
	close(held_fd);
}

TEST(a_port_is_on_the_loopback_only)
{
	int fd = -1;
	struct error err = {};
	CHECK_INT(listen_tcp(0, 0, &fd, &err), 0);
	struct sockaddr_in address = {};
	socklen_t len = sizeof(address);
	CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	CHECK_INT(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);

	uint16_t port = ntohs(address.sin_port);
	int second = -1;
	CHECK_INT(listen_tcp(port, 0, &second, &err), -EADDRINUSE);
	CLEANUP(freep)
	char *text = xasprintf(
			"cannot listen at port %u of 127.0.0.1: Address already in use", port);
	CHECK_STR(err.text, text);

	/* A connection that is closing does not hold the port. */
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(connect(client, (struct sockaddr *)&address, len), 0);
	int served = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	close(served);
	close(fd);
	CHECK_INT(listen_tcp(port, 0, &fd, &err), 0);
	close(client);

	/* One that is let go of meanwhile is waited for. */
	held_fd = fd;
	signal(SIGALRM, let_go);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { .tv_usec = 50000 } }, NULL);
	CHECK_INT(listen_tcp(port, clock_deadline_usec(20 * USEC_PER_SEC), &second, &err), 0);
	signal(SIGALRM, SIG_DFL);
	close(second);
}

/* A QEMU that its guest has taken over has the socket, and nothing else of the host's network. */
TEST(a_port_is_of_no_use_to_reach_others)
{
	const struct timeval soon = { .tv_usec = 300000 };
	struct sockaddr_in others = {};
	socklen_t len = sizeof(others);
	struct error err = {};
	int other = -1, fd = -1, no = 0;
	CHECK_INT(listen_tcp(0, 0, &fd, &err), 0);
	CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &no, sizeof(no)), -1);
	CHECK_INT(errno, EPERM);
	CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &no, sizeof(no)), -1);
	CHECK_INT(errno, EPERM);

	CHECK_INT(listen_tcp(0, 0, &other, &err), 0);
	CHECK_INT(getsockname(other, (struct sockaddr *)&others, &len), 0);
	CHECK_INT(shutdown(fd, SHUT_RDWR), 0);
	CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	CHECK_INT(connect(fd, (struct sockaddr *)&others, len), -1);
	CHECK_INT(errno, EINPROGRESS);
	close(fd);
	close(other);
}

/* ---- directories ---- */

TEST(directories_have_exact_modes)
{
	scratch_begin();
	mode_t mask = umask(0077);
	struct error err = {};
	CHECK_INT(rundir_make(scratch_path("run/web"), &alone, &err), 0);
	CHECK_INT(rundir_make_for(scratch_path("run/web"), scratch_path("run/web/a/b/s"), &alone,
				  &err),
			0);
	CHECK_INT(mode_at("run"), S_IFDIR | 0755);
	CHECK_INT(mode_at("run/web"), S_IFDIR | 0700);
	CHECK_INT(mode_at("run/web/a/b"), S_IFDIR | 0700);
	if (geteuid() == 0) {
		CHECK_INT(rundir_make(scratch_path("run/web"), &shared, &err), 0);
		CHECK_INT(rundir_make_for(scratch_path("run/web"), scratch_path("run/web/qmp/s"),
					  &shared, &err),
				0);
		CHECK_INT(mode_at("run/web"), S_IFDIR | 0750);
		CHECK_INT(group_at("run/web"), shared.group);
		CHECK_INT(mode_at("run/web/qmp"), S_IFDIR | 0750);
		CHECK_INT(group_at("run/web/qmp"), shared.group);
		CHECK_INT(group_at("run"), 0);
	}
	umask(mask);
	check_tree("", geteuid() == 0 ? "run run/web run/web/a run/web/a/b run/web/qmp "
				      : "run run/web run/web/a run/web/a/b ");
	scratch_end();
}

TEST(paths_elsewhere_are_not_ours_to_make)
{
	scratch_begin();
	CHECK_INT(rundir_make(scratch_path("run/web"), &alone, NULL), 0);
	CHECK_INT(rundir_make_for(scratch_path("run/web"), scratch_path("other/a/s"), &alone, NULL),
			0);
	/* Another machine's, whose name begins as this one's. */
	CHECK_INT(rundir_make_for(scratch_path("run/web"), scratch_path("run/web2/a/s"), &alone,
				  NULL),
			0);
	CHECK_INT(rundir_make_for(scratch_path("run/web"), scratch_path("run/web/s"), &alone, NULL),
			0);
	check_tree("", "run run/web ");
	scratch_end();
}

TEST(links_are_not_entered)
{
	scratch_begin();
	make_directory("victim");
	make_directory("run");
	CHECK_INT(chmod(scratch_path("victim"), 0711), 0);
	CHECK_INT(symlink(scratch_path("victim"), scratch_path("run/web")), 0);
	struct error err = {};
	CHECK_INT(rundir_make(scratch_path("run/web"), &alone, &err), -ENOTDIR);
	CHECK_STR(without_scratch(err.text),
			"cannot open directory 'DIR/run/web': Not a directory");
	CHECK_INT(mode_at("victim"), S_IFDIR | 0711);
	scratch_end();
}

/* Its sockets stay, and their program makes no others. */
TEST(a_directory_of_a_program_is_made_anew_and_taken_over)
{
	enum { PROGRAM = 4711 };
	struct error err = {};
	struct stat st = {};
	if (geteuid() != 0)
		SKIP("only root can give directories away");
	scratch_begin();
	CLEANUP(freep) char *dir = xstrdup(scratch_path("run/sockets/web"));
	put_file("victim/kept", "");
	CHECK_INT(chmod(scratch_path("victim"), 0755), 0);
	CHECK_INT(rundir_take_over(dir, &err), 0);
	make_directory("run/sockets");
	CHECK_INT(symlink(scratch_path("victim"), dir), 0);
	CHECK_INT(rundir_take_over(dir, &err), -ENOTDIR);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(rundir_make_owned(dir, PROGRAM, PROGRAM + 1, &err), 0);
		CHECK_INT(stat(dir, &st), 0);
		CHECK_INT(st.st_mode, S_IFDIR | 0711);
		CHECK_INT(st.st_uid, PROGRAM);
		CHECK_INT(st.st_gid, PROGRAM + 1);
		check_tree("run", "run/sockets run/sockets/web ");
		put_file("run/sockets/web/socket", "");
	}
	CHECK_INT(rundir_take_over(dir, &err), 0);
	CHECK_INT(stat(dir, &st), 0);
	CHECK_INT(st.st_mode, S_IFDIR | 0711);
	CHECK_INT(st.st_uid, 0);
	CHECK_INT(st.st_gid, 0);
	check_tree("", "run run/sockets run/sockets/web run/sockets/web/socket victim "
		       "victim/kept ");
	CHECK_INT(stat(scratch_path("victim"), &st), 0);
	CHECK_INT(st.st_uid, 0);
	scratch_end();
}

TEST(a_directory_is_removed_with_all_in_it)
{
	scratch_begin();
	put_file("victim/kept", "");
	CHECK_INT(rundir_make(scratch_path("run/web"), &alone, NULL), 0);
	put_file("run/web/qmp/s", "");
	put_file("run/web/swtpm/control", "");
	CHECK_INT(symlink(scratch_path("victim"), scratch_path("run/web/link")), 0);

	CHECK_INT(rundir_remove(scratch_path("run/web"), kept, NULL), 0);
	check_tree("run", "run/web run/web/swtpm run/web/swtpm/control ");
	CHECK_INT(rundir_remove(scratch_path("run/web"), NULL, NULL), 0);
	check_tree("run", "");
	CHECK_INT(rundir_remove(scratch_path("run/web"), NULL, NULL), 0);
	CHECK_INT(rundir_remove(scratch_path("run/web"), kept, NULL), 0);

	CHECK_INT(rundir_make(scratch_path("run/web"), &alone, NULL), 0);
	put_file("run/web/log", "");
	CHECK_INT(rundir_remove(scratch_path("run/web"), kept, NULL), 0);
	check_tree("", "run victim victim/kept ");
	scratch_end();
}

TEST_MAIN()
