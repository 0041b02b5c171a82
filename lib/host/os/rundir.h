/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's directory at run time, "/run/machina/NAME": its sockets and its console's log.
 *
 * The directory of all machines may be entered by everyone (0755), a machine's own one and those
 * below by the operators' group (root:machina, 0750), or by their owner alone (0700) where there
 * is no such group. Modes are exact, whatever the umask says; links are never followed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"

/* For whom files and sockets are made. {}: for the owner alone. */
struct sharing {
	bool is_shared;
	gid_t group;
};

/* Make the parent of all machines' directories; one that exists is left as it is. */
MUST_CHECK int rundir_make_parent(const char *run_dir, struct error *err);

/*
 * Make the machine's directory @run_dir, which may exist, and its parent.
 *
 * Errors: those of mkdir(2) and open(2); ENOTDIR: something else, a link for instance, is there.
 */
MUST_CHECK int rundir_make(const char *run_dir, const struct sharing *sharing, struct error *err);

/* Make the directories between @run_dir and the last part of @path. Nothing if it is elsewhere. */
MUST_CHECK int rundir_make_for(const char *run_dir, const char *path, const struct sharing *sharing,
		struct error *err);

/*
 * Make a directory anew, and its parent, for a program that makes its sockets there by itself: what
 * RuntimeDirectory= gives to the user of a unit, with mode 0711. What was there is removed.
 */
MUST_CHECK int rundir_make_owned(const char *dir, uid_t uid, gid_t gid, struct error *err);

/*
 * Take such a directory from its program, which has its sockets by then, and could only fill the
 * file system there. Nothing where it is the caller's own; it may be missing.
 */
MUST_CHECK int rundir_take_over(const char *dir, struct error *err);

/* The parent of all machines' directories: "/run/machina". The caller frees it. */
char *rundir_parent(const char *run_dir);

/*
 * Remove the machine's directory and what is in it, except for the entries @keep
 * (NULL-terminated; NULL: none) and then the directory itself. It may be missing.
 */
MUST_CHECK int rundir_remove(const char *run_dir, const char *const *keep, struct error *err);
