/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a person before something that can't be undone. */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"

/*
 * Ask on the terminal, and take nothing but "y" or "yes" for a yes.
 *
 * @question: without the question mark
 *
 * Returns 1 for yes, 0 for no, or a negative errno: ENOTTY: there is nobody to ask, with a text
 * that names --yes.
 */
MUST_CHECK int confirm(const char *question, struct error *err);
