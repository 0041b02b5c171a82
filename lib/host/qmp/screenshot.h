/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A picture of a guest's screen, as PNG (screendump in the QEMU QMP Reference Manual).
 */
#pragma once

#include <stdint.h>

#include "host/qmp/qmp.h"
#include "util/buf.h"

struct screenshot {
	const char *device; /* id of a display device; NULL: the first screen */
	int head;	    /* of the device */
};

/* Larger ones are refused: one of 8192 x 8192 pixels is smaller. */
#define SCREENSHOT_SIZE_MAX ((size_t)256 << 20)

/*
 * @ret: the PNG, appended
 * @ret_width, @ret_height: as the PNG says
 *
 * Errors: EREMOTEIO: QEMU refuses: there is no such device or head, or no screen at all; EPROTO:
 * what it has written is no PNG; EFBIG.
 */
MUST_CHECK int screenshot_take(struct qmp *qmp, const struct screenshot *what,
		uint64_t deadline_usec, struct buf *ret, uint32_t *ret_width, uint32_t *ret_height,
		struct error *err);
