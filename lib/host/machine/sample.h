/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine that runs has used so far: processor, memory, disks, network; and rates, from two
 * of these samples.
 *
 *	struct sample_source source = { .info = &info, .plan = &plan, .qmp = qmp };
 *	sample_take(&source, deadline_usec, &now);
 *	sample_rates(&before, &now, &rates);
 *
 * Sources: systemd's count for the unit (org.freedesktop.systemd1(5), CPUUsageNSec and
 * MemoryCurrent, which are those of its cgroup) or else /proc/PID of QEMU; QEMU's query-blockstats;
 * /sys/class/net/LINK/statistics of the machine's interfaces. Each may be missing, and then its
 * part is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/qmp/qmp.h"
#include "host/systemd/bus-unit.h"
#include "model/plan.h"

/* What went through a disk or an interface since QEMU was started, as the guest sees it. */
struct sample_flow {
	uint64_t in_bytes, out_bytes; /* read and written; received and sent */
	uint64_t in_ops, out_ops;     /* requests; packets */
};

struct sample_device {
	char *name; /* of the volume or connection; of a disk that has none, QEMU's */
	struct sample_flow flow;
};

struct sample {
	uint64_t time_usec; /* CLOCK_MONOTONIC */
	pid_t pid;	    /* of QEMU; 0: it does not run, and the rest is empty */
	bool has_cpu, has_memory;
	bool has_disks;	       /* QEMU was asked and has answered */
	uint64_t cpu_usec;     /* processor time */
	uint64_t memory_bytes; /* in use, the guest's and QEMU's own */
	struct sample_device *disks;
	size_t n_disks;
	struct sample_device *nets; /* those whose traffic is counted */
	size_t n_nets;
};

void sample_done(struct sample *sample);

struct sample_source {
	const struct unit_info *info;
	const struct plan *plan; /* NULL: not known, and no interface is looked at */
	struct qmp *qmp;	 /* NULL: no disk is looked at. Borrowed */
	const char *sys, *proc;	 /* for tests; NULL: "/sys", "/proc" */
};

/* @ret: released with sample_done(). Cannot fail: what can't be found out is not in it. */
void sample_take(const struct sample_source *source, uint64_t deadline_usec, struct sample *ret);

/*
 * Add the disks of a reply to query-blockstats. Pure; what has another form is left out, and so is
 * a second disk of one name, and those beyond 512: the names, made visible, become those of
 * metrics, of which nobody takes any if two are the same.
 */
void sample_add_disks(struct json_object *blockstats, struct sample *ret);

/* Per second. What was not counted in both samples is 0, and is said not to be known. */
struct rates {
	bool has_cpu, has_disks, has_nets;
	double cpu; /* processors: 1.0 is one that is busy all the time */
	double disk_in, disk_out, net_in, net_out; /* bytes */
	double disk_in_ops, disk_out_ops, net_in_ops, net_out_ops;
};

/*
 * Between two samples. Nothing is known where there is nothing to compare: another process, or no
 * time between them. A device that is only in one of them counts for nothing.
 */
void sample_rates(const struct sample *before, const struct sample *now, struct rates *ret);
