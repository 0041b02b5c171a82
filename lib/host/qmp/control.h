/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simple commands to a guest that runs: hold it, let it run on, reset it, interrupt it.
 *
 * Each looks at the guest's state first (query-status) and is refused where it could do harm: a
 * guest that was saved or has moved away must not run a second time.
 */
#pragma once

#include <stdint.h>

#include "host/qmp/qmp.h"
#include "util/error.h"

enum control_verb {
	CONTROL_PAUSE,	/* stop */
	CONTROL_RESUME, /* cont; system_wakeup for a guest that sleeps */
	CONTROL_RESET,	/* system_reset; a guest that had failed runs afterwards */
	CONTROL_NMI,	/* inject-nmi */
};

enum control_outcome {
	CONTROL_DONE,
	CONTROL_WAS_SO, /* it stood still, or ran, already: nothing was done */
};

/*
 * Returns 0 with *ret set, or a negative errno: EBUSY the state forbids it, with a text that says
 * what can be done; EREMOTEIO QEMU refuses; those of qmp_call(). That @qmp is closed then or not
 * does not matter: nothing is done in halves.
 */
MUST_CHECK int control_guest(struct qmp *qmp, enum control_verb verb, uint64_t deadline_usec,
		enum control_outcome *ret, struct error *err);

/* What it would do, without doing it: CONTROL_DONE where it would. Errors as above. */
MUST_CHECK int control_check(struct qmp *qmp, enum control_verb verb, uint64_t deadline_usec,
		enum control_outcome *ret, struct error *err);
