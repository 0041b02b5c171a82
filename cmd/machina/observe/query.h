/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU knows of a machine, as tables.
 */
#pragma once

#include <json-c/json_object.h>

#include "host/qmp/qmp.h"
#include "model/plan.h"

#define QUERY_COMMANDS_MAX 3

struct query {
	const char *name; /* "pci" */
	/* QEMU's commands, and whether one may be refused: a machine without the device. */
	struct {
		const char *name; /* NULL: no more */
		bool optional;
	} commands[QUERY_COMMANDS_MAX];
	/* @replies: in the order of the commands, NULL where one was refused */
	void (*print)(const struct plan *plan, struct json_object *const *replies);
};

/* The row of a name, or NULL. */
const struct query *query_find(const char *name);
