/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine that runs has used so far. */
#include "host/machine/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/sysfs.h"
#include "json/jtree.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/visible.h"

#define FILE_MAX ((size_t)64 << 10)
/* What a QEMU says of its disks: real ones have some dozens, with names of a few characters. */
#define DISKS_MAX 512
#define NAME_LEN_MAX 128

static void devices_done(struct sample_device *devices, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(devices[i].name);
	free(devices);
}

void sample_done(struct sample *sample)
{
	devices_done(sample->disks, sample->n_disks);
	devices_done(sample->nets, sample->n_nets);
	*sample = (struct sample){};
}

static void add_device(struct sample_device **devices, size_t *n, char *name,
		const struct sample_flow *flow)
{
	*devices = xreallocarray(*devices, *n + 1, sizeof(**devices));
	(*devices)[(*n)++] = (struct sample_device){ .name = name, .flow = *flow };
}

/* ---- disks ---- */

static uint64_t number(struct json_object *stats, const char *key)
{
	int64_t n = jtree_get_int(stats, key, 0);
	return n > 0 ? (uint64_t)n : 0;
}

/* That of the volume, from the node's ("disk-os"); else what QEMU calls the device. */
static char *disk_name(struct json_object *disk)
{
	static const char prefix[] = "disk-";
	const char *node = jtree_get_text(disk, "node-name"), *qdev = jtree_get_text(disk, "qdev");
	const char *name = *node ? node : *qdev ? qdev : jtree_get_text(disk, "device");
	CLEANUP(buf_done) struct buf text = {};
	if (!strncmp(node, prefix, strlen(prefix)))
		name = node + strlen(prefix);
	visible_add(&text, name, strlen(name), NAME_LEN_MAX);
	return xstrdup(buf_text(&text));
}

static bool has_name(const struct sample_device *devices, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(devices[i].name, name))
			return true;
	return false;
}

void sample_add_disks(struct json_object *blockstats, struct sample *ret)
{
	for (size_t i = 0; i < jtree_length(blockstats); i++) {
		struct json_object *disk = jtree_at(blockstats, i);
		struct json_object *stats = jtree_get(disk, "stats");
		if (!json_object_is_type(stats, json_type_object) || ret->n_disks >= DISKS_MAX)
			continue;
		CLEANUP(freep) char *name = disk_name(disk);
		if (has_name(ret->disks, ret->n_disks, name))
			continue;
		add_device(&ret->disks, &ret->n_disks, take_ptr(name),
				&(struct sample_flow){
						.in_bytes = number(stats, "rd_bytes"),
						.out_bytes = number(stats, "wr_bytes"),
						.in_ops = number(stats, "rd_operations"),
						.out_ops = number(stats, "wr_operations"),
				});
	}
}

static void take_disks(struct qmp *qmp, uint64_t deadline_usec, struct sample *ret)
{
	struct json_object *reply = NULL;
	struct error unused;
	if (!qmp || qmp_call(qmp, "query-blockstats", NULL, deadline_usec, &reply, &unused) < 0)
		return;
	sample_add_disks(reply, ret);
	ret->has_disks = true;
	json_object_put(reply);
}

/* ---- interfaces ---- */

static bool read_count(const char *sys, const char *link, const char *name, uint64_t *ret)
{
	CLEANUP(freep) char *dir = xasprintf("%s/class/net/%s/statistics", sys, link);
	CLEANUP(buf_done) struct buf content = {};
	struct error unused;
	return sysfs_read(dir, name, &content, &unused) == 0 &&
	       parse_u64(buf_text(&content), ret) == 0;
}

/* What the host receives from a tap is what the guest has sent. A macvtap is the guest's own. */
static void take_net(const char *sys, const struct plan_fd *fd, struct sample *ret)
{
	bool turned = fd->kind == PLAN_FD_TAP;
	struct sample_flow flow = {};
	if (!read_count(sys, fd->link, turned ? "tx_bytes" : "rx_bytes", &flow.in_bytes) ||
			!read_count(sys, fd->link, turned ? "rx_bytes" : "tx_bytes",
					&flow.out_bytes) ||
			!read_count(sys, fd->link, turned ? "tx_packets" : "rx_packets",
					&flow.in_ops) ||
			!read_count(sys, fd->link, turned ? "rx_packets" : "tx_packets",
					&flow.out_ops))
		return;
	add_device(&ret->nets, &ret->n_nets, xstrdup(fd->connection), &flow);
}

static void take_nets(const struct sample_source *source, struct sample *ret)
{
	const struct plan *plan = source->plan;
	/* Several queues are several descriptors of one interface. */
	for (size_t i = 0; plan && i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		if ((fd->kind == PLAN_FD_TAP || fd->kind == PLAN_FD_MACVTAP) && fd->link &&
				fd->connection && !has_name(ret->nets, ret->n_nets, fd->connection))
			take_net(source->sys ? source->sys : "/sys", fd, ret);
	}
}

