/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the host that machines have: PCI and USB devices, and those that offer mediated ones.
 */
#include <string.h>

#include "host/device/mdev-parent.h"
#include "host/device/pci.h"
#include "host/device/sriov.h"
#include "host/doctor/doctor.h"
#include "util/file.h"
#include "util/mem.h"

static void tell_usbs(struct doctor *d)
{
	size_t at = 0;
	for (const struct doctor_lack *l; (l = doctor_lacks(d, LACK_USB, &at));) {
		doctor_add_lack(d, l);
		doctor_cure(d, "lsusb -t");
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

static void tell_no_iommu(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].vm->n_pcis)
			doctor_group_add(&users, &d->machines[i]);
	if (!users.names.n)
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

/* ---- PCI devices ---- */

struct refusal {
	const char *text;
	struct doctor_group users;
};

struct refusals {
	struct refusal *items;
	size_t n, n_alloc;
};
static void refusals_done(struct refusals *r)
{
	for (size_t i = 0; i < r->n; i++)
		doctor_group_done(&r->items[i].users);
	free(r->items);
}

/* Machines that are alike lack the same. */
static void add_refusal(struct doctor *d, struct refusals *r, const struct doctor_machine *m,
		const char *text)
{
	size_t i = 0;
	while (i < r->n && strcmp(r->items[i].text, text) != 0)
		i++;
	if (i == r->n) {
		r->items = grow_array(r->items, &r->n_alloc, r->n, sizeof(*r->items));
		r->items[r->n++] = (struct refusal){ .text = arena_strdup(&d->arena, text) };
	}
	if (!strv_contains(&r->items[i].users.names, m->vm->name))
		doctor_group_add(&r->items[i].users, m);
}

/* One that runs has what it needs. */
static void look_for(struct doctor *d, const struct doctor_machine *m, struct refusals *ret)
{
	const struct device_host host = {
		.sys = d->sys,
		.dev = d->dev,
		.proc = d->proc,
		.udev = "/run/udev",
		.lock_dir = d->run_dir ? d->run_dir : "/run/machina",
	};
	const struct plan plan = {
		.machine = m->vm->name,
		.pcis = m->vm->pcis,
		.n_pcis = m->vm->n_pcis,
	};
	for (size_t i = 0; !m->running && i < plan.n_pcis; i++) {
		struct error err = {};
		if (pci_look(&host, &plan, i, &err) < 0)
			add_refusal(d, ret, m, err.text);
	}
}

/* What a start would find. */
static void check_pcis(struct doctor *d)
{
	CLEANUP(refusals_done) struct refusals refusals = {};
	size_t n = 0;
	for (size_t i = 0; i < d->n_machines; i++)
		n += d->machines[i].vm->n_pcis;
	if (n && !d->is_root) {
		doctor_leave_out(d, "only root sees which devices machines have");
		return;
	}
	for (size_t i = 0; i < d->n_machines; i++)
		look_for(d, &d->machines[i], &refusals);
	for (size_t i = 0; i < refusals.n; i++) {
		const struct refusal *r = &refusals.items[i];
		doctor_add(d, doctor_level_of(r->users.urgent), "%s", r->text);
		doctor_why(d, "%s cannot start", doctor_machines(d, &r->users.names));
		doctor_cure(d, "lspci -Dnnk");
	}
}

/* What PCI devices of one kind have in common: their class, or their network. */
static const char *kind_of(const struct vm_pci *pci)
{
	return pci->class_name ? pci->class_name : pci->vf.network;
}

/* Those that are there count, where there are some. */
static size_t count_functions(const struct doctor *d, const struct vm_pci_candidate *c)
{
	const struct device_host host = { .sys = d->sys };
	CLEANUP(freep) char *card = xstrdup_null(c->address);
	if (c->interface && sriov_find_card(&host, c->interface, &card, NULL) < 0)
		return (size_t)c->virtual_functions;
	int64_t n = sriov_count(&host, card);
	return (size_t)(n > 0 ? n : c->virtual_functions);
}

/* How many the host can give; SIZE_MAX: that is not known before they are looked for. */
static size_t supply_of(const struct doctor *d, const struct vm_pci *pci)
{
	size_t n = 0;
	for (size_t i = 0; i < pci->n_candidates; i++) {
		const struct vm_pci_candidate *c = &pci->candidates[i];
		size_t own = vm_pci_is_virtual(c) ? count_functions(d, c) : c->address != NULL;
		if (!own)
			return SIZE_MAX;
		n += own;
	}
	return n;
}

/* Once for each kind: by the first device of it. */
static bool is_first(const struct doctor *d, size_t machine, size_t device, const char *kind)
{
	for (size_t i = 0; i <= machine; i++)
		for (size_t k = 0; k < d->machines[i].vm->n_pcis; k++)
			if (!strcmp(kind_of(&d->machines[i].vm->pcis[k]), kind))
				return i == machine && k == device;
	return false;
}

static void check_supply(struct doctor *d, const struct vm_pci *pci)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	size_t n_wanted = 0, n = supply_of(d, pci);
	for (size_t i = 0; i < d->n_machines; i++) {
		const struct doctor_machine *m = &d->machines[i];
		for (size_t k = 0; m->enabled && k < m->vm->n_pcis; k++) {
			if (strcmp(kind_of(&m->vm->pcis[k]), kind_of(pci)) != 0)
				continue;
			if (!strv_contains(&users.names, m->vm->name))
				doctor_group_add(&users, m);
			n_wanted++;
		}
	}
	if (n_wanted <= n)
		return;
	doctor_add(d, DOCTOR_FAULT,
			"machines that start with the host want %zu of %s '%s', which has %zu",
			n_wanted, pci->class_name ? "class" : "network", kind_of(pci), n);
	doctor_why(d, "not all of the %s can start", doctor_machines(d, &users.names));
	doctor_cure(d, "machina disable %s", users.names.items[users.names.n - 1]);
}

static void check_supplies(struct doctor *d)
{
	for (size_t i = 0; i < d->n_machines; i++)
		for (size_t k = 0; k < d->machines[i].vm->n_pcis; k++) {
			const struct vm_pci *pci = &d->machines[i].vm->pcis[k];
			if (is_first(d, i, k, kind_of(pci)))
				check_supply(d, pci);
		}
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
			"device '%s': nothing offers the class '%s'; %s: %s", mdev->name,
			mdev->class_name, mdev->parents[mdev->n_parents - 1].address, err.text);
	doctor_about(d, m->vm->name);
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
	tell_usbs(d);
	check_supplies(d);
	if (has_groups(d))
		check_pcis(d);
	else
		tell_no_iommu(d);
	if (!any)
		doctor_note(d, "no machine has one");
}
