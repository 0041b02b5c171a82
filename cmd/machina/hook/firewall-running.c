/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machines that have filters now. */
#include "hook/firewall-running.h"

#include <string.h>

#include "cli/output.h"
#include "host/net/port.h"
#include "host/net/tap.h"
#include "host/os/lock.h"
#include "host/prepare/prepare-tap.h"
#include "host/prepare/prepare.h"
#include "setup/hookplan.h"
#include "util/mem.h"

static void machine_done_running(struct running_machine *m)
{
	for (size_t i = 0; i < m->n_ports; i++)
		fw_port_done(&m->ports[i]);
	free(m->ports);
	free(m->before);
	plan_done(&m->plan);
	plan_done(&m->now);
	lock_done(&m->lock);
	free(m->name);
	*m = (struct running_machine){};
}

void running_done(struct running *running)
{
	for (size_t i = 0; i < running->n; i++)
		machine_done_running(&running->items[i]);
	for (size_t i = 0; i < running->n_gone; i++)
		lock_done(&running->gone_locks[i]);
	free(running->items);
	free(running->gone_locks);
	strv_done(&running->gone);
	*running = (struct running){};
}

/* ---- one machine ---- */

/* The same interface in the unit of now, or NULL. */
static const struct plan_fd *same_tap(const struct plan *now, const struct plan_fd *fd)
{
	for (size_t i = 0; i < now->n_fds; i++) {
		const struct plan_fd *other = &now->fds[i];
		if (other->kind == PLAN_FD_TAP && !strcmp(other->link, fd->link) &&
				!strcmp(other->mac, fd->mac))
			return other;
	}
	return NULL;
}

/* A connection that had a filter and has none any more is open until it goes. */
static struct vm_filter *open_filter(struct arena *arena)
{
	struct vm_filter *filter = ARENA_NEW(arena, struct vm_filter);
	for (int level = 0; level < N_FW_LEVELS; level++)
		for (int d = 0; d < N_FW_DIRECTIONS; d++)
			filter->defaults[level][d] = FW_DEFAULT_NONE;
	return filter;
}

static int add_port(struct running_machine *m, const struct fw_policy *policy, struct plan_fd *fd,
		struct error *err)
{
	const struct vm_filter *before = fd->filter;
	const struct plan_fd *now = same_tap(&m->now, fd);
	if (now)
		fd->filter = now->filter;
	if (before && !fd->filter)
		fd->filter = open_filter(&m->plan.arena);
	if (!fd->filter)
		return 0;
	m->before[m->n_ports] = before;
	int r = fw_port_of_plan(policy, &m->plan, fd, &m->ports[m->n_ports], err);
	m->n_ports++;
	return r;
}

static int add_ports(struct running_machine *m, const struct fw_policy *policy, struct error *err)
{
	CLEANUP(buf_done) struct buf before = {}, after = {};
	int r = 0;
	m->ports = xcalloc(m->plan.n_fds + 1, sizeof(*m->ports));
	m->before = xcalloc(m->plan.n_fds + 1, sizeof(*m->before));
	plan_put_rows(&m->plan, &before);
	for (size_t i = 0; r == 0 && i < m->plan.n_fds; i++)
		if (m->plan.fds[i].kind == PLAN_FD_TAP)
			r = add_port(m, policy, &m->plan.fds[i], err);
	plan_put_rows(&m->plan, &after);
	m->is_changed = !buf_equal(&before, &after);
	return r;
}

/*
 * Under its lock a machine that has filters has interfaces, too; its plan is kept a moment before
 * and after that. Returns 0, 1: it has none, or a negative errno.
 */
static int find_interfaces(const struct plan *plan, struct netlink *links, struct error *err)
{
	int r = 1;
	for (size_t i = 0; r == 1 && i < plan->n_fds; i++) {
		const struct plan_fd *fd = &plan->fds[i];
		CLEANUP(freep) char *alias = tap_alias(plan->machine, fd->connection);
		struct link link;
		if (fd->kind == PLAN_FD_TAP)
			r = tap_find(links, fd->link, alias, &link, err);
	}
	return r;
}

/* Returns 0, 1: there is no such machine now, or a negative errno. */
static int load_machine(const struct config_paths *paths, const struct fw_policy *policy,
		struct running_machine *m, struct netlink *links, struct error *err)
{
	struct error doubt = {}, ignored = {};
	CLEANUP(buf_done) struct buf text = {};
	if (!hookplan_is_kept(paths, HOOK_QEMU, m->name))
		return 1;
	hookplan_recall(paths, HOOK_QEMU, m->name, &m->plan, &doubt);
	if (doubt.code)
		return error_set(err, doubt.code, "%s", doubt.text);
	int r = find_interfaces(&m->plan, links, err);
	if (r != 0)
		return r;
	/* Without a unit the machine runs on by its old plan. */
	if (hookplan_begin(paths, HOOK_QEMU, m->name, &m->now, &text, &ignored) < 0) {
		plan_done(&m->now);
		m->now = (struct plan){};
	}
	return add_ports(m, policy, err);
}

