/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands that write units print of them.
 */
#pragma once

#include "setup/unitset.h"

struct json_object;

/* Units that are shown instead of written. */
struct unit_preview {
	size_t n;
	struct json_object *json; /* unit -> text; NULL: they are printed at once */
};
void unit_preview_done(struct unit_preview *preview);
void unit_preview_add(struct unit_preview *preview, const struct units *units);

/* A line for each unit; @dry: of what would be done. */
void unitset_print(const struct unitset *set, bool dry);
/* { "written": [ "machina-qemu-web.service" ] } */
void unitset_print_json(const struct unitset *set);
