/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's config file: processors, storage pools, networks, devices that offer mediated
 * devices, tags. Format: machina.conf.json(5), made from host_fields.
 */
#pragma once

#include "config/network.h"
#include "json/jbind.h"

/* How a volume is attached and cached: the same keys for a pool and for one volume. QEMU's own
 * words, in the order of the string tables (see qemu(1), -blockdev). -1: not set. */
struct disk_tuning_conf {
	int discard;	   /* enum disk_discard */
	int detect_zeroes; /* enum disk_detect_zeroes */
	int cache;	   /* enum disk_cache */
	int aio;	   /* enum disk_aio */
};
enum disk_discard { DISK_DISCARD_IGNORE, DISK_DISCARD_UNMAP };
enum disk_detect_zeroes { DISK_DETECT_ZEROES_OFF, DISK_DETECT_ZEROES_ON, DISK_DETECT_ZEROES_UNMAP };
enum disk_cache {
	DISK_CACHE_WRITEBACK,
	DISK_CACHE_NONE,
	DISK_CACHE_WRITETHROUGH,
	DISK_CACHE_DIRECTSYNC,
	DISK_CACHE_UNSAFE,
};
enum disk_aio { DISK_AIO_THREADS, DISK_AIO_NATIVE, DISK_AIO_IO_URING };
extern const char *const disk_discard_names[];
extern const char *const disk_detect_zeroes_names[];
extern const char *const disk_cache_names[];
extern const char *const disk_aio_names[];

struct processor_conf {
	const char *name;
	const char *brand;
	const char *model;
	int64_t threads; /* of each core; 0: not set */
	bool is_default;
};

struct storage_conf {
	const char *name;
	const char *path;
	const char *pattern;
	const char *type; /* a name of vm_storage_types[] (model/vm.h), where it is checked */
	bool readonly;
	struct disk_tuning_conf tuning;
};

struct mdev_class_conf {
	const char *name;      /* of the class, as a machine's device asks for it */
	const char *type_name; /* as in mdev_supported_types/.../name */
	struct jints placements;
};

struct mdev_conf {
	const char *name;
	const char *address;
	bool heterogeneous;
	struct jlist classes; /* struct mdev_class_conf */
	struct jlist types;   /* the same, under the name that older files use */
};

/* A PCI device that is given away as a whole. */
struct pci_device_conf {
	const char *name;
	struct jstrings classes;
	const char *address; /* with ids: it must be what they say */
	const char *vendor;  /* four hex digits */
	const char *device;
	struct jints functions; /* of the same slot, that go with it */
	/* Its virtual functions are meant, of which as many are made when there are none; 0: it */
	int64_t virtual_functions;
	const char *rom;
	bool rom_bar;
	bool vga;
};

/* A USB device that is given away. */
struct usb_device_conf {
	const char *name;
	struct jstrings classes;
	const char *id;	  /* vendor and product: "046d:c52b" */
	const char *port; /* "1-2.3"; with an id: what is plugged in there must be that */
};

struct host_conf {
	struct jlist processor; /* struct processor_conf */
	struct jlist storage;	/* struct storage_conf */
	struct jlist network;	/* struct network_conf */
	struct firewall_conf firewall;
	struct jlist mediated_device; /* struct mdev_conf */
	struct jlist mdev;	      /* the same, under the name that older files use */
	struct jlist pci_device;      /* struct pci_device_conf */
	struct jlist usb_device;      /* struct usb_device_conf */
};

extern const struct field disk_tuning_fields[];
extern const struct field host_fields[];
