/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit's properties over D-Bus as text, for tests that run under a real systemd.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "util/buf.h"

/*
 * Add the value of a property to @ret: strings as they are, numbers in decimal, booleans as "true"
 * and "false", members of arrays and structs each followed by @separator.
 *
 * Returns 0 or a negative errno, with the reason in @ret.
 */
int bus_text_property(sd_bus *bus, const char *unit, const char *interface, const char *property,
		char separator, struct buf *ret);
