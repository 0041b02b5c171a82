/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command line being assembled: the options made so far, in sections, and the tree of devices.
 *
 * Each part of the machine (parts.h) adds what it needs in every section; the sections are
 * then put one after another. The order of the parts decides the places of devices, the order of
 * the sections that of the words.
 */
#pragma once

#include "model/plan.h"
#include "model/vm.h"
#include "qemu/argv.h"
#include "qemu/props.h"
#include "qemu/topology.h"
#include "util/strv.h"

enum section {
	SECTION_MACHINE, /* -uuid to -rtc */
	SECTION_MON,
	SECTION_REMOTE, /* -spice, -vnc */
	SECTION_GLOBAL,
	SECTION_BOOT,
	SECTION_OBJECT,
	SECTION_ADD_FD,
	SECTION_BLOCKDEV,
	SECTION_CHARDEV,
	SECTION_TPMDEV,
	SECTION_NETDEV,
	N_SECTIONS,
};

/* Controllers are made when the first device needs one; another one when it is full. */
struct controllers {
	bool iothread;
	struct device *serial;
	int n_serial_ports;
	struct device *scsi;
	int n_scsi, n_scsi_luns;
	struct device *usb;
	int n_usb, n_usb_ports;
	struct device *sata; /* NULL: the chipset's own */
	int n_ahci;
	unsigned sata_used; /* bit N: bus N of the present one */
};

struct assembly {
	const struct vm *vm;
	const struct plan *plan;
	enum qemu_form form;
	const struct machine *machine;
	struct report *report;
	bool failed; /* it has no room for all; that was told */

	struct strv sections[N_SECTIONS];
	struct topology topology;
	struct controllers controllers;
	/* Counters of ids. */
	int n_block, n_nvme, n_sata, n_vfio;
};

/* Options are literals. @value is empty afterwards. */
void assembly_option(
		struct assembly *a, enum section section, const char *option, struct props *value);
/* A value that has no key=value form. */
void assembly_word(struct assembly *a, enum section section, const char *option, const char *word);
void assembly_flag(struct assembly *a, enum section section, const char *option);

/* Report at @pointer that there is no room for what was just added; once is enough. */
void assembly_check_room(struct assembly *a, const char *pointer);

/* The plan's descriptor of that name, which must be there. */
const struct plan_fd *assembly_fd(const struct assembly *a, const char *name);
/* The path of the plan's socket of that name, which must be there. */
const char *assembly_socket(const struct assembly *a, const char *name);
