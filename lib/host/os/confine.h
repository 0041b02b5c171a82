/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up privileges for good, in a child between fork(2) and exec(3).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "host/os/account.h"
#include "util/cleanup.h"
#include "util/error.h"

struct confine {
	const struct account *user; /* to become; NULL: who we are */
	const gid_t *groups;	    /* supplementary ones, with @user only; NULL: none */
	size_t n_groups;
	int death_signal; /* when the parent ends: the change of the user has untied the child */
};

/*
 * Afterwards there is no capability in any set that execve(2) could draw from, none can be gained
 * (PR_SET_NO_NEW_PRIVS), new files are for their owner alone and the current directory is "/".
 *
 * Errors: those of setresuid(2) and others; EINVAL: the user namespace has no such user; ESRCH: the
 * parent has ended.
 */
MUST_CHECK int confine_self(const struct confine *confine, struct error *err);
