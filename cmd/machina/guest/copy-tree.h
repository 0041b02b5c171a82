/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of `machina copy --recursive`, with all that is in them.
 *
 * On both sides a directory of another name is filled, which nobody else may enter, and gets its
 * name and mode when all is there: a copy that is stopped leaves nothing, one that is killed
 * NAME and a suffix. What is there is not replaced.
 */
#pragma once

#include "guest/copying.h"

/* What the calls return, as they are no failures: some entries may have been left out, which has
 * been told (sockets, pipes, devices, and links out of a guest that lead elsewhere). */
enum { COPY_DONE = 0, COPY_INCOMPLETE = 1 };

/* c->guest_path is a directory of the guest, c->local_path is to become one. */
MUST_CHECK int copy_tree_out(struct copying *c, struct error *err);

/* @root_fd is a directory of this host, c->guest_path is to become one, and is not there. */
MUST_CHECK int copy_tree_in(struct copying *c, int root_fd, struct error *err);
