/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The units that a unit needs. */
#include "host/systemd/bus-call.h"
#include "host/systemd/bus-unit.h"
#include "util/mem.h"

static int get_names(struct bus *bus, const char *path, const char *property,
		struct strv *ret_names, struct error *err)
{
	sd_bus_error refusal = SD_BUS_ERROR_NULL;
	CLEANUP(freep) char *what = xasprintf("ask systemd for '%s'", property);
	CLEANUP(freep) char **names = NULL;
	int r = sd_bus_get_property_strv(
			bus->sd, BUS_NAME, path, BUS_NAME ".Unit", property, &refusal, &names);
	for (size_t i = 0; names && names[i]; i++)
		strv_push_take(ret_names, names[i]);
	return bus_ended(r, &refusal, what, err);
}

int bus_get_needs(struct bus *bus, const char *unit, struct strv *ret_names, struct error *err)
{
	static const char *const properties[] = { "Requires", "Requisite", "BindsTo" };
	CLEANUP(freep) char *path = NULL;
	int r = sd_bus_path_encode(BUS_PATH "/unit", unit, &path);
	if (r < 0)
		return bus_broken(err, r);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(properties); i++)
		r = get_names(bus, path, properties[i], ret_names, err);
	return r;
}
