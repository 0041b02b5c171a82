/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with two connections to bridges, for tests of what its guest tells of them. */
#pragma once

#include "model/plan.h"

static struct plan_fd sample_taps[] = {
	{ .kind = PLAN_FD_TAP,
			.name = "net.0",
			.mac = "52:54:00:00:00:01",
			.connection = "lan",
			.network = "home",
			.bridge = "br0" },
	{ .kind = PLAN_FD_TAP,
			.name = "net.1",
			.mac = "52:54:00:00:00:0A",
			.connection = "dmz",
			.network = "dmz",
			.bridge = "br1" },
};
static const struct plan sample_plan = {
	.machine = "web",
	.fds = sample_taps,
	.n_fds = sizeof(sample_taps) / sizeof(sample_taps[0]),
};
