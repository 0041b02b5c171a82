/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places that units carry: the same whatever --root says, for a unit is written for the system that
 * it will run on.
 */
#pragma once

/* MACHINA_BINDIR comes from the build's prefix. */
#define PROGRAM_PATH MACHINA_BINDIR "/machina"
#define RUN_DIR "/run/machina"
