/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of devices. */
#include "host/prepare/prepare-device.h"

#include <unistd.h>

#include "host/device/mdev.h"
#include "host/device/pci.h"
#include "host/device/usb.h"
#include "host/prepare/environment.h"
#include "util/mem.h"

int prepare_mdev(struct prepare_context *c, size_t i, struct error *err)
{
	const struct vm_mdev *mdev = &c->plan->mdevs[i];
	int r = prepare_account(c, err);
	if (r == 0)
		r = mdev_create(&c->devices, mdev, err);
	if (r < 0)
		return r;
	r = mdev_chown(&c->devices, mdev->uuid, c->account.uid, err);
	if (r > 0)
		r = error_set(err, ENODEV,
				"device '%s': the mediated device %s has no VFIO group; is the "
				"module vfio_mdev loaded?",
				mdev->name, mdev->uuid);
	if (r < 0)
		(void)!mdev_remove(&c->devices, mdev->uuid, NULL);
	return r;
}

int prepare_undo_mdev(struct prepare_context *c, size_t i, struct error *err)
{
	const char *uuid = c->plan->mdevs[i].uuid;
	int given_back = mdev_chown(&c->devices, uuid, 0, err);
	int removed = mdev_remove(&c->devices, uuid, given_back < 0 ? NULL : err);
	return given_back < 0 ? given_back : removed;
}

int prepare_lend(struct prepare_context *c, size_t i, struct error *err)
{
	return pci_lend(&c->devices, c->plan, i, err);
}

/* QEMU's arguments have variables in place of what was not known before. */
static int tell_addresses(struct prepare_context *c, size_t i, const struct strv *addresses,
		struct error *err)
{
	int r = 0;
	for (size_t f = 0; r == 0 && f < addresses->n; f++) {
		CLEANUP(freep) char *name = plan_pci_variable(i, f);
		CLEANUP(freep) char *line = xasprintf("%s=%s", name, addresses->items[f]);
		r = environment_put(c->plan->run_dir, line, err);
	}
	return r;
}

int prepare_pci(struct prepare_context *c, size_t i, struct error *err)
{
	CLEANUP(strv_done) struct strv addresses = {};
	int r = prepare_account(c, err);
	if (r == 0)
		r = pci_bind(&c->devices, c->plan, i, c->account.uid, &addresses, err);
	if (r == 0 && !vm_pci_is_fixed(&c->plan->pcis[i]))
		r = tell_addresses(c, i, &addresses, err);
	return r;
}

int prepare_usb(struct prepare_context *c, size_t i, struct error *err)
{
	int fd;
	int r = usb_lend(&c->devices, c->plan, i, &fd, err);
	if (r == 0)
		c->fds[plan_usb_fd(c->plan, i) - c->plan->fds] = fd;
	return r;
}

/* Who has which devices only root may see. */
int prepare_check_pci(struct prepare_context *c, size_t i, struct error *err)
{
	return geteuid() == 0 ? pci_look(&c->devices, c->plan, i, err) : 0;
}

int prepare_check_usb(struct prepare_context *c, size_t i, struct error *err)
{
	return usb_look(&c->devices, c->plan, i, err);
}

int prepare_undo_loans(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	const struct plan *plan = c->plan;
	if (plan->is_all && !plan->n_pcis && !plan->n_usbs)
		return 0;
	CLEANUP(strv_done) struct strv failures = {};
	CLEANUP(buf_done) struct buf text = {};
	int usb = usb_give_back(&c->devices, plan->machine, &failures);
	int pci = pci_give_back(&c->devices, plan->machine, &failures);
	int r = usb < 0 ? usb : pci;
	for (size_t k = 0; k < failures.n; k++)
		buf_printf(&text, "%s%s", k ? "; " : "", failures.items[k]);
	return r < 0 ? error_set(err, -r, "%s", buf_text(&text)) : 0;
}
