/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What works but could surprise, and what the running system lacks for a machine to start.
 */
#pragma once

#include "setup/built.h"

/* Add advice to config->report. @built: made to its units, without findings. */
void advise(const struct built *built, struct config *config);
