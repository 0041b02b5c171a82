/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places on the PCI Express root complex: hardware layout 1.
 *
 * The Go program, this one's ancestor, gave place i to the i-th device of one list and printed it
 * as "addr=SLOT.FUNCTION" with slot i / 8 + 1 and function i % 8. A guest that it could start must
 * find each device where it was. What follows from that:
 *
 * - It printed the slot in decimal and QEMU reads hexadecimal: its slots 10 to 19 are the guest's
 *   slots 0x10 to 0x19, and stay there. Its slots from 20 on were refused by QEMU: those places
 *   are free to choose and go to the slots that are left, 0xa to 0xf and 0x1a to 0x1e. Slot 0x1f
 *   holds the chipset's LPC bridge, SATA and SMBus controllers.
 * - The TPM and CDs on SATA have no PCI address but were on the list: they use up a place, so that
 *   what follows them stays where it was.
 * - When such a place was function 0 of a slot, the guest did not see the slot's other functions
 *   at all, since it looks at function 0 first. Here the next device of that slot moves to
 *   function 0 and leaves its own function empty: it becomes visible together with the rest of its
 *   slot, and every device that a guest of the Go program could see is where it was.
 */
#include "qemu/topology.h"

#define FUNCTIONS 8

static const unsigned char slots[TOPOLOGY_PLACES / FUNCTIONS] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,		  /* printed as 1 to 9 */
	0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,	  /* printed as 10 to 19 */
	0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, /* free */
};

void topology_init(struct topology *t)
{
	*t = (struct topology){ .hole = -1 };
}

void topology_done(struct topology *t)
{
	for (struct device *d = t->all; d; d = d->all)
		props_done(&d->props);
	arena_done(&t->arena);
	topology_init(t);
}

static void append(struct device **first, struct device **last, struct device *d)
{
	if (*last)
		(*last)->next = d;
	else
		*first = d;
	*last = d;
}

static struct device *new_device(struct topology *t, const char *driver, const char *id)
{
	struct device *d = ARENA_NEW(&t->arena, struct device);
	d->id = arena_strdup(&t->arena, id);
	d->all = t->all;
	t->all = d;
	props_init(&d->props, driver);
	props_add(&d->props, "id", d->id);
	return d;
}

void topology_skip_place(struct topology *t)
{
	if (t->n_places == TOPOLOGY_PLACES)
		return;
	if (t->n_places % FUNCTIONS == 0)
		t->hole = t->n_places;
	t->n_places++;
}

/* Returns the place, or -1 if there is none left. */
static int next_place(struct topology *t)
{
	if (t->n_places == TOPOLOGY_PLACES) {
		t->full = true;
		return -1;
	}
	int place = t->n_places++;
	if (t->hole == place - place % FUNCTIONS)
		place = t->hole;
	/* Filled, or of a slot that has no more places. */
	t->hole = -1;
	return place;
}

static const char *address_of(struct topology *t, int place)
{
	return arena_printf(&t->arena, "%x.%d", slots[place / FUNCTIONS], place % FUNCTIONS);
}

static void put_address(struct device *d, int place, const char *address)
{
	props_add(&d->props, "addr", address);
	if (place % FUNCTIONS == 0)
		props_add(&d->props, "multifunction", "on");
}

struct device *topology_add_integrated(struct topology *t, const char *driver, const char *id)
{
	struct device *d = new_device(t, driver, id);
	int place = next_place(t);
	if (place < 0)
		return d;
	props_add(&d->props, "bus", "pcie.0");
	put_address(d, place, address_of(t, place));
	append(&t->first, &t->last, d);
	return d;
}

struct device *topology_add_port(struct topology *t)
{
	int place = next_place(t);
	if (place < 0)
		return new_device(t, "ioh3420", "");
	const char *address = address_of(t, place);
	struct device *d = new_device(t, "ioh3420", arena_join(&t->arena, "pcie", ".", address));
	/* Ports must differ in their chassis (QEMU: hw/pci/pcie_port.c, pcie_chassis_add_slot). */
	props_addf(&d->props, "chassis", "%d", place);
	props_add(&d->props, "bus", "pcie.0");
	put_address(d, place, address);
	append(&t->first, &t->last, d);
	return d;
}

struct device *topology_add_behind(
		struct topology *t, struct device *port, const char *driver, const char *id)
{
	struct device *d = new_device(t, driver, id);
	props_add(&d->props, "bus", port->id);
	append(&port->first, &port->last, d);
	return d;
}

struct device *topology_add_other(
		struct topology *t, struct device *parent, const char *driver, const char *id)
{
	struct device *d = new_device(t, driver, id);
	if (parent)
		append(&parent->first, &parent->last, d);
	else
		append(&t->first, &t->last, d);
	return d;
}

static void take_devices(struct device *first, struct strv *argv)
{
	for (struct device *d = first; d; d = d->next) {
		props_take(&d->props, "-device", argv);
		take_devices(d->first, argv);
	}
}

void topology_take(struct topology *t, struct strv *argv)
{
	take_devices(t->first, argv);
}
