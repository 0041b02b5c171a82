/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit of a directory that a guest shares: virtiofsd at the other end of QEMU's socket. */
#include "qemu/argv.h"
#include "unit/parts.h"
#include "util/mem.h"

/*
 * The options are those that QEMU's own virtiofsd and its successor in Rust have in common. Neither
 * of them can be told to be read-only in all its versions: it is the mount that is.
 */
static void share_argv(const struct unit_input *in, const struct vm_share *share,
		const struct plan *plan, struct strv *ret)
{
	strv_push(ret, in->program);
	strv_push(ret, UNIT_SERVE);
	strv_pushf(ret, "%d", plan_find(plan, "users")->number);
	strv_pushf(ret, "%d", plan_find(plan, "tree")->number);
	strv_push(ret, "--");
	strv_push(ret, share->program);
	strv_pushf(ret, "--fd=%d", plan_find(plan, "control")->number);
	strv_push(ret, "--rlimit-nofile=0");
	strv_push(ret, "-o");
	strv_pushf(ret, "source=" VM_SHARE_PLACE ",sandbox=chroot,cache=%s",
			share_cache_names[share->cache]);
}

static void add_exec(
		struct unitfile *u, const struct unit_input *in, size_t i, const char *instance)
{
	const struct vm_share *share = &in->vm->shares[i];
	CLEANUP(strv_done) struct strv argv = {};
	share_argv(in, share, &in->share_plans[i], &argv);
	unitfile_set(u, "Type", "exec");
	unitfile_set(u, "Environment", "PATH=" VM_SHARE_PROGRAM_DIRS);
	unit_hook_of(u, in->program, "ExecStartPre",
			(const char *const[]){ "prepare", "virtiofsd", NULL }, instance);
	unitfile_exec_long(u, "ExecStart", &argv, qemu_option_length);
	unit_hook_of(u, in->program, "ExecStopPost",
			(const char *const[]){ "teardown", "--virtiofsd", NULL }, instance);
	unit_let_hooks_notify(u);
	unitfile_set(u, "FileDescriptorStoreMax", "4");
	unitfile_set(u, "TimeoutStartSec", "2min");
	unitfile_set(u, "TimeoutStopSec", "10s");
	unitfile_set(u, "KillMode", "mixed");
}

int unit_build_share(const struct unit_input *in, size_t i, struct units *ret, struct error *err)
{
	const struct vm_share *share = &in->vm->shares[i];
	const struct plan *plan = &in->share_plans[i];
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(strv_done) struct strv exec_paths = {};
	CLEANUP(freep) char *instance = unit_share_instance(in->vm->name, share->name);
	CLEANUP(freep) char *qemu = unit_name(UNIT_QEMU, in->vm->name);
	unit_begin(&u, in->sources);
	unitfile_section(&u, "Unit");
	unitfile_setf(&u, "Description", "Directory '%s' of virtual machine %s", share->name,
			in->vm->name);
	unitfile_set(&u, "Documentation", "man:machina(8)");
	unit_after_storage(&u);
	unitfile_set(&u, "RequiresMountsFor", share->path);
	/* It starts with the machine, ends with its QEMU and starts again with the next one, also
	 * when that is told to restart: as often as that may. */
	unitfile_set(&u, "PartOf", qemu);
	unitfile_set(&u, "StopWhenUnneeded", "yes");
	unitfile_set(&u, "StartLimitIntervalSec", "0");

	unitfile_section(&u, "Service");
	add_exec(&u, in, i, instance);
	unitfile_set(&u, "Slice", "machine.slice");
	if (!share->user_exists)
		unitfile_set(&u, "DynamicUser", "yes");
	unitfile_set(&u, "User", share->user);
	unitfile_set(&u, "DevicePolicy", "closed");
	unit_exec_paths(&exec_paths, in->program);
	if (share->program[0] == '/')
		strv_pushf(&exec_paths, "-%s", share->program);
	else
		strv_pushf(&exec_paths, "-/usr/libexec/%s", share->program);
	sandbox_add(&u, &(struct sandbox){
					.address_families = "none",
					.enters_user_namespace = true,
					.exec_paths = &exec_paths,
			});
	unit_add_plan(&u, plan);
	return units_add(ret, &u, UNIT_SHARE, instance, err);
}
