/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and CDs. */
#include <string.h>

#include "qemu/controllers.h"
#include "qemu/nodes.h"
#include "qemu/parts.h"
#include "util/unicode.h"

/* A volume while its device is made. */
struct disk {
	const struct vm_volume *volume;
	const char *node;
	int bootindex; /* 0: none */
};

static bool is_disk(const struct vm_volume *v)
{
	return v->type->bus == VM_BUS_SCSI || v->type->bus == VM_BUS_BLOCK ||
	       v->type->bus == VM_BUS_NVME || v->type->bus == VM_BUS_SATA;
}

/* In the order in which firmware tries them. "bootable" has never had an effect on CDs. */
enum turn { TURN_FIRST, TURN_BOOTABLE, TURN_LAST, TURN_NEVER };

static enum turn turn_of(const struct vm_volume *v)
{
	if (!is_disk(v) && !vm_volume_is_cd(v))
		return TURN_NEVER;
	if (v->boot != VM_BOOT_DEFAULT)
		return v->boot == VM_BOOT_FIRST ? TURN_FIRST : TURN_LAST;
	return v->bootable && is_disk(v) ? TURN_BOOTABLE : TURN_NEVER;
}

/* By turns, then in the order of the config, whatever the order in which devices are made. */
static int bootindex(const struct vm *vm, size_t i)
{
	enum turn own = turn_of(&vm->volumes[i]);
	int n = 1;
	for (size_t k = 0; k < vm->n_volumes; k++) {
		enum turn other = turn_of(&vm->volumes[k]);
		n += other < own || (other == own && k < i);
	}
	return own == TURN_NEVER ? 0 : n;
}

/* writethrough and directsync: the guest is told that there is no cache to flush. */
static void add_common(struct device *d, const struct disk *disk, const char *serial)
{
	const struct vm_volume *v = disk->volume;
	if (serial[0])
		props_add(&d->props, "serial", serial);
	if (disk->bootindex)
		props_addf(&d->props, "bootindex", "%d", disk->bootindex);
	if (v->cache == DISK_CACHE_WRITETHROUGH || v->cache == DISK_CACHE_DIRECTSYNC)
		props_add(&d->props, "write-cache", "off");
}

/* @text itself, or as many whole characters of it as fit into that many bytes. */
static const char *cut(struct assembly *a, const char *text, size_t max)
{
	size_t len = unicode_fit(text, max);
	return text[len] ? arena_printf(&a->topology.arena, "%.*s", (int)len, text) : text;
}

/*
 * What the guest reads of a serial number, and what of it stands for the disk's own designator
 * where there is no other. QEMU 7.2 cuts both, later ones refuse what is longer
 * (hw/scsi/scsi-disk.c, MAX_SERIAL_LEN and MAX_SERIAL_LEN_FOR_DEVID).
 */
enum { SCSI_SERIAL_MAX = 36, SCSI_DESIGNATOR_MAX = 20 };

/* A WWN of sixteen bytes is shown as the text of the disk's vendor-specific designator instead. */
static void add_scsi_names(struct assembly *a, struct device *d, const struct vm_volume *v)
{
	bool is_long = strlen(v->wwn) > VM_WWN_LEN;
	if (v->wwn[0] && !is_long)
		props_add(&d->props, "wwn", v->wwn);
	if (is_long)
		props_add(&d->props, "device_id", v->wwn + strlen("0x"));
	else if (strlen(v->serial) > SCSI_DESIGNATOR_MAX)
		props_add(&d->props, "device_id", cut(a, v->serial, SCSI_DESIGNATOR_MAX));
}

static void add_scsi(struct assembly *a, const struct disk *disk)
{
	struct device *d = controllers_add_scsi(a, "scsi-hd");
	props_add(&d->props, "drive", disk->node);
	add_scsi_names(a, d, disk->volume);
	add_common(d, disk, cut(a, disk->volume->serial, SCSI_SERIAL_MAX));
}

static void add_block(struct assembly *a, const struct disk *disk)
{
	struct topology *t = &a->topology;
	controllers_use_iothread(a);
	struct device *d = topology_add_behind(t, topology_add_port(t), "virtio-blk-pci",
			arena_printf(&t->arena, "block.%d", a->n_block++));
	props_add(&d->props, "iothread", CONTROLLERS_IOTHREAD);
	props_add(&d->props, "num-queues", "4");
	props_add(&d->props, "drive", disk->node);
	add_common(d, disk, disk->volume->serial);
}

