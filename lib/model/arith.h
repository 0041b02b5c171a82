/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer arithmetic of "$((…))". Private to lib/model.
 */
#pragma once

#include <stdint.h>

#include "util/error.h"

/* Parentheses may be this deep: the evaluation calls itself. */
#define ARITH_DEPTH_MAX 64

/*
 * + - * / % and parentheses over decimal integers of 64 bits, with the precedence and the rounding
 * (towards zero) of C. Spaces and tabs may stand between them.
 *
 * Errors: EINVAL, for a bad form, a number or a result that does not fit and a division by zero.
 * The text says what is wrong; the caller adds where.
 */
MUST_CHECK int arith_eval(const char *text, int64_t *ret, struct error *err);
