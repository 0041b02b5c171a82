/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina network: its commands. */
#include "cli/command.h"

extern const struct command cmd_network_list;
extern const struct command cmd_network_generate;

static const struct command *const commands[] = {
	&cmd_network_list,
	&cmd_network_generate,
	NULL,
};

const struct command cmd_network = {
	.name = "network",
	.group = GROUP_LOOK,
	.summary = "Look at networks, and have systemd-networkd make bridges",
	.description = "machina-network(5) describes networks.",
	.subcommands = commands,
};
