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

/* The names of events that have a sentence, one a call, in byte order; NULL: there are no more.
 * @cursor: 0 at first; kept between the calls */
const char *event_text_name(size_t *cursor);

/* Append "the guest shuts down". @data: NULL for none */
void event_text(const char *name, struct json_object *data, struct buf *text);
