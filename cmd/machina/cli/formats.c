/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of config files. */
#include "cli/formats.h"

#include <string.h>

#include "config/host.h"
#include "config/machine.h"

const struct format formats[] = {
	{ "host", "machina.conf", "What a host offers to its virtual machines: machina.conf(5).",
			host_fields, false },
	{ "machine", "machina-machine", "A virtual machine: machina-machine(5).", machine_fields,
			true },
	{},
};

const struct format *format_find(const char *name, size_t len)
{
	for (const struct format *f = formats; f->name; f++)
		if (!strncmp(f->name, name, len) && !f->name[len])
			return f;
	return NULL;
}
