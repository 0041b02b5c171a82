/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small file system as CDs have it (ISO 9660, ECMA-119), for a few files that a guest is to read:
 * one directory, each file in one piece. The names are there as they are (Rock Ridge, IEEE P1282),
 * and in upper case for whoever knows nothing of that.
 *
 * Same files, same bytes: no time and nothing random is in it. In the guest all of it is root's,
 * and for root alone.
 */
#pragma once

#include "util/buf.h"

#define ISO9660_FILES_MAX 8
#define ISO9660_NAME_MAX 30
#define ISO9660_LABEL_MAX 32

struct iso9660_file {
	const char *name; /* letters, digits, '-', '_', '.' */
	const void *data;
	size_t len; /* less than 2^32 */
};

/* Append the file system to @ret. @label: of the volume */
void iso9660_write(const char *label, const struct iso9660_file *files, size_t n, struct buf *ret);
