/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that the command line selects. */
#pragma once

#include "cli/command.h"
#include "json/report.h"

/* Has it a file of its own, whatever is in it? @machine: a name that is valid */
bool machine_is_configured(const struct config_paths *paths, const char *machine);

/*
 * The names that the command line selects, in byte order, each once.
 *
 * Returns 0; 1 when a machine had to be read and has findings, which are added to @report; or a
 * negative errno: ENOENT for a name that is not configured or a pattern that nothing matches.
 */
MUST_CHECK int machines_select(const struct call *call, struct report *report,
		struct strv *ret_names, struct error *err);

/*
 * The same for commands that are about all machines where none are selected. Findings are printed.
 */
MUST_CHECK int machines_select_or_all(
		const struct call *call, struct strv *ret_names, struct error *err);

/* Which words that are no configured machine's name, but could be one, count as one. */
enum machines_known {
	MACHINES_ANY,	  /* each: for commands that look, and say so if there is nothing */
	MACHINES_ON_HOST, /* of which there is a unit, or what was prepared for a start */
	MACHINES_RUNNING, /* likewise; "--all" means also those that run without a config */
};

/*
 * The same for commands about what runs, has run or is left of a machine, be it configured or not.
 * Patterns match configured machines, and those that are named beside them. Findings are printed.
 */
MUST_CHECK int machines_select_known(const struct call *call, enum machines_known known,
		struct strv *ret_names, struct error *err);

/*
 * The same for commands that show many: without names also those that run and have lost their
 * config; with names, as machines_select_known() has it of what is there.
 *
 * @ret_lost: those without a config, in byte order
 */
MUST_CHECK int machines_select_seen(const struct call *call, struct strv *ret,
		struct strv *ret_lost, struct error *err);

/* Is a machine one that the command line names, by its name or a pattern, and not by a tag alone?
 */
bool machines_has_named(const struct call *call, const char *name);

/* Does the command line name one machine, so that there are no others, whatever the host has? */
bool machines_are_one(const struct call *call);

/* The same for who has listed all machines already, with machine_list(). */
MUST_CHECK int machines_select_of(const struct call *call, const struct strv *all,
		struct report *report, struct strv *ret_names, struct error *err);

/*
 * The configured machine that "MACHINE" or "MACHINE.PART" speaks of. Both may hold dots: a machine
 * of the whole name is meant rather than a part of one, and a longer name rather than a shorter
 * one.
 *
 * @ret_machine: the caller frees it
 * @ret_part: in @word; "" for none
 *
 * Errors: ENOENT: there is no such machine.
 */
MUST_CHECK int machines_split(const struct call *call, const char *word, char **ret_machine,
		const char **ret_part, struct error *err);
