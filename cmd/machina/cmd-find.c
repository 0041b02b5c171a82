/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina find: which machines have a value, also one that no file has: a MAC address, a disk. */
#include <fnmatch.h>
#include <json-c/json_object.h>
#include <json-c/linkhash.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "cli/table.h"
#include "json/jlocate.h"
#include "json/jtree.h"
#include "model/describe.h"
#include "setup/built.h"
#include "util/mem.h"

struct find_options {
	bool json;
};

struct search {
	const char *wanted;
	struct stat file; /* that @wanted is the path of */
	bool is_file;
	const char *machine; /* that is looked at */
	struct json_object *list;
};

/* ---- does it match? ---- */

/* A disk has many names: /dev/sdb, /dev/disk/by-id/..., a link in a pool. */
static bool is_same_file(const struct search *s, const char *path)
{
	struct stat st;
	if (!s->is_file || path[0] != '/' || stat(path, &st) < 0)
		return false;
	if (S_ISBLK(st.st_mode) && S_ISBLK(s->file.st_mode))
		return st.st_rdev == s->file.st_rdev;
	return st.st_dev == s->file.st_dev && st.st_ino == s->file.st_ino;
}

/* What stands in a file may hold what means something in a pattern: "[2001:db8::1]:80". */
static bool is_wanted(const struct search *s, const char *value)
{
	return !strcasecmp(s->wanted, value) || fnmatch(s->wanted, value, FNM_CASEFOLD) == 0 ||
	       is_same_file(s, value);
}

static void try_value(struct search *s, const char *pointer, const char *value)
{
	if (!value || !value[0] || !is_wanted(s, value))
		return;
	struct json_object *o = jtree_object();
	jtree_set(o, "machine", jtree_string(s->machine));
	jtree_set(o, "pointer", jtree_string(pointer));
	jtree_set(o, "value", jtree_string(value));
	jtree_push(s->list, o);
}

/* All leaves below a value. @at: its pointer */
static void try_tree(struct search *s, struct buf *at, struct json_object *value)
{
	size_t len = at->len;
	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, child)
		{
			jpointer_push(at, key);
			try_tree(s, at, child);
			buf_truncate(at, len);
		}
		return;
	}
	if (!json_object_is_type(value, json_type_array)) {
		try_value(s, buf_text(at), value ? json_object_get_string(value) : NULL);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		jpointer_push_index(at, i);
		try_tree(s, at, json_object_array_get_idx(value, i));
		buf_truncate(at, len);
	}
}

static void try_file(struct search *s, const char *pointer, const struct vm_volume *volume)
{
	if (volume)
		try_value(s, pointer, volume->path);
}

/* Of a class, all that a machine may get. */
static void try_devices(struct search *s, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_pcis; i++) {
		CLEANUP(freep) char *at = xasprintf("/devices/%zu/class", vm->pcis[i].index);
		for (size_t k = 0; k < vm->pcis[i].n_candidates; k++)
			try_value(s, at, vm->pcis[i].candidates[k].address);
	}
	for (size_t i = 0; i < vm->n_mdevs; i++) {
		CLEANUP(freep) char *at = xasprintf("/devices/%zu/class", vm->mdevs[i].index);
		for (size_t k = 0; k < vm->mdevs[i].n_parents; k++)
			try_value(s, at, vm->mdevs[i].parents[k].address);
	}
	for (size_t i = 0; i < vm->n_usbs; i++) {
		CLEANUP(freep) char *at = xasprintf("/devices/%zu/class", vm->usbs[i].index);
		for (size_t k = 0; k < vm->usbs[i].n_candidates; k++) {
			try_value(s, at, vm->usbs[i].candidates[k].id);
			try_value(s, at, vm->usbs[i].candidates[k].port);
		}
	}
}

/* What the names of pools, networks and classes stand for. */
static void try_resolved(struct search *s, const struct vm *vm)
{
	try_file(s, "/attrs/boot/kernel", vm->kernel);
	try_file(s, "/attrs/boot/initrd", vm->initrd);
	try_file(s, "/attrs/firmware/code", vm->firmware_code);
	try_file(s, "/attrs/firmware/vars", vm->firmware_vars);
	for (size_t i = 0; i < vm->n_volumes; i++) {
		CLEANUP(freep) char *at = xasprintf("/volumes/%zu/storage", i);
		try_file(s, at, &vm->volumes[i]);
	}
	for (size_t i = 0; i < vm->n_nics; i++) {
		CLEANUP(freep) char *at = xasprintf("/connections/%zu/network", i);
		try_value(s, at, vm->nics[i].bridge);
	}
	try_value(s, "/attrs/tpm/data/storage", vm->tpm.data);
	try_devices(s, vm);
}