/* ---- processor and memory ---- */

static bool read_process(
		const struct sample_source *source, pid_t pid, const char *name, struct buf *ret)
{
	CLEANUP(freep)
	char *path = xasprintf("%s/%d/%s", source->proc ? source->proc : "/proc", pid, name);
	struct error unused;
	return file_read(path, FILE_MAX, ret, &unused) == 0;
}

/* utime and stime of /proc/PID/stat, fields 14 and 15: proc(5). The name may have blanks in it. */
static bool read_times(const char *stat, uint64_t *ret_usec)
{
	const char *rest = strrchr(stat, ')');
	unsigned long long user, system;
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
				     &user, &system) != 2)
		return false;
	*ret_usec = (user + system) * USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	return true;
}

static void take_process(const struct sample_source *source, struct sample *ret)
{
	CLEANUP(buf_done) struct buf stat = {}, memory = {};
	unsigned long long pages;
	if (!ret->has_cpu && read_process(source, ret->pid, "stat", &stat))
		ret->has_cpu = read_times(buf_text(&stat), &ret->cpu_usec);
	if (!ret->has_memory && read_process(source, ret->pid, "statm", &memory) &&
			sscanf(buf_text(&memory), "%*u %llu", &pages) == 1) {
		ret->has_memory = true;
		ret->memory_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	}
}

void sample_take(const struct sample_source *source, uint64_t deadline_usec, struct sample *ret)
{
	const struct unit_info *info = source->info;
	*ret = (struct sample){ .time_usec = clock_now_usec(), .pid = info->main_pid };
	if (!ret->pid)
		return;
	ret->has_cpu = info->cpu_usage_nsec != UINT64_MAX;
	ret->cpu_usec = ret->has_cpu ? info->cpu_usage_nsec / 1000 : 0;
	ret->has_memory = info->memory_current != UINT64_MAX;
	ret->memory_bytes = ret->has_memory ? info->memory_current : 0;
	take_process(source, ret);
	take_nets(source, ret);
	take_disks(source->qmp, deadline_usec, ret);
}

/* ---- rates ---- */

static void add_flow(struct sample_flow *to, const struct sample_flow *flow)
{
	to->in_bytes += flow->in_bytes;
	to->out_bytes += flow->out_bytes;
	to->in_ops += flow->in_ops;
	to->out_ops += flow->out_ops;
}

/* A counter that has become smaller belongs to a device that was plugged in anew. */
static uint64_t more(uint64_t before, uint64_t now)
{
	return now > before ? now - before : 0;
}

static struct sample_flow difference(const struct sample_device *before, size_t n_before,
		const struct sample_device *now, size_t n_now)
{
	struct sample_flow sum = {};
	for (size_t i = 0; i < n_now; i++)
		for (size_t k = 0; k < n_before; k++) {
			const struct sample_flow *a = &before[k].flow, *b = &now[i].flow;
			if (strcmp(before[k].name, now[i].name) != 0)
				continue;
			add_flow(&sum, &(struct sample_flow){
						       more(a->in_bytes, b->in_bytes),
						       more(a->out_bytes, b->out_bytes),
						       more(a->in_ops, b->in_ops),
						       more(a->out_ops, b->out_ops),
				       });
			break;
		}
	return sum;
}

void sample_rates(const struct sample *before, const struct sample *now, struct rates *ret)
{
	*ret = (struct rates){};
	if (!now->pid || before->pid != now->pid || now->time_usec <= before->time_usec)
		return;
	const double seconds = (double)(now->time_usec - before->time_usec) / (double)USEC_PER_SEC;
	const struct sample_flow disk =
			difference(before->disks, before->n_disks, now->disks, now->n_disks);
	const struct sample_flow net =
			difference(before->nets, before->n_nets, now->nets, now->n_nets);
	ret->has_cpu = before->has_cpu && now->has_cpu;
	ret->has_disks = before->has_disks && now->has_disks;
	ret->has_nets = before->n_nets && now->n_nets;
	if (ret->has_cpu)
		ret->cpu = (double)more(before->cpu_usec, now->cpu_usec) / (double)USEC_PER_SEC /
			   seconds;
	ret->disk_in = (double)disk.in_bytes / seconds;
	ret->disk_out = (double)disk.out_bytes / seconds;
	ret->disk_in_ops = (double)disk.in_ops / seconds;
	ret->disk_out_ops = (double)disk.out_ops / seconds;
	ret->net_in = (double)net.in_bytes / seconds;
	ret->net_out = (double)net.out_bytes / seconds;
	ret->net_in_ops = (double)net.in_ops / seconds;
	ret->net_out_ops = (double)net.out_ops / seconds;
}
