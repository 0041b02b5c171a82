/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The field tables of the host's config file. */
#include "config/host.h"

#include "config/forms.h"
#include "config/machine.h"

const char *const disk_discard_names[] = { "ignore", "unmap", NULL };
const char *const disk_detect_zeroes_names[] = { "off", "on", "unmap", NULL };
const char *const disk_cache_names[] = { "writeback", "none", "writethrough", "directsync",
	"unsafe", NULL };
const char *const disk_aio_names[] = { "threads", "native", "io_uring", NULL };

static const struct field processor_fields[] = {
	FIELD_STRING(struct processor_conf, brand, "brand", NULL, 0, NULL,
			"Maker of the processor: \"AMD\" or \"Intel\", in any letter case. Guests "
			"get the CPU features that only this maker's processors have."),
	FIELD_STRING(struct processor_conf, model, "model", NULL, 0, NULL,
			"Model name, for the reader only."),
	FIELD_INT(struct processor_conf, threads, "threads", 1, 1024, FIELD_POSITIVE, "1",
			"Threads of each core that guests get unless they say otherwise."),
	FIELD_BOOL(struct processor_conf, is_default, "default", false,
			"Use this processor for machines that name none. Of several, or if none "
			"says so, the first by name is used."),
	{},
};

static const struct field storage_fields[] = {
	FIELD_STRING(struct storage_conf, path, "path", form_text_line, 0, "/",
			"Directory of the pool's volumes. A relative one counts from /."),
	FIELD_STRING(struct storage_conf, pattern, "pattern", form_text_line, 0, "${volume}.TYPE",
			"Path of a volume below the pool's directory, with variables: "
			"${machine-name}, ${machine-description}, ${machine-id}, ${volume}, and "
			"those of \"vars\"."),
	FIELD_STRING(struct storage_conf, type, "type", NULL, 0,
			"none; a pool that is used must have it",
			"What the volumes are and how guests see them: see STORAGE TYPES."),
	FIELD_BOOL(struct storage_conf, readonly, "readonly", false, "Guests may only read."),
	FIELD_ENUM(struct storage_conf, tuning.discard, "discard", disk_discard_names, "unmap",
			"What happens to blocks that a guest discards: \"unmap\" gives them back "
			"to the host."),
	FIELD_ENUM(struct storage_conf, tuning.detect_zeroes, "detect-zeroes",
			disk_detect_zeroes_names, "unmap; off if \"discard\" is \"ignore\"",
			"Whether zeroes that a guest writes are made holes (\"unmap\", which needs "
			"\"discard\" to be \"unmap\") or written in a shorter way (\"on\")."),
	FIELD_ENUM(struct storage_conf, tuning.cache, "cache", disk_cache_names, "writeback",
			"How the host caches the volumes: see CACHE."),
	FIELD_ENUM(struct storage_conf, tuning.aio, "aio", disk_aio_names, "threads",
			"How QEMU reads and writes; \"native\" needs \"cache\" to be \"none\" or "
			"\"directsync\". \"io_uring\" weakens the sandbox: machina(8), SECURITY."),
	{},
};

static const struct field mdev_class_fields[] = {
	FIELD_STRING(struct mdev_class_conf, type_name, "name", form_text_line, 0, NULL,
			"Name of the mediated device type, as the \"name\" file in sysfs shows it, "
			"or that of the type's directory there."),
	FIELD_INTS(struct mdev_class_conf, placements, "placements", INT64_MIN, INT64_MAX,
			"Placement ids to use, the preferred one first."),
	{},
};

static const struct field mdev_fields[] = {
	FIELD_STRING(struct mdev_conf, address, "address", form_pci_address, 0, NULL,
			"PCI address of the physical device: \"0000:41:00.0\"."),
	FIELD_BOOL(struct mdev_conf, heterogeneous, "heterogeneous", false,
			"Run \"nvidia-smi vgpu --id ADDRESS -shm 1\" before the device's first "
			"mediated device is made, which allows types of several sizes."),
	FIELD_MAP(struct mdev_conf, classes, struct mdev_class_conf, name, "classes",
			mdev_class_fields, form_text_line,
			"Device classes that this device offers."),
	FIELD_ROW(struct mdev_conf, types, struct jlist, "types", FIELD_KIND_MAP, MERGE_KEYS,
			"The same as \"classes\", as older files call it. A string is taken as "
			"\"name\".",
			.flags = FIELD_NAME_TEXT, .fields = mdev_class_fields,
			.item_size = sizeof(struct mdev_class_conf),
			.key_offset = FIELD_AT_(struct mdev_class_conf, name, const char *),
			.check_key = form_text_line),
	{},
};

