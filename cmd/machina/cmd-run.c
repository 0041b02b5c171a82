/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina run: a machine in the foreground. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/output.h"
#include "hook/firewall-prepared.h"
#include "hook/foreground.h"
#include "hook/run-child.h"
#include "hook/run-session.h"
#include "host/os/netns.h"
#include "host/os/process.h"
#include "host/prepare/environment.h"
#include "host/prepare/prepare.h"
#include "setup/built.h"
#include "setup/hookplan.h"
#include "setup/print-argv.h"
#include "util/file.h"
#include "util/mem.h"

struct run_options {
	bool dry_run;
	bool raw;
};

/* What one call works on. */
struct run {
	const char *machine;
	struct config_paths
			paths; /* borrowed from the call, but for run_dir, which belongs to... */
	char *run_dir;	       /* ...this */
	struct config config;
	struct built built;
	struct strv swtpm_argv;
	/* Who runs the two; as root only. */
	struct account qemu_account, swtpm_account;
	struct session session;
	bool raw;
};

static void run_done(struct run *run)
{
	free(run->run_dir);
	strv_done(&run->swtpm_argv);
	built_done(&run->built);
	config_done(&run->config);
	*run = (struct run){};
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static const struct account *user_of(const struct account *account)
{
	return is_root() ? account : NULL;
}

/* ---- what is asked for, and whether it can be had ---- */

static int choose_run_dir(const struct call *call, struct run *run, struct error *err)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	if (is_root())
		run->run_dir = xstrdup(call->paths.run_dir);
	else if (own && own[0] == '/')
		run->run_dir = path_join(own, PROGRAM_NAME);
	else
		return error_set(err, ENOENT,
				"there is no place for sockets: XDG_RUNTIME_DIR is not set (a "
				"login sets it to '/run/user/%u'; su and sudo do not)",
				getuid());
	run->paths = call->paths;
	run->paths.run_dir = run->run_dir;
	return 0;
}

static int check_kvm(const struct run *run, struct error *err)
{
	if (run->built.vm.accel != VM_ACCEL_KVM || access("/dev/kvm", R_OK | W_OK) == 0)
		return 0;
	return error_errno(err,
			"machine '%s' needs '/dev/kvm' (the group 'kvm' may open it; \"machine\": "
			"{ \"accel\": \"tcg\" } does without)",
			run->machine);
}

static int check_privileges(const struct run *run, struct error *err)
{
	const struct vm *vm = &run->built.vm;
	CLEANUP(buf_done) struct buf needs = {};
	if (vm->n_shares)
		return error_set(err, EOPNOTSUPP,
				"machine '%s' shares directories, which only units can serve: "
				"'machina start %s' starts it",
				run->machine, run->machine);
	for (size_t i = 0; i < vm->n_nics; i++)
		if (vm->nics[i].passt)
			return error_set(err, EOPNOTSUPP,
					"network '%s' of machine '%s' is by passt, which only "
					"units start: 'machina start %s' starts it (\"backend\": "
					"\"slirp\" of the network does without)",
					vm->nics[i].network, run->machine, run->machine);
	for (size_t i = 0; i < vm->n_nics; i++)
		if (vm_nic_has_link(&vm->nics[i]))
			buf_printf(&needs, ", a %s for connection '%s' (network '%s')",
					vm->nics[i].mode == NETWORK_MACVTAP ? "macvtap" : "tap",
					vm->nics[i].name, vm->nics[i].network);
	for (size_t i = 0; i < vm->n_mdevs; i++)
		buf_printf(&needs, ", a mediated device for '%s'", vm->mdevs[i].name);
	for (size_t i = 0; i < vm->n_pcis; i++)
		buf_printf(&needs, ", a PCI device for %s '%s'",
				vm->pcis[i].class_name ? "device" : "connection", vm->pcis[i].name);
	if (vm->tpm.enabled)
		buf_puts(&needs, ", a TPM with a user of its own");
	if (!needs.len || is_root())
		return check_kvm(run, err);
	return error_set(err, EPERM, "only root can run machine '%s': it needs%s", run->machine,
			needs.text + 1);
}

/* Returns 0, 1 when findings were printed, or a negative errno. */
static int load(const struct call *call, struct run *run, struct error *err)
{
	struct config *config = &run->config;
	int r = choose_run_dir(call, run, err);
	if (r == 0)
		r = config_load(config, &call->paths, err);
	if (r == 0)
		r = built_argv(&run->built, config, run->machine, QEMU_FORM_UNIT, run->run_dir,
				err);
	if (r < 0)
		return r;
	if (r > 0 || config->report.n_errors) {
		print_errors(&config->report);
		return 1;
	}
	if (run->built.vm.tpm.enabled)
		unit_swtpm_argv(&run->built.tpm_plan, &run->swtpm_argv);
	if (!is_root())
		return 0;
	r = account_make_up(run->built.plan.user, &run->qemu_account, err);
	if (r == 0 && run->built.vm.tpm.enabled)
		r = account_make_up(run->built.tpm_plan.user, &run->swtpm_account, err);
	return r;
}

