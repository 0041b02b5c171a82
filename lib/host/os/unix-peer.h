/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is connected to a listening unix socket: for the message when a server that serves one
 * client at a time does not answer.
 */
#pragma once

#include <stdbool.h>

#include "util/buf.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Append a "comm (pid N)" for each process but this one that holds the client's end of a connection
 * that was accepted at @path (as bound, byte for byte).
 *
 * Asks the kernel (sock_diag(7), UDIAG_SHOW_PEER) and looks through /proc, which shows processes of
 * other users to root only; clients in network namespaces other than ours and the host's are not
 * seen. Cost: some milliseconds, meant for messages. Nothing found is no error.
 */
MUST_CHECK int unix_peer_list(const char *path, struct strv *ret_processes);

/*
 * How a server that takes one client at a time stands.
 *
 * @own_fd: a connection of ours to it, or -1
 * @ret_others: how many other connections it has accepted that are still there
 * @ret_is_served: has it accepted ours?
 *
 * Works for every user, but for clients in other network namespaces as above.
 */
MUST_CHECK int unix_peer_look(const char *path, int own_fd, size_t *ret_others, bool *ret_is_served,
		struct error *err);

/* The same for messages: append "socat (pid 12), qemu-ga (pid 13)", or nothing. */
void unix_peer_text(const char *path, struct buf *to);
