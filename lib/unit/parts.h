/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the units of a machine have in common. Private to lib/unit.
 */
#pragma once

#include "unit/sandbox.h"
#include "unit/service.h"

/* The first line: what made the unit, from which files. */
void unit_begin(struct unitfile *u, const struct strv *sources);
/* The same of a file that another command makes. */
void unit_begin_of(struct unitfile *u, const struct strv *sources, const char *command);

/* An Exec line that calls this program as root: its @words (NULL-terminated), then the machine. */
void unit_hook(struct unitfile *u, const struct unit_input *in, const char *key,
		const char *const *words);

/* The same; the lines that follow are run also if it fails, or is killed, or can't be run. */
void unit_hook_ignored(struct unitfile *u, const struct unit_input *in, const char *key,
		const char *const *words);

/* The same of another thing than a machine. */
void unit_hook_of(struct unitfile *u, const char *program, const char *key,
		const char *const *words, const char *name);
/* What may be executed: a program and the libraries that it loads. */
void unit_exec_paths(struct strv *ret, const char *program);

/*
 * After all that makes block devices and file systems of a host appear, where it is there. Mount
 * units don't tell of volumes that are devices, nor of file systems that are mounted by a service.
 */
void unit_after_storage(struct unitfile *u);

/*
 * Let the unit's hooks give descriptors to systemd. It listens to the main process as well, which
 * could put off its own end for ever (EXTEND_TIMEOUT_USEC in sd_notify(3)) and fill the store, and
 * a process without the right to make unix sockets can still send to one by socketpair(2): so it
 * does not find systemd's.
 */
void unit_let_hooks_notify(struct unitfile *u);

/* The section [X-Machina]. */
void unit_add_rows(struct unitfile *u, const struct buf *rows);
void unit_add_plan(struct unitfile *u, const struct plan *plan);

/* Reads the words of a row of that section; NULL: there are no more. */
typedef int unit_row_reader(void *data, const struct strv *words, struct error *err);
MUST_CHECK int unit_read_rows(const char *name, const char *text, size_t len,
		unit_row_reader *reader, void *data, struct error *err);

/* Finish @u as one of the machine's units. */
MUST_CHECK int units_add(struct units *units, struct unitfile *u, const char *pattern,
		const char *machine, struct error *err);

MUST_CHECK int unit_build_swtpm(const struct unit_input *in, struct units *ret, struct error *err);

/* @i: of the machine's shares */
MUST_CHECK int unit_build_share(
		const struct unit_input *in, size_t i, struct units *ret, struct error *err);

/* @i: of the machine's connections, one that passt serves */
MUST_CHECK int unit_build_passt(
		const struct unit_input *in, size_t i, struct units *ret, struct error *err);

/* TCP on 127.0.0.1:@port to the unix socket that QEMU made. */
MUST_CHECK int unit_build_proxy(const struct unit_input *in, const struct unit_screen *screen,
		int port, struct units *ret, struct error *err);
