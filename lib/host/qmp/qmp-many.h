/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same questions to many QEMUs, side by side: it takes as long as the slowest of them and not
 * as long as all of them, and one that hangs costs no more than the deadline.
 *
 *	static const char *const commands[] = { "query-status", NULL };
 *	struct qmp_many items[] = { { .path = "/run/machina/web/qmp/..." }, ... };
 *	qmp_many_ask(items, n, commands, clock_deadline_usec(QMP_MANY_USEC));
 *	...
 *	qmp_many_done(items, n);
 *
 * Each monitor is taken for the time of these questions: other commands wait that long for it.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Commands in one call. */
#define QMP_MANY_COMMANDS_MAX 4
/* As long as a list may wait for a QEMU that does not answer. It does in a millisecond, but for one
 * on a host that is overloaded. */
#define QMP_MANY_USEC (2 * UINT64_C(1000000))

/* All empty but the first three. */
struct qmp_many {
	const char *path;     /* of a QMP socket; borrowed. NULL: is not asked */
	const char *occupied; /* it would not answer now, for this reason; borrowed. NULL: ask it */
	bool is_partial;      /* a command that QEMU refuses has no reply, and the others count */
	char *version;	      /* "7.2.22"; NULL: QEMU has not greeted */
	/* What the commands have returned, in their order: all or none of them, but for
	 * @is_partial. */
	struct json_object *replies[QMP_MANY_COMMANDS_MAX];
	bool is_answered;  /* they are there, ... */
	char *reason;	   /* ... else why they are not; NULL: it was not asked */
	bool is_late;	   /* ... since QEMU serves somebody else, or hangs */
	bool is_absent;	   /* ... since nobody listens: QEMU has ended, or not begun */
	bool is_forbidden; /* ... since this user may not ask */
};

/*
 * Fills the rest of each item. There are no errors: what can't be found out is a reason.
 *
 * @commands: without arguments, ended by NULL
 */
void qmp_many_ask(struct qmp_many *items, size_t n, const char *const *commands,
		uint64_t deadline_usec);

/*
 * The same in two parts, with other work between them.
 *
 * @items, @commands: borrowed until qmp_many_end()
 */
struct qmp_round;
struct qmp_round *qmp_many_begin(struct qmp_many *items, size_t n, const char *const *commands);
/* The answer of item @i is not wanted any more, and not waited for. */
void qmp_many_drop(struct qmp_round *round, size_t i);
/* Waits for the rest, and releases @round. */
void qmp_many_end(struct qmp_round *round, uint64_t deadline_usec);

/* Releases all but the paths. */
void qmp_many_done(struct qmp_many *items, size_t n);
