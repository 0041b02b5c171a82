/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a machine that runs has moved away from what is on disk: its config, and QEMU itself.
 */
#pragma once

#include "host/systemd/bus.h"
#include "qemu/argdiff.h"
#include "setup/built.h"

struct drift {
	struct argdiff diff; /* the running arguments against those of the config */
	char *replaced; /* a file that QEMU runs from and that is another one by now; "": none */
	/*
	 * It has something (a TPM, a share, the port of a screen) whose unit went with the config.
	 * While that is in use, generate leaves all units of the machine as they are: it has to be
	 * stopped before, and started after.
	 */
	bool has_to_stop;
	/* What the differences point to. */
	struct built built;
	struct plan plan;
	struct strv running;
};

void drift_done(struct drift *drift);

/*
 * @ret: released with drift_done() in every case
 *
 * Returns 0, 1 when there are findings in config->report, or a negative errno: EHOSTDOWN: the
 * machine does not run; those of reading /proc, which takes root.
 */
MUST_CHECK int drift_find(struct config *config, struct bus *bus, const char *machine,
		struct drift *ret, struct error *err);

/* The same of one whose QEMU is known to be @pid. */
MUST_CHECK int drift_compare(struct config *config, const char *machine, pid_t pid,
		struct drift *ret, struct error *err);

/*
 * The first file that a process runs from, its program or a library, that was removed or replaced
 * since it was loaded. The caller frees it.
 *
 * @ret: "": there is none, or one may not look, or it is systemd's own process yet
 */
void drift_find_replaced(pid_t pid, char **ret);
