/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other commands have to know of a host that is drained (host/drained.h).
 */
#pragma once

#include "config/load.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Where the record is. The caller frees it. */
char *drain_dir(const struct config_paths *paths);

/* Say so on standard error, if it is. */
void drain_note(const struct config_paths *paths);

/*
 * For what undrain would overwrite: 0, or a failure if the host is drained.
 *
 * @what: "enable"
 */
MUST_CHECK int drain_refuse(const struct config_paths *paths, const char *what, struct error *err);
