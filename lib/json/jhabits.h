/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys that people write by habit, because libvirt, Proxmox VE or QEMU call the thing so.
 */
#pragma once

#include <stddef.h>

/*
 * The keys of this program that a foreign one may stand for, one a call; which of them are known
 * where it stands is the caller's to say ("bridge" is "device" in a network, and "network" in a
 * connection). Letter case does not count, and "_" is "-".
 *
 * @cursor: 0 at first; kept between the calls
 *
 * Returns NULL when there are no more.
 */
const char *jhabit_next(const char *key, size_t *cursor);
