/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "machina firewall show" and "firewall test" are about: a machine, or one of its connections,
 * as the config says it.
 */
#pragma once

#include "cli/command.h"
#include "setup/built.h"

struct target {
	struct config config;
	struct built built;
	size_t first, end; /* the connections that are meant, in built.vm.nics */
};

void target_done(struct target *target);

/*
 * @word: MACHINE or MACHINE.CONNECTION, as machines_split() reads it
 *
 * Returns 0, 1 when there are findings in target->config.report, or a negative errno: ENOENT, there
 * is no such machine or connection.
 */
MUST_CHECK int target_load(struct target *target, const struct call *call, const char *word,
		struct error *err);

/* Add the addresses of all machines to the groups that they are members of. Machines with faults
 * are passed over. */
MUST_CHECK int target_add_members(struct target *target, struct error *err);

/* Why a connection has no filter. The caller frees it. */
char *target_why_unfiltered(const struct vm_nic *nic);

/* Where a rule of the group or, with @group NULL, of the machine is written. */
struct where target_rule_place(const struct target *target, const struct fw_group *group,
		const struct fw_rule *rule);
/* The same for a default; line 0 if nobody says it. @i: the connection's index */
struct where target_default_place(const struct target *target,
		const struct fw_resolved_default *found, enum fw_direction direction, size_t i);
/* "machina.conf.json:8:30", from the config directory on; "" for line 0. The caller frees it. */
char *target_place_text(const struct target *target, const struct where *at);
/* Add "file", "line" and "column", or nothing for line 0. */
void target_place_json(const struct where *at, struct json_object *object);

complete_fn complete_connections;
