/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that have files open, as the running kernel tells of them. */
#include "host/os/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

static bool find(const char *first, const char *second, size_t *ret_file, struct buf *ret)
{
	CLEANUP(strv_done) struct strv paths = {};
	strv_push(&paths, first);
	strv_push(&paths, second);
	buf_clear(ret);
	return holder_find("/proc", &paths, ret_file, ret);
}

TEST(a_writer_is_found_and_a_reader_is_not)
{
	scratch_begin();
	put_file("disk", "");
	CLEANUP(freep) char *disk = xstrdup(scratch_path("disk"));
	CLEANUP(freep) char *other = xstrdup(scratch_path("other"));
	CLEANUP(freep)
	char *self = xasprintf("%s (pid %d)", program_invocation_short_name, getpid());
	CLEANUP(buf_done) struct buf process = {};
	CLEANUP(closep) int reader = open(disk, O_RDONLY | O_CLOEXEC);
	size_t file = 7;
	CHECK(!find(other, disk, &file, &process));
	CHECK_INT(file, 7);
	CLEANUP(closep) int writer = open(disk, O_RDWR | O_CLOEXEC);
	CHECK(find(other, disk, &file, &process));
	CHECK_INT(file, 1);
	/* The kernel keeps 15 letters of a name. */
	CHECK(!strncmp(buf_text(&process), self, 10));
	CHECK(strstr(buf_text(&process), strrchr(self, '(')));
	closep(&writer);
	CHECK(!find(other, disk, &file, &process));
	scratch_end();
}

/* The number of the file system that @path is on, as mountinfo has it. */
static char *number_at(const char *path)
{
	struct stat st;
	CHECK_INT(stat(path, &st), 0);
	return xasprintf("%u:%u", major(st.st_dev), minor(st.st_dev));
}

/* A file system that a child alone has mounted, as a container does. */
TEST(a_mount_of_another_namespace_is_found)
{
	if (geteuid() != 0)
		SKIP("only root mounts");
	scratch_begin();
	put_file("mnt/x", "");
	CLEANUP(freep) char *dir = xstrdup(scratch_path("mnt"));
	int ready[2], end[2];
	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(end, O_CLOEXEC) == 0);
	pid_t child = fork();
	if (child == 0) {
		char *number = NULL;
		close(end[1]);
		if (unshare(CLONE_NEWNS) == 0 &&
				mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
				mount("none", dir, "tmpfs", 0, NULL) == 0)
			number = number_at(dir);
		if (number && write(ready[1], number, strlen(number)) < 0)
			_exit(1);
		close(ready[1]);
		_exit(read(end[0], &(char){ 0 }, 1) != 0);
	}
	close(ready[1]);
	char number[64] = "";
	CHECK(read(ready[0], number, sizeof(number) - 1) > 0);
	CLEANUP(strv_done) struct strv numbers = {};
	CLEANUP(buf_done) struct buf where = {};
	size_t i = 7;
	strv_push(&numbers, "0:0");
	strv_push(&numbers, number);
	CHECK(holder_find_mount("/proc", &numbers, &i, &where));
	CHECK_INT(i, 1);
	CLEANUP(freep) char *begin = xasprintf("'%s' in the mount namespace of ", dir);
	CLEANUP(freep) char *pid = xasprintf(" (pid %d)", child);
	CHECK(!strncmp(buf_text(&where), begin, strlen(begin)) && strstr(buf_text(&where), pid));
	close(end[1]);
	CHECK_INT(waitpid(child, NULL, 0), child);
	CHECK(!holder_find_mount("/proc", &numbers, &i, &where));
	close(ready[0]);
	close(end[0]);
	scratch_end();
}

TEST_MAIN()
