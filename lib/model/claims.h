/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only one machine of a host can have: an id, a MAC address, a port, a volume to write. Two
 * that claim the same one would disturb each other only once both run, and by then quietly.
 *
 *	CLEANUP(claims_done) struct claims claims = {};
 *	for each machine:
 *		claims_add(&claims, &vm, selected);
 *	claims_check(&claims, &paths, &host, &report);
 *
 * A claim is kept as a few bytes, for a host has thousands of them; the two files of a conflict are
 * read once more to tell where it is.
 */
#pragma once

#include "model/vm.h"

struct claim {
	uint64_t hash;	  /* of kind and value */
	uint32_t machine; /* index in names */
	bool shared;	  /* stands only against one that is not: a file that is read, an
			     interface that is not taken over */
};

struct claims {
	struct strv names;
	bool *selected; /* one for each name */
	size_t n_selected_alloc;
	struct claim *items;
	size_t n;
	size_t n_alloc;
};

void claims_done(struct claims *claims);

/*
 * Add all that a machine claims. Nothing of @vm is kept.
 *
 * @selected: a conflict is reported only when one of its machines is
 */
void claims_add(struct claims *claims, const struct vm *vm, bool selected);

/*
 * What another process has added, as bytes that the same program reads: claims_unpack() adds it to
 * what is there, as if it had been added here, and returns what follows it in @from.
 */
void claims_pack(const struct claims *claims, struct buf *to);
const char *claims_unpack(struct claims *claims, const char *from);

/*
 * Report each claim that another one stands against, at its own place, naming the other's file,
 * line and column. A machine can stand against itself (two connections with one MAC).
 *
 * A machine that can't be read any more is passed over.
 */
void claims_check(struct claims *claims, const struct config_paths *paths, const struct host *host,
		struct report *report);
