/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `machina copy` under way, and what it has programs of the guest do: chmod, mv, checksums.
 *
 * A guest need not have them, and its agent may be forbidden to run any.
 */
#pragma once

#include <sys/types.h>

#include "guest/guest.h"
#include "util/hash.h"

struct copy_options {
	bool force;
	bool quiet;
	bool recursive;
};

struct copying {
	const struct copy_options *options;
	struct guest guest;
	const char *guest_path; /* as given, or with the name that was missing */
	char *guest_path_made;
	const char *local_path; /* "-": a standard stream */
	uint64_t done_bytes;
	uint64_t total_bytes; /* 0: not known */
	uint64_t turn_usec;
	struct sha256 sum; /* of what went over */
};

/* From now on SIGINT, SIGTERM and SIGHUP end a copy at the next piece, so that nothing half is left
 * on either side; a second one, some time after the first, at once. */
void copy_stop_in_order(void);

/*
 * Until there is something to read, or the end: a pipe may keep us waiting for ever. Others have
 * the agent meanwhile.
 *
 * Errors: ECANCELED: by a signal; poll's.
 */
MUST_CHECK int copy_wait(struct copying *c, int fd, struct error *err);

/* So many bytes more are over: show it, let others have the agent, see whether to go on
 * (ECANCELED). */
MUST_CHECK int copy_advance(struct copying *c, size_t n, struct error *err);

/* For one answer of the guest, from now. */
uint64_t copy_deadline(void);

/* 0 for AGENT_DONE, a negative errno for an outcome that is a failure like any other. */
int copy_fails(int r, const struct error *err);

/*
 * @words: up to NULL; the first one is the program
 *
 * Returns 0 when it went well, 1 when it did not or may not be run, or a negative errno; @err says
 * why in both cases.
 */
MUST_CHECK int copy_run_in_guest(struct copying *c, const char *const *words, struct error *err);
/* Take away what was begun there, by rm with that option; what is left is told of. */
void copy_remove_in_guest(struct copying *c, const char *option, const char *path);
/* As copy_run_in_guest(), where both are failures. */
MUST_CHECK int copy_must_run(struct copying *c, const char *const *words, struct error *err);
/* And with what the program writes, all of it: E2BIG where that is more than the agent keeps. */
MUST_CHECK int copy_must_tell(
		struct copying *c, const char *const *words, struct buf *ret, struct error *err);

enum there { THERE_NOTHING, THERE_FILE, THERE_DIRECTORY };

/* What is at a path of the guest, found out without a program of its own. */
MUST_CHECK int copy_look_in_guest(
		struct copying *c, const char *path, enum there *ret, struct error *err);

/*
 * What a guest says of the length of what it has (total_bytes), and of the number of files, is held
 * against what there is room for.
 *
 * @fd: where it is to be written
 */
MUST_CHECK int copy_check_room(const struct copying *c, int fd, size_t n_files, struct error *err);

/* A name beside @path that nothing has. The caller frees it. */
MUST_CHECK int copy_temporary(const char *path, char **ret, struct error *err);

/*
 * Has the guest's file at @path the content that went over? Where the guest has no sha256sum, or
 * may run nothing, there is no telling. A log may have grown meanwhile.
 *
 * Errors: EIO: it has not; the connection's.
 */
MUST_CHECK int copy_compare(struct copying *c, const char *path, struct error *err);

/* The mode of the guest's file, as far as new files here may have it; without programs of the
 * guest, that of new files. */
mode_t copy_mode(struct copying *c);
