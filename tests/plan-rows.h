/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan from rows as they stand in units, for what a scratch directory (scratch.h) holds. */
#pragma once

#include <string.h>

#include "model/plan.h"
#include "scratch.h"
#include "test.h"
#include "util/mem.h"
#include "util/strv.h"

/* @rows: up to NULL; with DIR for the scratch directory and _ for a blank */
static inline void plan_of_rows(struct plan *plan, const char *const *rows)
{
	struct error err = {};
	*plan = (struct plan){};
	for (const char *const *row = rows; *row; row++) {
		CLEANUP(strv_done) struct strv words = {};
		CLEANUP(freep) char *copy = xstrdup(*row);
		char *rest = copy;
		for (char *word; (word = strsep(&rest, " "));) {
			const char *at = strstr(word, "DIR");
			for (char *c = word; *c; c++)
				*c = *c == '_' ? ' ' : *c;
			if (at)
				strv_pushf(&words, "%.*s%s%s", (int)(at - word), word, scratch_dir,
						at + 3);
			else
				strv_push(&words, word);
		}
		if (plan_parse_row(plan, &words, &err) < 0)
			TEST_FAIL("%s: %s", *row, err.text);
	}
	if (plan_parse_end(plan, &err) < 0)
		TEST_FAIL("%s", err.text);
}
