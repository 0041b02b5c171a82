/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit that runs QEMU, and the list of a machine's units. */
#include "unit/service.h"

#include <inttypes.h>
#include <string.h>

#include "config/load.h"
#include "model/network.h"
#include "qemu/argv.h"
#include "unit/parts.h"
#include "util/mem.h"

/* Starts that fail in a row, the first one included, and the time between two. */
#define START_TRIES 3
#define RESTART_SEC 10

static void add_directory_of(struct strv *directories, const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep)
	char *directory = slash && slash != path ? xstrndup(path, (size_t)(slash - path))
						 : xstrdup("/");
	if (!strv_contains(directories, directory))
		strv_push(directories, directory);
}

/* Every directory that something is opened in: the file systems have to be mounted first, and
 * stay until the machine is down. */
static void add_mounts(struct unitfile *u, const struct plan *plan, bool saves)
{
	CLEANUP(strv_done) struct strv directories = {};
	if (saves)
		strv_push(&directories, CONFIG_SAVED_DIR);
	for (size_t i = 0; i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if (fd->kind == PLAN_FD_FILE || fd->kind == PLAN_FD_COPY ||
				fd->kind == PLAN_FD_CREDENTIAL)
			add_directory_of(&directories, fd->path);
	}
	for (size_t i = 0; i < plan->n_seed; i++)
		if (vm_seed_is_path(plan->seed[i].kind))
			add_directory_of(&directories, plan->seed[i].text);
	for (size_t i = 0; i < plan->n_directories; i++)
		if (!strv_contains(&directories, plan->directories[i].path))
			strv_push(&directories, plan->directories[i].path);
	if (!directories.n)
		return;
	unit_after_storage(u);
	unitfile_set_words(u, "RequiresMountsFor", &directories);
}

static bool has_kind(const struct plan *plan, enum plan_fd_kind kind)
{
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan->fds[i].kind == kind)
			return true;
	return false;
}

/* Another unit that this one comes after, and can do without. */
static void add_wanted(struct unitfile *u, const char *name)
{
	unitfile_set(u, "Wants", name);
	unitfile_set(u, "After", name);
}

/* One that it can't do without. */
static void add_required(struct unitfile *u, const char *name)
{
	unitfile_set(u, "Requires", name);
	unitfile_set(u, "After", name);
}

static void add_screen_dependencies(struct unitfile *u, const struct plan *plan)
{
	for (size_t i = 0; i < UNIT_SCREENS; i++) {
		if (!unit_screen_port(&unit_screens[i], plan))
			continue;
		CLEANUP(freep) char *name = unit_name(unit_screens[i].socket, plan->machine);
		add_wanted(u, name);
	}
}

/* The bridges of networks that have a unit of their own, each once. */
static void add_networks(struct unitfile *u, const struct vm *vm)
{
	CLEANUP(strv_done) struct strv units = {};
	for (size_t i = 0; i < vm->n_nics; i++) {
		if (!vm->nics[i].managed || !network_owns_bridge(vm->nics[i].mode))
			continue;
		CLEANUP(freep) char *name = network_unit_name(vm->nics[i].network);
		if (!strv_contains(&units, name))
			strv_push(&units, name);
	}
	for (size_t i = 0; i < units.n; i++)
		add_required(u, units.items[i]);
}

/* A machine's unit is active when the guest is ready. */
static void add_order(struct unitfile *u, const struct vm *vm)
{
	for (size_t i = 0; i < vm->requires.n; i++) {
		CLEANUP(freep) char *name = unit_name(UNIT_QEMU, vm->requires.items[i]);
		add_required(u, name);
	}
	for (size_t i = 0; i < vm->after.n; i++) {
		CLEANUP(freep) char *name = unit_name(UNIT_QEMU, vm->after.items[i]);
		unitfile_set(u, "After", name);
	}
	/* The target is reached when its guests are ready. */
	if (vm->autostart == VM_AUTOSTART_YES)
		unitfile_set(u, "Before", UNIT_GUESTS_TARGET);
}

/*
 * Three tries, then the unit has failed and stays so. A guest that misses its time takes longer for
 * one than the usual minute: the three, each with its shutdown, have to fit in.
 */
