/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other commands have to know of a host that is drained (host/drained.h).
 */
#pragma once

#include <stdbool.h>

#include "config/load.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * Does a drain that saves stop machines at the moment? It is over when its process ends, whatever
 * has ended that: what stops after it is shut down.
 */
bool drain_saves(const struct config_paths *paths);

/* Say so on standard error, if it is. */
void drain_note(const struct config_paths *paths);

/*
 * For what undrain would overwrite: 0, or a failure if the host is drained.
 *
 * @what: "enable"
 */
MUST_CHECK int drain_refuse(const struct config_paths *paths, const char *what, struct error *err);
