/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading loans, and mediated devices in sysfs. */
#include "host/device/lent.h"

#include <stdlib.h>
#include <string.h>

#include "host/device/loan.h"
#include "host/device/mdev-parent.h"
#include "host/device/pci-parts.h"
#include "host/device/usb.h"
#include "util/mem.h"

const char *const lent_kind_names[] = {
	[LENT_PCI] = "pci",
	[LENT_USB] = "usb",
	[LENT_MEDIATED] = "mediated",
};

void lent_devices_done(struct lent_devices *devices)
{
	for (size_t i = 0; i < devices->n; i++) {
		free(devices->items[i].name);
		free(devices->items[i].is);
		strv_done(&devices->items[i].places);
	}
	free(devices->items);
	*devices = (struct lent_devices){};
}

/* The one of that name and kind, made if it is new. */
static struct lent_device *device_of(struct lent_devices *list, const char *name,
		enum lent_kind kind, bool is_connection)
{
	for (size_t i = 0; i < list->n; i++) {
		struct lent_device *d = &list->items[i];
		if (!strcmp(d->name, name) && d->kind == kind && d->is_connection == is_connection)
			return d;
	}
	list->items = grow_array(list->items, &list->n_alloc, list->n, sizeof(*list->items));
	struct lent_device *d = &list->items[list->n++];
	*d = (struct lent_device){
		.name = xstrdup(name), .kind = kind, .is_connection = is_connection
	};
	return d;
}

static bool is_gone(const struct device_host *host, enum lent_kind kind, const char *place,
		const char *id)
{
	const struct vm_usb_candidate usb = { .port = place, .id = id };
	CLEANUP(freep) char *port = NULL;
	return kind == LENT_USB ? usb_find(host, &usb, &port, NULL) < 0
				: pci_check_exists(host, place, NULL) < 0;
}

/* @prefix: LOAN_PCI; @id_key: of a loan; NULL: none */
static void add_loans(const struct device_host *host, const char *machine, const char *prefix,
		enum lent_kind kind, const char *id_key, struct lent_devices *ret)
{
	CLEANUP(strv_done) struct strv names = {};
	/* Those that can be read. */
	(void)!loan_list(host, prefix, machine, NULL, &names, NULL);
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(loan_done) struct loan loan = {};
		const char *owner = loan_read(host, names.items[i], &loan, NULL) == 0
						    ? loan_get(&loan, LOAN_OWNER)
						    : NULL;
		const char *space = owner ? strchr(owner, ' ') : NULL;
		if (!space)
			continue;
		struct lent_device *d = device_of(ret, space + 1, kind,
				!strncmp(owner, "connection ", strlen("connection ")));
		const char *place = names.items[i] + strlen(prefix);
		const char *id = id_key ? loan_get(&loan, id_key) : NULL;
		strv_push(&d->places, place);
		d->is_gone |= is_gone(host, kind, place, id);
		if (!d->is)
			d->is = xstrdup_null(id);
	}
}

static void add_mdev(const struct device_host *host, const struct vm_mdev *mdev,
		struct lent_devices *ret)
{
	CLEANUP(freep) char *link = xasprintf("%s/bus/mdev/devices/%s", host->sys, mdev->uuid);
	CLEANUP(freep) char *dir = realpath(link, NULL);
	CLEANUP(freep) char *type_link = xasprintf("%s/mdev_type", link);
	CLEANUP(freep) char *type_dir = realpath(type_link, NULL);
	CLEANUP(buf_done) struct buf type = {};
	char *slash = dir ? strrchr(dir, '/') : NULL;
	if (!slash)
		return;
	*slash = '\0';
	struct lent_device *d = device_of(ret, mdev->name, LENT_MEDIATED, false);
	strv_push(&d->places, strrchr(dir, '/') + 1);
	if (type_dir && mdev_type_name(type_dir, &type, NULL) == 0)
		d->is = buf_take(&type);
}

void lent_find(const struct device_host *host, const struct plan *plan, struct lent_devices *ret)
{
	*ret = (struct lent_devices){};
	add_loans(host, plan->machine, LOAN_PCI, LENT_PCI, NULL, ret);
	add_loans(host, plan->machine, LOAN_USB, LENT_USB, LOAN_USB_ID, ret);
	for (size_t i = 0; i < plan->n_mdevs; i++)
		add_mdev(host, &plan->mdevs[i], ret);
}
