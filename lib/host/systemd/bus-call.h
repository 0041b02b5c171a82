/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Method calls to systemd, for the parts of lib/host that speak with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/systemd/bus.h"
#include "host/systemd/libsystemd.h"
#include "util/buf.h"
#include "util/strv.h"

#define BUS_NAME "org.freedesktop.systemd1"
#define BUS_PATH "/org/freedesktop/systemd1"
#define BUS_MANAGER "org.freedesktop.systemd1.Manager"

/* What systemd may take for an answer: reading 1000 units anew has been seen to take 0.4 s. */
#define BUS_ANSWER_USEC (90 * UINT64_C(1000000))

/*
 * Calls on the way at a time: dbus-daemon(1) refuses more than 128 pending replies on a connection
 * (max_replies_per_connection).
 */
#define BUS_IN_FLIGHT_MAX 64

struct bus {
	sd_bus *sd;
	bool direct; /* without a message bus between */
};

static inline void bus_message_unrefp(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

/* A new call of a method of the manager. */
MUST_CHECK int bus_new_call(
		struct bus *bus, const char *method, sd_bus_message **ret, struct error *err);

/* Append "as". */
MUST_CHECK int bus_append_names(sd_bus_message *m, const struct strv *names, struct error *err);

/* Send it and wait for the reply. @what: "start 'web'", for "cannot start 'web': why". */
MUST_CHECK int bus_call(struct bus *bus, sd_bus_message *m, const char *what, sd_bus_message **ret,
		struct error *err);

/*
 * Process what has arrived, or wait for something until the deadline (host/os/clock.h).
 *
 * Returns 1, 0 at the deadline, or a negative errno: the connection is gone.
 */
MUST_CHECK int bus_process(struct bus *bus, uint64_t deadline_usec, struct error *err);

/*
 * Another connection in place of one that has ended. Nothing may point into the old one, which
 * stays if this fails. Returns 0 or a negative errno.
 */
MUST_CHECK int bus_reopen(struct bus *bus);

/*
 * The outcome of a call: 0; or @r, where that is negative, with the reason. Releases @refusal.
 *
 * @what: as above
 */
MUST_CHECK int bus_ended(int r, sd_bus_error *refusal, const char *what, struct error *err);

/* Why systemd refused a call, as text without the full stop, fit for a terminal. */
void bus_refusal(const sd_bus_error *refusal, struct buf *text);

/* For what could only be wrong if libsystemd or systemd broke its word. Returns @r. */
int bus_broken(struct error *err, int r);
