/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what was said in a run that failed to its cause: a sentence, and what to do.
 *
 * Pure: of a unit's state (host/systemd/bus-unit.h) and the lines of its run
 * (host/systemd/journal.h). A table knows the messages of QEMU, of our hooks, of the programs
 * beside QEMU and of systemd (lib/host/machine/cause-rows.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/systemd/bus-unit.h"
#include "util/strv.h"

/* Who says a thing; a row may be of several. */
enum cause_speaker {
	SPEAKER_SYSTEMD = 1 << 0, /* also of a process of the unit before it becomes the program */
	SPEAKER_HOOK = 1 << 1,	  /* this program */
	SPEAKER_PROGRAM = 1 << 2, /* QEMU, swtpm, passt, virtiofsd, dnsmasq */
	SPEAKER_CHILD = 1 << 3,	  /* what a hook runs: scripts, swtpm_setup */
};

struct cause_row {
	const char *id; /* stable: "disk-locked" */
	unsigned speakers;
	const char *pattern; /* extended regular expression, searched in the message */
	/* "%0" is the message, "%1" to "%3" what the pattern's groups match; NULL: the message says
	 * it itself. */
	const char *sentence;
	const char *advice; /* likewise; NULL: the sentence says what to do, or nobody knows */
	bool weak;	    /* counts only where no line says more: of a message that goes on */
	bool of_main;	    /* counts only where a group matches the program of ExecStart= */
};

/* Of the rows that match a line, the first one counts. */
extern const struct cause_row cause_rows[];
extern const size_t n_cause_rows;

/* What teardown says before the last words that a guest had at its console: they are the guest's
 * own, and no row's. */
#define CAUSE_LAST_WORDS "the guest's last words at its console: "

/* Is a message what a guest has said? It may be anything, and is evidence of nothing else. */
bool cause_is_of_guest(const char *message);

/* Does systemd say in one of these lines that it starts a unit no more, after too many tries? */
bool cause_is_given_up(const struct strv *lines);

/* Causes that no single message tells, of who finds them out: there are no others. */
enum cause_found {
	CAUSE_CONDITION,
	CAUSE_DEPENDENCY,
	CAUSE_DISK_FULL,
	CAUSE_DISK_IO,
	CAUSE_END_ASKED,
	CAUSE_END_FORCED,
	CAUSE_END_GUEST,
	CAUSE_END_SIGNAL,
	CAUSE_END_STOPPED,
	CAUSE_GUEST_PANICKED,
	CAUSE_INTERNAL_ERROR,
	CAUSE_IO_ERROR,
	CAUSE_KILLED,
	CAUSE_MONITOR,
	CAUSE_NO_MACHINE,
	CAUSE_NO_UNIT,
	CAUSE_PAUSED,
	CAUSE_PRELAUNCH,
	CAUSE_SAVED,
	CAUSE_WATCHDOG,
	CAUSE_FOUND_N,
};
extern const char *const cause_found_ids[CAUSE_FOUND_N];

/* All that a cause may be called, in byte order, each once. */
void cause_list_ids(struct strv *ret);

struct cause {
	const char *id; /* of the row, or of those above; "" where none fits, and then @sentence
			   says what is known */
	char *sentence; /* begins in small letters, has no full stop */
	char *advice;	/* the same; "": none */
	char *message;	/* that the sentence comes from, as it was said; "": none */
};

void cause_done(struct cause *cause);

/*
 * Why a run failed.
 *
 * @info: of a unit that has failed
 * @lines: of journal_tail(), oldest first; may be empty
 * @ret: all texts are set
 */
void cause_find(const struct unit_info *info, const struct strv *lines, struct cause *ret);

/* In which part of its life a unit has failed: "while the host was prepared for it". */
const char *cause_phase(const struct unit_info *info, const struct strv *lines);
