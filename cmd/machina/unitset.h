/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units that a run of "generate" makes, against those on disk.
 *
 * Texts wait in an unnamed file in memory until all machines are built, for a host may have a
 * thousand of them; what is on disk already is not kept at all.
 */
#pragma once

#include "json/report.h"
#include "unit/service.h"
#include "util/strv.h"

enum unit_fate {
	UNIT_UNCHANGED,
	UNIT_WRITTEN, /* new or different */
	UNIT_REMOVED, /* made by an earlier run, belongs no more */
};

struct unitset_row {
	char *name;
	enum unit_fate fate;
	off_t offset; /* in the spool */
	size_t len;
};

struct unitset {
	const char *dir;	 /* borrowed, as the next one */
	const char *machine_dir; /* of the config, as units name it: without a root directory */
	int dirfd;		 /* -1: the directory does not exist */
	int spoolfd;
	off_t spool_len;
	struct strv on_disk; /* names in the directory, sorted */
	struct unitset_row *rows;
	size_t n;
	size_t n_alloc;
	bool force; /* replace what others made */
	struct buf scratch;
};

MUST_CHECK int unitset_init(struct unitset *set, const struct config_paths *paths, bool force,
		struct error *err);
void unitset_done(struct unitset *set);

/*
 * Add the units of a machine; those of its possible names that it does not have are removed if
 * they are there. What is there and was made by others becomes a finding.
 */
MUST_CHECK int unitset_add(struct unitset *set, const char *machine, const struct units *units,
		struct report *report, struct error *err);

/*
 * Take away the units of machines that are not configured any more. Units that were made from
 * another config directory are not this one's to judge.
 *
 * @machines: all configured ones, sorted
 * @keep: names of units that have to stay
 */
MUST_CHECK int unitset_remove_others(struct unitset *set, const struct strv *machines,
		const struct strv *keep, struct report *report, struct error *err);

/* The names that unitset_remove_others() would take away. */
MUST_CHECK int unitset_list_others(struct unitset *set, const struct strv *machines,
		struct strv *ret, struct error *err);

bool unitset_changes(const struct unitset *set);

/* Write and remove. On failure what was not yet replaced is as it was. */
MUST_CHECK int unitset_commit(struct unitset *set, struct error *err);
