/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which tags a machine inherits from, and in which order. Private to lib/config.
 */
#pragma once

#include "config/load.h"

/*
 * Fill @machine->layers: the machine's file, then its tags, depth-first, each where it comes
 * first. Unknown tags and cycles become findings; a layer of which nothing is known stands for
 * them, and is the last one. @machine->doc has been checked.
 */
void tags_resolve(const struct host *host, struct machine *machine, struct report *report);
