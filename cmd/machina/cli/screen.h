/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole terminal for pictures that are drawn anew again and again, with keys: ECMA-48 sequences
 * that every terminal of today knows, and xterm's second screen, so that what was there comes back.
 *
 * The terminal is put back by screen_close(), by exit(3), by signals that end the program, and
 * while it is stopped (Ctrl-Z).
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "util/cleanup.h"
#include "util/error.h"

/* Standard input and output are terminals. */
MUST_CHECK int screen_open(struct error *err);
void screen_close(void);

size_t screen_lines(void);

/* Where to print a picture, whose lines end with "\n"; what is wider is cut. */
FILE *screen_begin(void);
/* Show it, all at once. */
void screen_end(void);

enum screen_event {
	SCREEN_TIME,	/* the deadline has come */
	SCREEN_RESIZED, /* the picture has to be drawn anew */
	SCREEN_KEY,	/* one that has a character; others are passed over */
	SCREEN_ENDED,	/* a signal, or the terminal has gone */
};

/* @deadline_usec: host/os/clock.h */
enum screen_event screen_wait(uint64_t deadline_usec, char *ret_key);
