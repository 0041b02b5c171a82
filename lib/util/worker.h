/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that is done in processes of its own, beside this one's, each with a copy of all that this
 * one knows.
 *
 *	struct worker w;
 *	worker_start(&w, build_half, &half);
 *	... the other half ...
 *	if (worker_finish(&w, &result) == 0)
 *		... it could not: that half is done here, too ...
 *
 * There is no error to report: whatever went wrong, the work can still be done here, and that is
 * where what it has to say is told.
 */
#pragma once

#include <sys/types.h>

#include "util/buf.h"

struct worker {
	pid_t pid; /* 0: none was started */
	int fd;	   /* a file in memory for the result */
};

/*
 * In the process: do the work. What it adds to @result goes to the process that started it; false
 * if that is to do the work itself. It must neither print nor leave anything behind then.
 */
typedef bool worker_function(void *context, struct buf *result);

/* The process goes when this one is killed. Where none can be started, worker_finish() says so. */
void worker_start(struct worker *w, worker_function *function, void *context);

/* Wait for its end. Returns 1 with the result added to @ret, or 0 if there is none. */
MUST_CHECK int worker_finish(struct worker *w, struct buf *ret);

/* How many processes can work at once. */
unsigned worker_cpus(void);
