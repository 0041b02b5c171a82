/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina gen-id, gen-mac, gen-wwn: random identifiers to put into a config file. */
#include <stdio.h>

#include "cli/command.h"
#include "model/ident.h"
#include "util/parse.h"

static int gen_id_run(const struct call *call, struct error *err)
{
	(void)call;
	uint8_t uuid[16];
	int r = ident_random_uuid(uuid, err);
	if (r < 0)
		return r;
	char text[UUID_TEXT_MAX];
	format_uuid(uuid, text);
	puts(text);
	return STATUS_DONE;
}

static int gen_mac_run(const struct call *call, struct error *err)
{
	(void)call;
	char mac[MAC_TEXT_MAX];
	int r = ident_random_mac(mac, err);
	if (r < 0)
		return r;
	puts(mac);
	return STATUS_DONE;
}

static int gen_wwn_run(const struct call *call, struct error *err)
{
	(void)call;
	char wwn[IDENT_WWN_MAX];
	int r = ident_random_wwn(wwn, err);
	if (r < 0)
		return r;
	puts(wwn);
	return STATUS_DONE;
}

const struct command cmd_gen_id = {
	.name = "gen-id",
	.group = GROUP_TOOLS,
	.summary = "Make up a machine id (a random UUID)",
	.description = "A machine's other identifiers are derived from its id and its name, so "
		       "that a machine needs no more than this one.",
	.run = gen_id_run,
};

const struct command cmd_gen_mac = {
	.name = "gen-mac",
	.group = GROUP_TOOLS,
	.summary = "Make up a MAC address",
	.description = "For a connection whose address is not to be derived.",
	.run = gen_mac_run,
};

const struct command cmd_gen_wwn = {
	.name = "gen-wwn",
	.group = GROUP_TOOLS,
	.summary = "Make up a World Wide Name for a volume",
	.description = "For a volume whose name is not to be derived.",
	.run = gen_wwn_run,
};
