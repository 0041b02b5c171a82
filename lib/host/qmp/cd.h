/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CD drives of a guest that runs: what is in them, taking it out, putting something in
 * (blockdev-open-tray and those beside it in the QEMU QMP Reference Manual).
 *
 * A guest may lock its drive. Then the tray opens when the guest lets it, or by force, which the
 * guest sees as a medium that has vanished.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/qmp/qmp.h"
#include "util/strv.h"

struct cd_drive {
	char *id;      /* of the device, or its path in QEMU's tree */
	char *name;    /* of the volume in the machine's config; NULL: none of it */
	char *node;    /* what is in it; NULL: nothing */
	int set;       /* of descriptors, that the medium's is in; -1: not known */
	bool has_tray; /* that can be asked for */
	bool is_open, is_locked;
};

struct cd_drives {
	struct cd_drive *items;
	size_t n;
};

void cd_drives_done(struct cd_drives *drives);

/*
 * @argv: of QEMU as it was started, which tells the names of the drives' volumes: those that the
 * unit has, "-device scsi-cd,...,drive=disk-NAME,id=ID". May be empty: then only drives with their
 * first media have names
 */
MUST_CHECK int cd_list(
		struct qmp *qmp, const struct strv *argv, struct cd_drives *ret, struct error *err);

/* The set of descriptors of what is in a drive ("inserted" of query-block); -1: not known. */
int cd_find_set(struct json_object *inserted);

/*
 * The drive of a name or id.
 *
 * @name: NULL: the only one
 *
 * Returns NULL with an error: ENODEV: there is none; ENOENT: none of that name, with those there
 * are; EINVAL: there are several.
 */
const struct cd_drive *cd_find(const struct cd_drives *drives, const char *name, struct error *err);

struct cd_request {
	const struct cd_drive *drive;
	bool force;	    /* whether the guest locks it or not */
	uint64_t wait_usec; /* for the guest to let the tray open */
};

/*
 * Take out what is in it; the tray stays open. The node and descriptor go, too.
 *
 * Returns 0; 1: it was empty; or a negative errno: EBUSY: the guest has locked it, and nothing was
 * done; EREMOTEIO: QEMU refuses.
 */
MUST_CHECK int cd_eject(struct qmp *qmp, const struct cd_request *request, struct error *err);

struct cd_file {
	int fd;		  /* open for reading; borrowed */
	const char *path; /* absolute: QEMU keeps it beside the descriptor (query-fdsets) */
	bool is_device;	  /* a block device, no regular file */
};

/*
 * Put a file in, in place of what is there, and close the tray. When that fails before the tray is
 * open, everything is as it was.
 */
MUST_CHECK int cd_insert(struct qmp *qmp, const struct cd_request *request,
		const struct cd_file *file, struct error *err);
