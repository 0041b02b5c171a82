/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For LD_PRELOAD: a program that runs after the host's clock was put forward by some hours. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HOURS 5

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (syscall(SYS_clock_gettime, clock, ret) < 0)
		return -1;
	if (clock == CLOCK_REALTIME)
		ret->tv_sec += (time_t)HOURS * 60 * 60;
	return 0;
}
