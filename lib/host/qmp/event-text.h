/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's events as sentences for people. Pure.
 *
 * Names and data: QEMU QMP Reference Manual. What has no row here, as of a newer QEMU, is told by
 * its name and its data.
 */
#pragma once

#include <json-c/json_object.h>

#include "util/buf.h"

/* Append "the guest shuts down". @data: NULL for none */
void event_text(const char *name, struct json_object *data, struct buf *text);
