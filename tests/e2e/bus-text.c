/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A unit's properties over D-Bus as text. */
#include "bus-text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int add_basic(sd_bus_message *m, char type, struct buf *ret)
{
	union {
		const char *s;
		int32_t i;
		uint32_t u;
		uint64_t t;
		int b;
	} value = {};
	int r = sd_bus_message_read_basic(m, type, &value);
	if (r < 0)
		return r;
	if (strchr("sog", type))
		buf_puts(ret, value.s);
	else if (type == 't')
		buf_printf(ret, "%" PRIu64, value.t);
	else if (type == 'u')
		buf_printf(ret, "%" PRIu32, value.u);
	else if (type == 'i')
		buf_printf(ret, "%" PRId32, value.i);
	else if (type == 'b')
		buf_puts(ret, value.b ? "true" : "false");
	else
		return -EPROTO;
	return 0;
}

static int add_values(sd_bus_message *m, char separator, struct buf *ret)
{
	char type;
	const char *contents;
	for (;;) {
		int r = sd_bus_message_peek_type(m, &type, &contents);
		if (r <= 0)
			return r;
		if (strchr("are", type)) {
			r = sd_bus_message_enter_container(m, type, contents);
			if (r >= 0)
				r = add_values(m, separator, ret);
			if (r >= 0)
				r = sd_bus_message_exit_container(m);
		} else {
			r = add_basic(m, type, ret);
			buf_putc(ret, separator);
		}
		if (r < 0)
			return r;
	}
}

int bus_text_property(sd_bus *bus, const char *unit, const char *interface, const char *property,
		char separator, struct buf *ret)
{
	CLEANUP(freep) char *path = NULL;
	sd_bus_message *m = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;

	int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
	/* Get does not load the unit, which LoadUnit does. */
	if (r >= 0)
		r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
				"org.freedesktop.systemd1.Manager", "LoadUnit", &e, NULL, "s",
				unit);
	if (r >= 0)
		r = sd_bus_call_method(bus, "org.freedesktop.systemd1", path,
				"org.freedesktop.DBus.Properties", "Get", &e, &m, "ss", interface,
				property);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'v', NULL);
	if (r >= 0)
		r = add_values(m, separator, ret);
	if (r < 0)
		buf_printf(ret, "%s of %s: %s", property, unit,
				e.message ? e.message : strerror(-r));
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}
