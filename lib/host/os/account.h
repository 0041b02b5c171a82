/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups by name, those included that systemd makes up for a running unit (DynamicUser=,
 * systemd.exec(5)).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"

/* Where PID 1 answers questions about dynamic users (User/Group Record Lookup API via Varlink). */
#define ACCOUNT_DYNAMIC_SOCKET "/run/systemd/userdb/io.systemd.DynamicUser"

/* The group of those who may talk to machines. */
#define ACCOUNT_OPERATORS "machina"

struct account {
	uid_t uid;
	gid_t gid;
};

/*
 * The user of a unit: asks systemd itself, so that libnss-systemd need not be installed, then the
 * user database. A dynamic user exists while its unit is starting, up or stopping.
 *
 * Errors: ESRCH: no such user.
 */
MUST_CHECK int account_find(const char *user, struct account *ret, struct error *err);

/* Only the second half of that. @socket: ACCOUNT_DYNAMIC_SOCKET, or another one that answers. */
MUST_CHECK int account_find_dynamic(
		const char *socket, const char *user, struct account *ret, struct error *err);

/*
 * The group that sockets of machines are given to: ACCOUNT_OPERATORS. Returns 0, or 1 if there is
 * no such group or this process is not root: files are for their owner alone then.
 */
int account_operators(gid_t *ret);

/*
 * A user for a process that systemd does not run, in place of the one that it would make up: a
 * number that follows from the name @user and that nobody else on the host has. It is in no
 * database, and nothing may be left to it when the process has ended.
 *
 * 0x70000000 to 0x70ffffff lie between the numbers of containers and those that are not safe to
 * use (systemd's UIDS-GIDS.md). Where this process's user namespace has no such numbers, as in many
 * containers, it is "nobody".
 *
 * Errors: those of reading /proc/self/uid_map.
 */
MUST_CHECK int account_make_up(const char *user, struct account *ret, struct error *err);

/* Is there such a user or group, by the text of /proc/self/uid_map or gid_map (user_namespaces(7))?
 */
PURE bool account_map_has(const char *map, uint32_t id);
