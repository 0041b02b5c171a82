/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines: from words to a struct call, by the rows of command.h.
 *
 * Options stand before or after arguments, "--" ends them; "--name=value" and "--name value", "-nx"
 * and "-n x" are the same, and a long name may be cut where it stays unique (getopt_long(3)).
 */
#pragma once

#include "cli/command.h"

/*
 * @argv: as main() gets it; texts in @ret are borrowed from it
 * @ret: released with call_done() in every case; ret->command is how far the words led
 *
 * Returns 0, or -EINVAL for wrong usage. After --help or --version nothing more is asked for.
 */
MUST_CHECK int call_parse(struct call *ret, int argc, char **argv, struct error *err);
void call_done(struct call *call);

/* Where an unfinished command line ends, for completing the word that comes next. */
struct line_end {
	const struct option_spec *awaits_value; /* of the last word, "--root" */
	bool only_words;			/* after "--" */
	bool lost;	   /* a word is no command: nothing is known about what follows */
	struct strv given; /* names of the options so far */
};
void line_end_done(struct line_end *end);

/* Read what can be understood of a line, its last word left out. Faults are passed over. */
void call_read_unfinished(struct call *ret, int argc, char **argv, struct line_end *ret_end);

/* The option tables that hold for a command, its own one first. Returns how many. */
#define OPTION_TABLES_MAX 5
size_t command_option_tables(
		const struct command *command, const struct option_spec *ret[OPTION_TABLES_MAX]);

/* Whether --root is among them. */
bool command_takes_root(const struct command *command);

/* The row of a long option's name (of @len bytes) or NULL. */
const struct option_spec *command_option(
		const struct command *command, const char *name, size_t len);

/* The struct that an option of the call's command fills. */
void *option_target(struct call *call, const struct option_spec *option);

/* The sub-command of a name, also hidden ones, or NULL. */
const struct command *command_find(const struct command *parent, const char *word);

/* Fill @err: there is no sub-command of that name, and which one may be meant. Returns -EINVAL. */
int command_unknown(const struct command *parent, const char *word, struct error *err);

/* The last word of a command's name: what is typed behind its parent's. */
const char *command_word(const struct command *command);

/* "machina prepare qemu"; the caller frees it. */
char *command_title(const struct command *command);
