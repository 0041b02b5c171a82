/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine or connection that a command about the packet filter is about. */
#include "setup/firewall-target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "setup/machines.h"
#include "util/mem.h"

void target_done(struct target *target)
{
	built_done(&target->built);
	config_done(&target->config);
}

static int find_connection(struct target *target, const char *name, struct error *err)
{
	const struct vm *vm = &target->built.vm;
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) const char **names = xcalloc(vm->n_nics + 1, sizeof(*names));
	target->end = vm->n_nics;
	if (!name[0])
		return 0;
	for (size_t i = 0; i < vm->n_nics; i++) {
		names[i] = vm->nics[i].name;
		if (strcmp(names[i], name) != 0)
			continue;
		target->first = i;
		target->end = i + 1;
		return 0;
	}
	jnames_hint(&text, name, names, vm->n_nics);
	return error_set(err, ENOENT, "machine '%s' has no connection '%s'%s", vm->name, name,
			buf_text(&text));
}

int target_load(struct target *target, const struct call *call, const char *word, struct error *err)
{
	CLEANUP(freep) char *machine = NULL;
	const char *connection = "";
	*target = (struct target){};
	int r = machines_split(call, word, &machine, &connection, err);
	if (r < 0)
		return r;
	r = config_load(&target->config, &call->paths, err);
	if (r == 0)
		r = built_load(&target->built, &target->config, machine, err);
	return r == 0 ? find_connection(target, connection, err) : r;
}

int target_add_members(struct target *target, struct error *err)
{
	struct config *config = &target->config;
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(report_done) struct report ignored = {};
	int r = machine_list(config->paths, &names, &ignored, err);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		CLEANUP(built_done) struct built built;
		if (!built_glance(&built, config, names.items[i]))
			continue;
		for (size_t k = 0; k < built.vm.n_nics; k++)
			if (built.vm.nics[k].filter)
				fw_policy_add_members(&config->policy, built.vm.nics[k].filter);
	}
	return r < 0 ? r : 0;
}

char *target_why_unfiltered(const struct vm_nic *nic)
{
	if (!network_has_bridge(nic->mode))
		return xasprintf("not filtered: \"mode\": \"%s\" of network '%s' has no filter",
				network_mode_names[nic->mode], nic->network);
	return xasprintf("not filtered: network '%s' has no \"mode\", and neither it nor the "
			 "machine says anything of groups, rules, guard or default",
			nic->network);
}

char *target_place_text(const struct target *target, const struct where *at)
{
	if (!at->line)
		return xstrdup("");
	return xasprintf("%s:%zu:%zu", config_short_file(target->config.paths, at->file), at->line,
			at->column);
}

void target_place_json(const struct where *at, struct json_object *object)
{
	if (!at->line)
		return;
	jtree_set(object, "file", jtree_string(at->file));
	jtree_set(object, "line", jtree_int((int64_t)at->line));
	jtree_set(object, "column", jtree_int((int64_t)at->column));
}

static struct where machine_place(const struct target *target, const char *pointer)
{
	struct where at = {};
	const char *chain;
	CLEANUP(freep) char *own = NULL;
	machine_locate(&target->built.machine, pointer, &at, &chain, &own);
	return at;
}

static struct where host_place(const struct target *target, const char *pointer)
{
	struct where at = {};
	CLEANUP(freep) char *own = NULL;
	host_locate(&target->config.host, pointer, &at, &own);
	return at;
}

struct where target_rule_place(const struct target *target, const struct fw_group *group,
		const struct fw_rule *rule)
{
	return group ? host_place(target, rule->pointer) : machine_place(target, rule->pointer);
}

struct where target_default_place(const struct target *target,
		const struct fw_resolved_default *found, enum fw_direction direction, size_t i)
{
	const char *key = fw_direction_names[direction];
	CLEANUP(buf_done) struct buf at = {};
	switch (found->source) {
	case FW_SOURCE_GROUP:
		buf_printf(&at, "/firewall/groups/%s/default/%s", found->group->name, key);
		return host_place(target, buf_text(&at));
	case FW_SOURCE_CONNECTION:
		buf_printf(&at, "/connections/%zu/default/%s", i, key);
		return machine_place(target, buf_text(&at));
	case FW_SOURCE_MACHINE:
		buf_printf(&at, "/attrs/firewall/default/%s", key);
		return machine_place(target, buf_text(&at));
	case FW_SOURCE_NETWORK:
		buf_puts(&at, "/network");
		jpointer_push(&at, target->built.vm.nics[i].network);
		buf_printf(&at, "/default/%s", key);
		return host_place(target, buf_text(&at));
	case FW_SOURCE_NONE:
		break;
	}
	return (struct where){};
}

/* Machines; of the one that was begun with its connections. */
void complete_connections(struct completion *c)
{
	CLEANUP(target_done) struct target target = {};
	CLEANUP(freep) char *machine = xstrdup(c->prefix);
	struct error unused = {};
	complete_machines(c);
	char *dot = strrchr(machine, '.');
	if (!dot || !c->call->paths.machine_dir)
		return;
	*dot = '\0';
	if (target_load(&target, c->call, machine, &unused) != 0)
		return;
	const struct vm *vm = &target.built.vm;
	for (size_t i = target.first; i < target.end; i++) {
		CLEANUP(freep) char *text = xasprintf("%s.%s", vm->name, vm->nics[i].name);
		complete_offer(c, text, vm->nics[i].network);
	}
}
