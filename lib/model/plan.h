/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host has to do before QEMU starts and after it has stopped: the descriptors that QEMU
 * gets, in order, and the devices to make.
 *
 * The plan belongs to an argument vector, which names descriptors by number: both are made from one
 * struct vm, and the unit carries both. The hooks follow the plan in the unit, so that an
 * edited config changes nothing before the unit is made anew.
 *
 * In a unit the plan is a list of rows, each a list of words:
 *
 *	tap name=net.0 link=web.0 connection=0 network=lan bridge=br0 mac=52:54:00:26:77:fa
 *	cloud-init what=user text=alice
 *	file name=disk.0 writable=yes path=/tank/web/os.raw volume=os pool=guest-data
 *
 * Of the packet filter of a connection the plan has what the machine and its network say (rows
 * "filter" and "rule"); the host's groups and address sets are read when the machine starts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/vm.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/error.h"
#include "util/strv.h"

/* The first descriptor of systemd's protocol (SD_LISTEN_FDS_START). */
#define PLAN_FD_FIRST 3

/*
 * What a stop takes at most beyond the guest's own time (vm->shutdown_sec): QEMU, told to quit, has
 * its disks to flush. Then systemd kills it.
 */
#define PLAN_QUIT_SEC 10

enum plan_fd_kind {
	PLAN_FD_TAP,	    /* -netdev tap,fd=N */
	PLAN_FD_MACVTAP,    /* the same, on an interface of the host in place of a bridge */
	PLAN_FD_QUEUE,	    /* one more of the tap or macvtap before it: fds=N:M */
	PLAN_FD_FILE,	    /* -add-fd fd=N,set=S; /dev/fdset/S */
	PLAN_FD_COPY,	    /* a sealed copy in memory: /proc/self/fd/N (QEMU opens it by itself) */
	PLAN_FD_CREDENTIAL, /* a sealed text in memory, made of a file: likewise */
	PLAN_FD_SEED,	    /* a sealed CD in memory, made of plan->seed; in a set like a file */
	PLAN_FD_LISTEN,	    /* a unix socket that listens at path: -chardev socket,fd=N,server=on */
	PLAN_FD_LISTEN_TCP, /* the same on 127.0.0.1:port */
	PLAN_FD_CONNECT,    /* a unix socket connected to the one at path: -chardev socket,fd=N */
	PLAN_FD_LOG,	    /* a file at path, created, open for appending; in a set like a file */
	PLAN_FD_STATE,	    /* a directory, made, lent to the unit's user: /proc/self/fd/N */
	PLAN_FD_TREE,	/* a directory as a mount of its own, writable or not: /proc/self/fd/N */
	PLAN_FD_USERNS, /* a user namespace whose root is the unit's user: for setns(2) */
	PLAN_FD_USB, /* "usb.N", the node of the device lent for plan->usbs[N]; in a set like a file
		      */
	PLAN_FD_VSOCK, /* the device at path, which has the guest's number cid: vhostfd=N */
	PLAN_FD_VHOST, /* the device at path, for the netdev @name: vhostfd=N; see below */
};
extern const char *const plan_fd_kind_names[];
/* Is such a descriptor in a set, from which QEMU takes it as /dev/fdset/S? */
bool plan_fd_has_set(enum plan_fd_kind kind) PURE;

/* What a file must be; others are refused by prepare. */
enum plan_format { PLAN_FORMAT_RAW, PLAN_FORMAT_QCOW2 };
extern const char *const plan_format_names[];

/*
 * A VHOST descriptor is the only one that may be missing, all of them or none: where the host has
 * no such device QEMU moves packets by itself. So they come last, and the arguments that speak of
 * them are added when a machine starts (qemu_vhost_args() in qemu/argv.h). There is one for each
 * queue of "net.0": "vhost.0", "vhost.0.1", ...
 */
struct plan_fd {
	enum plan_fd_kind kind;
	const char *name; /* FDNAME= and the set's opaque text: "disk.0", "net.0", "qmp.0" */
	int number;	  /* in QEMU: PLAN_FD_FIRST + its index */
	int set;	  /* FILE, SEED, LOG and USB: number of the set; -1 for others */
	const char *path; /* all but TAP, MACVTAP, QUEUE, SEED, LISTEN_TCP, USERNS and USB */
	int port;	  /* LISTEN_TCP */
	int64_t cid;	  /* VSOCK */

	/* FILE, COPY; the first one TREE as well */
	bool writable;
	bool direct; /* O_DIRECT */
	enum plan_format format;
	const char *volume; /* for messages; NULL: given by its path */
	const char *pool;

	const char *credential; /* CREDENTIAL: its name in the guest */

