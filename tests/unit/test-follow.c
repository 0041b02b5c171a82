/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Following paths as the running kernel has them, and where a container lacks a call for it. Whose
 * links are followed: test-storage.c. */
#include "host/os/follow.h"

#include <fcntl.h>
#include <linux/auto_fs.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lose-call.h"
#include "scratch.h"
#include "test.h"

#define NEED_ROOT()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			SKIP("only root makes mounts and follows links by itself");                \
	} while (0)

/* What is there: the letters of its type, "f", "d"; or the error's text. */
static const char *what_is(const char *path, int flags)
{
	static struct error err;
	CLEANUP(closep) int fd = -1;
	struct stat st;
	if (follow_open(path, flags, &fd, &err) < 0)
		return err.text;
	CHECK_INT(fstat(fd, &st), 0);
	return S_ISREG(st.st_mode) ? "f" : S_ISDIR(st.st_mode) ? "d" : "?";
}

TEST(a_directory_has_to_be_one)
{
	NEED_ROOT();
	scratch_begin();
	put_file("dir/file", "");
	CHECK_INT(symlink("dir", scratch_path("to-dir")), 0);
	CHECK_INT(symlink("dir/file", scratch_path("to-file")), 0);
	CHECK_STR(what_is(scratch_path("dir"), O_DIRECTORY), "d");
	CHECK_STR(what_is(scratch_path("to-dir"), O_DIRECTORY), "d");
	CHECK_STR(what_is(scratch_path("to-dir"), 0), "d");
	CHECK_STR(what_is(scratch_path("dir/file"), O_DIRECTORY), "Not a directory");
	CHECK_STR(what_is(scratch_path("to-file"), O_DIRECTORY), "Not a directory");
	CHECK_STR(what_is(scratch_path("to-file"), 0), "f");
	scratch_end();
}

TEST(a_container_without_openat2_goes_there_too)
{
	NEED_ROOT();
	scratch_begin();
	put_file("dir/file", "");
	CHECK_INT(symlink("dir", scratch_path("to-dir")), 0);
	CLEANUP(freep) char *path = xstrdup(scratch_path("to-dir/file"));
	static const int codes[] = { ENOSYS, EPERM };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid_t child = fork();
		if (child == 0)
			_exit(!lose_call(SYS_openat2, codes[i]) ||
					strcmp(what_is(path, 0), "f") != 0);
		int status = -1;
		CHECK_INT(waitpid(child, &status, 0), child);
		CHECK_INT(status, 0);
	}
	scratch_end();
}

/* As automount(8) does it, for one mount. It is not kept waiting itself: its process group. */
static void serve_autofs(const char *dir, int ready)
{
	int pipe_fds[2];
	union autofs_v5_packet_union packet;
	if (setpgid(0, 0) < 0 || pipe2(pipe_fds, O_DIRECT) < 0)
		_exit(1);
	CLEANUP(freep)
	char *options = xasprintf(
			"fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", pipe_fds[1], (int)getpgrp());
	if (mount("test", dir, "autofs", 0, options) < 0)
		_exit(errno == ENODEV ? 77 : 1);
	close(pipe_fds[1]);
	CLEANUP(closep) int root = open(dir, O_RDONLY | O_DIRECTORY);
	if (root < 0 || write(ready, "", 1) != 1 ||
			read(pipe_fds[0], &packet, sizeof(packet)) <= 0 ||
			packet.hdr.type != autofs_ptype_missing_direct)
		_exit(1);
	if (mount("none", dir, "tmpfs", 0, NULL) < 0 ||
			ioctl(root, AUTOFS_IOC_READY, packet.v5_packet.wait_queue_token) < 0)
		_exit(1);
	pause();
	_exit(0);
}

/* The number of the file system that a descriptor of the path is on. */
static dev_t file_system_at(const char *path, int flags)
{
	struct error err = {};
	CLEANUP(closep) int fd = -1;
	struct stat st = {};
	if (follow_open(path, flags, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK_INT(fstat(fd, &st), 0);
	return st.st_dev;
}

TEST(a_directory_is_mounted_when_somebody_goes_there)
{
	NEED_ROOT();
	int ready[2], status;
	char byte;
	scratch_begin();
	make_directory("dir");
	CHECK_INT(symlink("dir", scratch_path("link")), 0);
	CLEANUP(freep) char *dir = xstrdup(scratch_path("dir"));
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0)
		serve_autofs(dir, ready[1]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1) {
		CHECK_INT(waitpid(child, &status, 0), child);
		close(ready[0]);
		scratch_end();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			SKIP("the kernel has no autofs");
		TEST_FAIL("autofs cannot be mounted (status %d)", status);
		return;
	}
	close(ready[0]);
	dev_t before = file_system_at(dir, 0);
	dev_t after = file_system_at(dir, O_DIRECTORY);
	CHECK(before != after);
	CHECK(file_system_at(scratch_path("link"), O_DIRECTORY) == after);
	CHECK_INT(kill(child, SIGKILL), 0);
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(umount2(dir, MNT_DETACH), 0);
	CHECK_INT(umount2(dir, MNT_DETACH), 0);
	scratch_end();
}

TEST_MAIN()
