/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel counts for a control group, and systemd does not tell (cgroups(7), the kernel's
 * Documentation/admin-guide/cgroup-v2.rst).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/*
 * The most memory that the group has ever used (memory.peak). Returns false where that is not
 * known: before Linux 5.19, and where memory is not counted.
 *
 * @root: CGROUP_ROOT
 * @group: as systemd has it in ControlGroup, "/machine.slice/machina-qemu-web.service"
 */
bool cgroup_memory_peak(const char *root, const char *group, uint64_t *ret_bytes);
