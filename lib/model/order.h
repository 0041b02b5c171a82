/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order among the machines of a host, as "after" and "requires" ask for it: whether the
 * machines that they name are there, and none of them waits for itself through others.
 *
 *	CLEANUP(order_done) struct order order = {};
 *	for each machine:
 *		order_add(&order, &vm, selected);
 *	order_check(&order, &names, &paths, &host, &report);
 */
#pragma once

#include "model/vm.h"
#include "util/buf.h"
#include "util/strv.h"

/* A machine that names others, that a cluster manager starts, or that says whether the host does;
 * nothing is kept of the rest. */
struct order_machine {
	char *name;
	bool selected;
	bool cluster;
	enum vm_autostart autostart;
	struct strv others; /* "requires", then "after" */
	size_t n_required;
};

struct order {
	struct order_machine *items;
	size_t n;
	size_t n_alloc;
};

void order_done(struct order *order);

/* @selected: only findings of such a machine are told */
void order_add(struct order *order, const struct vm *vm, bool selected);

/* What a machine that was added says; after order_check(). */
enum vm_autostart order_autostart(const struct order *order, const char *name);

/*
 * What another process has added, as bytes that the same program reads: order_unpack() adds it to
 * what is there, and returns what follows it in @from.
 */
void order_pack(const struct order *order, struct buf *to);
const char *order_unpack(struct order *order, const char *from);

/*
 * Report, at the place where the other machine is named: one that is not configured; one that is
 * required and started by a cluster manager; and each circle once, in the first of its machines by
 * name that is selected. Machines are read once more for the places; where that fails, the file is
 * named alone.
 *
 * @names: of all configured machines, sorted
 */
void order_check(struct order *order, const struct strv *names, const struct config_paths *paths,
		const struct host *host, struct report *report);
