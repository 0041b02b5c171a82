/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall: its commands. */
#include "command.h"

extern const struct command cmd_firewall_show;
extern const struct command cmd_firewall_test;

static const struct command *const commands[] = {
	&cmd_firewall_show,
	&cmd_firewall_test,
	NULL,
};

const struct command cmd_firewall = {
	.name = "firewall",
	.group = GROUP_LOOK,
	.summary = "Look at the packet filter of machines",
	.description = "What the rules mean is told by machina-firewall(7).",
	.subcommands = commands,
};
