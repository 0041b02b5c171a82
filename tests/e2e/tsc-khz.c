/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tsc-khz: how many thousand ticks of the processor's time stamp counter a second has, for a
 * guest's kernel (tsc_early_khz=). Under TCG it has the host's counter, and measures it against a
 * timer that QEMU emulates: on a busy host that has gone wrong by a factor of 14.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
	uint64_t nsec, ticks;
};

static uint64_t now_nsec(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Of many readings the one in which the least came between clock and counter. */
static struct moment read_both(void)
{
	struct moment best = {};
	uint64_t least = UINT64_MAX;
	for (int i = 0; i < 200; i++) {
		uint64_t before = now_nsec(), ticks = __rdtsc(), spent = now_nsec() - before;
		if (spent >= least)
			continue;
		least = spent;
		best = (struct moment){ before + spent / 2, ticks };
	}
	return best;
}

int main(void)
{
	const struct timespec wait = { .tv_nsec = 20000000 };
	struct moment first = read_both();
	nanosleep(&wait, NULL);
	struct moment last = read_both();
	double khz = (double)(last.ticks - first.ticks) * 1e6 / (double)(last.nsec - first.nsec);
	printf("%.0f\n", khz);
	return 0;
}
