/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection's packet filter in a plan: its rows, and back. Private to lib/model.
 *
 *	filter name=net.0 group=web any=yes machine-in=drop guard=mac guard=address ip=192.0.2.5
 *	rule direction=in action=accept protocol=6 port=22 address=192.0.2.0/24 origin=vm #1
 *
 * A filter row is followed by its rules.
 */
#pragma once

#include "model/plan.h"

/* In front of "-in=" and "-out=". */
extern const char *const plan_filter_levels[N_FW_LEVELS];
/* The values of "guard": switches, and by enum fw_guard_address, whose first has no word. */
struct plan_guard_word {
	const char *name; /* NULL ends the table */
	size_t offset;	  /* of a bool in struct fw_guard */
};
extern const struct plan_guard_word plan_guard_words[];
extern const char *const plan_guard_address_words[];

/* Add the rows of all filters. */
void plan_put_filter_rows(const struct plan *plan, struct buf *rows);

/* Errors: EINVAL, as plan_parse_row(). */
MUST_CHECK int plan_filter_parse(struct plan *plan, const struct strv *words, struct error *err);
MUST_CHECK int plan_filter_parse_rule(
		struct plan *plan, const struct strv *words, struct error *err);
