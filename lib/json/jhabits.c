/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that people write by habit. */
#include "json/jhabits.h"

#include <ctype.h>
#include <stdbool.h>

#define THEIRS_MAX 11

/* From libvirt's domain XML, qm.conf(5) of Proxmox VE, and QEMU's options. Of a key that stands in
 * several rows, the first row that fits the place counts. */
static const struct {
	const char *ours;
	const char *theirs[THEIRS_MAX];
} habits[] = {
	{ "id", { "uuid" } },
	{ "description", { "title", "comment", "notes" } },
	{ "tags", { "template", "templates", "profile", "profiles", "extends" } },
	{ "cores", { "vcpu", "vcpus", "cpus", "ncpus", "smp" } },
	{ "ram", { "memory", "mem", "maxmem", "size", "current-memory", "currentmemory" } },
	{ "volumes", { "disk", "disks", "drive", "drives", "hdd", "cdrom", "cdroms", "cd", "dvd",
				     "iso" } },
	{ "connections", { "net", "nets", "nic", "nics", "network", "networks", "interface",
					 "interfaces", "netdev", "bridge" } },
	{ "devices", { "device", "hostdev", "hostdevs", "hostpci", "pci", "usb", "gpu", "vgpu",
				     "mdev" } },
	{ "shares", { "filesystem", "filesystems", "virtiofs", "mount", "mounts", "folders" } },
	{ "credentials", { "credential", "secret", "secrets" } },
	{ "autostart", { "onboot", "start-on-boot" } },
	{ "requires", { "depends", "depends-on", "needs" } },
	{ "qemu-args", { "args", "extra-args", "commandline" } },
	{ "firmware", { "bios", "uefi", "efi", "ovmf", "efidisk", "loader", "nvram", "pflash" } },
	{ "cmdline", { "append", "kernel-args" } },
	{ "accel", { "kvm" } },
	{ "display", { "graphics", "video", "vga" } },
	{ "serial", { "console" } },
	{ "agent", { "guest-agent", "qga", "qemu-ga" } },
	{ "mac", { "macaddr", "mac-address", "hwaddr" } },
	{ "ip", { "address", "addresses", "ip-address", "ipv4", "ipv6" } },
	{ "vlan", { "vlan-id", "tag" } },
	{ "queues", { "multiqueue", "mq" } },
	/* In a network "device" is the bridge; of a connection the network says which. */
	{ "device", { "bridge", "interface", "link" } },
	{ "network", { "net", "nets", "networks", "bridge", "source" } },
	{ "address", { "subnet", "cidr", "gateway" } },
	{ "storage", { "pool", "pools", "path", "file", "image", "source", "datastore" } },
	{ "path", { "dir", "directory", "source", "target", "mountpoint" } },
	{ "type", { "format", "driver" } },
	{ "mode", { "type" } },
	{ "bootable", { "boot-order", "bootorder", "bootindex", "order" } },
	{ "address", { "host", "slot", "bdf", "hostpci" } },
	{ "class", { "mapping", "host" } },
	{ "functions", { "multifunction", "all-functions" } },
	{ "vga", { "primary-gpu", "boot-vga" } },
	{ "rom", { "romfile", "rom-file", "vbios" } },
	{ "rom-bar", { "rombar" } },
	{ "virtual-functions", { "sriov", "vfs", "numvfs", "sriov-numvfs" } },
	{ "pci-device", { "hostdev", "hostpci", "pci" } },
	{ "usb-device", { "usb" } },
	{ "mediated-device", { "gpu", "vgpu" } },
};

static bool is_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		int left = *a == '_' ? '-' : tolower((unsigned char)*a);
		if (left != *b)
			return false;
	}
	return *a == *b;
}

const char *jhabit_next(const char *key, size_t *cursor)
{
	while (*cursor < sizeof(habits) / sizeof(*habits)) {
		size_t row = (*cursor)++;
		for (size_t i = 0; i < THEIRS_MAX && habits[row].theirs[i]; i++)
			if (is_same(key, habits[row].theirs[i]))
				return habits[row].ours;
	}
	return NULL;
}
