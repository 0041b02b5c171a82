/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina cloud-init: what a guest's cloud-init is told. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/storage/cloud-init.h"
#include "json/jtree.h"
#include "setup/built.h"
#include "util/newfile.h"

struct cloud_init_options {
	const char *iso;
	bool force;
	bool json;
};

/* Returns an enum cloud_init_file, or -1. */
static int find_file(const char *name)
{
	for (int i = 0; i < CLOUD_INIT_N_FILES; i++)
		if (!strcmp(name, cloud_init_file_names[i]))
			return i;
	return -1;
}

static void print_file(const struct cloud_init *data, int i)
{
	fwrite(buf_text(&data->files[i]), 1, data->files[i].len, stdout);
}

static void print_all(const struct cloud_init *data, bool as_json)
{
	struct json_object *all = as_json ? jtree_object() : NULL;
	for (int i = 0; i < CLOUD_INIT_N_FILES; i++) {
		const struct buf *file = &data->files[i];
		if (!data->has[i])
			continue;
		if (all) {
			jtree_set(all, cloud_init_file_names[i],
					jtree_string_len(buf_text(file), file->len));
			continue;
		}
		printf("%s----%s----\n", i ? "\n" : "", cloud_init_file_names[i]);
		print_file(data, i);
	}
	if (all)
		print_json(all);
	json_object_put(all);
}

static int show(const struct call *call, const struct cloud_init *data, const char *machine,
		struct error *err)
{
	const struct cloud_init_options *options = call->options;
	const char *name = call->words.n > 1 ? call->words.items[1] : NULL;
	if (options->iso) {
		CLEANUP(buf_done) struct buf image = {};
		int r = cloud_init_pack(data, &image, err);
		if (r == 0)
			r = offer_force(newfile_write(options->iso, options->force, image.text,
							image.len, err),
					err);
		return r < 0 ? r : STATUS_DONE;
	}
	if (!name) {
		print_all(data, options->json);
		return STATUS_DONE;
	}
	int file = find_file(name);
	if (!data->has[file])
		return error_set(err, ENOENT, "machine '%s' gives its guest no %s", machine, name);
	print_file(data, file);
	return STATUS_DONE;
}

/* Files below another root directory are those of its host. */
static void move_paths(struct vm *vm, const char *root)
{
	for (size_t i = 0; i < vm->n_seed; i++)
		if (vm_seed_is_path(vm->seed[i].kind))
			vm->seed[i].text = arena_printf(&vm->arena, "%s%s", root, vm->seed[i].text);
}

static int cloud_init_run(const struct call *call, struct error *err)
{
	const struct cloud_init_options *options = call->options;
	const char *machine = call->words.items[0];
	CLEANUP(config_done) struct config config = {};
	CLEANUP(built_done) struct built built = {};
	CLEANUP(cloud_init_done) struct cloud_init data = {};
	if (call->words.n > 1 && find_file(call->words.items[1]) < 0)
		return misuse(call->command,
				"there is no file '%s': meta-data, user-data, network-config and "
				"vendor-data are known",
				call->words.items[1]);
	if (call->words.n > 1 && (options->iso || options->json))
		return misuse(call->command, "a FILE is shown as it is: without --iso and --json");
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = built_load(&built, &config, machine, err);
	if (r < 0)
		return r;
	if (config.report.n_errors) {
		print_errors(&config.report);
		return STATUS_FAILURE;
	}
	if (!built.vm.n_seed)
		return error_set(err, ENOENT,
				"machine '%s' has nothing for cloud-init: \"attrs\": { "
				"\"cloud-init\" } is not set",
				machine);
	if (call->common.root)
		move_paths(&built.vm, call->common.root);
	r = cloud_init_make(built.vm.seed, built.vm.n_seed, &data, err);
	if (r < 0)
		return error_wrap(err, "machine '%s'", machine);
	return show(call, &data, machine, err);
}

static void complete_names(struct completion *c)
{
	for (int i = 0; i < CLOUD_INIT_N_FILES; i++)
		complete_offer(c, cloud_init_file_names[i], NULL);
}

static const struct argument arguments[] = {
	{ "MACHINE", 0, complete_machines },
	{ "FILE", ARGUMENT_OPTIONAL, complete_names },
	{},
};

static const struct option_spec options[] = {
	{ 'i', "iso", "PATH", OPT_TEXT(struct cloud_init_options, iso),
			"Write the CD that the guest would have", complete_files },
	{ 0, "force", NULL, OPT_FLAG(struct cloud_init_options, force),
			"Replace a file that is there" },
	OPTION_JSON(struct cloud_init_options, json),
	{},
};

static const struct example examples[] = {
	{ "machina cloud-init web", "All that web's guest would be told." },
	{ "machina cloud-init web user-data", "What is made of users, keys and packages." },
	{},
};

const struct command cmd_cloud_init = {
	.name = "cloud-init",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES,
	.arguments = arguments,
	.summary = "Show what a guest's cloud-init is told",
	.description = "FILE is meta-data, user-data, network-config or vendor-data; without it "
		       "all are shown that there are. They are made of the config and of the "
		       "host's files that it names, as the machine's next start makes them once "
		       "its units are generated. The hash of a password is shown, too.",
	.options = options,
	.options_size = sizeof(struct cloud_init_options),
	.examples = examples,
	.run = cloud_init_run,
};
