/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a machine to QEMU's argument vector. Pure: same machine, same bytes.
 *
 *	CLEANUP(strv_done) struct strv argv = {};
 *	r = qemu_argv(&vm, &plan, QEMU_FORM_UNIT, &machine, &report, &argv);
 *
 * What the guest sees is hardware layout 1: the devices, places and properties that the Go
 * program's arguments gave it (topology.c has the rules of places). Descriptors, node names and
 * what confines QEMU are not the guest's business. The options are those of QEMU 7.2: qemu(1), and
 * qapi/ in its source.
 */
#pragma once

#include "config/load.h"
#include "model/plan.h"
#include "model/vm.h"
#include "util/strv.h"

enum qemu_form {
	/* Files, taps and sockets are descriptors, by the plan's numbers. SPICE and VNC listen on
	 * unix sockets. */
	QEMU_FORM_UNIT,
	/* The same machine with paths, fit for a shell: files by path, taps by name (they must
	 * exist), sockets made by QEMU, SPICE and VNC on their TCP ports. */
	QEMU_FORM_STANDALONE,
};

/*
 * @plan: plan_build() of the same @vm
 * @machine: the config behind @vm, for the places of findings
 * @ret_argv: appended to; the emulator's path first. Not usable when 1 is returned
 *
 * Returns 0, or 1 when an error was added to @report: the bus has no room for all devices. What
 * else QEMU can't do is found before (vm_build()).
 */
MUST_CHECK int qemu_argv(const struct vm *vm, const struct plan *plan, enum qemu_form form,
		const struct machine *machine, struct report *report, struct strv *ret_argv);

/*
 * Append what has QEMU use the plan's VHOST descriptors. Not part of the argument vector: only
 * where they could be opened, when the machine starts. Without them, or with one that is no
 * vhost-net, QEMU would not start (net_init_tap_one() in net/tap.c). Nothing of it is the guest's
 * business.
 */
void qemu_vhost_args(const struct plan *plan, struct strv *ret);

/*
 * How many words from @argv->items[i] on are one option: 1, or 2 with its value. For arguments that
 * are not ours (qemu-args) this is a guess: a word after an option is its value unless it begins
 * with '-'. @i must be less than @argv->n.
 */
size_t qemu_option_length(const struct strv *argv, size_t i);

/*
 * Append a text for each of the plan's descriptors, in the order of their numbers: what QEMU finds
 * there. "fd 4 (set 1) disk.0: read and write '/tank/web/os.raw', volume 'os' of storage pool
 * 'tank'".
 */
void qemu_annotate(const struct plan *plan, struct strv *ret_rows);
