/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The units beside QEMU's: the TPM, and TCP forwarded to SPICE and VNC. */
#include <string.h>

#include "qemu/argv.h"
#include "unit/parts.h"
#include "util/mem.h"

#define SWTPM "/usr/bin/swtpm"
#define SOCKET_PROXYD "/lib/systemd/systemd-socket-proxyd"

void unit_exec_paths(struct strv *ret, const char *program)
{
	/* One that is missing is to fail when it is executed, which names it, and not earlier. */
	strv_pushf(ret, "-%s", program);
	/* Where libraries are; without merged /usr the last ones are directories of their own. */
	strv_push_static(ret, "/usr/lib");
	strv_push_static(ret, "-/usr/lib64");
	strv_push_static(ret, "-/lib");
	strv_push_static(ret, "-/lib64");
	const char *bin = NULL;
	for (const char *at = program; (at = strstr(at, "/bin/")); at++)
		bin = at;
	if (bin && strncmp(program, "/usr/bin/", 9) != 0)
		strv_pushf(ret, "-%.*s/lib", (int)(bin - program), program);
}

void unit_swtpm_argv(const struct plan *tpm_plan, struct strv *ret)
{
	strv_push(ret, SWTPM);
	strv_push(ret, "socket");
	strv_push(ret, "--tpmstate");
	strv_pushf(ret, "dir=/proc/self/fd/%d,mode=0600", plan_find(tpm_plan, "state")->number);
	strv_push(ret, "--ctrl");
	strv_pushf(ret, "type=unixio,fd=%d", plan_find(tpm_plan, "control")->number);
	strv_push(ret, "--tpm2");
	strv_push(ret, "--log");
	strv_push(ret, "level=1");
}

static void add_swtpm_exec(struct unitfile *u, const struct unit_input *in)
{
	CLEANUP(strv_done) struct strv argv = {};
	unit_swtpm_argv(in->tpm_plan, &argv);
	unitfile_set(u, "Type", "exec");
	unit_hook(u, in, "ExecStartPre", (const char *const[]){ "prepare", "swtpm", NULL });
	/* Its options are written as QEMU's are. */
	unitfile_exec_long(u, "ExecStart", &argv, qemu_option_length);
	unit_hook(u, in, "ExecStopPost", (const char *const[]){ "teardown", "--swtpm", NULL });
	unit_let_hooks_notify(u);
	unitfile_set(u, "FileDescriptorStoreMax", "4");
	unitfile_set(u, "TimeoutStartSec", "2min");
	unitfile_set(u, "TimeoutStopSec", "10s");
	unitfile_set(u, "KillMode", "mixed");
}

int unit_build_swtpm(const struct unit_input *in, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(strv_done) struct strv exec_paths = {};
	CLEANUP(freep) char *qemu = unit_name(UNIT_QEMU, in->vm->name);
	unit_begin(&u, in->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "TPM of virtual machine %s", in->vm->name);
	unitfile_set(&u, "Documentation", "man:machina(8)");
	unit_after_storage(&u);
	unitfile_set(&u, "RequiresMountsFor", in->tpm_plan->tpm_data);
	/* It starts with the machine and starts again with the next QEMU, also when that is told to
	 * restart, as often as that may: a QEMU that ends in good order tells it to end
	 * (tpm_emulator_shutdown() in backends/tpm/tpm_emulator.c), and systemd, which found it
	 * running when the restart was asked for, would start a QEMU without it. */
	unitfile_set(&u, "PartOf", qemu);
	unitfile_set(&u, "StopWhenUnneeded", "yes");
	unitfile_set(&u, "StartLimitIntervalSec", "0");

	unitfile_section(&u, "Service");
	add_swtpm_exec(&u, in);
	unitfile_set(&u, "Slice", "machine.slice");
	unitfile_set(&u, "DynamicUser", "yes");
	unitfile_set(&u, "User", in->tpm_plan->user);
	unitfile_set(&u, "DevicePolicy", "closed");
	unit_exec_paths(&exec_paths, SWTPM);
	sandbox_add(&u, &(struct sandbox){
					.address_families = "none",
					.leaves_profile = true,
					.exec_paths = &exec_paths,
			});
	unit_add_plan(&u, in->tpm_plan);
	return units_add(ret, &u, UNIT_SWTPM, in->vm->name, err);
}

static int build_proxy_socket(const struct unit_input *in, const struct unit_screen *screen,
		int port, struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(freep) char *qemu = unit_name(UNIT_QEMU, in->vm->name);
	unit_begin(&u, in->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "TCP port of the screen of virtual machine %s (%s)",
			in->vm->name, screen->name);
	unitfile_set(&u, "PartOf", qemu);
	/* A restart would take it along also when the machine has no such port any more. */
	unitfile_set(&u, "StopWhenUnneeded", "yes");
	unitfile_section(&u, "Socket");
	unitfile_setf(&u, "ListenStream", "127.0.0.1:%d", port);
	return units_add(ret, &u, screen->socket, in->vm->name, err);
}

static int build_proxy_service(const struct unit_input *in, const struct unit_screen *screen,
		struct units *ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(freep) char *qemu = unit_name(UNIT_QEMU, in->vm->name);
	CLEANUP(strv_done) struct strv argv = {}, exec_paths = {};
	strv_push(&argv, SOCKET_PROXYD);
	strv_push(&argv, "--exit-idle-time=60");
	strv_pushf(&argv, "%s/%s", in->plan->socket_dir, screen->name);

	unit_begin(&u, in->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "Way to the screen of virtual machine %s (%s)",
			in->vm->name, screen->name);
	unitfile_set(&u, "Requisite", qemu);
	unitfile_set(&u, "After", qemu);
	unitfile_section(&u, "Service");
	unitfile_exec(&u, "ExecStart", "", &argv);
	unitfile_set(&u, "DynamicUser", "yes");
	unitfile_set(&u, "User", in->plan->user);
	unitfile_set(&u, "DevicePolicy", "closed");
	unit_exec_paths(&exec_paths, SOCKET_PROXYD);
	sandbox_add(&u, &(struct sandbox){
					.address_families = "AF_UNIX",
					.address_reason = "It connects to QEMU's unix socket; the "
							  "TCP socket is systemd's.",
					.ip_localhost = true,
					.exec_paths = &exec_paths,
			});
	return units_add(ret, &u, screen->service, in->vm->name, err);
}

int unit_build_proxy(const struct unit_input *in, const struct unit_screen *screen, int port,
		struct units *ret, struct error *err)
{
	int r = build_proxy_socket(in, screen, port, ret, err);
	return r < 0 ? r : build_proxy_service(in, screen, ret, err);
}
