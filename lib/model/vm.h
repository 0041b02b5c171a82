/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The merged machine, resolved against the host: what the rest of the code reads. Every default is
 * filled in, every name of a pool, network, processor or class has become what it stands for,
 * every identifier is there. No JSON, no pointers into the config.
 *
 *	CLEANUP(vm_done) struct vm vm = {};
 *	int r = vm_build(&host, &machine, &vm, &report);
 *
 * All strings and arrays belong to vm.arena.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/load.h"
#include "model/filter.h"
#include "util/arena.h"

/* How the guest sees a volume. */
enum vm_bus {
	VM_BUS_SCSI,	/* scsi-hd on virtio-scsi-pci */
	VM_BUS_BLOCK,	/* virtio-blk-pci */
	VM_BUS_NVME,	/* nvme */
	VM_BUS_SATA,	/* ide-hd on the q35 AHCI controller */
	VM_BUS_CD_SATA, /* ide-cd */
	VM_BUS_CD_SCSI, /* scsi-cd */
	VM_BUS_CD_USB,	/* usb-storage */
	VM_BUS_NONE,	/* a flash image: a block node without a device of its own */
	VM_BUS_TPM,	/* a directory for swtpm: not a block device at all */
};

enum vm_format {
	VM_FORMAT_RAW,
	VM_FORMAT_QCOW2,
	VM_FORMAT_VVFAT, /* a directory shown as a FAT disk, read-only */
	VM_FORMAT_PLAIN, /* the file node alone, without a format node (ISO and firmware images) */
};

/* A storage type of the config. Sorted by name. */
struct vm_storage_type {
	const char *name;
	enum vm_bus bus;
	enum vm_format format;
	bool readonly; /* whatever the pool says */
	const char *doc;
};
extern const struct vm_storage_type vm_storage_types[];
const struct vm_storage_type *vm_storage_type_find(const char *name);

/* When the firmware tries a volume, if not for being bootable. */
enum vm_boot {
	VM_BOOT_DEFAULT,
	VM_BOOT_FIRST,
	VM_BOOT_LAST,
};

/* "0x" and 16 hex digits: what disks of QEMU have. */
#define VM_WWN_LEN 18

struct vm_volume {
	const char *name;
	const char *pool;		    /* NULL for a boot file given by its path */
	const char *path;		    /* absolute, clean */
	const struct vm_storage_type *type; /* NULL for boot files */
	bool readonly;
	bool bootable;
	enum vm_boot boot;
	const char *serial; /* "" for none */
	const char *wwn;    /* VM_WWN_LEN characters, or "0x" and 32 hex digits; "" for none */
	enum disk_discard discard;
	enum disk_detect_zeroes detect_zeroes;
	enum disk_cache cache;
	enum disk_aio aio;
};

bool vm_volume_is_cd(const struct vm_volume *volume) PURE;

struct vm_nic {
	const char *name;
	const char *network;
	const char *mac;  /* as configured or derived; never "" */
	const char *link; /* the interface on the host */
	struct jstrings ip;
	enum network_mode mode;
	const char *bridge; /* of mode bridge: the bridge to join; "" with scripts only */
	const char *up;	    /* script to run, or NULL */
	const char *down;
	bool join;   /* the bridge is joined by us: no "up" script took that over */
	int64_t mtu; /* 0: the bridge's */
	/* The network has a mode: its ports are set up and guarded by this program. */
	bool managed;
	uint16_t vlan;	       /* without tags; 0: what the bridge gives new ports */
	const uint16_t *vlans; /* with tags; sorted */
	size_t n_vlans;
	bool isolate;	    /* from other ports that are isolated */
	bool vhost;	    /* packets are moved by the kernel, where it can */
	bool disconnected;  /* when the machine starts: the cable is not plugged in */
	int queues;	    /* pairs of them; at least 1 */
	const char *device; /* of mode macvtap: the host's interface that it shares */
	enum macvtap_mode macvtap_mode;
	const char *socket; /* of mode vhost-user: of the switch; NULL: QEMU makes one */
	bool passt;	    /* mode user: passt does it, and not QEMU */
	const struct forward_conf *forward;
	size_t n_forward;
	const struct vm_filter *filter; /* NULL: nothing of it is filtered */
};

