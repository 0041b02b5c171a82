/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina args: the arguments that QEMU gets. */
#include <json-c/json_object.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "json/jtree.h"
#include "setup/built.h"
#include "setup/machines.h"
#include "setup/paths.h"
#include "setup/print-argv.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/shell.h"

struct args_options {
	bool json;
	bool annotate;
	bool standalone;
};

static void print_annotations(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv rows = {};
	qemu_annotate(plan, &rows);
	for (size_t i = 0; i < rows.n; i++)
		printf("# %s\n", rows.items[i]);
}

static void add_directory_of(struct strv *directories, const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *directory = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	if (directory[0] && !strv_contains(directories, directory))
		strv_push(directories, directory);
}

/* Where QEMU and swtpm make sockets and logs by themselves. */
static void add_directories(const struct plan *plan, struct strv *ret)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].kind == PLAN_FD_LISTEN || plan->fds[i].kind == PLAN_FD_LOG)
			add_directory_of(ret, plan->fds[i].path);
	for (size_t i = 0; i < plan->n_sockets; i++)
		if (!plan->sockets[i].port)
			add_directory_of(ret, plan->sockets[i].path);
}

/* What a unit's hooks and the TPM's unit would have done, as far as QEMU can't do without it. The
 * TPM's state is none of it: what is made here would have no certificates. */
static void print_needs(const struct built *built)
{
	CLEANUP(strv_done) struct strv directories = {};
	strv_push(&directories, "/usr/bin/mkdir");
	strv_push(&directories, "-p");
	add_directories(&built->plan, &directories);
	if (built->vm.tpm.enabled)
		add_directories(&built->tpm_plan, &directories);
	for (size_t i = 0; i < built->vm.n_shares; i++)
		add_directories(&built->share_plans[i], &directories);
	print_argv(&directories);
	if (!built->vm.tpm.enabled)
		return;
	CLEANUP(strv_done) struct strv swtpm = {};
	const char *const words[] = { "/usr/bin/swtpm", "socket", "--tpm2", "--daemon",
		"--terminate", "--tpmstate" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(&swtpm, words[i]);
	strv_pushf(&swtpm, "dir=%s", plan_find(&built->tpm_plan, "state")->path);
	strv_push(&swtpm, "--ctrl");
	strv_pushf(&swtpm, "type=unixio,path=%s", plan_find(&built->tpm_plan, "control")->path);
	print_argv(&swtpm);
}

/* No line could stand in for a share's unit: run by root, virtiofsd would let the guest's root be
 * the host's in the directory. */
static void print_shares(const struct built *built)
{
	for (size_t i = 0; i < built->vm.n_shares; i++)
		printf("# share '%s': QEMU needs a virtiofsd that listens at '%s'\n",
				built->vm.shares[i].name,
				plan_find(&built->share_plans[i], "control")->path);
}

static void print_words(const char *const *words)
{
	CLEANUP(strv_done) struct strv argv = {};
	for (; *words; words++)
		strv_push(&argv, *words);
	print_argv(&argv);
}

/* The kernel opens no macvtap by its name, as it does with a tap. @ret: what does, in the shell */
static void print_macvtaps(const struct plan *plan, struct strv *ret)
{
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if (fd->kind != PLAN_FD_MACVTAP)
			continue;
		print_words((const char *const[]){ "/usr/sbin/ip", "link", "add", "link",
				fd->device, "name", fd->link, "address", fd->mac, "type", "macvtap",
				"mode", macvtap_mode_names[fd->macvtap_mode], NULL });
		print_words((const char *const[]){
				"/usr/sbin/ip", "link", "set", fd->link, "up", NULL });
		CLEANUP(freep) char *index = xasprintf("/sys/class/net/%s/ifindex", fd->link);
		CLEANUP(buf_done) struct buf quoted = {};
		shell_quote(&quoted, index);
		for (size_t k = 0; k < plan_n_queues(plan, i); k++)
			strv_pushf(ret, "%d<>\"/dev/tap$(/usr/bin/cat %s)\"", fd[k].number,
					buf_text(&quoted));
	}
}

