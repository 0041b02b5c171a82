/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enabling and disabling units, and telling systemd that unit files have changed.
 */
#pragma once

#include <stdint.h>

#include "host/systemd/bus.h"
#include "util/cleanup.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Enable or disable units for the next boots; when that changed something, systemd reads all units
 * anew.
 *
 * @names: full names ("web.service")
 * @changes: a line for each link is appended: "created '/etc/.../web.service' -> '/...'". May be
 *           NULL
 *
 * Returns 0, or 1 if a unit has no [Install] section, so that there is nothing to enable. Errors:
 * ENOENT a unit has no file, and then nothing is changed for the others either.
 */
MUST_CHECK int bus_enable(
		struct bus *bus, const struct strv *names, struct strv *changes, struct error *err);
MUST_CHECK int bus_disable(
		struct bus *bus, const struct strv *names, struct strv *changes, struct error *err);

/*
 * When has systemd read the unit files the last time? The properties UnitsLoadTimestamp and
 * UnitsLoadFinishTimestamp, org.freedesktop.systemd1(5).
 *
 * @ret_usec: CLOCK_REALTIME
 */
MUST_CHECK int bus_get_load_usec(struct bus *bus, uint64_t *ret_usec, struct error *err);

/* Make systemd read all unit files anew (systemctl daemon-reload), and wait for it. */
MUST_CHECK int bus_reload(struct bus *bus, struct error *err);
