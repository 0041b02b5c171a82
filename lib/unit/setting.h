/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How systemd reads the value of each setting that a unit of ours may hold.
 *
 * For unitfile.c and its tests. Settings differ in whether quotes, backslashes and '%' mean
 * anything, so a value can only be written by the name of its setting; a name that is missing
 * here cannot be written at all. The source of each row is the setting's parser in systemd 252's
 * src/core/load-fragment.c, found through load-fragment-gperf.gperf.in.
 */
#pragma once

#include <stdbool.h>

#include "util/cleanup.h"

enum setting_syntax {
	SETTING_UNKNOWN,
	/* Numbers, booleans, time spans, plain lists: '%' is a percent sign, nothing is quoted. */
	SETTING_PLAIN,
	/* The whole value is one text; '%' is a specifier. */
	SETTING_TEXT,
	/* Names between white space; '%' is a specifier. */
	SETTING_NAMES,
	/* Unit names: the same, and a backslash is part of the name ("dev-disk-by\x2did.device").
	 */
	SETTING_UNITS,
	/* Words that may be quoted; '%' is a specifier. */
	SETTING_WORDS,
	/* RuntimeDirectory= and its like: quote_directory(). */
	SETTING_DIRECTORIES,
	/* [-]SOURCE[:DESTINATION], each of which may be quoted; '%' is a specifier. */
	SETTING_BIND,
	/* A path that may be quoted, with specifiers, then a plain value. */
	SETTING_DEVICE,
	/* A glob pattern, the whole value; '%' is a specifier. */
	SETTING_GLOB,
	/* A command line. */
	SETTING_EXEC,
};

struct setting {
	const char *key; /* NULL at the end */
	enum setting_syntax syntax;
};
extern const struct setting settings[];

/* SETTING_UNKNOWN if the key is not in the table. Keys are case-sensitive. */
enum setting_syntax setting_find(const char *key) PURE;