/* Is there an interface for it on the host? */
bool vm_nic_has_link(const struct vm_nic *nic) PURE;

struct vm_mdev_parent {
	const char *address; /* PCI address of the physical device */
	const char *type_name;
	bool heterogeneous;
	const int64_t *placements;
	size_t n_placements;
};

/* A directory of the host that the guest mounts by its name. */
struct vm_share {
	const char *name;
	const char *path; /* absolute, clean */
	const char *user; /* whose unit serves it: an account, or one that systemd makes up */
	bool user_exists; /* it is an account of the host */
	bool readonly;
	enum share_cache cache;
	const char *program; /* an absolute path, or a name that is looked up */
};
#define VM_SHARES_MAX 16

/* A file whose content the guest's systemd is told. */
struct vm_credential {
	const char *name;
	const char *path; /* absolute, clean */
};
/* Strings of one SMBIOS structure, of which systemd reads the first, are counted in a byte. */
#define VM_CREDENTIALS_MAX 200

/* What a guest's cloud-init is told. */
enum vm_seed_kind {
	VM_SEED_INSTANCE_ID,
	VM_SEED_HOSTNAME,
	VM_SEED_USER,
	VM_SEED_SUDO, /* a rule; "none": no rule */
	VM_SEED_GROUP,
	VM_SEED_SHELL,
	VM_SEED_PASSWORD_FILE, /* path of a file of the host */
	VM_SEED_KEY,
	VM_SEED_KEY_FILE, /* likewise */
	VM_SEED_PACKAGE,
	VM_SEED_UPGRADE, /* without a text */
	VM_SEED_RUN,
	/* JSON: of the network config, version 2 */
	VM_SEED_NETWORK,
	/* Whole files, by their paths on the host, in place of what is made of the others */
	VM_SEED_USER_DATA,
	VM_SEED_META_DATA,
	VM_SEED_NETWORK_CONFIG,
	VM_SEED_VENDOR_DATA,
};
extern const char *const vm_seed_kind_names[];
/* The key of "cloud-init" that an item comes from. */
const char *vm_seed_key(enum vm_seed_kind kind);

struct vm_seed_item {
	enum vm_seed_kind kind;
	const char *text;
};
/* Is the text the path of a file? */
bool vm_seed_is_path(enum vm_seed_kind kind) PURE;

/* Whether a machine starts when the host does. */
enum vm_autostart {
	VM_AUTOSTART_OPEN, /* an administrator says so, by enabling its unit */
	VM_AUTOSTART_NO,
	VM_AUTOSTART_YES,
};
/* When a machine counts as started. */
enum vm_ready {
	VM_READY_QMP,	 /* QEMU answers */
	VM_READY_AGENT,	 /* so does the guest's agent */
	VM_READY_NOTIFY, /* the guest's systemd tells, over vsock */
	VM_READY_TCP,	 /* the guest takes connections */
};
/* Where the config does not say how long that may take. */
#define VM_READY_SEC 300
/* Where the config does not say how long a guest may take to shut down. */
#define VM_SHUTDOWN_SEC 85
/* Who may open /dev/kvm: a group that the user of a machine with KVM is in. */
#define VM_KVM_GROUP "kvm"
/* Connections that passt serves. */
#define VM_PASST_MAX 16
/* Where a program is that is named without its path: that of the virtiofsd in Rust, QEMU 7.2's in
 * Debian, Arch. */
