/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a machine to QEMU's argument vector: the order of things. */
#include "qemu/argv.h"

#include "qemu/controllers.h"
#include "qemu/parts.h"

static void add_fds(struct assembly *a)
{
	if (a->form != QEMU_FORM_UNIT)
		return;
	for (size_t i = 0; i < a->plan->n_fds; i++) {
		const struct plan_fd *fd = &a->plan->fds[i];
		if (fd->set < 0)
			continue;
		CLEANUP(props_done) struct props p = {};
		props_addf(&p, "fd", "%d", fd->number);
		props_addf(&p, "set", "%d", fd->set);
		props_add(&p, "opaque", fd->name);
		assembly_option(a, SECTION_ADD_FD, "-add-fd", &p);
	}
}

/* Devices up to the mediated ones have the places that the Go program gave them; what it did not
 * know comes later and moves nothing. */
static void add_parts(struct assembly *a)
{
	static void (*const parts[])(struct assembly *) = {
		machine_add_identity,
		machine_add_credentials,
		machine_add_board,
		cpu_add,
		machine_add_memory,
		machine_add_clock,
		firmware_add_boot,
		add_fds,
		device_add_panic,
		firmware_add,
		tpm_add,
		chardev_add_qmp,
		chardev_add_agent,
		display_add_spice,
		storage_add,
		network_add,
		device_add_host_devices,
		storage_add_nvme,
		display_add_others,
		chardev_add_console,
		device_add_rng,
		device_add_balloon,
		device_add_shares,
		device_add_usb,
		device_add_vsock,
		device_add_spare_ports,
		storage_add_seed,
		controllers_finish,
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i](a);
}

int qemu_argv(const struct vm *vm, const struct plan *plan, enum qemu_form form,
		const struct machine *machine, struct report *report, struct strv *ret_argv)
{
	struct assembly a = {
		.vm = vm,
		.plan = plan,
		.form = form,
		.machine = machine,
		.report = report,
	};
	topology_init(&a.topology);
	add_parts(&a);

	strv_push(ret_argv, vm->emulator);
	for (size_t i = 0; i < N_SECTIONS; i++)
		strv_move(ret_argv, &a.sections[i]);
	topology_take(&a.topology, ret_argv);
	topology_done(&a.topology);
	for (size_t i = 0; i < vm->qemu_args.n; i++)
		strv_push(ret_argv, vm->qemu_args.items[i]);
	return a.failed ? 1 : 0;
}
