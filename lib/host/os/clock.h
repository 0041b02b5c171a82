/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points in time for calls that must end: a deadline is a time of CLOCK_MONOTONIC in microseconds.
 *
 * A deadline, unlike a timeout, can be handed down through any number of calls.
 */
#pragma once

#include <poll.h>
#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define NSEC_PER_SEC UINT64_C(1000000000)
/* A deadline that never comes. */
#define DEADLINE_NEVER UINT64_MAX

static inline uint64_t clock_timespec_usec(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * USEC_PER_SEC + (uint64_t)ts->tv_nsec / 1000;
}

static inline uint64_t clock_timespec_nsec(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * NSEC_PER_SEC + (uint64_t)ts->tv_nsec;
}

static inline uint64_t clock_now_usec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return clock_timespec_usec(&ts);
}

/* CLOCK_REALTIME, for comparison with times that others tell: it may be set. */
static inline uint64_t clock_real_usec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return clock_timespec_usec(&ts);
}

/* @time_usec + @span_usec; a sum that does not fit is DEADLINE_NEVER. */
static inline uint64_t clock_add_usec(uint64_t time_usec, uint64_t span_usec)
{
	return span_usec > DEADLINE_NEVER - time_usec ? DEADLINE_NEVER : time_usec + span_usec;
}

static inline uint64_t clock_deadline_usec(uint64_t timeout_usec)
{
	return clock_add_usec(clock_now_usec(), timeout_usec);
}

/* poll(2) until a deadline; one in the past looks without waiting. Returns what poll returns. */
static inline int clock_poll(struct pollfd *fds, nfds_t n_fds, uint64_t deadline_usec)
{
	if (deadline_usec == DEADLINE_NEVER)
		return poll(fds, n_fds, -1);

	uint64_t now = clock_now_usec(), left = deadline_usec > now ? deadline_usec - now : 0;
	struct timespec ts = {
		.tv_sec = (time_t)(left / USEC_PER_SEC),
		.tv_nsec = (long)(left % USEC_PER_SEC) * 1000,
	};
	return ppoll(fds, n_fds, &ts, NULL);
}

/* Between two looks at what tells nobody of its end; a signal ends it early. */
static inline void clock_pause(uint64_t span_usec)
{
	clock_poll(NULL, 0, clock_deadline_usec(span_usec));
}
