/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small file system as CDs have it (ISO 9660), for a few files that a guest is to read: one
 * directory. The names are there as they are (Rock Ridge), and in upper case for whoever knows
 * nothing of that.
 *
 * libisofs makes it, in memory: the library behind xorriso(1), loaded when the first one is made.
 *
 * Same files, same bytes: no time of today and nothing random is in it. In the guest all of it is
 * root's, and for root alone.
 */
#pragma once

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"

struct iso9660_file {
	const char *name; /* letters, digits, '-', '_', '.' */
	const void *data;
	size_t len;
};

/* The library can be loaded; otherwise ENOENT, and the text says which package has it. */
MUST_CHECK int iso9660_check(struct error *err);

/*
 * Append the file system to @ret.
 *
 * @label: of the volume, 32 characters at most
 *
 * Errors: those of iso9660_check(); ENOMEM; EIO: the library refuses, the text says what.
 */
MUST_CHECK int iso9660_write(const char *label, const struct iso9660_file *files, size_t n,
		struct buf *ret, struct error *err);