/* The CD of the guest's cloud-init. */
static void print_seed(const struct built *built, const struct common_options *common)
{
	if (!built->plan.n_seed)
		return;
	CLEANUP(freep) char *path = path_join(built->plan.run_dir, PLAN_SEED_FILE);
	CLEANUP(strv_done) struct strv argv = {};
	const char *const words[] = { program_path, "cloud-init", "--force", "--iso", path };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(&argv, words[i]);
	if (common->root)
		strv_pushf(&argv, "--root=%s", common->root);
	if (common->config_dir)
		strv_pushf(&argv, "--config-dir=%s", common->config_dir);
	strv_push(&argv, built->vm.name);
	print_argv(&argv);
}

static void print_built(const struct built *built, const struct args_options *options,
		const struct common_options *common)
{
	CLEANUP(strv_done) struct strv redirections = {};
	if (options->standalone) {
		print_needs(built);
		print_shares(built);
		print_seed(built, common);
		print_macvtaps(&built->plan, &redirections);
	} else if (options->annotate) {
		print_annotations(&built->plan);
	}
	print_qemu_argv(&built->argv, &redirections);
}

/* @all: where --json gathers several machines; NULL: this is the only one */
static void print_machine(const struct built *built, const struct call *call, const char *name,
		struct json_object *all)
{
	const struct args_options *options = call->options;
	struct json_object *list = options->json ? jtree_strings(&built->argv) : NULL;
	if (!options->json)
		print_built(built, options, &call->common);
	else if (all)
		jtree_set(all, name, list);
	else
		print_json(list);
	if (!all)
		json_object_put(list);
}

static int args_run(const struct call *call, struct error *err)
{
	const struct args_options *options = call->options;
	enum qemu_form form = options->standalone ? QEMU_FORM_STANDALONE : QEMU_FORM_UNIT;
	CLEANUP(config_done) struct config config = {};
	CLEANUP(strv_done) struct strv names = {};
	size_t n_failed = 0, n_shown = 0;
	int r = config_load(&config, &call->paths, err);
	if (r == 0)
		r = machines_select(call, &config.report, &names, err);
	if (r < 0)
		return r;

	struct json_object *all = machines_are_one(call) ? NULL : jtree_object();
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(built_done) struct built built = {};
		size_t before = config.report.n_errors_told;
		r = built_argv(&built, &config, names.items[i], form, NULL, err);
		if (r < 0)
			print_error(err);
		if (r != 0 || config.report.n_errors_told > before) {
			n_failed++;
			continue;
		}
		if (names.n > 1 && !options->json)
			printf("%s----%s----\n", n_shown ? "\n" : "", names.items[i]);
		n_shown++;
		print_machine(&built, call, names.items[i], all);
	}
	if (options->json && all)
		print_json(all);
	json_object_put(all);
	print_errors(&config.report);
	return n_failed || config.report.n_errors ? STATUS_FAILURE : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_JSON(struct args_options, json),
	{ 'a', "annotate", NULL, OPT_FLAG(struct args_options, annotate),
			"Say what each descriptor number is" },
	{ 's', "standalone", NULL, OPT_FLAG(struct args_options, standalone),
			"With paths in place of descriptors, to paste into a shell" },
	{},
};

static const struct example examples[] = {
	{ "machina args web", "The command line of web's unit, one option a line." },
	{ "machina args --standalone web", "Command lines that a shell can run." },
	{ "diff <(machina args web1) <(machina args web2)", "Compare two machines." },
	{},
};

const struct command cmd_args = {
	.name = "args",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Show the arguments that QEMU gets",
	.description = "As they stand in the unit, quoted for a shell. Disks, taps and sockets are "
		       "descriptors there, which the unit's hooks open; --annotate says what each "
		       "number is. With several machines each is preceded by its name; with --json "
		       "they become one object, also where a pattern, --all or --tag selects one "
		       "alone.\n"
		       "\n"
		       "--standalone has paths instead, and first makes the directories for "
		       "sockets and starts the TPM; --json leaves these lines out. Such a QEMU "
		       "runs as the user who pastes it, and makes taps without connecting them; a "
		       "macvtap is made by the shell. For a share a virtiofsd has to listen "
		       "first: a comment says where.",
	.options = options,
	.options_size = sizeof(struct args_options),
	.examples = examples,
	.run = args_run,
};
