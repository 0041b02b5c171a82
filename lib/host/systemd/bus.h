/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to systemd, the manager of the units (org.freedesktop.systemd1(5)), over D-Bus.
 *
 * Root talks to it directly at /run/systemd/private, which needs no message bus and saves its way
 * (0.1 instead of 0.4 ms a call); everybody else, and root where that socket is missing, takes the
 * system bus. What can be asked and told is in host/systemd/bus-job.h, host/systemd/bus-unit.h,
 * host/systemd/bus-file.h.
 */
#pragma once

#include "util/cleanup.h"
#include "util/error.h"

struct bus;

/*
 * Errors: EHOSTDOWN systemd does not run here; those of sd_bus_start(3). The text says which way
 * was tried.
 */
MUST_CHECK int bus_open(struct bus **ret, struct error *err);

void bus_free(struct bus *bus);
void bus_freep(struct bus **bus);