static void add_start_limit(struct unitfile *u, const struct unit_input *in)
{
	const struct vm *vm = in->vm;
	if (vm->ready.when == VM_READY_QMP)
		unitfile_set(u, "StartLimitIntervalSec", "1min");
	else
		unitfile_setf(u, "StartLimitIntervalSec", "%ds",
				START_TRIES * (vm->ready.timeout_sec + in->plan->stop_sec +
							      RESTART_SEC) +
						60);
	unitfile_setf(u, "StartLimitBurst", "%d", START_TRIES);
}

static bool has_network_of(const struct vm *vm, enum network_mode mode)
{
	for (size_t i = 0; i < vm->n_nics; i++)
		if (vm->nics[i].mode == mode && !vm->nics[i].passt)
			return true;
	return false;
}

static void add_unit_section(struct unitfile *u, const struct unit_input *in)
{
	const struct vm *vm = in->vm;
	unitfile_section(u, "Unit");
	if (vm->description[0])
		unitfile_setf(u, "Description", "Virtual machine %s (%s)", vm->name,
				vm->description);
	else
		unitfile_setf(u, "Description", "Virtual machine %s", vm->name);
	/* On the way down this order keeps the network until the guest is off; on the way up a
	 * bridge has to be there. */
	unitfile_add_lines(u, "Documentation=man:machina(8)\n"
			      "After=network.target\n");
	bool has_macvtap = has_kind(in->plan, PLAN_FD_MACVTAP);
	/* A virtual function has no link while its card is down. */
	if (has_kind(in->plan, PLAN_FD_TAP) || has_macvtap || has_network_of(vm, NETWORK_VF))
		add_wanted(u, "network-online.target");
	/* systemd looks for the device's number when it starts the unit. */
	if (has_macvtap)
		add_wanted(u, "modprobe@macvtap.service");
	if (vm->vsock.enabled)
		add_wanted(u, "modprobe@vhost_vsock.service");
	add_networks(u, vm);
	add_order(u, vm);
	if (vm->tpm.enabled) {
		CLEANUP(freep) char *tpm = unit_name(UNIT_SWTPM, vm->name);
		add_required(u, tpm);
	}
	for (size_t i = 0; i < vm->n_shares; i++) {
		CLEANUP(freep) char *instance = unit_share_instance(vm->name, vm->shares[i].name);
		CLEANUP(freep) char *share = unit_name(UNIT_SHARE, instance);
		add_required(u, share);
	}
	for (size_t i = 0; i < vm->n_nics; i++) {
		if (!vm->nics[i].passt)
			continue;
		CLEANUP(freep) char *passt = unit_passt_name(vm->name, i);
		add_required(u, passt);
	}
	if (vm_uses_vfio(vm))
		add_wanted(u, "modprobe@vfio_pci.service");
	add_screen_dependencies(u, in->plan);
	add_mounts(u, in->plan, vm->host_end == VM_HOST_SAVE);
	add_start_limit(u, in);
}

/* What prepare tells of devices that were chosen, and of QEMU: it stands within its arguments. */
static void list_variables(const struct plan *plan, struct strv *names)
{
	for (size_t i = 0; i < plan->n_pcis; i++)
		for (size_t f = 0; f <= plan->pcis[i].n_functions; f++)
			if (!vm_pci_is_fixed(&plan->pcis[i]))
				strv_push_take(names, plan_pci_variable(i, f));
	if (plan->n_peers)
		strv_push(names, PLAN_RECONNECT);
}

/*
 * While ExecStartPost= waits for the guest, a stop does not run ExecStop=: systemd sends the signal
 * at once (service_stop() in src/core/service.c), and SIGTERM is a power cut. SIGURG does nothing
 * to who does not ask for it, so that it ends neither QEMU nor await at any moment since they were
 * forked. await takes it for the order to shut the guest down, and asks systemd for one that came
 * before it listened. So there has to be an await wherever there is a QEMU: Type=simple forks both
 * at once (service_enter_start()). Type=exec waits until QEMU was executed, and a stop before it
 * has seen that would meet a QEMU alone.
 */
static const char stop_while_starting[] = "KillSignal=SIGURG\n";

