/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places that units carry: the same whatever --root says, for a unit is written for the system that
 * it will run on.
 */
#pragma once

/* This program, below the prefix that it was built for. */
extern const char program_path[];

#define RUN_DIR "/run/machina"
