/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices on sockets of the plan. */
#pragma once

#include "qemu/assembly.h"

/*
 * Begin "-chardev socket,id=ID,...": by descriptor or by path or port, as the form wants it;
 * listening if the plan's socket listens. The caller may add to it and passes it on with
 * assembly_option(a, SECTION_CHARDEV, "-chardev", p).
 */
void chardev_socket(const struct assembly *a, struct props *p, const char *id,
		const struct plan_fd *fd);
