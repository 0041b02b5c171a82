/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For whom, and where, the host is prepared: host/prepare/prepare.h, host/prepare/connect.h. */
#pragma once

#include "firewall/policy.h"
#include "host/os/account.h"

struct firewall_others;

/* {}: the host that this process runs on, nobody is told. */
struct prepare_options {
	/* Value of $NOTIFY_SOCKET: where descriptors go; or NULL */
	const char *notify_socket;

	/*
	 * Without systemd: who will run the program; NULL: this process's own user. Borrowed. The
	 * unit's user is asked for by its name.
	 */
	const struct account *account;

	/* The host's groups and sets, for the filters of the plan's connections; NULL: those of a
	 * host that has none. Borrowed. */
	const struct fw_policy *policy;
	/* Of the host's network, with it. Borrowed; NULL: there are no other machines. */
	const struct firewall_others *others;

	/*
	 * What the unit's EnvironmentFile= is to hold where VHOST descriptors could be opened;
	 * NULL: nothing.
	 */
	const char *vhost_environment;
	/* The same in any case, "NAME=value" and a line feed; the other one is in its place then.
	 */
	const char *environment;

	/* Called before each step, and before each step is undone, with its line; may be NULL. */
	void (*on_step)(void *data, const char *line);
	void *data;

	/* Other places of the host, for tests: NULL is "/sys", "/dev", "/proc", "/proc/1/ns/net".
	 */
	const char *sys;
	const char *dev;
	const char *proc;
	const char *netns;
};
