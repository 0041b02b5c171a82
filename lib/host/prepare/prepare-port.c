/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that systemd listens at for the screens of a machine. */
#include "host/prepare/prepare-port.h"

#include <string.h>

#include "host/os/listen.h"
#include "host/systemd/bus-unit.h"
#include "util/mem.h"

/* Has a unit failed? It has no file where the port came without a unit of its own. */
static int has_failed(const char *unit, bool *ret, struct error *err)
{
	CLEANUP(bus_freep) struct bus *bus = NULL;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	strv_push(&names, unit);
	int r = bus_open(&bus, err);
	if (r == 0)
		r = bus_list_units(bus, &names, &list, err);
	if (r == 0)
		*ret = !strcmp(list.rows[0].active_state, "failed");
	return r;
}

/*
 * The port has a unit of its own, which was started before QEMU's and was to be there already
 * ("After="). QEMU's does not require it, or whoever stops the port would stop the machine.
 */
int prepare_port(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_socket *screen = &c->plan->sockets[i];
	CLEANUP(freep)
	char *unit = xasprintf("machina-%s-%s.socket", screen->name, c->plan->machine);
	bool failed = false;
	int r = has_failed(unit, &failed, err);
	if (r < 0 || !failed)
		return r;

	/* Why it failed is only in the journal, but mostly found out in the same way. */
	CLEANUP(closep) int fd = -1;
	r = prepare_network(c, err);
	if (r == 0)
		r = listen_tcp((uint16_t)screen->port, 0, &fd, err);
	if (r < 0)
		return error_wrap(err, "screen '%s'", screen->name);
	return error_set(err, EIO,
			"screen '%s': systemd could not listen at port %d of 127.0.0.1 "
			"('journalctl -u %s' shows why)",
			screen->name, screen->port, unit);
}