static void add_nvme(struct assembly *a, const struct disk *disk)
{
	struct topology *t = &a->topology;
	struct device *d = topology_add_behind(t, topology_add_port(t), "nvme",
			arena_printf(&t->arena, "nvme.%d", a->n_nvme++));
	props_add(&d->props, "drive", disk->node);
	/* QEMU insists on a serial number (hw/nvme/ctrl.c, nvme_check_params). */
	if (!disk->volume->serial[0])
		props_add(&d->props, "serial", d->id);
	add_common(d, disk, disk->volume->serial);
}

static void add_sata(struct assembly *a, const struct disk *disk)
{
	struct device *d = controllers_add_sata(a, "ide-hd");
	props_add(&d->props, "drive", disk->node);
	if (disk->volume->wwn[0])
		props_add(&d->props, "wwn", disk->volume->wwn);
	add_common(d, disk, disk->volume->serial);
}

static void add_device(struct assembly *a, const struct disk *disk)
{
	struct device *d = NULL;
	switch (disk->volume->type->bus) {
	case VM_BUS_SCSI:
		add_scsi(a, disk);
		break;
	case VM_BUS_BLOCK:
		add_block(a, disk);
		break;
	case VM_BUS_NVME:
		add_nvme(a, disk);
		break;
	case VM_BUS_SATA:
		add_sata(a, disk);
		break;
	case VM_BUS_CD_SATA:
		topology_skip_place(&a->topology);
		d = controllers_add_sata(a, "ide-cd");
		break;
	case VM_BUS_CD_SCSI:
		d = controllers_add_scsi(a, "scsi-cd");
		break;
	case VM_BUS_CD_USB:
		d = controllers_add_usb(a, "usb-storage");
		break;
	case VM_BUS_NONE:
	case VM_BUS_TPM:
		break;
	}
	if (!d)
		return;
	props_add(&d->props, "drive", disk->node);
	if (disk->bootindex)
		props_addf(&d->props, "bootindex", "%d", disk->bootindex);
}

void storage_add_firmware_cd(struct assembly *a, const struct vm_volume *volume, const char *node)
{
	add_device(a, &(struct disk){ .volume = volume, .node = node });
}

static void add_volume(struct assembly *a, size_t i)
{
	struct arena *arena = &a->topology.arena;
	const struct vm_volume *v = &a->vm->volumes[i];
	struct disk disk = {
		.volume = v,
		.node = nodes_name(a, v, i, false),
		.bootindex = bootindex(a->vm, i),
	};
	if (v->type->format == VM_FORMAT_VVFAT)
		nodes_add_vvfat(a, v, disk.node);
	else
		nodes_add(a, v, arena_printf(arena, "disk.%zu", i), disk.node,
				nodes_name(a, v, i, true));
	add_device(a, &disk);
	assembly_check_room(a, arena_printf(arena, "/volumes/%zu", i));
}

static void add_volumes(struct assembly *a, bool nvme)
{
	for (size_t i = 0; i < a->vm->n_volumes; i++) {
		enum vm_bus bus = a->vm->volumes[i].type->bus;
		if (bus != VM_BUS_TPM && (bus == VM_BUS_NVME) == nvme)
			add_volume(a, i);
	}
}

void storage_add(struct assembly *a)
{
	add_volumes(a, false);
}

void storage_add_nvme(struct assembly *a)
{
	add_volumes(a, true);
}

/*
 * On SCSI: Debian's kernel for clouds has no driver for SATA. And a CD: firmware starts from disks
 * first, where it was not told from which.
 */
void storage_add_seed(struct assembly *a)
{
	if (!a->vm->n_seed)
		return;
	const struct plan_fd *fd = assembly_fd(a, PLAN_SEED);
	CLEANUP(props_done) struct props p = {};
	props_add(&p, "driver", "file");
	props_add(&p, "node-name", PLAN_SEED);
	props_add(&p, "read-only", "on");
	if (a->form == QEMU_FORM_UNIT)
		props_addf(&p, "filename", "/dev/fdset/%d", fd->set);
	else
		props_addf(&p, "filename", "%s/" PLAN_SEED_FILE, a->plan->run_dir);
	assembly_option(a, SECTION_BLOCKDEV, "-blockdev", &p);
	struct device *d = controllers_add_scsi(a, "scsi-cd");
	props_add(&d->props, "drive", PLAN_SEED);
	assembly_check_room(a, "/attrs/cloud-init");
}
