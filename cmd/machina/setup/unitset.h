/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units that a run of "generate" makes, against those on disk.
 *
 * A text that is new or different waits in memory until unitset_commit() writes all of them. A host
 * may have a thousand machines, though: with UNITSET_EAGER it goes to a temporary file at once,
 * which vanishes if there is no commit.
 */
#pragma once

#include "json/report.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/strv.h"

enum unit_fate {
	UNIT_UNCHANGED,
	UNIT_WRITTEN, /* new or different */
	UNIT_REMOVED, /* made by an earlier run, not needed any more */
};

struct unitset_row {
	char *name;
	enum unit_fate fate;
	char *text;   /* what waits to be written, or NULL */
	bool is_link; /* by which a target wants a unit; its name is that of the unit below */
	size_t len;
};

enum {
	UNITSET_FORCE = 1, /* replace what others made */
	UNITSET_DRY = 2,   /* write nothing */
	UNITSET_EAGER = 4,
	UNITSET_NO_FORCE = 8, /* what others made is not replaced: the message offers nothing */
};

/* Targets by which machines start with the host: as their config says, and by hand. */
enum { UNITSET_GUESTS, UNITSET_ENABLED, N_UNITSET_TARGETS };

struct unitset {
	const struct config_paths *paths; /* borrowed */
	const char *dir;		  /* paths->unit_dir */
	bool exists;	/* the directory does; without it there is nothing to compare with */
	unsigned flags; /* UNITSET_* */
	struct file_batch batch;
	struct strv on_disk;		       /* names in the directory, sorted */
	struct strv wanted[N_UNITSET_TARGETS]; /* units that a target wants, sorted */
	bool has_companions;		       /* does one of them stand beside QEMU's unit? */
	struct unitset_row *rows;
	size_t n;
	size_t n_alloc;
	struct buf scratch;
};

/*
 * Also removes what killed runs have left.
 *
 * @flags: UNITSET_*
 */
MUST_CHECK int unitset_init(struct unitset *set, const struct config_paths *paths, unsigned flags,
		struct error *err);
void unitset_done(struct unitset *set);

/*
 * Add the units of a machine; those of its possible names that it does not have are removed if
 * they are there. What is there and was made by others becomes a finding. Once @report has errors,
 * no text is kept any more.
 *
 * @units: a text that has to wait is taken out
 */
MUST_CHECK int unitset_add(struct unitset *set, const char *machine, struct units *units,
		struct report *report, struct error *err);

/* The same for units that stand by themselves: those of networks. */
MUST_CHECK int unitset_add_others(
		struct unitset *set, struct units *units, struct report *report, struct error *err);

/*
 * Have the target of machines that start with the host want this one, or not, as its config says.
 * What is enabled by hand is left alone where the config does not.
 */
void unitset_want(struct unitset *set, const char *machine, enum vm_autostart autostart);

/* For unitset.c and unitset-link.c. */
MUST_CHECK int unitset_list_wanted(struct unitset *set, struct error *err);
struct unitset_row *unitset_add_row(struct unitset *set, const char *name, enum unit_fate fate);
MUST_CHECK int unitset_commit_link(
		struct unitset *set, const struct unitset_row *row, struct error *err);
/* @name: "TARGET.wants/UNIT"; the directory goes with its last link, as with systemctl(1). */
MUST_CHECK int unitset_remove_link(struct unitset *set, const char *name, struct error *err);

/*
 * Take a file of the directory away if it is ours.
 *
 * Returns 1, or 0 if it is not.
 */
MUST_CHECK int unitset_remove(struct unitset *set, const char *name, struct error *err);

/* Read a file of the directory. 0: @ret, which it replaces, has all of it; 1: it is not ours. */
MUST_CHECK int unitset_read(
		struct unitset *set, const char *name, struct buf *ret, struct error *err);

/* Is it a name of a network's unit? */
bool unitset_is_network(const char *name);

/*
 * What a process that was forked after unitset_init() has added, as bytes that the same program
 * reads: unitset_unpack() adds it to what is there, as if it had been added here, temporary files
 * included, and returns what follows it in @from. Texts that wait don't come along.
 */
void unitset_pack(const struct unitset *set, struct buf *to);
const char *unitset_unpack(struct unitset *set, const char *from);

/* What is configured, each list in byte order. */
struct unitset_known {
	const struct strv *machines;
	const struct strv *networks;
};

/*
 * Take away the units of machines and networks that are not configured any more. Units that were
 * made from another config directory are not this one's to judge.
 */
MUST_CHECK int unitset_remove_others(
		struct unitset *set, const struct unitset_known *known, struct error *err);

/* The names of what would be removed so far. */
void unitset_list_removed(const struct unitset *set, struct strv *ret);

/*
 * Do not remove what is in use: a unit that runs needs its file for its end, and a socket the
 * service that it starts.
 *
 * @running: those of unitset_list_removed() that run; what else would be removed of their machines
 *           or networks stays, too
 * @up: those of unitset_list_qemu() that run: they keep their files, since without a unit that asks
 *      for it, systemd ends what the guest still uses
 */
void unitset_keep(struct unitset *set, const struct strv *running, const struct strv *up,
		struct report *report);
/* QEMU's units of the machines whose units these are, each once. */
void unitset_list_qemu(const struct strv *units, struct strv *ret);

bool unitset_changes(const struct unitset *set);

/* Put in place and remove. On failure what was not yet replaced is as it was. */
MUST_CHECK int unitset_commit(struct unitset *set, struct error *err);
