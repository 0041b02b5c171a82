/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base64 (RFC 4648, section 4), the form of bytes in JSON.
 */
#pragma once

#include <stddef.h>

#include "util/buf.h"
#include "util/cleanup.h"

void base64_add(struct buf *out, const void *data, size_t len);

/*
 * Append what @text stands for: the whole of it, padded, without spaces.
 *
 * Returns 0 or -EINVAL; @out is as it was then.
 */
MUST_CHECK int base64_read(struct buf *out, const char *text, size_t len);
