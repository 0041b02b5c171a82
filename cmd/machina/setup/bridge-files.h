/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of systemd-networkd for bridges of networks of mode "bridge": what is configured, what
 * the files that are there carry, what the command line says and the host has, put together.
 *
 *	struct bridge_files files = { .config = &config, .set = &set, .request = &request };
 *	int r = bridge_files_select(&files, &networks, err);
 *	if (r == 0)
 *		r = bridge_files_decide(&files, "/sys", err);
 *	if (r == 0)
 *		r = bridge_files_make(&files, on_units, data, err);
 */
#pragma once

#include "setup/host-config.h"
#include "setup/unitset.h"
#include "unit/networkd.h"

/* What the command line says; NULL and empty: nothing. */
struct bridge_request {
	const char *uplink; /* "none" for no uplink */
	const char *mac;
	struct strv addresses; /* "none" for none */
	struct strv gateways;
	struct strv dns;
};

/* A bridge that has files, or is asked for. */
struct bridge_file {
	const char *name;
	bool is_asked;
	bool has_files;
	struct networkd_choice choice;
};

struct bridge_files {
	struct config *config;
	const struct bridge_request *request;
	struct unitset *set; /* of the directory of these files */
	struct bridge_file *items;
	size_t n, n_alloc;
	struct strv unused; /* bridges with files, but of no network */
};
void bridge_files_done(struct bridge_files *files);

/*
 * Find the bridges of networks by their names; without names, those that have files already.
 *
 * Errors: ENOENT for a network that is not configured, EINVAL for one of another mode.
 */
MUST_CHECK int bridge_files_select(
		struct bridge_files *files, const struct strv *networks, struct error *err);

/*
 * Settle what each bridge is to be. What nobody has said follows from the host as it is: a bridge
 * takes over the MAC address, the addresses and the routes of its uplink.
 *
 * @sys: "/sys"; NULL: nothing of the running system is looked at
 *
 * Errors: EINVAL for what can't be, or would cut an interface off that nobody has mentioned.
 */
MUST_CHECK int bridge_files_decide(struct bridge_files *files, const char *sys, struct error *err);

/* Make the files, and have those removed that belong no more. Findings go to the config's report.
 */
MUST_CHECK int bridge_files_make(struct bridge_files *files,
		int (*add)(void *data, struct units *units, struct error *err), void *data,
		struct error *err);
