/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "machina status" says of a machine that runs, beside what systemd says: the ways to its
 * guest, its addresses, its connections, devices of the host, what it uses.
 */
#pragma once

#include <json-c/json.h>

#include "cli/command.h"
#include "host/device/lent.h"
#include "model/plan.h"
#include "observe/usage.h"

/* A way to a guest. */
struct door {
	const char *name;
	const char *path; /* NULL: none */
	int port;	  /* of 127.0.0.1; 0: none */
};

/* A machine as it was started, whatever its unit says by now. */
struct status_running {
	struct plan plan; /* empty where it is not known */
	struct door *doors;
	size_t n_doors;
	const char *console_log; /* NULL: none */
	int *connections;	 /* enum connect_state of plan_connection(i); -1: not known */
	bool needs_restart;
	const struct usage *usage;     /* NULL: not measured. Borrowed */
	struct json_object *addresses; /* texts; NULL: none is known. Borrowed */
	struct lent_devices devices;   /* of the host */
};

void status_running_done(struct status_running *running);

/*
 * The addresses of guests. All agents are asked at once: one that stays silent costs the time that
 * it is given, and many are to cost no more.
 *
 * @ret_list: an object for each machine is added
 */
void status_find_addresses(
		const struct call *call, const struct strv *machines, struct json_object *ret_list);

/*
 * What can't be found out is left out, or told on standard error.
 *
 * @addresses: of status_find_addresses(); borrowed as long as @ret
 * @usage: what it uses; NULL: not measured. Borrowed likewise
 */
void status_running_load(const struct call *call, const char *machine,
		struct json_object *addresses, const struct usage *usage,
		struct status_running *ret);

void status_running_print(const struct status_running *running);
void status_running_add_json(const struct status_running *running, struct json_object *to);

/* A line "name: text" of the status. */
void status_field(const char *name, const char *format, ...) PRINTF(2, 3);
