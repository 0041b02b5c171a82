/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of steps, for host/prepare/prepare-step.c: imperative, without a full stop. */
#pragma once

#include "model/plan.h"
#include "util/buf.h"

#define PREPARE_TEXT(name) void text_##name(const struct plan *plan, size_t i, struct buf *ret)

PREPARE_TEXT(forget);
PREPARE_TEXT(port);
PREPARE_TEXT(directory);
PREPARE_TEXT(peer);
PREPARE_TEXT(file);
PREPARE_TEXT(copy);
PREPARE_TEXT(run_dir);
PREPARE_TEXT(undo_run_dir);
PREPARE_TEXT(socket_dir);
PREPARE_TEXT(undo_socket_dir);
PREPARE_TEXT(tree);
PREPARE_TEXT(userns);
PREPARE_TEXT(state);
PREPARE_TEXT(undo_state);
PREPARE_TEXT(mdev);
PREPARE_TEXT(undo_mdev);
PREPARE_TEXT(undo_loans);
PREPARE_TEXT(lend);
PREPARE_TEXT(pci);
PREPARE_TEXT(usb);
PREPARE_TEXT(filter);
PREPARE_TEXT(undo_filter);
PREPARE_TEXT(undo_links);
PREPARE_TEXT(tap);
PREPARE_TEXT(undo_tap);
PREPARE_TEXT(macvtap);
PREPARE_TEXT(undo_macvtap);
PREPARE_TEXT(listen);
PREPARE_TEXT(undo_listen);
PREPARE_TEXT(listen_tcp);
PREPARE_TEXT(log);
PREPARE_TEXT(connect);
PREPARE_TEXT(credential);
PREPARE_TEXT(seed);
PREPARE_TEXT(vsock);
PREPARE_TEXT(emulator);
PREPARE_TEXT(vhost);
PREPARE_TEXT(store);
PREPARE_TEXT(undo_store);
