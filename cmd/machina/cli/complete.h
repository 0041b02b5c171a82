/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion of command lines: what may stand in the place of the last word.
 *
 * The scripts of bash, zsh and fish (completion/) run "machina _complete -- WORD..." with the words
 * behind the program's name, the unfinished one last, and get a candidate on each line, its
 * description after a tab, and at the end ":files" or ":directories" where such may stand as well,
 * which shells know best themselves. A candidate that ends in ":" goes on without a blank. So they
 * need no knowledge of commands, and what is read from disk is read only then.
 *
 * The rows of command.h name the functions that offer candidates.
 */
#pragma once

#include <stdio.h>

#include "cli/command.h"

struct completion {
	const struct call *call; /* what stands in front, as far as it could be understood */
	const char *prefix;	 /* what is there of the word */
	const char *glue;	 /* "--root=" in front of it, or "" */
	FILE *out;
};

/* Offer @text if it begins with the prefix. @description: may be NULL. */
void complete_offer(struct completion *c, const char *text, const char *description);

complete_fn complete_files;
complete_fn complete_directories;
complete_fn complete_commands;
/* From the config that the line's own options lead to. Those that are there already are left out.
 */
complete_fn complete_machines;
complete_fn complete_machines_up;
complete_fn complete_machines_down;
complete_fn complete_networks;
complete_fn complete_copy; /* "MACHINE:", or files of this host */
complete_fn complete_tags;

/* @words: those behind the program's name, the unfinished one last; @n may be 0 */
void complete(FILE *out, char **words, size_t n);
