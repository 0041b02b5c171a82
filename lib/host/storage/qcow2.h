/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a qcow2 image (QEMU's docs/interop/qcow2.txt), as far as it says what else the image
 * needs.
 */
#pragma once

#include <stdbool.h>

#include "util/cleanup.h"
#include "util/error.h"

/*
 * Is the file an image that stands alone? QEMU gets it as a descriptor and could not find the files
 * that an image names by path.
 *
 * @fd: readable, without O_DIRECT; read from its beginning, the position is left alone
 *
 * Errors: EINVAL: not qcow2, or of an unknown version; ENOTSUP: it has a backing file, keeps its
 * data in another file, or is encrypted. The caller says which image it is.
 */
MUST_CHECK int qcow2_check(int fd, struct error *err);

/* Does the file begin as an image does? */
bool qcow2_is_one(int fd);
