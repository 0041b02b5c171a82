/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of a guest, in a file for crash(8) and gdb(1) (dump-guest-memory in the QEMU QMP
 * Reference Manual). The guest stands still while QEMU writes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/qmp/qmp.h"

/* QEMU's names. Only ELF goes to a pipe. */
enum dump_format { DUMP_ELF, DUMP_KDUMP_ZLIB, DUMP_KDUMP_LZO, DUMP_KDUMP_SNAPPY, DUMP_WIN };
extern const char *const dump_format_names[]; /* with an end of NULL */

struct dump_request {
	int fd; /* where to; borrowed */
	enum dump_format format;
	/* How far it is; may be NULL. */
	void (*progress)(void *data, uint64_t done_bytes, uint64_t total_bytes);
	/* Is not waited for any more? May be NULL. QEMU can't be stopped: it writes to the end. */
	bool (*is_canceled)(void *data);
	void *data;
};

/*
 * Returns 0 when all is written, or a negative errno: ENOTSUP: this QEMU or guest has no such
 * format, with those that it has; EREMOTEIO: QEMU could not write it, with its reason; ECANCELED;
 * ETIMEDOUT: nothing moves; those of qmp_call().
 */
MUST_CHECK int dump_guest(struct qmp *qmp, const struct dump_request *request, struct error *err);

/* Only whether it could: ENOTSUP as above; EBUSY: another dump is being written. */
MUST_CHECK int dump_check(struct qmp *qmp, enum dump_format format, struct error *err);
