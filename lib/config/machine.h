/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's config file, and a tag's definition, which has the same keys but for those that name
 * one machine. Format: machina-machine.5, made from machine_fields and tag_fields.
 */
#pragma once

#include "config/cloud-init.h"
#include "config/firewall.h"
#include "config/host.h"
#include "json/jbind.h"

/* When the firmware tries a volume: before or after those that are bootable. */
extern const char *const volume_boot_names[];

struct volume_conf {
	const char *name;
	const char *storage; /* the pool */
	const char *path;    /* boot files only: an absolute path instead of a pool and a name */
	const char *wwn;
	const char *serial;
	bool bootable;
	int boot; /* in the table of volume_boot_names; -1: not set */
	bool remove;
	struct disk_tuning_conf tuning;
};

/* Does it name a file in a pool? Firmware, boot files and a TPM's state need not be there. */
bool volume_conf_is_named(const struct volume_conf *conf);

struct connection_conf {
	const char *name;
	const char *network;
	struct jstrings ip;
	const char *mac;
	const char *link; /* shown by cat --json; derived, an input only if it is equal */
	/* In place of what the network says. */
	int64_t vlan; /* 0: not set */
	struct jstrings vlans;
	int isolate;	/* -1: not set */
	int64_t mtu;	/* 0: not set */
	int64_t queues; /* 0: not set */
	bool connected;
	struct fw_filter_conf filter; /* each key that is there replaces the machine's */
	bool remove;
};

struct device_conf {
	const char *name;
	const char *class_name;
	const char *id;
	bool remove;
};

enum share_cache { SHARE_CACHE_AUTO, SHARE_CACHE_NONE, SHARE_CACHE_ALWAYS };
extern const char *const share_cache_names[];

struct share_conf {
	const char *name; /* the mount tag */
	const char *path; /* a pattern */
	const char *user;
	bool readonly;
	int cache; /* enum share_cache; -1: auto */
	const char *program;
	bool remove;
};

/* What a shutdown of the host does to the guest. */
enum vm_host_end { VM_HOST_SHUTDOWN, VM_HOST_SAVE, VM_HOST_KILL };
extern const char *const vm_host_end_names[];
enum vm_accel { VM_ACCEL_KVM, VM_ACCEL_TCG };
extern const char *const vm_accel_names[];
enum vm_display { VM_DISPLAY_NONE, VM_DISPLAY_VIRTIO, VM_DISPLAY_QXL };
extern const char *const vm_display_names[];

struct port_conf {
	bool enabled;
	int64_t port; /* 0: not set */
	const char *pattern;
};

struct credential_conf {
	const char *name;
	const char *path; /* a pattern */
	bool remove;
};

struct attrs_conf {
	struct {
		const char *type;
		int64_t layout;
		int accel; /* enum vm_accel; -1: kvm */
		const char *qemu;
		int64_t spare_ports;
	} machine;
	struct {
		struct volume_conf kernel;
		struct volume_conf initrd;
		const char *cmdline;
	} boot;
	struct {
		struct volume_conf code;
		struct volume_conf vars;
	} firmware;
	struct {
		const char *processor;
		const char *model;
		int64_t sockets;
		int64_t cores;
		int64_t threads;
		struct jpairs features;
	} cpu;
	struct {
		int64_t ram_mib;
		bool hugepages;
		bool shared;
	} memory;
	struct {
		bool enabled;
	} enlightenments, rng, balloon, serial;
	struct {
		bool enabled;
		struct volume_conf data;
		struct {
			const char *path;
		} socket;
	} tpm;
	struct {
		bool enabled;
		struct {
			struct jstrings names;
			struct jstrings paths;
		} sockets;
	} qmp;
	struct {
		struct port_conf qemu;
	} agent;
	struct port_conf spice;
	int64_t spice_displays;
	struct port_conf vnc;
	struct {
		bool enabled;
		int64_t cid; /* 0: derived */
	} vsock;
	int display; /* enum vm_display; -1: qxl with SPICE, virtio with VNC, else none */
	struct fw_filter_conf firewall;
	struct {
		const char *timeout; /* a span of time; NULL or "": not set */
		int host;	     /* enum vm_host_end or -1 */
	} shutdown;
	struct {
		const char *when; /* NULL or "": "qmp" */
		const char *timeout;
	} ready;
	struct cloud_init_conf cloud_init;
	struct jpairs limits;
	bool cluster;
};

struct machine_conf {
	const char *name;
	const char *description;
	const char *id;
	struct jstrings tags;
	struct jpairs vars;
	struct {
		struct {
			struct {
				const char *name;
				int64_t id;
			} group;
		} filesystem;
	} privileges;
	struct attrs_conf attrs;
	struct jlist volumes;	  /* struct volume_conf */
	struct jlist connections; /* struct connection_conf */
	struct jlist devices;	  /* struct device_conf */
	struct jlist shares;	  /* struct share_conf */
	struct jlist credentials; /* struct credential_conf */
	struct jstrings after;	  /* names of machines */
	struct jstrings requires; /* likewise */
	int autostart;		  /* a switch; -1: not set */
	struct jstrings qemu_args;
};

extern const struct field machine_fields[];
extern const struct field tag_fields[];
