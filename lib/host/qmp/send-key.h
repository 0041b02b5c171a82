/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys for a guest's keyboard (send-key in the QEMU QMP Reference Manual, QKeyCode in
 * qapi/ui.json).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "host/qmp/qmp.h"

/* QEMU's own default, between two changes of a key. */
#define SEND_KEY_HOLD_MSEC 10

/* Keys that are pressed together: pressed in this order, released the other way round. */
#define CHORD_KEYS_MAX 8
struct chord {
	const char *keys[CHORD_KEYS_MAX]; /* QEMU's names; not owned */
	size_t n;
};

/* QEMU's names in its order, and what people say instead ("del"), with an end of NULL. */
extern const char *const send_key_names[];
extern const struct send_key_alias {
	const char *name, *key;
} send_key_aliases[];

/*
 * "ctrl-alt-delete", in any letter case. A '-' alone, or at the end, is the key "minus".
 *
 * Errors: EINVAL: an unknown name, with those that look like it; E2BIG.
 */
MUST_CHECK int chord_parse(const char *text, struct chord *ret, struct error *err);

/* The keys that give a character on a US keyboard. Returns 0, or -EINVAL for one without. */
MUST_CHECK int chord_of_char(char c, struct chord *ret);

/* Is there a key for each character? Errors: EINVAL, with the first that has none. */
MUST_CHECK int send_key_check_text(const char *text, size_t len, struct error *err);

/*
 * Press the keys of a chord and release them, and wait while QEMU does: its queue is short, and
 * what does not fit is lost.
 *
 * @hold_msec: from one change of a key to the next
 */
MUST_CHECK int send_key_chord(
		struct qmp *qmp, const struct chord *chord, unsigned hold_msec, struct error *err);