static void add_await(struct unitfile *u, const struct unit_input *in)
{
	const struct vm *vm = in->vm;
	if (vm->ready.when == VM_READY_QMP) {
		unit_hook(u, in, "ExecStartPost", (const char *const[]){ "await", NULL });
		return;
	}
	CLEANUP(freep)
	char *when = vm->ready.when == VM_READY_AGENT ? xstrdup("agent")
		     : vm->ready.when == VM_READY_NOTIFY
				     ? xasprintf("notify:%" PRIu32, vm->vsock.cid)
		     : strchr(vm->ready.address, ':')
				     ? xasprintf("tcp:[%s]:%u", vm->ready.address, vm->ready.port)
				     : xasprintf("tcp:%s:%u", vm->ready.address, vm->ready.port);
	CLEANUP(freep) char *timeout = xasprintf("%ds", vm->ready.timeout_sec);
	const bool asks = vm->host_end != VM_HOST_SHUTDOWN;
	unit_hook(u, in, "ExecStartPost",
			(const char *const[]){ "await", "--ready", when, "--timeout", timeout,
					asks ? "--host-end" : NULL, vm_host_end_names[vm->host_end],
					NULL });
}

/*
 * The call that shuts the guest down may be killed, and systemd would send its signal at once. So
 * there is another one, which does nothing if QEMU has gone, and has as much time again.
 *
 * Where neither can be run, since the program was removed, SIGTERM has QEMU write what it holds and
 * end. If the unit's signal is one that QEMU ignores, a shell sends the other one: else SIGKILL
 * would be the next.
 */
static void add_stop(struct unitfile *u, const struct unit_input *in)
{
	const struct vm *vm = in->vm;
	CLEANUP(freep) char *timeout = xasprintf("%ds", vm->shutdown_sec);
	const char *const how = vm->host_end != VM_HOST_SHUTDOWN ? "--host-end" : NULL;
	const char *const end = vm_host_end_names[vm->host_end];
	const char *const first[] = { "shutdown", "--system", "--timeout", timeout, how, end,
		NULL };
	const char *const second[] = { "shutdown", "--system", "--again", "--timeout", timeout, how,
		end, NULL };
	unit_hook_ignored(u, in, "ExecStop", first);
	if (vm->ready.when == VM_READY_QMP) {
		unit_hook(u, in, "ExecStop", second);
		return;
	}
	unit_hook_ignored(u, in, "ExecStop", second);
	CLEANUP(strv_done) struct strv argv = {};
	strv_push(&argv, "/bin/sh");
	strv_push(&argv, "-c");
	strv_push(&argv, "test -z \"$MAINPID\" || { echo 'machina could not be run to shut this "
			 "guest down, or was killed: QEMU is told to end'; kill $MAINPID; exit 1; "
			 "}");
	unitfile_exec(u, "ExecStop", "+", &argv);
}

/* A guest that does not become ready is shut down before the start has failed. */
static void add_start_timeout(struct unitfile *u, const struct unit_input *in)
{
	int sec = vm_uses_vfio(in->vm) ? 600 : 300;
	if (in->vm->ready.when == VM_READY_QMP)
		unitfile_setf(u, "TimeoutStartSec", "%dmin", sec / 60);
	else
		unitfile_setf(u, "TimeoutStartSec", "%ds",
				sec + in->vm->ready.timeout_sec + in->plan->stop_sec);
}

static void add_exec(struct unitfile *u, const struct unit_input *in)
{
	unitfile_add_lines(u, in->vm->ready.when == VM_READY_QMP ? "Type=exec\n" : "Type=simple\n");
	/* The file is rarely there, and since 254 systemd warns of variables that are not set. */
	unitfile_add_lines(u, "Environment=" UNIT_RUNTIME_ARGS "=\n");
	unitfile_setf(u, "EnvironmentFile", "-%s/environment", in->plan->run_dir);
	unit_hook(u, in, "ExecStartPre", (const char *const[]){ "prepare", "qemu", NULL });
	CLEANUP(strv_done) struct strv variables = {};
	list_variables(in->plan, &variables);
	unitfile_exec_inside(u, "ExecStart", "", in->argv, qemu_option_length, UNIT_RUNTIME_ARGS,
			variables.n ? &variables : NULL);
	add_await(u, in);
	add_stop(u, in);
	unit_hook(u, in, "ExecStopPost", (const char *const[]){ "teardown", NULL });
	unit_let_hooks_notify(u);
	/* QEMU has no use for them, and what it wrote there were the host's disk. */
	unitfile_add_lines(u, "InaccessiblePaths=-/tmp\n"
			      "InaccessiblePaths=-/var/tmp\n");
	unitfile_setf(u, "FileDescriptorStoreMax", "%zu", in->plan->n_fds + 16);
	add_start_timeout(u, in);
	unitfile_setf(u, "TimeoutStopSec", "%ds", in->plan->stop_sec);
	unitfile_add_lines(u, "Restart=on-failure\n");
	unitfile_setf(u, "RestartSec", "%ds", RESTART_SEC);
	unitfile_add_lines(u, "KillMode=mixed\n");
	if (in->vm->ready.when != VM_READY_QMP)
		unitfile_add_lines(u, stop_while_starting);
	/* QEMU's end is a failure without that. When a hook dies of it while a guest is being shut
	 * down, "stop" is SIGTERM for QEMU (service_notify_cgroup_oom_event() in
	 * src/core/service.c), and the next line of ExecStop= is not run. */
	unitfile_add_lines(u, "OOMPolicy=continue\n");
}