static void print_steps(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv lines = {};
	prepare_describe(plan, true, &lines);
	print_lines(&lines);
}

static void show(const struct run *run)
{
	if (run->built.vm.tpm.enabled) {
		print_steps(&run->built.tpm_plan);
		if (is_root())
			printf("run as user %u: ", run->swtpm_account.uid);
		print_argv(&run->swtpm_argv);
	}
	print_steps(&run->built.plan);
	if (is_root())
		printf("run as user %u: ", run->qemu_account.uid);
	print_qemu_argv(&run->built.argv, NULL);
}

/* ---- doing and undoing ---- */

static int tear_down(const struct run *run, enum hook_unit unit, const struct plan *plan)
{
	static const struct prepare_options options = { .netns = NETNS_OWN };
	CLEANUP(strv_done) struct strv failures = {};
	struct error err = {};
	int r = prepare_teardown(plan, &options, &failures);
	for (size_t i = 0; i < failures.n; i++)
		complain("%s: %s", run->machine, failures.items[i]);
	if (r == 0 && (r = hookplan_forget(&run->paths, unit, run->machine, false, &err)) < 0)
		print_error(&err);
	return r;
}

/* What a run that was killed has left. */
static int tear_down_earlier(const struct run *run, struct error *err)
{
	static const enum hook_unit units[] = { HOOK_QEMU, HOOK_SWTPM };
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		CLEANUP(plan_done) struct plan plan = {};
		if (!hookplan_is_kept(&run->paths, units[i], run->machine))
			continue;
		struct error doubt = {};
		hookplan_recall(&run->paths, units[i], run->machine, &plan, &doubt);
		if (doubt.code)
			print_error(&doubt);
		if (tear_down(run, units[i], &plan) < 0)
			return error_set(err, EBUSY,
					"what an earlier run has left could not be cleaned up");
	}
	return 0;
}

static int prepare(const struct run *run, enum hook_unit unit, const struct plan *plan,
		const struct account *account, int *ret_fds, struct error *err)
{
	CLEANUP(prepared_others_done) struct prepared_others others;
	prepared_others_init(&others, &run->paths);
	const struct prepare_options options = {
		.account = account,
		.policy = &run->config.policy,
		.others = &others.others,
		.netns = NETNS_OWN,
	};
	int r = hookplan_keep(&run->paths, unit, plan, NULL, err);
	if (r < 0)
		return r;
	r = prepare_run(plan, &options, ret_fds, err);
	/* What failed has undone itself, so that nothing is left to recall. */
	if (r < 0)
		(void)!hookplan_forget(&run->paths, unit, run->machine, false, NULL);
	return r;
}

static int check_interrupted(struct error *err)
{
	return session_is_asked_to_end() ? error_set(err, EINTR, "interrupted") : 0;
}

/* The descriptors belong to the program alone once it runs: locks and taps end with it. */
static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		closep(&fds[i]);
}

static int start_swtpm(struct run *run, int *fds, struct error *err)
{
	const struct child_request request = {
		.argv = &run->swtpm_argv,
		.fds = fds,
		.n_fds = run->built.tpm_plan.n_fds,
		.output_fd = run->session.message_fds[1],
		.account = user_of(&run->swtpm_account),
	};
	return child_start(&request, &run->session.swtpm_pid, err);
}

static int start_qemu(struct run *run, int *fds, size_t n_fds, struct error *err)
{
	const struct vm *vm = &run->built.vm;
	const struct child_request request = {
		.argv = &run->built.argv,
		.fds = fds,
		.n_fds = n_fds,
		.output_fd = run->session.message_fds[1],
		.account = user_of(&run->qemu_account),
		.needs_kvm = vm->accel == VM_ACCEL_KVM,
		.pins_memory = vm_uses_vfio(vm),
	};
	int r = check_interrupted(err);
	if (r == 0)
		r = session_connect(&run->session, run->raw, err);
	if (r == 0)
		r = child_start(&request, &run->session.qemu_pid, err);
	return r;
}

static void end_child(pid_t *pid)
{
	child_end(*pid);
	*pid = 0;
}

