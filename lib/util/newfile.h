/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that others write (QEMU, through its descriptor) and that has its name only when it is
 * whole.
 *
 *	CLEANUP(newfile_done) struct newfile file = {};
 *	int r = newfile_open("web.core", false, &file, err);
 *	... write to file.fd ...
 *	r = newfile_commit(&file, err);
 *
 * Until then it is called ".NAME.tmp-PID-NUMBER" in the same directory. newfile_done() removes it;
 * what a killed process has left there is removed when the next one makes a file of that name.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "util/cleanup.h"
#include "util/error.h"

struct newfile {
	char *path, *temporary; /* NULL: there is none */
	int fd;			/* for writing; valid while temporary is set */
	bool replaces;
};

/*
 * For its owner alone (0600): it may hold what a guest has in memory, or passwords.
 *
 * @replaces: whether another file of that name may be replaced
 *
 * Errors: EEXIST: there is one, and it may not; those of open(2).
 */
MUST_CHECK int newfile_open(
		const char *path, bool replaces, struct newfile *ret, struct error *err);

/* It is whole: write it to the disk and give it its name. Errors: EEXIST as above. */
MUST_CHECK int newfile_commit(struct newfile *file, struct error *err);

/* All of it for data that is there already. Errors: as above; those of write(2). */
MUST_CHECK int newfile_write(
		const char *path, bool replaces, const void *data, size_t len, struct error *err);

void newfile_done(struct newfile *file);