static const struct field pci_device_fields[] = {
	FIELD_STRING_OR_LIST(struct pci_device_conf, classes, "class", form_text_line,
			"Device class that it offers, or a list of them. Several devices may offer "
			"one class: a machine gets the first that is free."),
	FIELD_STRING(struct pci_device_conf, address, "address", form_pci_address, 0, NULL,
			"PCI address of the device: \"0000:01:00.0\"."),
	FIELD_STRING(struct pci_device_conf, vendor, "vendor", form_pci_id, 0, NULL,
			"Its vendor, as in 'lspci -n': \"144d\". Without an address, every device "
			"of this \"vendor\" and \"device\" is meant; with one, it must be that "
			"device."),
	FIELD_STRING(struct pci_device_conf, device, "device", form_pci_id, 0, NULL,
			"Its device, likewise: \"a808\"."),
	FIELD_INTS(struct pci_device_conf, functions, "functions", 0, 7,
			"Other functions of the same slot that go with it, such as the sound of a "
			"graphics card: [1]. The guest sees them in one slot, too."),
	FIELD_INT(struct pci_device_conf, virtual_functions, "virtual-functions", 1, 65535, 0, NULL,
			"Give away the device's virtual functions (SR-IOV) one by one, in place of "
			"the device. As many are made when it has none."),
	FIELD_STRING(struct pci_device_conf, rom, "rom", form_absolute_path, 0, NULL,
			"File with the option ROM that the guest gets in place of the device's. At "
			"most 4 GiB."),
	FIELD_BOOL(struct pci_device_conf, rom_bar, "rom-bar", true,
			"Let the guest see the option ROM."),
	FIELD_BOOL(struct pci_device_conf, vga, "vga", false,
			"Let the guest use it as a VGA adapter, from its firmware on."),
	{},
};

static const struct field usb_device_fields[] = {
	FIELD_STRING_OR_LIST(struct usb_device_conf, classes, "class", form_text_line,
			"Device class that it offers, or a list of them. Several devices may offer "
			"one class: a machine gets the first that is free."),
	FIELD_STRING(struct usb_device_conf, id, "id", form_usb_id, 0, NULL,
			"Its vendor and product, as in 'lsusb': \"046d:c52b\". Without a port, "
			"only one such device may be plugged in; with one, it must be that "
			"device."),
	FIELD_STRING(struct usb_device_conf, port, "port", form_usb_port, 0, NULL,
			"Where it is plugged in: the bus, and the port on it or on each hub on the "
			"way, as in /sys/bus/usb/devices: \"1-2.3\"."),
	{},
};

const struct field host_fields[] = {
	FIELD_MAP(struct host_conf, processor, struct processor_conf, name, "processor",
			processor_fields, form_text_line, "Processors of the host."),
	FIELD_MAP(struct host_conf, storage, struct storage_conf, name, "storage", storage_fields,
			form_text_line, "Storage pools."),
	FIELD_MAP(struct host_conf, network, struct network_conf, name, "network", network_fields,
			form_text_line, "Networks that machines can connect to."),
	FIELD_OBJECT(struct host_conf, firewall, struct firewall_conf, "firewall", MERGE_FIELDS,
			firewall_fields, "Groups and sets of the packet filter."),
	FIELD_MAP(struct host_conf, mediated_device, struct mdev_conf, name, "mediated-device",
			mdev_fields, form_text_line,
			"Physical devices that offer mediated devices."),
	FIELD_MAP(struct host_conf, mdev, struct mdev_conf, name, "mdev", mdev_fields,
			form_text_line, "The same as \"mediated-device\", as older files call it."),
	FIELD_MAP(struct host_conf, pci_device, struct pci_device_conf, name, "pci-device",
			pci_device_fields, form_text_line,
			"PCI devices that are given to machines as a whole."),
	FIELD_MAP(struct host_conf, usb_device, struct usb_device_conf, name, "usb-device",
			usb_device_fields, form_text_line,
			"USB devices that are given to machines."),
	/* Tags are read through their layers, not bound (see config/load.h). */
	{ .name = "tag",
			.kind = FIELD_KIND_MAP,
			.merge = MERGE_KEYS,
			.fields = tag_fields,
			.check_key = form_text_line,
			.doc = "Definitions that machines inherit by naming the tag." },
	{},
};
