/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine needs of the running system in order to start, and what of it is not there.
 */
#pragma once

#include "model/vm.h"

enum lack_kind {
	LACK_VOLUME,   /* also a kernel or initrd, and the file of a credential */
	LACK_FIRMWARE, /* its code or variables; EFBIG: they are of a wrong size */
	LACK_EMULATOR,
	LACK_SPICE, /* QEMU's module for it, or for qxl */
	LACK_TPM,
	LACK_PASST,
	LACK_LIBISOFS, /* for the CD of cloud-init */
	LACK_KVM,
	LACK_BRIDGE, /* it is missing, or is none, or is down (ENETDOWN) */
	LACK_VLANS,  /* of a bridge */
	LACK_DEVICE, /* of a macvtap: it is missing, down or not free */
	LACK_SWITCH, /* the socket of a switch that is a program (vhost-user) */
	LACK_SHARE_PROGRAM,
	LACK_SHARE_PATH, /* its directory */
	LACK_SHARE_USER, /* its account */
	LACK_USB,	 /* a device that can only be one; the subject is its port or its ids */
	LACK_PCI,	 /* a device; the subject is its address, or the interface of a card */
};

struct lack {
	enum lack_kind kind;
	const char *pointer; /* the place in the machine's config */
	const char *subject; /* path or name of what is missing */
	const char *network; /* what is missing is of this network of the host's; NULL: of none */
	const char *text;    /* one sentence without a full stop, and without @network */
	int code;	     /* positive errno, EACCES: this process may not look; 0: not told */
};

/* @lack: of this call only */
typedef void lack_fn(void *data, const struct lack *lack);

/* Is a share's program there: a path, or a name in one of VM_SHARE_PROGRAM_DIRS? */
bool share_program_exists(const char *name);

/* What is there is looked at, nothing is opened. In the network namespace of this thread. */
void lacks_find(const struct vm *vm, lack_fn *tell, void *data);
