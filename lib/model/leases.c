/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections of all machines to networks with a bridge of their own. */
#include "model/leases.h"

#include <string.h>

#include "util/mem.h"
#include "util/parse.h"

void leases_done(struct leases *leases)
{
	strv_done(&leases->items);
}

/* A prefix length is not part of an address. Others than addresses have been told of. */
static void put_addresses(const struct vm_nic *nic, struct buf *line)
{
	for (size_t i = 0; i < nic->ip.n; i++) {
		const char *text = nic->ip.items[i];
		if (fw_is_address(text))
			buf_printf(line, " %.*s", (int)strcspn(text, "/"), text);
	}
}

void leases_add(struct leases *leases, const struct vm *vm)
{
	for (size_t i = 0; i < vm->n_nics; i++) {
		const struct vm_nic *nic = &vm->nics[i];
		if (!network_owns_bridge(nic->mode))
			continue;
		CLEANUP(buf_done) struct buf line = {};
		CLEANUP(freep) char *mac = xstrdup(nic->mac);
		mac_use_colons(mac);
		buf_printf(&line, "%s %s %s", nic->network, vm->name, mac);
		put_addresses(nic, &line);
		strv_push(&leases->items, buf_text(&line));
	}
}

void leases_sort(struct leases *leases)
{
	strv_sort(&leases->items);
}

void leases_pack(const struct leases *leases, struct buf *to)
{
	for (size_t i = 0; i < leases->items.n; i++)
		buf_add(to, leases->items.items[i], strlen(leases->items.items[i]) + 1);
	buf_putc(to, '\0');
}

const char *leases_unpack(struct leases *leases, const char *from)
{
	for (; *from; from += strlen(from) + 1)
		strv_push(&leases->items, from);
	return from + 1;
}
