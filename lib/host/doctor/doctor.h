/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking over a host: whether it has what its machines need.
 *
 *	CLEANUP(doctor_done) struct doctor d = { .sys = "/sys", .proc = "/proc", ... };
 *	doctor_begin(&d, "kvm");
 *	doctor_check_kvm(&d);
 *
 * A check adds a finding for each thing that is wrong, or leaves itself out and says why; else all
 * is well, and its note says what it saw. Checks change nothing: neither files nor settings, and no
 * module is loaded that a start would not load.
 *
 * What stops a machine that is up or starts with the host is a fault; what stops only others, or
 * costs something, is a warning.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "config/host.h"
#include "firewall/policy.h"
#include "host/doctor/lack.h"
#include "host/net/firewall.h"
#include "host/systemd/bus.h"
#include "model/network.h"
#include "model/vm.h"
#include "util/arena.h"
#include "util/strv.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAULT };
extern const char *const doctor_level_names[];

struct doctor_finding {
	const char *check;
	enum doctor_level level;
	const char *what;     /* one sentence without a full stop */
	const char *why;      /* what it means for whom; NULL: nothing to add */
	struct strv cures;    /* lines for a shell; what is no command begins with '#' */
	bool restarts;	      /* the last cure ends guests, which may not start again */
	struct strv machines; /* all that it is about: texts name some of them */
};

struct doctor_machine {
	const struct vm *vm;
	bool enabled; /* starts with the host */
	bool running;
	bool failed; /* its unit: its last run, or its last start */
	pid_t pid;   /* QEMU's; 0: not known */
};

/* Something that a machine lacks, and all machines that lack it. */
struct doctor_lack {
	enum lack_kind kind;
	const char *subject;
	const char *text; /* without the networks, which doctor_lack_text() has */
	int code;
	struct strv networks;
	struct strv machines;
	bool urgent;
};

struct doctor {
	/* Where the kernel shows itself: "/sys", "/proc", "/dev". */
	const char *sys, *proc, *dev;
	const char *dnsmasq;   /* the program */
	const char *operators; /* the group */
	const char *state_dir; /* what outlives a boot: "/var/lib/machina" */
	const char *run_dir;   /* of all machines: "/run/machina"; NULL: it is not looked at */
	unsigned limit_sec;    /* of a program to say who it is; 0: none */
	bool is_root;
	/* Not all machines are looked at: what is of none of them is not looked for. */
	bool is_partial;
	/* The configs of some have faults: what none of the others has may be theirs. */
	bool lacks_machines;
	/* NULL, both: the host's config has faults, and is not known. */
	const struct host_conf *host;
	const struct fw_policy *policy;
	const struct doctor_machine *machines;
	size_t n_machines;
	/* Filters as they were installed: of connections that may be prepared, of networks that may
	 * be up. */
	const struct firewall_port *prepared;
	size_t n_prepared;
	const struct network *networks;
	size_t n_networks;
	struct bus *bus; /* to systemd; NULL: none */
	const char *bus_failure;
	struct strv outdated; /* units that changed on disk since systemd has read them */

	struct doctor_finding *findings;
	size_t n, n_alloc;
	struct strv named; /* by a text that no finding has yet */
	/* Of the check that was begun last. */
	const char *check;
	const char *note;     /* NULL: none */
	const char *left_out; /* why; NULL: it was not */

	struct doctor_lack *lacks; /* once a check has asked for them */
	size_t n_lacks, n_lacks_alloc;
	bool has_lacks;
	bool kvm_works; /* by the check of KVM */
	struct arena arena;
};

void doctor_done(struct doctor *d);

/* ---- what checks say ---- */

void doctor_begin(struct doctor *d, const char *check);
void doctor_add(struct doctor *d, enum doctor_level level, const char *format, ...) PRINTF(3, 4);
/* Of the finding that was added last. */
void doctor_why(struct doctor *d, const char *format, ...) PRINTF(2, 3);
void doctor_cure(struct doctor *d, const char *format, ...) PRINTF(2, 3);
/* To restart machines; their names. */
void doctor_cure_restart(struct doctor *d, const struct strv *names);
/*
 * After all checks. Who runs all commands that are told must not end a guest that can't start
 * again: where there is a fault that no restart mends, restarts are for later.
 */
void doctor_hold_restarts(struct doctor *d);
void doctor_note(struct doctor *d, const char *format, ...) PRINTF(2, 3);
void doctor_leave_out(struct doctor *d, const char *format, ...) PRINTF(2, 3);
/* The worst of a check, or of all (NULL). */
enum doctor_level doctor_worst(const struct doctor *d, const char *check);

/* Machines that something is about. */
struct doctor_group {
	struct strv names;
	bool urgent; /* one of them is up, has failed, or starts with the host */
};
void doctor_group_done(struct doctor_group *g);
void doctor_group_add(struct doctor_group *g, const struct doctor_machine *machine);
/*
 * "machine 'a'", "machines 'a', 'b', 'c' and 9 more"; in the arena. The finding that gets this text
 * by doctor_add() or doctor_why() is about all of them.
 */
const char *doctor_machines(struct doctor *d, const struct strv *names);
/* Of the finding that was added last: one more machine that it is about. */
void doctor_about(struct doctor *d, const char *machine);
/* The same list of anything, without the word in front. */
const char *doctor_names(struct doctor *d, const struct strv *names);
/* Are there machines of which nothing is urgent? */
bool doctor_is_lenient(const struct doctor *d);
/* A fault if it is urgent, else a warning. */
enum doctor_level doctor_level_of(bool urgent);
/* The names as words for a shell, each with a space in front; in the arena. */
const char *doctor_words(struct doctor *d, const struct strv *names);
/* A word for a shell, in the arena. */
const char *doctor_quote(struct doctor *d, const char *word);

/* What machines lack, of a kind; @first: lacks[i] to begin with. NULL: no more. */
const struct doctor_lack *doctor_lacks(struct doctor *d, enum lack_kind kind, size_t *first);

/* "networks 'lan', 'dmz': there is no bridge 'br0'", in the arena. */
const char *doctor_lack_text(struct doctor *d, const struct doctor_lack *lack);
/* A finding of it, and that these machines cannot start. */
void doctor_add_lack(struct doctor *d, const struct doctor_lack *lack);

/* A number of /proc/meminfo, in its unit; 0 where it has none. */
uint64_t doctor_meminfo(const struct doctor *d, const char *key);

/* ---- checks ---- */

typedef void doctor_check(struct doctor *d);

doctor_check doctor_check_drained;
doctor_check doctor_check_saved;
doctor_check doctor_check_failed;
doctor_check doctor_check_kvm;
doctor_check doctor_check_start;
doctor_check doctor_check_emulators;
doctor_check doctor_check_systemd;
doctor_check doctor_check_reload;
doctor_check doctor_check_groups;
doctor_check doctor_check_tpm;
doctor_check doctor_check_passt;
doctor_check doctor_check_cloud_init;
doctor_check doctor_check_shares;
doctor_check doctor_check_pools;
doctor_check doctor_check_volumes;
doctor_check doctor_check_firmware;
doctor_check doctor_check_space;
doctor_check doctor_check_consoles;
doctor_check doctor_check_memory;
doctor_check doctor_check_hugepages;
doctor_check doctor_check_devices;
doctor_check doctor_check_tun;
doctor_check doctor_check_vsock;
doctor_check doctor_check_bridges;
doctor_check doctor_check_networks;
doctor_check doctor_check_forwarding;
doctor_check doctor_check_firewall;
doctor_check doctor_check_links;
doctor_check doctor_check_replaced;
