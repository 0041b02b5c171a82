/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the units of networks call: machina prepare network, machina teardown --network. */
#pragma once

#include "cli/command.h"

extern const struct command cmd_prepare_network;

/* @dry_run: only say what would be done. Returns 0 or a negative errno. */
MUST_CHECK int teardown_network(
		const struct call *call, const char *name, bool dry_run, struct error *err);
