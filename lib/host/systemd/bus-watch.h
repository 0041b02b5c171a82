/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Being told when units change their state, beside other things that are waited for.
 *
 *	bus_watch_units(bus, note, data, err);
 *	struct pollfd ready;
 *	bus_watch_poll(bus, &ready, &deadline);
 *	... poll ...
 *	bus_watch_read(bus, err);	// calls note()
 */
#pragma once

#include <poll.h>
#include <stdint.h>

#include "host/systemd/bus.h"

/*
 * @unit: its full name
 * @active_state, @sub_state: as in struct unit_row. They may be as they were: other properties
 * change with them
 *
 * Must not talk to systemd itself.
 */
typedef void bus_watch_fn(
		void *data, const char *unit, const char *active_state, const char *sub_state);

/* From now on, until the connection is released. All units are told of, also new ones. */
MUST_CHECK int bus_watch_units(struct bus *bus, bus_watch_fn *fn, void *data, struct error *err);

/* What to wait for. @deadline_usec: made earlier where libsystemd wants to be called by itself. */
void bus_watch_poll(struct bus *bus, struct pollfd *ret, uint64_t *deadline_usec);

/* Take what has arrived, without waiting. A negative errno: the connection has ended. */
MUST_CHECK int bus_watch_read(struct bus *bus, struct error *err);
