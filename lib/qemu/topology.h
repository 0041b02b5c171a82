/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of the guest's devices, and which place each gets on the PCI Express root complex.
 *
 * Places are counted from 0 in the order in which devices are added: eight functions a slot. What
 * a machine's place is must never change for an unchanged config, since the guest sees it; the
 * rules at the head of topology.c are hardware layout 1.
 *
 *	struct device *port = topology_add_port(&t);
 *	struct device *nic = topology_add_behind(&t, port, "virtio-net-pci", "nic.0");
 *	props_add(&nic->props, "netdev", "net.0");
 *
 * A device for which there is no place is accepted and dropped, and `full` says so: whoever adds
 * devices looks at it once for each entry of the config.
 */
#pragma once

#include <stdbool.h>

#include "qemu/props.h"
#include "util/arena.h"
#include "util/strv.h"

/* 30 slots of eight functions: slot 0 is the host bridge's, slot 31 the chipset's. */
#define TOPOLOGY_PLACES 240

/* A device as -device wants it, with those on the buses that it provides. */
struct device {
	struct props props;
	const char *id;
	struct device *first, *last, *next;
	struct device *all; /* the one that was made before it */
};

struct topology {
	struct arena arena;
	struct device *first, *last; /* below the root complex, in the order of the command line */
	struct device *all;	     /* every device, newest first */
	int n_places;		     /* those that are given away */
	int hole;		     /* place of a function 0 that nothing sits in; -1: none */
	bool full;		     /* some device got no place */
};

void topology_init(struct topology *t);
void topology_done(struct topology *t);

/* Give a place away to something that has no PCI address of its own. */
void topology_skip_place(struct topology *t);

/* A device that is part of the root complex itself, at the next place. @id is copied. */
struct device *topology_add_integrated(struct topology *t, const char *driver, const char *id);

/* A root port at the next place; one PCI device can sit behind it. */
struct device *topology_add_port(struct topology *t);

/* A device on the bus of a root port. @id is copied. */
struct device *topology_add_behind(
		struct topology *t, struct device *port, const char *driver, const char *id);

/* A device without a PCI address: behind @parent, or beside the PCI devices if that is NULL. Its
 * bus, if it needs one, is the caller's to name. @id is copied. */
struct device *topology_add_other(
		struct topology *t, struct device *parent, const char *driver, const char *id);

/* Move "-device" and its value to @argv for each device, which is followed by those behind it. */
void topology_take(struct topology *t, struct strv *argv);
