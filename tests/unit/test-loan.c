/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock of devices that may be lent. */
#include "host/device/loan.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "host/os/clock.h"
#include "scratch.h"
#include "test.h"

/* In place of the C library's: a second is SPEED of them. */
#define SPEED 50

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);
	int64_t nsec = (int64_t)ret->tv_nsec * SPEED;
	ret->tv_sec = ret->tv_sec * SPEED + nsec / 1000000000;
	ret->tv_nsec = nsec % 1000000000;
	return r;
}

/* Another machine has it for so long. Returns when it has. */
static pid_t hold(const struct device_host *host, unsigned seconds)
{
	int ready[2];
	char byte;
	CHECK_INT(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct lock lock = {};
		if (loan_lock(host, &lock, NULL) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		poll(NULL, 0, (int)seconds * 1000 / SPEED);
		lock_done(&lock);
		_exit(0);
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* A card may need a minute for its virtual functions. */
TEST(a_start_waits_for_another_one_that_makes_functions)
{
	scratch_begin();
	const struct device_host host = { .lock_dir = scratch_path("") };
	struct lock lock = {};
	struct error err = {};
	pid_t pid = hold(&host, 62);
	if (loan_lock(&host, &lock, &err) < 0)
		TEST_FAIL("%s", err.text);
	lock_done(&lock);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	scratch_end();
}

/* And not forever: systemd would end the hook, and nobody were told why. */
TEST(who_keeps_it_too_long_is_named)
{
	scratch_begin();
	const struct device_host host = { .lock_dir = scratch_path("") };
	struct lock lock = {};
	struct error err = {};
	pid_t pid = hold(&host, 100 * SPEED);
	CHECK_INT(loan_lock(&host, &lock, &err), -EBUSY);
	CLEANUP(freep) char *who = xasprintf("is held by process %d ('", pid);
	if (!strstr(err.text, who))
		TEST_FAIL("%s", err.text);
	kill(pid, SIGKILL);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	scratch_end();
}

TEST_MAIN()
