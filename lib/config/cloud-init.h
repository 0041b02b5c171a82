/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's cloud-init is told. Format and meaning: machina-machine(5), made from
 * cloud_init_fields.
 */
#pragma once

#include "json/jbind.h"

/* In place of a rule: there is none. */
#define CLOUD_INIT_NO_SUDO "none"

struct cloud_init_conf {
	int enabled; /* a switch; -1: not set */
	const char *hostname;
	const char *instance_id;
	const char *user;
	const char *sudo; /* a rule, or CLOUD_INIT_NO_SUDO */
	struct jstrings groups;
	const char *shell;
	const char *password_hash_file; /* a pattern, as all paths of files are */
	struct jstrings ssh_authorized_keys;
	struct jstrings packages;
	bool upgrade;
	struct jstrings run;
	int network; /* a switch; -1: not set */
	/* Files of the user's own. */
	const char *user_data;
	const char *meta_data;
	const char *network_config;
	const char *vendor_data;
};

extern const struct field cloud_init_fields[];
