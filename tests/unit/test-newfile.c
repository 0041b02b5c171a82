/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that have their names only when they are whole. */
#include "util/newfile.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test.h"
#include "util/file.h"
#include "util/mem.h"

static char *dir;

static char *path_of(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static size_t n_files(void)
{
	CLEANUP(strv_done) struct strv names = {};
	return dir_list(dir, &names, NULL) < 0 ? 0 : names.n;
}

static bool has_text(const char *path, const char *text)
{
	CLEANUP(buf_done) struct buf got = {};
	return file_read(path, 100, &got, NULL) == 0 && !strcmp(buf_text(&got), text);
}

TEST(a_file_is_there_when_it_is_whole)
{
	dir = test_directory();
	CLEANUP(freep) char *path = path_of("core");
	CLEANUP(newfile_done) struct newfile file = {};
	struct error err = {};
	CHECK_INT(newfile_open(path, false, &file, &err), 0);
	CHECK(access(path, F_OK) < 0);
	CHECK_INT(write_all(file.fd, "whole", 5), 0);
	CHECK_INT(newfile_commit(&file, &err), 0);
	struct stat st;
	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	CHECK(has_text(path, "whole"));
	CHECK_INT((int)n_files(), 1);
}

TEST(one_that_is_not_finished_leaves_nothing)
{
	CLEANUP(freep) char *path = path_of("half");
	{
		CLEANUP(newfile_done) struct newfile file = {};
		struct error err = {};
		CHECK_INT(newfile_open(path, false, &file, &err), 0);
		CHECK_INT(write_all(file.fd, "ha", 2), 0);
		CHECK_INT((int)n_files(), 2);
	}
	CHECK_INT((int)n_files(), 1);
}

TEST(another_file_is_replaced_only_on_demand)
{
	CLEANUP(freep) char *path = path_of("core");
	struct error err = {};
	CLEANUP(newfile_done) struct newfile file = {};
	CHECK_INT(newfile_open(path, false, &file, &err), -EEXIST);
	CHECK(strstr(err.text, "is there already"));
	CHECK_INT(newfile_open(path, true, &file, &err), 0);
	CHECK_INT(write_all(file.fd, "new", 3), 0);
	CHECK(has_text(path, "whole"));
	CHECK_INT(newfile_commit(&file, &err), 0);
	CHECK(has_text(path, "new"));
	CHECK_INT((int)n_files(), 1);
}

TEST(a_file_that_came_meanwhile_stays)
{
	CLEANUP(freep) char *path = path_of("late");
	struct error err = {};
	{
		CLEANUP(newfile_done) struct newfile file = {};
		CHECK_INT(newfile_open(path, false, &file, &err), 0);
		CHECK_INT(file_replace(path, "other", 5, 0600, &err), 0);
		CHECK_INT(newfile_commit(&file, &err), -EEXIST);
	}
	CHECK(has_text(path, "other"));
	CHECK_INT((int)n_files(), 2);
	unlink(path);
}

/* In place of libc's: another file may be there at this moment and gone at the next. */
static bool rename_meets_another;

int renameat2(int old_fd, const char *old, int new_fd, const char *new, unsigned flags)
{
	if (rename_meets_another) {
		errno = EEXIST;
		return -1;
	}
	return (int)syscall(SYS_renameat2, old_fd, old, new_fd, new, flags);
}

TEST(one_that_was_there_for_a_moment_is_told_of)
{
	CLEANUP(freep) char *path = path_of("moment");
	struct error err = {};
	size_t before = n_files();
	{
		CLEANUP(newfile_done) struct newfile file = {};
		CHECK_INT(newfile_open(path, false, &file, &err), 0);
		rename_meets_another = true;
		CHECK_INT(newfile_commit(&file, &err), -EEXIST);
		rename_meets_another = false;
		CHECK(strstr(err.text, "is there already"));
	}
	CHECK_INT((int)n_files(), (int)before);
}

/* Of a process that had this one's number: after each start of a host they are much the same. */
TEST(a_temporary_name_that_is_taken_is_passed_over)
{
	enum { N = 64 };
	CLEANUP(freep) char *path = path_of("taken");
	CLEANUP(newfile_done) struct newfile file = {};
	struct error err = {};
	for (int i = 0; i < N; i++) {
		CLEANUP(freep) char *name = xasprintf("%s/.taken.tmp-%d-%d", dir, getpid(), i);
		CHECK_INT(file_replace(name, "left", 4, 0600, &err), 0);
	}
	CHECK_INT(newfile_open(path, false, &file, &err), 0);
	CHECK_STR(err.text, "");
	for (int i = 0; i < N; i++) {
		CLEANUP(freep) char *name = xasprintf("%s/.taken.tmp-%d-%d", dir, getpid(), i);
		CHECK(has_text(name, "left"));
		unlink(name);
	}
}

/* What a killed process has left goes with the next file of that name; other names stay. */
TEST(what_is_stale_goes)
{
	CLEANUP(freep) char *path = path_of("killed");
	struct error err = {};
	pid_t pid = fork();
	if (pid == 0) {
		CLEANUP(freep) char *other = path_of("other");
		struct newfile a = {}, b = {};
		if (newfile_open(path, false, &a, &err) == 0 &&
				newfile_open(other, false, &b, &err) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, SIGKILL);
	CHECK_INT((int)n_files(), 3);
	{
		CLEANUP(newfile_done) struct newfile file = {};
		CHECK_INT(newfile_open(path, false, &file, &err), 0);
	}
	CHECK_INT((int)n_files(), 2);
	CHECK_INT(remove_tree(dir, &err), 0);
	freep(&dir);
}

TEST(what_is_no_name_of_a_file_is_refused)
{
	struct newfile file = {};
	struct error err = {};
	CHECK_INT(newfile_open("/tmp/", false, &file, &err), -EISDIR);
	CHECK_INT(newfile_open("/nowhere/file", false, &file, &err), -ENOENT);
	CHECK(strstr(err.text, "cannot make '/nowhere/file'"));
}

TEST_MAIN()
