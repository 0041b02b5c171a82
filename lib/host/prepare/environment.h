/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU's arguments leave open until a machine starts: variables, in the file "environment" of
 * the machine's run directory, which its unit reads before QEMU is started (systemd.exec(5),
 * "EnvironmentFile=").
 */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Add a line "NAME=value" in the form that systemd reads there; it replaces an earlier one of that
 * name. A line feed at its end does not count.
 */
MUST_CHECK int environment_put(const char *run_dir, const char *line, struct error *err);

/* Remove the file. Succeeds where there is none. */
MUST_CHECK int environment_clear(const char *run_dir, struct error *err);

/* Replace "${NAME}" in @argv by the value of each variable that the file has, taken as it stands.
 */
MUST_CHECK int environment_expand(const char *run_dir, struct strv *argv, struct error *err);
