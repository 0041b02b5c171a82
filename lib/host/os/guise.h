/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trying files as another user, before a program that runs as that user does.
 *
 *	CLEANUP(guise_done) struct guise guise = {};
 *	guise_put_on(&guise, &user, NULL);
 *	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
 *
 * With another identity for files (setfsuid(2)) the kernel leaves root's privileges over them aside
 * (capabilities(7)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/os/account.h"

struct guise {
	bool is_on;
	bool has_left; /* its own groups */
	gid_t *groups; /* the process's own */
	size_t n_groups;
};

/*
 * From now on files are opened as @user, with its group and no others but @group, if that is
 * not NULL and exists. A process that is not root stays itself; one that may not leave its groups
 * (user_namespaces(7)) keeps those.
 */
void guise_put_on(struct guise *guise, const struct account *user, const char *group);
void guise_done(struct guise *guise);
