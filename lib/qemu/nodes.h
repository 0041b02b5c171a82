/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block nodes: a volume becomes one node for its file and, but for plain images, one for its
 * format above it. Each has a name of its own, so that it can be managed while the guest runs.
 */
#pragma once

#include "qemu/assembly.h"

/*
 * The name for the node that a device attaches to, or with @file the one below it: "disk-os" and
 * "file-os" after the volume's name; "disk.3" and "file.3" after its number in the machine's
 * list where the name does not fit QEMU's rules. The two kinds can't meet.
 *
 * QEMU allows 31 bytes: a letter, then letters, digits, '-', '.', '_' (qapi/block-core.json,
 * "node-name"; util/id.c, id_wellformed).
 */
const char *nodes_name(
		struct assembly *a, const struct vm_volume *volume, size_t number, bool file);

/*
 * Make the nodes of a volume, except those of vvfat and TPM volumes, which have no file.
 *
 * @fd_name: its descriptor in the plan
 * @top, @file: names of the node to attach to and of the one below it; only @top for
 * VM_FORMAT_PLAIN
 */
void nodes_add(struct assembly *a, const struct vm_volume *volume, const char *fd_name,
		const char *top, const char *file);

/* Make the node of a vvfat volume: a directory by its path. */
void nodes_add_vvfat(struct assembly *a, const struct vm_volume *volume, const char *top);