static int run_qemu(struct run *run, struct error *err)
{
	const struct plan *plan = &run->built.plan;
	CLEANUP(freep) int *fds = xcalloc(plan->n_fds + 1, sizeof(*fds));
	int r = prepare(run, HOOK_QEMU, plan, user_of(&run->qemu_account), fds, err);
	if (r < 0)
		return r;
	size_t n_fds = plan->n_fds;
	while (n_fds > 0 && fds[n_fds - 1] < 0)
		n_fds--;
	if (n_fds == plan->n_fds)
		qemu_vhost_args(plan, &run->built.argv);
	r = environment_expand(plan->run_dir, &run->built.argv, err);
	if (r == 0)
		r = start_qemu(run, fds, n_fds, err);
	close_fds(fds, plan->n_fds);
	if (r == 0)
		r = session_run(&run->session, err);
	end_child(&run->session.qemu_pid);
	int undone = tear_down(run, HOOK_QEMU, plan);
	if (r == 0)
		r = process_check(run->session.qemu_status, run->built.argv.items[0], err);
	return r == 0 && undone < 0 ? error_set(err, EBUSY, "not all could be cleaned up") : r;
}

static int run_with_tpm(struct run *run, struct error *err)
{
	const struct plan *plan = &run->built.tpm_plan;
	CLEANUP(freep) int *fds = xcalloc(plan->n_fds + 1, sizeof(*fds));
	int r = prepare(run, HOOK_SWTPM, plan, user_of(&run->swtpm_account), fds, err);
	if (r < 0)
		return r;
	r = start_swtpm(run, fds, err);
	close_fds(fds, plan->n_fds);
	if (r == 0)
		r = run_qemu(run, err);
	end_child(&run->session.swtpm_pid);
	int undone = tear_down(run, HOOK_SWTPM, plan);
	return r == 0 && undone < 0 ? error_set(err, EBUSY, "not all could be cleaned up") : r;
}

static int run_machine(struct run *run, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	int r = session_begin(&run->session, &run->built.plan, err);
	if (r == 0)
		r = foreground_begin(&run->paths, &run->built.plan, &lock, err);
	if (r == 0)
		r = tear_down_earlier(run, err);
	if (r == 0)
		r = run->built.vm.tpm.enabled ? run_with_tpm(run, err) : run_qemu(run, err);
	session_done(&run->session);
	return r;
}

static int run_run(const struct call *call, struct error *err)
{
	const struct run_options *options = call->options;
	CLEANUP(run_done) struct run run = { .machine = call->words.items[0], .raw = options->raw };
	int r = load(call, &run, err);
	if (r != 0)
		return r < 0 ? r : STATUS_FAILURE;
	if (options->dry_run)
		show(&run);
	r = check_privileges(&run, err);
	if (r < 0 || options->dry_run)
		return r < 0 ? r : STATUS_DONE;
	r = run_machine(&run, err);
	return r < 0 ? r : STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct run_options, dry_run),
	{ 0, "raw", NULL, OPT_FLAG(struct run_options, raw),
			"Let all that the guest writes reach the terminal" },
	{},
};

static const struct example examples[] = {
	{ "machina run web", "Boot web on this terminal; Ctrl-] shuts it down." },
	{ "machina run --dry-run web", "What would be done for that, and QEMU's command line." },
	{},
};

const struct command cmd_run = {
	.name = "run",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments_machine,
	.summary = "Run a machine in the foreground",
	.description = "Without systemd and its units: to try a machine out, to see a guest boot "
		       "that does not come up. The host is prepared as for the unit and cleaned up "
		       "afterwards, QEMU gets the unit's arguments. Limits (\"limits\"), TCP ports "
		       "of screens and most of the unit's sandbox are left out.\n"
		       "\n"
		       "The guest's serial console (\"serial\") is on the terminal. Ctrl-] or a "
		       "signal presses the guest's power button. Ctrl-] once more ends QEMU at "
		       "once, and so does a second signal, half a second or more after the first; "
		       "but SIGHUP, as from a terminal that is closed, never does. "
		       "QEMU's own process ends by SIGINT and not by SIGTERM, which systemd sends "
		       "to all that is left of a login. "
		       "After a signal the guest has as long as its unit would give it "
		       "(\"shutdown\"). "
		       "Of what the guest writes as much is let through as by 'machina console', "
		       "on a terminal and elsewhere.\n"
		       "\n"
		       "Anyone can run a machine that needs no privilege: its networks are of "
		       "\"mode\" \"user\", it has no TPM and no devices of the host, and its "
		       "images can be opened. Sockets are in $XDG_RUNTIME_DIR/machina then. Run by "
		       "root, QEMU and the TPM have users of their own, which have no privileges "
		       "and are in no database.\n"
		       "\n"
		       "The exit status is 0 when QEMU has ended well. What is left of a run that "
		       "was killed is cleaned up by the next one, or by 'machina teardown'.",
	.options = options,
	.options_size = sizeof(struct run_options),
	.examples = examples,
	.run = run_run,
};
