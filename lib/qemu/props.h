/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's "driver,key=value,..." arguments: the only place that knows their syntax and doubles
 * commas.
 *
 *	struct props p = {};
 *	props_init(&p, "virtio-blk-pci");
 *	props_addf(&p, "id", "disk.%zu", i);
 *	props_add(&p, "serial", disk->serial);
 *	props_take(&p, "-device", argv);
 *
 * pushes "-device" and "virtio-blk-pci,id=disk.0,serial=AB,,C".
 *
 * QEMU 7.2 has two parsers: util/qemu-option.c (-device, -netdev but for its types stream and
 * dgram, -chardev, -drive, -name, -smbios, -fw_cfg, -mon, -spice, -vnc, -m, -accel, ...) and
 * util/keyval.c (-blockdev, -object, -machine, -audiodev, -display, -smp, -boot, those two types
 * of -netdev). Both read "key=value" alike: the value ends at a comma, ",," stands for one, and
 * nothing else is special in it, '=' included; it may be empty. They differ in the first text, if
 * it has no key: keyval cannot have a comma in it, and neither can have '='. So only the fixed
 * name of a driver or type is written without a key, and everything a user wrote gets its key,
 * also where QEMU would imply it ("-name guest=...").
 *
 * With a key every text without NUL can be expressed. Not everything is such a list, though:
 * -append, -kernel, -uuid and the like are one text as it is, and -cpu is split at each comma
 * without any doubling, so that a value with a comma cannot be written there.
 */
#pragma once

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/strv.h"

struct props {
	struct buf text;
	char room[200]; /* where most texts find place; so this must stay where it is */
};

void props_done(struct props *p);

/*
 * Begin anew.
 *
 * @driver: what stands first and without a key: letters, digits, '-', '_' and '.', part of this
 *	program; NULL to begin with a key
 */
void props_init(struct props *p, const char *driver);

/*
 * Add "key=value". A key given twice: the last counts, except in -smbios type=11 and other options
 * that collect values.
 *
 * @key: letters, digits, '-', '_' and '.': keys are part of this program. keyval reads a '.' as a
 *	step into an object or, before a number, a list ("addr.type", "cache.direct")
 */
void props_add(struct props *p, const char *key, const char *value);
void props_addf(struct props *p, const char *key, const char *format, ...) PRINTF(3, 4);

/* Add "${NAME}", which stands for a whole pair that is known when QEMU is started. */
void props_add_variable(struct props *p, const char *name);

/* Push @option, a literal, and the text to @argv; @p is empty and can be used again. */
void props_take(struct props *p, const char *option, struct strv *argv);
