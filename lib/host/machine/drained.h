/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record of a host that was drained: which machines ran, and which start with the host, so that
 * exactly those come back. It is there from before the first machine is stopped until the last one
 * is up again, also across a reboot; while it is there, the host is drained.
 *
 *	/var/lib/machina/drained.json
 */
#pragma once

#define DRAINED_FILE "drained.json"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

struct drained {
	char *since;	      /* "2026-11-21 18:04:05 UTC" */
	struct strv machines; /* that ran */
	struct strv enabled;  /* whose units started with the host */
};

void drained_done(struct drained *drained);

/*
 * @dir: "/var/lib/machina"
 *
 * Returns 0, 1 when there is none (the host is not drained), or a negative errno. EINVAL: the file
 * is damaged, and the text names the place.
 */
MUST_CHECK int drained_load(const char *dir, struct drained *ret, struct error *err);
/* Write it, durably. Its directory is made if it is missing. */
MUST_CHECK int drained_store(const char *dir, const struct drained *drained, struct error *err);
/* Remove it, durably. */
MUST_CHECK int drained_forget(const char *dir, struct error *err);
/* Add names that are not there yet. */
void drained_add(struct strv *list, const struct strv *names);
