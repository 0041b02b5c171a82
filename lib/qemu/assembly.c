/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command line being assembled. */
#include "qemu/assembly.h"

#include <assert.h>
#include <string.h>

void assembly_option(
		struct assembly *a, enum section section, const char *option, struct props *value)
{
	props_take(value, option, &a->sections[section]);
}

void assembly_word(struct assembly *a, enum section section, const char *option, const char *word)
{
	strv_push_static(&a->sections[section], option);
	strv_push(&a->sections[section], word);
}

void assembly_flag(struct assembly *a, enum section section, const char *option)
{
	strv_push_static(&a->sections[section], option);
}

void assembly_check_room(struct assembly *a, const char *pointer)
{
	if (!a->topology.full || a->failed)
		return;
	a->failed = true;
	machine_report(a->machine, a->report, SEVERITY_ERROR, pointer,
			"the machine has no room left on its PCI Express bus, which holds %d "
			"devices",
			TOPOLOGY_PLACES);
}

const struct plan_fd *assembly_fd(const struct assembly *a, const char *name)
{
	const struct plan_fd *fd = plan_find(a->plan, name);
	assert(fd);
	return fd;
}

const char *assembly_socket(const struct assembly *a, const char *name)
{
	const struct plan_socket *socket = a->plan->sockets;
	while (socket < a->plan->sockets + a->plan->n_sockets && strcmp(socket->name, name) != 0)
		socket++;
	assert(socket < a->plan->sockets + a->plan->n_sockets);
	return socket->path;
}
