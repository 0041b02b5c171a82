/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the host's devices are, for the modules that hand them to machines.
 */
#pragma once

#include <stdint.h>

struct vf_access;

struct device_host {
	const char *sys;      /* "/sys" */
	const char *dev;      /* "/dev" */
	const char *proc;     /* "/proc" */
	const char *udev;     /* "/run/udev"; NULL: it is not asked */
	const char *lock_dir; /* "/run/machina": must exist */
	/*
	 * Drivers that are not ready are waited for until then (host/os/clock.h). Since that clock
	 * begins with the kernel, a constant means: so long after the host was booted.
	 */
	uint64_t ready_deadline_usec;
	const struct vf_access *functions; /* of network cards; NULL: none are lent */
};
