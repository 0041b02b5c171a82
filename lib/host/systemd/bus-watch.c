/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Being told when units change their state. */
#include "host/systemd/bus-watch.h"

#include <stdlib.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/systemd/bus-call.h"
#include "host/systemd/bus-unit.h"
#include "util/mem.h"

struct watch {
	bus_watch_fn *fn;
	void *data;
};

/* The two among all properties that have changed: "a{sv}". */
static int read_states(sd_bus_message *m, const char **ret_active, const char **ret_sub)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const char *name;
		r = sd_bus_message_read_basic(m, 's', &name);
		const char **to = r < 0				 ? NULL
				  : !strcmp(name, "ActiveState") ? ret_active
				  : !strcmp(name, "SubState")	 ? ret_sub
								 : NULL;
		if (r >= 0)
			r = to ? sd_bus_message_read(m, "v", "s", to) : sd_bus_message_skip(m, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

/* Signal PropertiesChanged: the interface, what has changed, and what is not told. */
static int take_change(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	(void)unused;
	const struct watch *watch = userdata;
	CLEANUP(freep) char *unit = NULL;
	const char *path = sd_bus_message_get_path(m), *interface;
	const char *active = NULL, *sub = NULL;
	if (!path || sd_bus_path_decode(path, BUS_PATH "/unit", &unit) <= 0 ||
			sd_bus_message_read_basic(m, 's', &interface) < 0 ||
			strcmp(interface, BUS_NAME ".Unit") != 0 ||
			read_states(m, &active, &sub) < 0 || !active || !sub)
		return 0;
	watch->fn(watch->data, unit, active, unit_sub_state(sub));
	return 0;
}

static void free_watch(void *userdata)
{
	free(userdata);
}

int bus_watch_units(struct bus *bus, bus_watch_fn *fn, void *data, struct error *err)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	*watch = (struct watch){ fn, data };
	sd_bus_slot *slot = NULL;
	int r = sd_bus_match_signal_async(bus->sd, &slot, bus->direct ? NULL : BUS_NAME, NULL,
			"org.freedesktop.DBus.Properties", "PropertiesChanged", take_change, NULL,
			watch);
	if (r < 0) {
		free(watch);
		return bus_broken(err, r);
	}
	/* It goes with the connection, and what it points to with it. */
	sd_bus_slot_set_destroy_callback(slot, free_watch);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
	/* Without a message bus between, systemd tells everything without being asked. */
	if (!bus->direct)
		r = sd_bus_call_method_async(bus->sd, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER,
				"Subscribe", NULL, NULL, NULL);
	return r < 0 ? bus_broken(err, r) : 0;
}

void bus_watch_poll(struct bus *bus, struct pollfd *ret, uint64_t *deadline_usec)
{
	uint64_t timeout_usec = UINT64_MAX;
	int events = sd_bus_get_events(bus->sd);
	*ret = (struct pollfd){
		.fd = sd_bus_get_fd(bus->sd),
		.events = events > 0 ? (short)events : POLLIN,
	};
	if (sd_bus_get_timeout(bus->sd, &timeout_usec) >= 0 && timeout_usec < *deadline_usec)
		*deadline_usec = timeout_usec;
}

int bus_watch_read(struct bus *bus, struct error *err)
{
	int r;
	do
		r = bus_process(bus, 0, err);
	while (r > 0);
	return r;
}