	/* CONNECT, to passt: the ports that it forwards, "tcp:127.0.0.1:2222-:22", with spaces
	 * between them. For the units to differ: passt is started with the machine. */
	const char *forward;

	/* TAP, MACVTAP; NULL for what there is none of. CONNECT to passt: the connection and its
	 * network. QUEUE: the link alone. */
	const char *link;
	const char *connection;
	const char *network;
	const char *bridge; /* to join; NULL: the script does it */
	const char *device; /* MACVTAP: the interface that is shared */
	enum macvtap_mode macvtap_mode;
	const char *mac;
	const char *up;
	const char *down;
	bool disconnected; /* TAP, MACVTAP, CONNECT: the machine starts without this cable */
	int64_t mtu;	   /* 0: the bridge's, or the device's */
	/* What is set on the port; all zero on a bridge of a network without a mode. */
	bool protect; /* nothing from it changes the tree of bridges (STP) */
	bool isolate;
	bool own; /* the bridge is made by the network's unit */
	int vlan; /* without tags; 0: what the bridge gives new ports; filter->vlans with tags */
	const struct vm_filter *filter;
};

/* A directory that QEMU opens by itself, as the unit's user. */
struct plan_directory {
	const char *path;
	const char *volume;
	const char *pool;
};

/* A socket that QEMU makes by itself in socket_dir (it can't take these as descriptors); await
 * gives it to the operators' group. */
struct plan_socket {
	const char *name; /* "spice", "vnc"; "net.0" of a connection of mode vhost-user */
	const char *path;
	int port; /* of 127.0.0.1, which units of its own forward to it; 0: none */
};

/* The host's end of a network card that needs nothing of the host: QEMU has it alone. */
struct plan_netdev {
	const char *name; /* "net.0", as a tap's descriptor would be called */
	const char *connection;
	const char *network;
	bool disconnected;
};

/* A connection of the machine's to a network, whatever it is made of. */
struct plan_connection {
	const char *name;
	const char *network;
	const char *id;	  /* "net.0"; NULL: a virtual function, in which QEMU has no part */
	const char *link; /* its interface on the host; NULL: it has none */
	const struct plan_fd *tap; /* NULL: it has none */
	bool disconnected;	   /* when the machine starts */
};

/* A socket that QEMU connects to by itself, as the unit's user: of a switch. */
struct plan_peer {
	const char *name; /* "net.0" */
	const char *path;
	const char *group;	/* that QEMU has beside its user's own; NULL: none */
	const char *connection; /* for messages */
	const char *network;
	int queues; /* pairs of them that it has to have; 0: one */
	/* QEMU's path, for PLAN_RECONNECT; NULL: its arguments do without */
	const char *emulator;
};

/* What the names of the sockets of QEMU's monitors begin with; the hooks' own is the first. */
#define PLAN_MONITOR "qmp."
#define PLAN_MONITOR_HOOKS PLAN_MONITOR "0"

struct plan {
	struct arena arena;
	const char *machine;
	const char *user;	/* of the unit */
	const char *run_dir;	/* the machine's: "/run/machina/NAME", made by prepare */
	const char *socket_dir; /* "/run/machina-qemu/NAME", made by systemd for the unit's user */
	struct plan_fd *fds;
	size_t n_fds;
	size_t n_sets; /* sets are numbered from 1, in the order of their descriptors */
	struct vm_mdev *mdevs;
	size_t n_mdevs;
	struct vm_pci *pcis;
	size_t n_pcis;
	struct vm_usb *usbs;
	size_t n_usbs;
	struct plan_directory *directories;
	size_t n_directories;
	struct plan_socket *sockets;
	size_t n_sockets;
	struct plan_netdev *netdevs;
	size_t n_netdevs;
	struct plan_peer *peers;
	size_t n_peers;
	struct vm_seed_item *seed; /* what the guest's cloud-init is told */
	size_t n_seed;
	const char *tpm_data; /* plan of the TPM's unit: the directory of its state; else NULL */
	const char *share;    /* plan of a share's unit: the share; else NULL */
	/* Not of those two. For whoever stops the machine with a time-out of his own. */
	int stop_sec;
	/*
	 * What it names is all that there can be of the machine, whom nobody had left anything when
	 * it was prepared: there is nothing to forget before that, and whoever cleans up needs not
	 * search the host for more. Not in the rows.
	 */
	bool is_all;
	struct vm_filter *last_filter; /* while rows are read: whose rules follow */
};

void plan_done(struct plan *plan);

/*
 * The plan of a machine's QEMU. It borrows what @vm has, which must outlive it.
 *
 * @run_dir: of all machines ("/run/machina")
 */
