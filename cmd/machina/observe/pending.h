/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of the machines that run would be changed by a restart: the answer of observe/drift.h
 * for many, found out from times of files where these leave no doubt.
 *
 *	- The config of a machine would generate what it runs with if its unit was written after the
 *	  machine's config, the host's and this program were changed for the last time, and before
 *	  QEMU was started. Else the machine is built from its config and compared.
 *	- QEMU and its libraries are those that were started if no directory that they are in, nor
 * the cache of ld.so(8), which a package manager writes anew after each library, was changed since.
 *	  Else, and where QEMU is none of the distribution's, all that its process has mapped is
 * looked at.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/load.h"
#include "host/systemd/bus.h"

struct pending {
	const char *machine;
	pid_t pid; /* of QEMU; 0: it does not run, and is left out */
	/* When the two files were changed (ctime) and written (mtime); 0: there is none. */
	uint64_t config_nsec, unit_nsec;
	/* Filled. */
	bool is_compared; /* those that follow are known: root may look, the config has no faults */
	bool is_replaced; /* QEMU or a library of it is another one by now */
	bool is_different; /* the config would generate something else */
	bool has_to_stop;  /* and generate will not before it is off (struct drift) */
	bool has_faults;   /* its config, or the host's: it was not compared */
};

void pending_find(const struct config_paths *paths, struct pending *machines, size_t n);

/*
 * A unit is the machine as it was generated: who has changed the config since may have forgotten
 * that. What there is to say of it behind "started"; "": nothing.
 *
 * @since_usec: the machine was started later (CLOCK_REALTIME); 0: nobody knows when
 */
const char *pending_note(const struct config_paths *paths, struct bus *bus, const char *machine,
		uint64_t since_usec);
