/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the host that machines have: PCI and USB devices, and those that offer mediated ones.
 */
#include <string.h>

#include "host/device/mdev-parent.h"
#include "host/doctor/doctor.h"
#include "util/file.h"
#include "util/mem.h"

static void tell_lacks(struct doctor *d, enum lack_kind kind, const char *cure)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, kind, &at));) {
		doctor_add(d, doctor_level_of(l->urgent), "%s", l->text);
		doctor_why(d, "%s cannot start", doctor_machines(d, &l->machines));
		doctor_cure(d, "%s", cure);
	}
}

/* ---- the IOMMU ---- */

static bool has_groups(const struct doctor *d)
{
	CLEANUP(freep) char *path = path_join(d->sys, "kernel/iommu_groups");
	CLEANUP(strv_done) struct strv names = {};
	return dir_list(path, &names, NULL) == 0 && names.n;
}

static bool is_intel(const struct doctor *d)
{
	CLEANUP(freep) char *path = path_join(d->proc, "cpuinfo");
	CLEANUP(buf_done) struct buf text = {};
	return file_read(path, SIZE_MAX / 4, &text, NULL) == 0 &&
	       strstr(buf_text(&text), "GenuineIntel");
}

static void check_iommu(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].vm->n_pcis)
			doctor_group_add(&users, &d->machines[i]);
	if (!users.names.n || has_groups(d))
		return;
	doctor_add(d, doctor_level_of(users.urgent),
			"the IOMMU is off: no device is in a group of it");
	doctor_why(d, "PCI devices cannot be given away: %s cannot start",
			doctor_machines(d, &users.names));
	doctor_cure(d, "# switch on %s in the firmware's setup%s",
			is_intel(d) ? "VT-d" : "AMD-Vi (IOMMU)",
			is_intel(d) ? ", and boot with intel_iommu=on:" : "");
	if (is_intel(d))
		doctor_cure(d, "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' "
			       "/etc/default/grub && update-grub");
}

/* ---- mediated devices ---- */

/* 0: this parent offers the type, whether or not it has room; else why not. */
static int ask_parent(
		const struct device_host *host, const struct vm_mdev_parent *p, struct error *err)
{
	CLEANUP(mdev_parent_done) struct mdev_parent parent = {};
	CLEANUP(freep) char *dir = NULL;
	int r = mdev_parent_read(host, p->address, &parent, err);
	if (r != 0)
		return -ENODEV;
	r = mdev_parent_find(&parent, p->type_name, &dir, err);
	return r == -ENOSPC ? 0 : r;
}

static void check_mdev(struct doctor *d, const struct doctor_machine *m, const struct vm_mdev *mdev)
{
	const struct device_host host = { .sys = d->sys, .dev = d->dev };
	struct error err = {};
	for (size_t i = 0; i < mdev->n_parents; i++)
		if (ask_parent(&host, &mdev->parents[i], &err) == 0)
			return;
	if (!mdev->n_parents)
		return;
	doctor_add(d, doctor_level_of(m->enabled || m->running),
			"device \"%s\": nothing offers the class \"%s\"; %s: %s", mdev->name,
			mdev->class_name, mdev->parents[mdev->n_parents - 1].address, err.text);
	doctor_why(d, "machine '%s' cannot start", m->vm->name);
	doctor_cure(d, "ls -d %s/class/mdev_bus/*/mdev_supported_types/*", d->sys);
}

void doctor_check_devices(struct doctor *d)
{
	bool any = false;
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct doctor_machine *m = &d->machines[i];
		any |= m->vm->n_pcis || m->vm->n_mdevs || m->vm->n_usbs;
		for (size_t k = 0; k < m->vm->n_mdevs; k++)
			check_mdev(d, m, &m->vm->mdevs[k]);
	}
	tell_lacks(d, LACK_PCI, "lspci -D");
	tell_lacks(d, LACK_USB, "lsusb -t");
	check_iommu(d);
	if (!any)
		doctor_note(d, "no machine has one");
}
