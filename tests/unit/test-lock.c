/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock that is a file while it is held. */
#include "host/os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "host/os/clock.h"
#include "scratch.h"
#include "test.h"
#include "util/mem.h"

#define LIMIT_USEC (120 * USEC_PER_SEC)

static const char *path;

static void begin(void)
{
	scratch_begin();
	path = scratch_path("lock");
}

/* In place of the C library's: what the holder before us does in the next moment. */
static enum { LEAVES_IT, REMOVES_IT, GIVES_IT_AWAY } holder;

int flock(int fd, int operation)
{
	const int r = (int)syscall(SYS_flock, fd, operation);
	if (r < 0 || holder == LEAVES_IT)
		return r;
	CHECK_INT(unlink(path), 0);
	if (holder == GIVES_IT_AWAY)
		close(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	holder = LEAVES_IT;
	return r;
}

/* Nothing may be left in the directory. */
static void end(void)
{
	check_tree("", "");
	scratch_end();
}

TEST(nothing_is_left_of_a_lock)
{
	begin();
	struct error err = {};
	struct lock lock = {};
	CHECK_INT(lock_take(path, clock_deadline_usec(LIMIT_USEC), &lock, &err), 0);
	struct stat st = {};
	CHECK_INT(lstat(path, &st), 0);
	CHECK_INT(st.st_mode, S_IFREG | 0600);
	lock_done(&lock);
	lock_done(&lock);
	end();
}

/* Whose file was removed before its time leaves alone that of who came then. */
TEST(a_lock_of_somebody_else_stays)
{
	begin();
	struct error err = {};
	struct lock lock = {}, other = {};
	CHECK_INT(lock_take(path, 0, &lock, &err), 0);
	CHECK_INT(unlink(path), 0);
	CHECK(!lock_is_held(path));
	CHECK_INT(lock_take(path, 0, &other, &err), 0);
	lock_done(&lock);
	CHECK(lock_is_held(path));
	lock_done(&other);
	end();
}

TEST(a_held_lock_names_its_holder)
{
	begin();
	struct error err = {};
	CLEANUP(lock_done) struct lock lock = {}, other = {};
	CHECK_INT(lock_take(path, 0, &lock, &err), 0);
	CLEANUP(freep) char *text = xasprintf("'%s' is held by process %d ('", path, getpid());
	CHECK_INT(lock_take(path, 0, &other, &err), -EBUSY);
	/* As it was called, with whatever path and options. */
	CHECK(!strncmp(err.text, text, strlen(text)));
	if (!strstr(err.text, "test-lock") || strcmp(err.text + strlen(err.text) - 2, "')") != 0)
		TEST_FAIL("%s", err.text);
	CHECK(!other.path);
	lock_done(&lock);
	end();
}

TEST(a_killed_holder_is_followed)
{
	begin();
	int ready[2];
	CHECK_INT(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		struct lock lock = {};
		if (lock_take(path, 0, &lock, NULL) == 0 && write(ready[1], "y", 1) == 1)
			pause();
		_exit(1);
	}
	char c;
	close(ready[1]);
	CHECK_INT(read(ready[0], &c, 1), 1);
	close(ready[0]);
	CHECK_INT(access(path, F_OK), 0);
	kill(child, SIGKILL);

	/* The kernel lets go of it when the process is gone; the file is still there then. */
	struct error err = {};
	struct lock lock = {};
	CHECK_INT(lock_take(path, clock_deadline_usec(LIMIT_USEC), &lock, &err), 0);
	CHECK_INT(waitpid(child, NULL, 0), child);
	lock_done(&lock);
	end();
}

/* What was locked between the removal of the file and its end locks nothing. */
TEST(a_file_that_is_gone_is_no_lock)
{
	begin();
	for (int i = REMOVES_IT; i <= GIVES_IT_AWAY; i++) {
		struct error err = {};
		struct lock lock = {}, other = {};
		holder = i;
		CHECK_INT(lock_take(path, clock_deadline_usec(LIMIT_USEC), &lock, &err), 0);
		CHECK_INT(holder, LEAVES_IT);
		CHECK_INT(lock_take(path, 0, &other, &err), -EBUSY);
		lock_done(&lock);
	}
	end();
}

TEST(whether_it_is_held_can_be_asked)
{
	begin();
	struct error err = {};
	struct lock lock = {};
	CHECK(!lock_is_held(path));
	CHECK_INT(lock_take(path, 0, &lock, &err), 0);
	CHECK(lock_is_held(path));
	lock_done(&lock);
	/* Its holder was killed. */
	put_file("lock", "1");
	CHECK(!lock_is_held(path));
	CHECK_INT(unlink(path), 0);
	end();
}

TEST(each_machine_has_its_own)
{
	begin();
	struct error err = {};
	struct lock web = {}, mail = {}, other = {};
	CLEANUP(freep) char *dir = xstrdup(scratch_path(""));
	CHECK_INT(lock_machine(dir, "web", 0, &web, &err), 0);
	CHECK_INT(lock_machine(dir, "mail", 0, &mail, &err), 0);
	CHECK_INT(lock_machine(dir, "web", 0, &other, &err), -EBUSY);
	CHECK(!strncmp(err.text, "machine 'web': '", strlen("machine 'web': '")));
	lock_done(&web);
	lock_done(&mail);
	end();
}

/* Several processes add to a number without care for each other. */
TEST(only_one_holds_it)
{
	enum { PROCESSES = 4, ROUNDS = 200 };
	begin();
	void *shared = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	volatile int *number = shared;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		for (int k = 0; k < ROUNDS; k++) {
			struct lock lock = {};
			if (lock_take(path, clock_deadline_usec(LIMIT_USEC), &lock, NULL) < 0)
				_exit(1);
			int before = *number;
			/* Long enough for another to come in between. */
			if (access(path, F_OK) < 0)
				_exit(2);
			*number = before + 1;
			lock_done(&lock);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;
		wait(&status);
		CHECK_INT(status, 0);
	}
	CHECK_INT(*number, PROCESSES * ROUNDS);
	munmap(shared, sizeof(int));
	end();
}

TEST(links_are_not_followed)
{
	begin();
	const char *target = scratch_path("target");
	CHECK_INT(symlink(target, path), 0);
	struct error err = {};
	struct lock lock = {};
	CHECK_INT(lock_take(path, 0, &lock, &err), -ELOOP);
	CHECK_INT(access(target, F_OK), -1);
	CHECK_INT(unlink(path), 0);
	CHECK_INT(mkfifo(path, 0600), 0);
	CHECK_INT(lock_take(path, 0, &lock, &err), 0);
	lock_done(&lock);
	end();
}

TEST_MAIN()
