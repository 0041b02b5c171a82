/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variables in patterns: "${machine-name}-${volume}.raw", "$((5900 + ${employee-id} % 1000))".
 *
 *	$NAME		NAME: the longest run of ASCII letters, digits and '_'; or one of
 *			* # $ @ ! ? - 0..9 alone, so that "$12" is variable "1" and the text "2"
 *	${NAME}		NAME: everything up to the next '}', or one of the above alone
 *	${NAME:-TEXT}	TEXT when there is no such variable or it is empty. TEXT is taken as it
 *			stands up to the next '}' and may not hold '$'. A variable whose whole name
 *			is "NAME:-TEXT" wins.
 *	$((EXPR))	the value of EXPR after its variables are replaced: integers of 64 bits,
 *			+ - * / % and parentheses, as in C; all numbers are decimal, "010" is 10.
 *			A variable's value is put in as text: parentheses around it are the
 *			pattern's.
 *	${}		nothing
 *	${		nothing, when no '}' follows
 *	$		itself, before anything else and at the end
 *
 * Values are not expanded again. Without ":-" and "$((", this is Go's os.Expand, which the patterns
 * were written for, except that there an unknown variable is empty text and here it is an error.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct var {
	const char *name;
	const char *value; /* not NULL */
};

/*
 * What a pattern can see. The first row with a name counts: built-in variables stand before those
 * of the user, who cannot replace them.
 */
struct vars {
	const struct var *rows;
	size_t n;
};

/* The value, or NULL. */
const char *vars_find(const struct vars *vars, const char *name, size_t name_len) PURE;

/*
 * Append the expanded pattern to @ret, which is as it was after a failure.
 *
 * Errors (EINVAL): an unknown variable, bad arithmetic. The text names the pattern and the fault.
 */
MUST_CHECK int vars_expand(
		const struct vars *vars, const char *pattern, struct buf *ret, struct error *err);

/*
 * Expand the pattern of a TCP port: the result is a decimal number from 1 to 65535, with an
 * optional sign before it and nothing around it. Anything else is EINVAL.
 */
MUST_CHECK int vars_port(
		const struct vars *vars, const char *pattern, uint16_t *ret, struct error *err);