/* One that the file has was found there. */
static void try_port(struct search *s, const char *at, const struct port_conf *conf, int port)
{
	CLEANUP(freep) char *text = xasprintf("%d", port);
	if (port && !conf->port)
		try_value(s, at, text);
}

/* One that can't be read is a finding: the others are looked at. */
static void search_one(struct search *s, struct config *config)
{
	CLEANUP(built_done) struct built built = {};
	CLEANUP(buf_done) struct buf at = {};
	struct error err = {};
	int r = built_load(&built, config, s->machine, &err);
	if (r < 0)
		report_error(&config->report, &err);
	if (r < 0 || !built.machine.merged)
		return;
	struct json_object *merged = vm_describe(&built.machine, &built.vm);
	try_tree(s, &at, merged);
	try_resolved(s, &built.vm);
	const struct attrs_conf *attrs = &built.machine.conf.attrs;
	try_port(s, "/attrs/agent/qemu/port", &attrs->agent.qemu, built.vm.agent.port);
	try_port(s, "/attrs/spice/port", &attrs->spice, built.vm.spice.port);
	try_port(s, "/attrs/vnc/port", &attrs->vnc, built.vm.vnc.port);
	json_object_put(merged);
}

/* ---- what was found ---- */

static void print_rows(struct json_object *found)
{
	static const struct column columns[] = {
		{ "MACHINE" },
		{ "VALUE OF", .widest = 48 },
		{ "IS" },
	};
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	for (size_t i = 0; i < jtree_length(found); i++) {
		struct json_object *one = jtree_at(found, i);
		table_add(&t, STYLE_HEAD, "%s", jtree_get_text(one, "machine"));
		table_add(&t, STYLE_PLAIN, "%s", jtree_get_text(one, "pointer"));
		table_add(&t, STYLE_PLAIN, "%s", jtree_get_text(one, "value"));
	}
	table_print(&t, stdout);
}

static int search_all(
		struct search *s, const struct call *call, struct config *config, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	int r = config_load(config, &call->paths, err);
	if (r == 0)
		r = machine_list(&call->paths, &names, &config->report, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		s->machine = names.items[i];
		search_one(s, config);
	}
	return r;
}

static int find_run(const struct call *call, struct error *err)
{
	const struct find_options *options = call->options;
	CLEANUP(config_done) struct config config = {};
	struct search search = { .wanted = call->words.items[0], .list = jtree_list() };
	/* Below another root the files of this host are no matter. */
	search.is_file = !call->paths.offline && search.wanted[0] == '/' &&
			 stat(search.wanted, &search.file) == 0;
	int r = search_all(&search, call, &config, err);
	size_t n = jtree_length(search.list);
	print_errors(&config.report);
	if (r >= 0 && options->json)
		print_json(search.list);
	else if (r >= 0)
		print_rows(search.list);
	json_object_put(search.list);
	if (r < 0)
		return r;
	if (!n && !options->json && !config.report.n_errors)
		complain("no machine has '%s'", search.wanted);
	return n && !config.report.n_errors ? STATUS_DONE : STATUS_FAILURE;
}

static const struct option_spec options[] = { OPTION_JSON(struct find_options, json), {} };

static const struct argument arguments[] = { { .name = "VALUE" }, {} };

static const struct example examples[] = {
	{ "machina find 52:54:00:62:58:c5", "Whose is this MAC address?" },
	{ "machina find /dev/sdb", "Who has this disk, by whatever name?" },
	{ "machina find br0", "Who is on this bridge?" },
	{ "machina find '192.0.2.*'", "Who has an address in this network?" },
	{},
};

const struct command cmd_find = {
	.name = "find",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES,
	.arguments = arguments,
	.summary = "Find the machines that have a value",
	.description = "VALUE is all of a value, or a shell pattern, in capitals or not; of any "
		       "key that a machine or one of its tags sets, and of what follows from them: "
		       "derived MAC addresses, WWNs, serial numbers and ids, the paths of volumes, "
		       "bridges and interfaces of networks, places of devices that classes stand "
		       "for. A path that is there finds also who has that file or disk by another "
		       "name.\n\n"
		       "It is the config that is searched: addresses that guests have now, "
		       "'machina ip --all' shows. The exit status is 1 if no machine has the "
		       "value, or not all could be looked at.",
	.options = options,
	.options_size = sizeof(struct find_options),
	.examples = examples,
	.run = find_run,
};