#define VM_SHARE_PROGRAM_DIRS "/usr/libexec:/usr/lib/qemu:/usr/lib"
/* Where it finds the directory: its unit has an empty /tmp of its own. */
#define VM_SHARE_PLACE "/tmp"

/* A mediated device; the parents that offer its class, in the order to try (byte order of address).
 */
struct vm_mdev {
	const char *name;
	const char *class_name;
	const char *uuid; /* lower case */
	const struct vm_mdev_parent *parents;
	size_t n_parents;
	size_t index; /* in the list of devices */
};

/*
 * Where a PCI device may be found: at its address, wherever its ids are, or both; or among the
 * virtual functions of the one at an address or with a network interface.
 */
struct vm_pci_candidate {
	const char *address;   /* lower case; NULL: anywhere */
	const char *interface; /* "enp65s0f0": its virtual functions are meant; NULL: none */
	const char *vendor;    /* four digits, lower case; NULL: any */
	const char *device;
	/* Virtual functions are meant, and this many made when there are none; with an interface
	 * 0: none are made. */
	int64_t virtual_functions;
};

/* Are virtual functions meant? */
bool vm_pci_is_virtual(const struct vm_pci_candidate *candidate) PURE;

/* How a virtual function that is a network card is set up, through its physical one. */
struct vm_vf {
	const char *network;
	const char *mac;
	int vlan; /* 0: none */
	bool spoof_check;
	bool trust;
};

/* A PCI device of the host, with all its functions: the first candidate that is free. */
struct vm_pci {
	const char *name;			   /* of the device or connection */
	const char *class_name;			   /* NULL: it is a connection's */
	const struct vm_pci_candidate *candidates; /* in byte order of address, then as listed */
	size_t n_candidates;
	const int64_t *functions; /* of the same slot, beside the candidate itself */
	size_t n_functions;
	const char *rom; /* absolute path; NULL: the device's own */
	bool no_rom_bar;
	bool vga;
	size_t index;	 /* in the list of devices, or of connections */
	struct vm_vf vf; /* a connection's */
};

/* Is there one candidate, and is it known where it is? Then it is written into the arguments. */
bool vm_pci_is_fixed(const struct vm_pci *pci) PURE;
/* The address of function @number of the slot of @address; the caller frees it. */
char *vm_pci_function(const char *address, int64_t number);

/* Where a USB device may be found: at its port, wherever it is plugged in, or both. */
struct vm_usb_candidate {
	const char *id;	  /* "046d:c52b", lower case; NULL: any */
	const char *port; /* "1-2.3"; NULL: any */
};

/* A USB device of the host: the first candidate that is free. */
struct vm_usb {
	const char *name;
	const char *class_name;
	const struct vm_usb_candidate *candidates; /* as listed */
	size_t n_candidates;
	size_t index; /* in the list of devices */
};

struct vm_qmp_socket {
	const char *name; /* "systemd.0", or the path for one given by its path */
	const char *path; /* "" when it is in the run directory: NAME.qmp.socket below qmp/ */
};

/* A way to look at the screen. */
struct vm_remote {
	bool enabled;
	uint16_t port; /* TCP on 127.0.0.1; 0: a unix socket */
};

enum vm_brand { VM_BRAND_OTHER, VM_BRAND_AMD, VM_BRAND_INTEL };

struct vm {
	struct arena arena;
	const char *name;
	const char *description; /* "" for none */
	uint8_t uuid[16];
	bool has_uuid;

	const char *machine_type; /* "q35" */
	int layout;
	enum vm_accel accel;
	const char *emulator; /* absolute path */
	int spare_ports;

	struct vm_volume *kernel; /* NULL: the firmware boots */
	struct vm_volume *initrd;
	const char *cmdline;		 /* "" for none */
	struct vm_volume *firmware_code; /* NULL: SeaBIOS */
	struct vm_volume *firmware_vars; /* NULL without firmware_code */