/* The device list is that of the control group: it holds for the hooks as well, which open disks
 * and taps. QEMU sees no more of /dev than is bound into its own. */
static void add_devices(struct unitfile *u, const struct unit_input *in)
{
	unitfile_add_lines(u, "DevicePolicy=closed\n");
	if (in->vm->accel == VM_ACCEL_KVM)
		unitfile_add_lines(u, "SupplementaryGroups=" VM_KVM_GROUP "\n"
				      "BindPaths=-/dev/kvm\n"
				      "DeviceAllow=/dev/kvm rw\n");
	if (has_kind(in->plan, PLAN_FD_TAP))
		unitfile_add_lines(u, "DeviceAllow=/dev/net/tun rw\n");
	/* The hook makes a node for itself. */
	if (has_kind(in->plan, PLAN_FD_MACVTAP))
		unitfile_add_lines(u, "DeviceAllow=char-macvtap rwm\n");
	if (has_kind(in->plan, PLAN_FD_VSOCK))
		unitfile_add_lines(u, "DeviceAllow=/dev/vhost-vsock rw\n");
	if (has_kind(in->plan, PLAN_FD_VHOST))
		unitfile_add_lines(u, "DeviceAllow=/dev/vhost-net rw\n");
	for (size_t i = 0; i < in->plan->n_fds; i++) {
		const struct plan_fd *fd = &in->plan->fds[i];
		if (fd->kind == PLAN_FD_FILE && plan_is_device(fd->path))
			unitfile_setf(u, "DeviceAllow", "%s %s", fd->path,
					fd->writable ? "rw" : "r");
	}
	if (in->vm->n_usbs)
		unitfile_add_lines(u, "DeviceAllow=char-usb_device rw\n");
	if (vm_uses_vfio(in->vm)) {
		unitfile_comment(u, "\"devices\": VFIO pins all of the guest's memory.");
		unitfile_add_lines(u, "BindPaths=/dev/vfio\n"
				      "DeviceAllow=/dev/vfio/vfio rw\n"
				      "DeviceAllow=char-vfio rw\n"
				      "LimitMEMLOCK=infinity\n");
	}
	for (size_t i = 0; i < in->plan->n_directories; i++)
		unitfile_set(u, "BindReadOnlyPaths", in->plan->directories[i].path);
}

static bool uses_io_uring(const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_volumes; i++)
		if (vm->volumes[i].aio == DISK_AIO_IO_URING)
			return true;
	return false;
}

/*
 * Who may make unix sockets reaches whoever listens to all. What every host has is out of reach;
 * journald is not, since it is by its socket that systemd tells why QEMU could not be executed. An
 * empty /run would be the hooks' as well: TemporaryFileSystem= holds for "+".
 */
static const char unreachable_settings[] =
		"InaccessiblePaths=-/run/dbus\n"
		"InaccessiblePaths=-/run/systemd/io.system.ManagedOOM\n"
		/* Its name in later versions, and what has come with them. */
		"InaccessiblePaths=-/run/systemd/io.systemd.ManagedOOM\n"
		"InaccessiblePaths=-/run/systemd/io.systemd.Credentials\n"
		"InaccessiblePaths=-/run/systemd/io.systemd.Hostname\n"
		"InaccessiblePaths=-/run/systemd/io.systemd.Import\n"
		"InaccessiblePaths=-/run/systemd/io.systemd.MountFileSystem\n"
		"InaccessiblePaths=-/run/systemd/io.systemd.NamespaceResource\n"
		"InaccessiblePaths=-/run/systemd/private\n"
		"InaccessiblePaths=-/run/systemd/userdb\n";

