/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units that this program has written, as they are on disk. */
#pragma once

#include "config/load.h"
#include "util/buf.h"

/*
 * Read a machine's unit on disk. @ret_path: where it is; the caller frees both.
 *
 * Errors: ENOENT: there is none; EINVAL: it is none of ours.
 */
MUST_CHECK int unit_load(const struct config_paths *paths, const char *pattern, const char *machine,
		char **ret_path, struct buf *ret_text, struct error *err);
