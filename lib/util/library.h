/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that are loaded when they are needed (dlopen(3)): linked with them, each process would
 * pay for what only some do.
 */
#pragma once

#include <stddef.h>

#include "util/cleanup.h"

struct library_function {
	const char *name;
	void *place; /* of a pointer to the function */
};

/*
 * Load a library, which stays until the process ends, and fill the places.
 *
 * @name: the one by which every program that is linked with it finds it, "libx.so.1"
 * @ret_lacks: the first function that a library which is there does not have, else NULL; may be
 * NULL
 *
 * Returns NULL, or why it cannot be used: a text of dlerror(3), until the next call of its kind.
 */
MUST_CHECK const char *library_load(const char *name, const struct library_function *functions,
		size_t n, const char **ret_lacks);
