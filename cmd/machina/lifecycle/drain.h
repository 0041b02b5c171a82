/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other commands have to know of a host that is drained (host/machine/drained.h).
 */
#pragma once

#include <stdbool.h>

#include "config/load.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * Does a drain that saves stop this machine at the moment? It is over when its process ends,
 * whatever has ended that: what stops after it is shut down. So is what is not the drain's to save:
 * a machine that a cluster manager stops may be started on another host.
 */
bool drain_saves(const struct config_paths *paths, const char *machine);

/* Say so on standard error, if it is. */
void drain_note(const struct config_paths *paths);

/*
 * For what undrain would overwrite: 0, or a failure if the host is drained.
 *
 * @what: "enable"
 */
MUST_CHECK int drain_refuse(const struct config_paths *paths, const char *what, struct error *err);
