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

struct cause {
	const char *id; /* of the row; "" where none fits, and then @sentence says what is known */
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