void plan_build(const struct vm *vm, const char *run_dir, struct plan *ret);
/* The same of its TPM: a listening descriptor "control", and "state", the directory in tpm_data. */
void plan_build_tpm(const struct vm *vm, const char *run_dir, struct plan *ret);

/*
 * The same of a share, vm->shares[@i]: a listening descriptor "control", the directory "tree" and
 * the user namespace "users".
 */
void plan_build_share(const struct vm *vm, size_t i, const char *run_dir, struct plan *ret);
/* Does it belong to a unit beside QEMU's, that of a TPM or a share? */
bool plan_is_companion(const struct plan *plan);
/* In the plan of a QEMU: does the descriptor lead to passt, which serves a connection? */
bool plan_is_passt(const struct plan_fd *fd) PURE;
/*
 * The directory of passt for connection @i, "/run/machina-passt/NAME@0", made by systemd for the
 * unit's user; its socket in it is "socket". The caller frees it.
 *
 * @run_dir: the machine's
 */
char *plan_passt_dir(const char *run_dir, size_t i);
/* In the plan of a QEMU: the name of the share that a descriptor leads to; NULL: to none. */
const char *plan_share_of(const struct plan_fd *fd);

/*
 * Whether a file of this path is taken to be a block device: QEMU has a driver for files and
 * another for devices, and a unit names the devices that may be opened. Nothing is looked at: the
 * arguments and the unit of a machine are the same on every host. Prepare refuses what is not what
 * its path says.
 */
bool plan_is_device(const char *path);

/*
 * Where a PCI device is found only when the machine starts (it is not vm_pci_is_fixed()), QEMU's
 * arguments have "${NAME}" in place of its address. The name for function @function, counted from 0
 * for the device itself, of plan->pcis[i]. The caller frees it.
 */
char *plan_pci_variable(size_t i, size_t function);

/*
 * "${MACHINA_RECONNECT}" stands for a whole pair among the arguments of a peer's chardev: the one
 * by which the QEMU that is started is told to connect again.
 */
#define PLAN_RECONNECT "MACHINA_RECONNECT"

/* The descriptor of plan->usbs[i], which a plan has that was built or read to its end. */
const struct plan_fd *plan_usb_fd(const struct plan *plan, size_t i);

/* Name of the SEED descriptor, and in QEMU that of the CD's node. */
#define PLAN_SEED "cloud-init"
/* In the run directory: the CD where QEMU has to open it by a path. */
#define PLAN_SEED_FILE "cloud-init.iso"

/* Name of the VSOCK descriptor. */
#define PLAN_VSOCK "vsock"

/* The descriptor of a name, or NULL. */
const struct plan_fd *plan_find(const struct plan *plan, const char *name);

/* How many descriptors a tap or macvtap, plan->fds[@i], has: itself and the queues behind it. */
size_t plan_n_queues(const struct plan *plan, size_t i) PURE;

/* What the guest of a machine has to shut down in, as it was started: vm->shutdown_sec. The usual
 * time where the plan does not say. */
int plan_shutdown_sec(const struct plan *plan) PURE;

/* Has a connection a packet filter? */
bool plan_has_filter(const struct plan *plan) PURE;

/* The connections: those with taps, those that QEMU has alone, virtual functions; each as listed.
 * Their texts are the plan's. */
size_t plan_n_connections(const struct plan *plan) PURE;
struct plan_connection plan_connection(const struct plan *plan, size_t i);
/* QEMU's id of the netdev of a connection ("net.0" of struct plan_connection). The caller frees it.
 */
char *plan_netdev_id(const struct plan *plan, const char *id);

/* All rows, as model/words.h writes them. Pure. */
void plan_put_rows(const struct plan *plan, struct buf *ret);

/*
 * Read rows back, one call for each, into a plan that began as {}.
 *
 * Errors: EINVAL with a text for a word that is unknown or missing: a unit of a newer version, or
 * one that was edited. plan_parse_end() checks what spans rows.
 */
MUST_CHECK int plan_parse_row(struct plan *plan, const struct strv *words, struct error *err);
MUST_CHECK int plan_parse_end(const struct plan *plan, struct error *err);

/* "/run/machina-qemu/NAME/net.CONNECTION": what QEMU makes for a switch that connects. The caller
 * frees it. @socket_dir: of all machines */
char *plan_net_path(const char *socket_dir, const char *machine, const char *connection);

/* "/run/machina/NAME/qmp/systemd.0.qmp.socket" and the like. The caller frees the result. */
char *plan_qmp_path(const char *run_dir, const char *machine, const char *socket_name);
/* "/run/machina/NAME/share/SHARE"; likewise. */
char *plan_share_path(const char *run_dir, const char *machine, const char *share);
