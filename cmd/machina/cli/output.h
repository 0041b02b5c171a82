/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the program prints: errors, findings, JSON, colors, progress.
 *
 * All text that comes from outside goes through put_text(), if JSON does not escape it: a control
 * character of a file name or a config file must not reach the terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/command.h"
#include "json/report.h"

struct json_object;

/* Looks at where the streams lead. Colors are used on a terminal, unless @no_color or NO_COLOR
 * (no-color.org) says otherwise. */
void output_init(bool no_color);

enum style {
	STYLE_PLAIN,
	STYLE_HEAD, /* titles, names that the eye looks for */
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};
/* Nothing where there are no colors. They don't nest. */
void style_begin(FILE *to, enum style style);
void style_end(FILE *to, enum style style);

/* "1.5 GiB"; the caller frees it. */
char *format_size(uint64_t bytes);

/* Print text with "\\x1b" for control characters and what is not UTF-8 (visible_add()). */
void put_text(FILE *to, const char *text);

/* On standard output, each on a line of its own. */
void print_lines(const struct strv *lines);

/* "machina: error: ..." on standard error, one line. */
void print_error(const struct error *err);
void complain(const char *format, ...) PRINTF(1, 2);

/* Wrong usage: what is wrong and where help is, two lines on standard error. Returns STATUS_USAGE.
 */
int misuse(const struct command *command, const char *format, ...) PRINTF(2, 3);

/*
 * What newfile_open() and newfile_commit() (util/newfile.h) have returned, for a command with
 * --force: it is named where a file is in the way. Returns @r.
 */
int offer_force(int r, struct error *err);

/* All findings, sorted, and a line that counts them; nothing if there are none. Of advice that is
 * the same for many files only the first few are shown, and the others counted. */
void print_report(FILE *to, struct report *report);
/* The errors among them, on standard error: for commands that are about something else than the
 * config. */
void print_errors(struct report *report);

/* [{"severity": "error", "file": ..., "line": ..., ...}]; parts that are missing are left out. */
struct json_object *report_json(struct report *report);

/* On standard output, with a newline. Keys stay in the order in which they were added. */
void print_json(struct json_object *value);

/* How wide a terminal is; 0: it is none, or does not tell. */
size_t terminal_columns(FILE *to);

/*
 * One line on standard error that the next one replaces, for work that takes its time; nothing
 * where that is no terminal. What this module prints takes the line away first; before other
 * output, and at the end, it is progress_clear() that does.
 */
void progress_show(const char *format, ...) PRINTF(1, 2);
void progress_clear(void);

/* Is all output where it should be? Returns @status, or STATUS_FAILURE with a message if it was 0.
 */
int output_finish(int status);
