/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where each value of a merged machine came from: the file, line and tag that set it, and what it
 * overrode.
 */
#pragma once

#include "model/vm.h"

enum explain_source {
	EXPLAIN_SET,	 /* a file says so */
	EXPLAIN_DERIVED, /* made from the machine's id and names */
	EXPLAIN_DEFAULT, /* no file says so */
	EXPLAIN_FOLLOWS, /* something else of the machine needs it, whatever files say */
};

/* One statement of a file about a value. */
struct explain_origin {
	struct where at;   /* the file's name is borrowed from the machine's or host's documents */
	const char *label; /* "machine web", "tag desk" */
	const char *chain; /* "machine web, tag desk, tag base" */
	const char *pointer; /* in that file */
	const char *value;   /* as JSON */
	bool counts;	     /* the value is as it is because of this one */
	bool removes;	     /* a list entry with "remove": true: it took the others away */
	bool ignored;	     /* it is written, but such a value counts as absent (0, "") */
};

struct explain_entry {
	const char *pointer; /* in the merged machine */
	const char *value; /* as JSON; for EXPLAIN_DEFAULT a description of the default; NULL for a
			      removed entry */
	enum explain_source source;
	const char *because; /* EXPLAIN_FOLLOWS: of what, as "share \"work\""; else NULL */
	/* EXPLAIN_SET: the one that counts first. Then what lost or does not count. */
	struct explain_origin *origins;
	size_t n_origins;
	bool foreign;	 /* qemu-args: not understood, only passed on */
	const char *doc; /* what the key means; borrowed, NULL for keys that the user makes up */
};

struct explanation {
	struct arena arena;
	/* In the order of the merged machine; then those of which no file says anything, and
	 * removed ones. */
	struct explain_entry *items;
	size_t n;
	size_t n_alloc;
};

void explanation_done(struct explanation *e);

/*
 * @vm: built from @machine, maybe with findings
 * @pointer: only what is at or below it; "" for all. A key that may be set and is not gives one
 * EXPLAIN_DEFAULT entry when @pointer names it.
 *
 * Returns 0, or -ENOENT when @pointer is no place of a machine.
 */
MUST_CHECK int explain_machine(const struct machine *machine, const struct vm *vm,
		const char *pointer, struct explanation *ret, struct error *err);