static void add_sandbox(struct unitfile *u, const struct unit_input *in)
{
	CLEANUP(strv_done) struct strv exec_paths = {};
	unit_exec_paths(&exec_paths, in->vm->emulator);
	struct sandbox sandbox = {
		.address_families = "none",
		.hears_kernel = in->vm->n_usbs > 0,
		.exec_paths = &exec_paths,
	};
	if (uses_io_uring(in->vm))
		sandbox.io_uring_reason = "\"aio\": \"io_uring\" of a volume: what it asks for in "
					  "this way passes by these filters, sockets for instance.";
	/* For the agent's port, and for SPICE's, which a QEMU that the Go program's unit has
	 * started opened by itself: systemd applies this filter at once to what still runs. */
	sandbox.ip_localhost = has_kind(in->plan, PLAN_FD_LISTEN_TCP) || in->vm->spice.port;
	if (in->vm->ready.when == VM_READY_TCP) {
		sandbox.ip_allowed = in->vm->ready.address;
		sandbox.ip_reason = "\"ready\": ExecStartPost= connects to the guest.";
	}
	if (in->plan->n_sockets) {
		sandbox.address_families = "AF_UNIX";
		sandbox.address_reason = "\"spice\" and \"vnc\" listen on a unix socket, which "
					 "QEMU has to make by itself.";
		unitfile_setf(u, "RuntimeDirectory", "machina-qemu/%s", in->vm->name);
		unitfile_set(u, "RuntimeDirectoryMode", "0711");
	}
	if (has_network_of(in->vm, NETWORK_VHOST_USER)) {
		sandbox.address_families = "AF_UNIX";
		sandbox.address_reason = "A network of \"mode\": \"vhost-user\": QEMU itself talks "
					 "to the switch, on a unix socket.";
	}
	if (has_network_of(in->vm, NETWORK_USER)) {
		sandbox.own_network = true;
		sandbox.ip_any = true;
		sandbox.address_families = "AF_UNIX AF_INET AF_INET6";
		sandbox.address_reason = "A network of \"mode\": \"user\": QEMU itself talks to "
					 "the network, as the host.";
	}
	sandbox_add(u, &sandbox);
	if (strcmp(sandbox.address_families, "none") != 0)
		unitfile_add_lines(u, unreachable_settings);
}

static void add_install(struct unitfile *u, const struct vm *vm)
{
	if (vm->cluster || vm->autostart == VM_AUTOSTART_NO)
		return;
	unitfile_section(u, "Install");
	unitfile_set(u, "WantedBy",
			vm->autostart == VM_AUTOSTART_YES ? UNIT_GUESTS_TARGET
							  : UNIT_ENABLED_TARGET);
}

static int build_qemu(const struct unit_input *in, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	unit_begin(&u, in->sources);
	add_unit_section(&u, in);

	unitfile_section(&u, "Service");
	add_exec(&u, in);
	unitfile_add_lines(&u, "Slice=machine.slice\n"
			       "DynamicUser=yes\n");
	unitfile_set(&u, "User", in->plan->user);
	add_devices(&u, in);
	add_sandbox(&u, in);
	for (size_t i = 0; i < in->vm->limits.n; i++)
		unitfile_set(&u, in->vm->limits.items[i].key, in->vm->limits.items[i].value);

	unit_add_plan(&u, in->plan);
	add_install(&u, in->vm);
	return units_add(ret, &u, UNIT_QEMU, in->vm->name, err);
}

int units_build(const struct unit_input *input, struct units *ret, struct error *err)
{
	*ret = (struct units){};
	int r = build_qemu(input, ret, err);
	if (r == 0 && input->tpm_plan)
		r = unit_build_swtpm(input, ret, err);
	for (size_t i = 0; r == 0 && i < input->vm->n_shares; i++)
		r = unit_build_share(input, i, ret, err);
	for (size_t i = 0; r == 0 && i < input->vm->n_nics; i++)
		if (input->vm->nics[i].passt)
			r = unit_build_passt(input, i, ret, err);
	for (size_t i = 0; r == 0 && i < UNIT_SCREENS; i++) {
		int port = unit_screen_port(&unit_screens[i], input->plan);
		if (port)
			r = unit_build_proxy(input, &unit_screens[i], port, ret, err);
	}
	return r;
}
