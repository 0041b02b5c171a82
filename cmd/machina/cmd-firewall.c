/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina firewall: its commands. */
#include "cli/command.h"

extern const struct command cmd_firewall_apply;
extern const struct command cmd_firewall_check;
extern const struct command cmd_firewall_counters;
extern const struct command cmd_firewall_hold;
extern const struct command cmd_firewall_show;
extern const struct command cmd_firewall_test;

static const struct command *const commands[] = {
	&cmd_firewall_show,
	&cmd_firewall_test,
	&cmd_firewall_check,
	&cmd_firewall_apply,
	&cmd_firewall_counters,
	&cmd_firewall_hold,
	NULL,
};

const struct command cmd_firewall = {
	.name = "firewall",
	.group = GROUP_LOOK,
	.summary = "Look at the packet filter of machines, and install it",
	.description = "machina-firewall(7) says what the rules mean.",
	.subcommands = commands,
};
