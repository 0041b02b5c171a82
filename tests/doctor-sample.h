/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host to look over, made by hand, and what doctor says of it.
 *
 *	struct sick s;
 *	sick_begin(&s);
 *	add(&s, "web", true)->accel = VM_ACCEL_KVM;
 *	put_file("proc/cpuinfo", "...");
 *	CHECK_FOUND(&s, kvm, "fault: ...\n");
 *	sick_end(&s);
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "scratch.h"
#include "test.h"
#include "util/buf.h"
#include "util/mem.h"

#define MACHINES_MAX 8

/* A host with machines. */
struct sick {
	struct doctor doctor;
	struct host_conf host;
	struct doctor_machine machines[MACHINES_MAX];
	struct vm vms[MACHINES_MAX];
	struct vm_nic nics[MACHINES_MAX];
	struct vm_volume volumes[MACHINES_MAX];
	char *sys, *proc, *dev;
	struct buf text;
};

static inline void sick_begin(struct sick *s)
{
	scratch_begin();
	*s = (struct sick){};
	s->sys = xstrdup(scratch_path("sys"));
	s->proc = xstrdup(scratch_path("proc"));
	s->dev = xstrdup(scratch_path("dev"));
	make_directory("dev");
	s->doctor = (struct doctor){
		.sys = s->sys,
		.proc = s->proc,
		.dev = s->dev,
		.operators = "root",
		.is_root = true,
		.host = &s->host,
		.machines = s->machines,
	};
}

static inline void sick_end(struct sick *s)
{
	doctor_done(&s->doctor);
	buf_done(&s->text);
	free(s->sys);
	free(s->proc);
	free(s->dev);
	scratch_end();
}

/* A machine that uses nothing. */
static inline struct vm *add(struct sick *s, const char *name, bool enabled)
{
	size_t i = s->doctor.n_machines++;
	s->vms[i] = (struct vm){
		.name = name,
		.accel = VM_ACCEL_TCG,
		.emulator = "/bin/true",
		.machine_type = "q35",
		.memory.ram_mib = 1024,
	};
	s->machines[i] = (struct doctor_machine){ .vm = &s->vms[i], .enabled = enabled };
	return &s->vms[i];
}

static inline struct vm_nic *add_nic(struct sick *s, struct vm *vm, const char *bridge)
{
	size_t i = (size_t)(vm - s->vms);
	s->nics[i] = (struct vm_nic){
		.network = "lan", .mode = NETWORK_BRIDGE, .bridge = bridge, .join = true
	};
	vm->nics = &s->nics[i];
	vm->n_nics = 1;
	return vm->nics;
}

/* Run a check. Its findings, and no others: a line each for level and what, why, and cures. */
static inline const char *examine(struct sick *s, const char *name, doctor_check *check)
{
	struct doctor *d = &s->doctor;
	while (d->n > 0) {
		strv_done(&d->findings[--d->n].cures);
		strv_done(&d->findings[d->n].machines);
	}
	doctor_begin(d, name);
	check(d);
	buf_clear(&s->text);
	for (size_t i = 0; i < d->n; i++) {
		const struct doctor_finding *f = &d->findings[i];
		buf_printf(&s->text, "%s: %s\n", doctor_level_names[f->level], f->what);
		if (f->why)
			buf_printf(&s->text, "  %s\n", f->why);
		for (size_t k = 0; k < f->cures.n; k++)
			buf_printf(&s->text, "    %s\n", f->cures.items[k]);
	}
	if (d->left_out)
		buf_printf(&s->text, "left out: %s\n", d->left_out);
	else if (!d->n && d->note)
		buf_printf(&s->text, "ok: %s\n", d->note);
	return without_scratch(buf_text(&s->text));
}

/* One check on one host. */
#define CHECK_FOUND(s, check, expected)                                                            \
	CHECK_STR(examine((s), #check, doctor_check_##check), expected)