/* ---- all of them ---- */

static void push_gone(struct running *running, const char *name, struct lock *lock)
{
	running->gone_locks = grow_array(running->gone_locks, &running->n_gone_alloc,
			running->n_gone, sizeof(*running->gone_locks));
	running->gone_locks[running->n_gone++] = *lock;
	*lock = (struct lock){};
	strv_push(&running->gone, name);
}

static void push_machine(struct running *running, struct running_machine *m)
{
	running->items = grow_array(
			running->items, &running->n_alloc, running->n, sizeof(*running->items));
	running->items[running->n++] = *m;
	*m = (struct running_machine){};
}

/* @must_run: it was asked for by its name */
static int add_machine(struct running *running, const struct config_paths *paths,
		const struct fw_policy *policy, const char *name, bool must_run,
		struct netlink *links, struct error *err)
{
	CLEANUP(machine_done_running) struct running_machine m = { .name = xstrdup(name) };
	bool is_kept = hookplan_is_kept(paths, HOOK_QEMU, name);
	if (!is_kept && must_run)
		return error_set(err, ENOENT, "machine '%s' does not run", name);
	int r = lock_machine(paths->run_dir, name, is_kept ? LOCK_WAIT_USEC : 0, &m.lock, err);
	/* Who is about to be prepared gets the newest rules there. */
	if (r == -EBUSY && !is_kept)
		return 0;
	if (r < 0)
		return r;
	r = load_machine(paths, policy, &m, links, err);
	if (r > 0) {
		push_gone(running, name, &m.lock);
		return 0;
	}
	if (r < 0) {
		m.has_failed = true;
		while (m.n_ports > 0)
			fw_port_done(&m.ports[--m.n_ports]);
	}
	push_machine(running, &m);
	return r < 0 ? error_wrap(err, "machine '%s'", name) : 0;
}

/* The names of both lists, each once. */
static void merge(struct strv *names, const struct strv *more)
{
	CLEANUP(strv_done) struct strv added = {};
	for (size_t i = 0; i < more->n; i++)
		if (!strv_contains_sorted(names, more->items[i]))
			strv_push(&added, more->items[i]);
	strv_extend(names, &added);
	strv_sort(names);
}

int running_find(const struct config_paths *paths, const struct fw_policy *policy,
		const struct strv *names, struct netlink *nft, struct netlink *links,
		struct running *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv all = {}, present = {};
	*ret = (struct running){};
	int r = 0;
	if (names) {
		strv_extend(&all, names);
	} else {
		r = hookplan_list(paths, &all, err);
		if (r == 0)
			r = firewall_machines(nft, &present, err);
		merge(&all, &present);
	}
	/* In the order of their names, so that two of us don't wait for each other. */
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		struct error failure = {};
		if (add_machine(ret, paths, policy, all.items[i], names != NULL, links, &failure) ==
				0)
			continue;
		print_error(&failure);
		ret->n_failed++;
	}
	return r;
}

typedef int port_action(struct netlink *nl, const struct plan *plan, const struct plan_fd *fd,
		struct error *err);

/* Returns how many have failed. */
static size_t each_port(struct netlink *nl, const struct plan *plan, port_action *act)
{
	size_t n_failed = 0;
	for (size_t i = 0; i < plan->n_fds; i++) {
		struct error err = {};
		if (!plan->fds[i].filter || act(nl, plan, &plan->fds[i], &err) >= 0)
			continue;
		print_error(&err);
		n_failed++;
	}
	return n_failed;
}

static int set_open(struct netlink *nl, const struct plan *plan, const struct plan_fd *fd,
		bool open, struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(plan->machine, fd->connection);
	struct link link;
	int r = tap_find(nl, fd->link, alias, &link, err);
	/* One that is not up yet is about to be closed by who prepares it. */
	return r == 0 && link.master && (open || link.up) ? port_set_open(nl, &link, open, err) : r;
}

static int open_port(struct netlink *nl, const struct plan *plan, const struct plan_fd *fd,
		struct error *err)
{
	return set_open(nl, plan, fd, true, err);
}

static int close_port(struct netlink *nl, const struct plan *plan, const struct plan_fd *fd,
		struct error *err)
{
	return set_open(nl, plan, fd, false, err);
}

size_t running_open(struct netlink *nl, const struct plan *plan, bool open)
{
	return each_port(nl, plan, open ? open_port : close_port);
}

size_t running_renew(struct netlink *nl, const struct plan *plan)
{
	return each_port(nl, plan, prepare_tap_renew);
}
