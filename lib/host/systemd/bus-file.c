/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enabling and disabling units, and reading unit files anew. */
#include "host/systemd/bus-file.h"

#include <string.h>

#include "host/systemd/bus-call.h"

/* Changes as systemd names them; others ("auxiliary file", ...) are no news. */
static int read_changes(sd_bus_message *reply, struct strv *changes, size_t *ret_n)
{
	const char *type, *path, *target;
	int r = sd_bus_message_enter_container(reply, 'a', "(sss)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(sss)", &type, &path, &target)) > 0) {
		++*ret_n;
		if (changes && strcmp(type, "symlink") == 0)
			strv_pushf(changes, "created '%s' -> '%s'", path, target);
		else if (changes && strcmp(type, "unlink") == 0)
			strv_pushf(changes, "removed '%s'", path);
	}
	return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int install(struct bus *bus, bool enable, const struct strv *names, struct strv *changes,
		struct error *err)
{
	const uint64_t persistent = 0;
	CLEANUP(bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	int r = bus_new_call(bus, enable ? "EnableUnitFilesWithFlags" : "DisableUnitFilesWithFlags",
			&call, err);
	if (r >= 0)
		r = bus_append_names(call, names, err);
	if (r < 0)
		return r;
	r = sd_bus_message_append_basic(call, 't', &persistent);
	if (r < 0)
		return bus_broken(err, r);
	r = bus_call(bus, call, enable ? "enable units" : "disable units", &reply, err);
	if (r < 0)
		return r;

	int has_install = true;
	size_t n_changes = 0;
	if (enable)
		r = sd_bus_message_read_basic(reply, 'b', &has_install);
	if (r >= 0)
		r = read_changes(reply, changes, &n_changes);
	if (r < 0)
		return bus_broken(err, r);
	if (n_changes > 0) {
		r = bus_reload(bus, err);
		if (r < 0)
			return r;
	}
	return !has_install;
}

int bus_enable(struct bus *bus, const struct strv *names, struct strv *changes, struct error *err)
{
	return install(bus, true, names, changes, err);
}

int bus_disable(struct bus *bus, const struct strv *names, struct strv *changes, struct error *err)
{
	return install(bus, false, names, changes, err);
}

int bus_get_load_usec(struct bus *bus, uint64_t *ret_usec, struct error *err)
{
	/* The first is 0 until it has read them once more since it was started. */
	static const char *const properties[] = { "UnitsLoadTimestamp",
		"UnitsLoadFinishTimestamp" };
	int r = 0;
	*ret_usec = 0;
	for (size_t i = 0; r >= 0 && !*ret_usec && i < ARRAY_SIZE(properties); i++) {
		sd_bus_error refusal = SD_BUS_ERROR_NULL;
		r = sd_bus_get_property_trivial(bus->sd, BUS_NAME, BUS_PATH, BUS_MANAGER,
				properties[i], &refusal, 't', ret_usec);
		r = bus_ended(r, &refusal, "ask systemd when it has read the unit files", err);
	}
	return r;
}

int bus_reload(struct bus *bus, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
	int r = bus_new_call(bus, "Reload", &call, err);
	return r < 0 ? r : bus_call(bus, call, "make systemd read the unit files", &reply, err);
}
