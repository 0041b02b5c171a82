/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of all machines to networks with a bridge of their own: whom their DHCP servers
 * know.
 *
 *	for each machine:
 *		leases_add(&leases, &vm);
 *	leases_sort(&leases);
 */
#pragma once

#include "model/vm.h"
#include "util/buf.h"
#include "util/strv.h"

/* Each is a text, "NETWORK MACHINE MAC [IP]...": none of its words has a space. */
struct leases {
	struct strv items;
};

void leases_done(struct leases *leases);
/* Nothing of @vm is kept. */
void leases_add(struct leases *leases, const struct vm *vm);
/* By network, then machine, then MAC address. */
void leases_sort(struct leases *leases);

/*
 * What another process has added, as bytes that the same program reads: leases_unpack() adds it to
 * what is there, and returns what follows it in @from.
 */
void leases_pack(const struct leases *leases, struct buf *to);
const char *leases_unpack(struct leases *leases, const char *from);
