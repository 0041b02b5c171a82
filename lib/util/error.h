/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One failure and the chain of context that callers put in front of it.
 *
 * The struct is of fixed size and lives on the stack of whoever wants to know, so that reporting
 * a failure cannot fail. A function returns 0 or a negative errno; whoever passes the failure up
 * adds what it was doing:
 *
 *	int r = tap_create(nl, name, err);
 *	if (r < 0)
 *		return error_wrap(err, "connecting '%s'", name);
 *
 * Every function here accepts a NULL @err. Those that are given the errno return it all the same;
 * error_wrap() and error_at() return -EIO then, as they cannot know it.
 */
#pragma once

#include <stddef.h>

#include "util/cleanup.h"

#define ERROR_TEXT_MAX 2048

/* A place in a file. @line 0: the file as a whole; @file NULL: no file at all. Borrowed name. */
struct where {
	const char *file;
	size_t line;   /* from 1 */
	size_t column; /* from 1, in bytes */
};

struct error {
	int code; /* positive errno; 0: no error yet */
	struct where at;
	char text[ERROR_TEXT_MAX]; /* what was tried, on what, why not; no full stop, no newline */
};

/* @code: positive errno. Replaces what was there. Returns -@code. */
int error_set(struct error *err, int code, const char *format, ...) PRINTF(3, 4);

/* The same from errno, with ": " and its text (strerror) at the end. Returns -errno. */
int error_errno(struct error *err, const char *format, ...) PRINTF(2, 3);

/* The same for a call that returned a negative errno, as sd-bus does. Returns @negative_errno. */
int error_code(struct error *err, int negative_errno, const char *format, ...) PRINTF(3, 4);

/* Put "context: " in front of the text. Returns the negative errno of @err. */
int error_wrap(struct error *err, const char *format, ...) PRINTF(2, 3);

/* Give the error a place in a file. Returns the negative errno of @err. */
int error_at(struct error *err, struct where at);
