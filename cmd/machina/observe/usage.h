/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What machines use at the moment: memory of the guests, and rates over a fifth of a second. */
#pragma once

#include "config/load.h"
#include "host/machine/sample.h"
#include "util/strv.h"

struct json_object;

struct usage {
	struct rates rates;
	uint64_t guest_bytes; /* that its balloon leaves it; 0: it has none */
};

/*
 * Takes that fifth of a second, for all of them together. What can't be found out is not in it.
 *
 * @ret: one for each machine
 */
void usage_measure(
		const struct config_paths *paths, const struct strv *machines, struct usage *ret);

/* "processor 12 %, disk 1.5 MiB/s read, ..."; the caller frees it. */
char *usage_text(const struct usage *usage);
struct json_object *usage_json(const struct usage *usage);
