/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two argument vectors of one machine, compared as QEMU reads them: by device and key. The order of
 * options and keys and the numbers of descriptors don't count; a descriptor is what its plan says:
 * a file its path, a connection also where it leads to.
 */
#pragma once

#include "model/plan.h"
#include "util/strv.h"

struct argdiff_side {
	const struct strv *argv; /* the program first */
	const struct plan *plan; /* whose descriptors it names */
};

struct argdiff_item {
	const char *option; /* "-device"; "" for the program itself */
	const char *name;   /* "nic.0"; "" where there is one of the kind, or it has no name */
	const char *driver; /* "virtio-net-pci"; "" */
	const char *key;    /* NULL: the whole option was added or removed */
	/* The value, or all keys of the option; NULL: there is none on this side */
	const char *before, *after;
};

struct argdiff {
	struct arena arena;
	struct argdiff_item
			*items; /* in the order of the options, those of @after that are new last */
	size_t n;
};

void argdiff_done(struct argdiff *diff);

/* "${NAME}" in @after, which systemd replaces when the machine starts, is equal to anything. */
void argdiff_make(const struct argdiff_side *before, const struct argdiff_side *after,
		struct argdiff *ret);
