/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to systemd. */
#include "host/systemd/bus.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/systemd/bus-call.h"
#include "host/systemd/libsystemd.h"
#include "util/mem.h"
#include "util/visible.h"

#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"
#define REFUSAL_MAX 1000

/* Where PID 1 is something else, this directory is missing: sd_booted(3). */
#define BOOTED "/run/systemd/system"

static int start_direct(sd_bus **ret)
{
	sd_bus *sd = NULL;
	int r = sd_bus_new(&sd);
	if (r >= 0)
		r = sd_bus_set_address(sd, PRIVATE_ADDRESS);
	if (r >= 0)
		r = sd_bus_start(sd);
	if (r >= 0)
		*ret = sd;
	else
		sd_bus_unref(sd);
	return r;
}

/* @direct: without a message bus between */
static int start(bool direct, sd_bus **ret)
{
	int r = direct ? start_direct(ret) : sd_bus_open_system(ret);
	if (r >= 0)
		sd_bus_set_method_call_timeout(*ret, BUS_ANSWER_USEC);
	return r < 0 ? r : 0;
}

int bus_open(struct bus **ret, struct error *err)
{
	int loaded = libsystemd_load(err);
	if (loaded < 0)
		return loaded;
	CLEANUP(bus_freep) struct bus *bus = xcalloc(1, sizeof(*bus));
	int direct = geteuid() == 0 ? start(true, &bus->sd) : -EACCES;
	int r = direct < 0 ? start(false, &bus->sd) : 0;
	if (r < 0 && access(BOOTED, F_OK) < 0)
		return error_set(err, EHOSTDOWN,
				"systemd is not running here (there is no " BOOTED ")");
	if (r < 0 && geteuid() == 0)
		return error_code(err, direct, "cannot reach systemd at " PRIVATE_ADDRESS);
	if (r < 0)
		return error_code(err, r, "cannot reach systemd over the system bus");
	bus->direct = direct >= 0;
	*ret = take_ptr(bus);
	return 0;
}

int bus_reopen(struct bus *bus)
{
	sd_bus *sd = NULL;
	int r = start(bus->direct, &sd);
	if (r < 0)
		return r;
	sd_bus_flush_close_unref(bus->sd);
	bus->sd = sd;
	return 0;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	sd_bus_flush_close_unref(bus->sd);
	free(bus);
}

void bus_freep(struct bus **bus)
{
	bus_free(*bus);
	*bus = NULL;
}

int bus_broken(struct error *err, int r)
{
	if (r == -ENOMEM)
		out_of_memory();
	return error_code(err, r, "cannot make or read a message of systemd's");
}

/* How a message bus, systemd and polkit say so is of no use to whom they say it. */
static bool is_denied(const sd_bus_error *refusal)
{
	static const char *const names[] = { "org.freedesktop.DBus.Error.AccessDenied",
		"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" };
	bool denied = false;
	for (size_t i = 0; refusal->name && i < ARRAY_SIZE(names); i++)
		denied |= !strcmp(refusal->name, names[i]);
	return denied;
}

void bus_refusal(const sd_bus_error *refusal, struct buf *text)
{
	if (geteuid() != 0 && is_denied(refusal)) {
		buf_puts(text, "only root may do that");
		return;
	}
	const char *message = refusal->message ? refusal->message : refusal->name;
	size_t len = strlen(message);
	if (len > 0 && message[len - 1] == '.')
		len--;
	visible_add(text, message, len, REFUSAL_MAX);
}

int bus_new_call(struct bus *bus, const char *method, sd_bus_message **ret, struct error *err)
{
	int r = sd_bus_message_new_method_call(
			bus->sd, ret, BUS_NAME, BUS_PATH, BUS_MANAGER, method);
	return r < 0 ? bus_broken(err, r) : 0;
}

int bus_append_names(sd_bus_message *m, const struct strv *names, struct error *err)
{
	int r = sd_bus_message_open_container(m, 'a', "s");
	for (size_t i = 0; r >= 0 && i < names->n; i++)
		r = sd_bus_message_append_basic(m, 's', names->items[i]);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? bus_broken(err, r) : 0;
}

int bus_ended(int r, sd_bus_error *refusal, const char *what, struct error *err)
{
	if (r >= 0)
		return 0;
	if (r == -ENOMEM)
		out_of_memory();
	if (sd_bus_error_is_set(refusal)) {
		CLEANUP(buf_done) struct buf text = {};
		bus_refusal(refusal, &text);
		error_set(err, -r, "cannot %s: %s", what, buf_text(&text));
	} else {
		error_code(err, r, "cannot %s", what);
	}
	sd_bus_error_free(refusal);
	return r;
}

int bus_call(struct bus *bus, sd_bus_message *m, const char *what, sd_bus_message **ret,
		struct error *err)
{
	sd_bus_error refusal = SD_BUS_ERROR_NULL;
	int r = sd_bus_call(bus->sd, m, 0, &refusal, ret);
	return bus_ended(r, &refusal, what, err);
}

int bus_process(struct bus *bus, uint64_t deadline_usec, struct error *err)
{
	int r = sd_bus_process(bus->sd, NULL);
	if (r == 0) {
		uint64_t now = clock_now_usec();
		if (now >= deadline_usec)
			return 0;
		r = sd_bus_wait(bus->sd,
				deadline_usec == DEADLINE_NEVER ? UINT64_MAX : deadline_usec - now);
	}
	if (r == -EINTR)
		return 1;
	if (r < 0)
		return error_code(err, r, "the connection to systemd has ended");
	return 1;
}
