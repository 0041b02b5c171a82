/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The formats of config files, by the names under which manual pages and schemas speak of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "json/jbind.h"

struct format {
	const char *name; /* "host"; NULL ends the list */
	const char *title;
	const char *description; /* one sentence */
	const struct field *fields;
	bool with_merge; /* definitions of several objects become one, as each row says */
};

extern const struct format formats[];

/* The format of a name, or NULL. @name: @len bytes */
const struct format *format_find(const char *name, size_t len) PURE;