	struct {
		const char *model;
		enum vm_brand brand;
		int sockets, cores, threads; /* 0: not set */
		bool enlightenments;
		struct jpairs features; /* value "on", "off" or text */
	} cpu;
	struct {
		int64_t ram_mib;
		bool hugepages;
		bool shared;
		/* What reads and writes in it beside QEMU, as "share \"work\"", so that it is
		 * shared whatever the config says; NULL: nothing does. */
		const char *shared_for;
	} memory;

	struct {
		bool enabled;
		const char *data;   /* directory; its parts: "state", "authority" */
		const char *socket; /* control socket; "" for the one in the run directory */
	} tpm;
	struct vm_qmp_socket *qmp; /* always at least systemd.0, command.0, command.1 */
	size_t n_qmp;
	struct {
		bool enabled;
		uint16_t port; /* on 127.0.0.1; 0: a unix socket in the run directory */
	} agent;
	struct vm_remote spice;
	int spice_displays; /* 1..4 */
	struct vm_remote vnc;
	struct {
		bool enabled;
		uint32_t cid; /* 0: not enabled */
	} vsock;
	enum vm_display display;
	bool serial;
	bool rng;
	bool balloon;

	struct vm_volume *volumes;
	size_t n_volumes;
	struct vm_nic *nics;
	size_t n_nics;
	struct vm_mdev *mdevs;
	size_t n_mdevs;
	struct vm_pci *pcis; /* those of connections first */
	size_t n_pcis;
	struct vm_usb *usbs;
	size_t n_usbs;
	struct vm_credential *credentials; /* at most VM_CREDENTIALS_MAX */
	size_t n_credentials;
	struct vm_seed_item *seed; /* none: the guest has no CD for cloud-init */
	size_t n_seed;
	struct vm_share *shares; /* at most VM_SHARES_MAX */
	size_t n_shares;

	enum vm_host_end host_end;
	struct {
		enum vm_ready when;
		const char *address; /* VM_READY_TCP: where the guest is */
		uint16_t port;
		int timeout_sec;
	} ready;
	int shutdown_sec;     /* for the guest to shut down, before QEMU is told to quit */
	struct jpairs limits; /* systemd setting and value */
	bool cluster;
	/* Names of other machines that are ready before this one starts; see model/order.h. */
	struct jstrings after;
	struct jstrings requires; /* those that it can't do without */
	enum vm_autostart autostart;
	struct jstrings qemu_args;

	const char *user;	/* the unit's own user */
	const char *group_name; /* privileges.filesystem.group */
	uint32_t group_id;	/* 0: it is derived */
};

void vm_done(struct vm *vm);

/* Sockets, cores and threads multiplied. */
int64_t vm_n_processors(const struct vm *vm) PURE;

/* Does it have devices that QEMU opens through VFIO? */
bool vm_uses_vfio(const struct vm *vm) PURE;

/* privileges.filesystem.group.id, or what is derived for it. */
uint32_t vm_group_id(const struct vm *vm);

/*
 * @host, @machine: loaded without findings
 * @ret: released with vm_done() in every case
 *
 * Returns 0, or 1 when errors were added to @report: then @ret is only good to be shown, for what
 * could not be made is NULL or 0. Advice may be added in both cases.
 */
MUST_CHECK int vm_build(const struct host *host, const struct machine *machine, struct vm *ret,
		struct report *report);

/* The user of a machine's unit: "machina-NAME", or "machina-" and 16 hex digits where that is no
 * valid user name of at most 31 characters (systemd.exec(5), "User="). The caller frees it. */
char *vm_user_name(const char *machine);
/* The same for the TPM's unit: "machina-tpm-NAME". */
char *vm_tpm_user_name(const char *machine);
/* The same for the unit of a share that has no account: "machina-" and 16 hex digits. */
char *vm_share_user_name(const char *machine, const char *share);
/* The same for the unit of passt that serves connection @i. */
char *vm_passt_user_name(const char *machine, size_t i);
