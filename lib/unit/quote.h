/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single words of a systemd unit file: how they are spelled and how a spelling is read back.
 *
 * For unitfile.c and unitread.c alone; everybody else calls unitfile.h. The rules are those of
 * systemd 252: src/basic/extract-word.c (quotes and backslashes), src/shared/specifier.c (%),
 * src/basic/env-util.c (replace_env_argv: $). Later versions of replace_env_argv() and of
 * config_parse_exec() were read and do the same.
 *
 * One spelling serves all settings that unquote: bare where that is safe, else in double quotes
 * with a backslash before '\' and '"', and nothing else escaped. That way it does not matter
 * whether a setting knows C's escapes (Exec lines) or takes any character after a backslash
 * literally (lists of paths).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Can this text stand in a unit file? It must be UTF-8 without control characters other than tab:
 * systemd ends a line at CR and NUL too, ignores a line that is not UTF-8, and cannot show other
 * text over D-Bus. Noncharacters such as U+FFFE count as not UTF-8 there.
 *
 * Returns 0, or -EINVAL with the offending byte in the text.
 */
MUST_CHECK int quote_check(const char *text, struct error *err);

/*
 * The length of a word that stands for itself in every kind of setting, and so needs neither a
 * check nor quoting: most do. 0 for any other, and for the empty one.
 */
size_t quote_plain(const char *word) PURE;

enum {
	QUOTE_PERCENT = 1, /* the setting expands specifiers: '%' becomes "%%" */
	QUOTE_DOLLAR = 2,  /* it expands variables: see quote_needs_dollars() */
	QUOTE_COLON = 4,   /* ':' separates within a word: only quoted if inside quotes */
};

/* Add one word, which may be empty. @flags: QUOTE_*. The text must have passed quote_check(). */
void quote_word(struct buf *b, const char *word, unsigned flags);

/*
 * The same for a word of a command line (QUOTE_PERCENT and QUOTE_DOLLAR), in which "${NAME}" with a
 * name of @variables is left for systemd to replace.
 */
void quote_word_around(struct buf *b, const char *word, const struct strv *variables);

/* Add text that is read without any unquoting: only '%' is doubled. */
void quote_percent(struct buf *b, const char *text);

/*
 * Add one word of RuntimeDirectory= and its like, which are read twice: split at white space with
 * quotes removed and backslashes kept, then at ':' with C's escapes. What either pass takes for
 * its own is written as "\xNN".
 */
void quote_directory(struct buf *b, const char *word);

/* Add a path where systemd expects a glob(7) pattern (EnvironmentFile=), with '%' doubled. */
void quote_glob(struct buf *b, const char *path);

/*
 * Does systemd read a '$' of this argument as more than itself? It does at the start of a word
 * ("$NAME" stands for 0..n words) and before '{' and '$'. Elsewhere a '$' is literal
 * (systemd.service(5), "Command lines") and is left alone, so that the ExecStart property over
 * D-Bus, which shows arguments before variables are expanded, mostly equals the arguments.
 */
bool quote_needs_dollars(const char *word) PURE;

/*
 * Take the next word of a value.
 *
 * @p: where to read; moved behind the word and the white space after it
 * @c_escapes: C's escapes as in Exec lines (\t, \x41, \u00e4, ...; another one is an error), else
 *	a backslash stands for the character after it
 * @ret: the word is appended
 *
 * Returns 1, 0 at the end of the value, or -EINVAL (quotes not closed, bad escape, backslash at
 * the end).
 */
MUST_CHECK int quote_next_word(const char **p, bool c_escapes, struct buf *ret, struct error *err);

/*
 * Undo '%' doubling in place. A specifier is -EINVAL: what it stands for is not known here.
 */
MUST_CHECK int quote_undo_percent(char *text, struct error *err);

/*
 * Undo '$' doubling in place, as systemd does before it starts a process. "${NAME}" is left alone.
 *
 * Returns 0, 1 if the whole word is a variable ("$NAME", left alone), or -EINVAL for "${" that
 * begins no name.
 */
MUST_CHECK int quote_undo_dollars(char *word, struct error *err);
