/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lending devices of the kernel in fake-kernel.h to machines, as prepare does it.
 *
 *	begin_host();
 *	...					// its devices
 *	PLAN(plan, "web", "pci name=gpu class=gpu\ncandidate address=0000:01:00.0");
 *	check_lent(&plan, "0000:01:00.0");
 *	check_given_back("web");
 *	kernel_end();
 */
#pragma once

#include "fake-kernel.h"
#include "host/device/pci.h"
#include "host/device/usb.h"
#include "host/device/vf.h"
#include "kill-child.h"

static struct device_host host;

/* ---- what cards do for their virtual functions: files "sys/vf/INTERFACE.N" ---- */

static inline int get_function(void *data, const char *interface, unsigned function,
		struct vf_settings *ret, struct error *err)
{
	(void)data;
	const char *text = kernel_get("sys/vf/%s.%u", interface, function);
	*ret = (struct vf_settings){};
	uint8_t *m = ret->mac;
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx %d %d %d", &m[0], &m[1], &m[2], &m[3],
			    &m[4], &m[5], &ret->vlan, &ret->spoof_check, &ret->trust) != 9)
		return error_set(err, ENODEV, "'%s' has no virtual function %u", interface,
				function);
	return 0;
}

static inline int set_function(void *data, const char *interface, unsigned function,
		const struct vf_settings *now, const struct vf_settings *wanted, struct error *err)
{
	(void)data;
	const uint8_t *m = wanted->mac;
	if (mode_at("fake/refuse-vf"))
		return error_set(err, EPERM, "cannot give function %u of '%s' a MAC address",
				function, interface);
	if (mode_at("fake/refuse-zeros") && memcmp(now->mac, m, sizeof(now->mac)) != 0 &&
			!(m[0] | m[1] | m[2] | m[3] | m[4] | m[5]))
		return error_set(err, EINVAL, "cannot give function %u of '%s' a MAC address",
				function, interface);
	CLEANUP(freep)
	char *text = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x %d %d %d", m[0], m[1], m[2], m[3],
			m[4], m[5], wanted->vlan, wanted->spoof_check, wanted->trust);
	CLEANUP(freep) char *name = xasprintf("sys/vf/%s.%u", interface, function);
	CLEANUP(closep) int fd = open(scratch_path(name), O_WRONLY | O_CLOEXEC);
	if (write(fd, text, strlen(text)) < 0)
		return error_errno(err, "cannot write '%s'", name);
	return 0;
}

static const struct vf_access function_access = { .get = get_function, .set = set_function };

/* ---- the host ---- */

static inline void begin_host(void)
{
	static char *paths[4];
	const char *const names[] = { "sys", "dev", "run", "proc" };
	kernel_begin();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		free(paths[i]);
		paths[i] = xasprintf("%s/%s", scratch_dir, names[i]);
	}
	host = (struct device_host){
		.sys = paths[0],
		.dev = paths[1],
		.lock_dir = paths[2],
		.proc = paths[3],
		.functions = &function_access,
	};
	put_file("proc/self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\n");
	put_file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
}

/* Rows, each after a line feed: "pci name=gpu class=gpu\ncandidate address=..." */
static inline void make_plan(struct plan *plan, const char *machine, const char *rows)
{
	CLEANUP(freep)
	char *text = xasprintf("machine name=%s user=root run-dir=/run/machina/%s "
			       "socket-dir=/run/s\n%s",
			machine, machine, rows);
	char *rest = text;
	struct error err = {};
	*plan = (struct plan){};
	for (char *row; (row = strsep(&rest, "\n"));) {
		CLEANUP(strv_done) struct strv words = {};
		for (char *word; (word = strsep(&row, " "));)
			strv_push(&words, word);
		if (plan_parse_row(plan, &words, &err) < 0)
			TEST_FAIL("%s", err.text);
	}
	if (plan_parse_end(plan, &err) < 0)
		TEST_FAIL("%s", err.text);
}

#define PLAN(var, machine, rows)                                                                   \
	CLEANUP(plan_done) struct plan var;                                                        \
	make_plan(&var, machine, rows)

/* All of it, as prepare does; the addresses of all functions in one text, and of each USB device
 * its node. */
static inline int lend(const struct plan *plan, struct buf *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv addresses = {};
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->n_pcis; i++)
		r = pci_lend(&host, plan, i, err);
	for (size_t i = 0; r == 0 && i < plan->n_pcis; i++)
		r = pci_bind(&host, plan, i, 64000, &addresses, err);
	for (size_t i = 0; r == 0 && i < plan->n_usbs; i++) {
		CLEANUP(closep) int fd = -1;
		char link[32], path[PATH_MAX] = "";
		r = usb_lend(&host, plan, i, &fd, err);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (r == 0 && readlink(link, path, sizeof(path) - 1) > 0)
			strv_push(&addresses, without_scratch(path));
	}
	for (size_t i = 0; ret && i < addresses.n; i++)
		buf_printf(ret, "%s%s", i ? " " : "", addresses.items[i]);
	return r;
}

static inline void check_lent(const struct plan *plan, const char *expected)
{
	CLEANUP(buf_done) struct buf addresses = {};
	struct error err = {};
	if (lend(plan, &addresses, &err) < 0)
		TEST_FAIL("%s", without_scratch(err.text));
	CHECK_STR(buf_text(&addresses), expected);
}

static inline int give_back(const char *machine, struct strv *ret_failures)
{
	int usb = usb_give_back(&host, machine, ret_failures);
	int pci = pci_give_back(&host, machine, ret_failures);
	return usb < 0 ? usb : pci;
}

static inline void check_given_back(const char *machine)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(give_back(machine, &failures), 0);
	for (size_t i = 0; i < failures.n; i++)
		TEST_FAIL("%s", without_scratch(failures.items[i]));
}

static inline void check_fails(const struct plan *plan, const char *text)
{
	struct error err = {};
	CHECK(lend(plan, NULL, &err) < 0);
	CHECK_STR(without_scratch(err.text), text);
}

/* It fails, and after that all is as it was. */
static inline void check_refused(const char *rows, const char *text)
{
	PLAN(plan, "web", rows);
	CLEANUP(freep) char *before = kernel_shot();
	check_fails(&plan, text);
	check_given_back("web");
	kernel_check_shot(before);
}

static inline void check_driver(const char *address, const char *driver)
{
	const char *bound = kernel_driver_of(address);
	CHECK_STR(bound ? bound : "", driver);
}

/* ---- several at once, and the end at any point ---- */

#define SEVERAL 16

static inline char *name_of(int i)
{
	return xasprintf("web%d", i);
}

/* Sixteen machines want the same: @n get it; all is given back at once. */
static inline void check_lent_to_several(const char *rows, int n)
{
	CLEANUP(freep) char *before = kernel_shot();
	for (int round = 0; round < 2; round++) {
		pid_t children[SEVERAL];
		int n_done = 0;
		for (int i = 0; i < SEVERAL; i++) {
			children[i] = fork();
			if (children[i] != 0)
				continue;
			CLEANUP(freep) char *name = name_of(i);
			CLEANUP(strv_done) struct strv failures = {};
			if (round > 0)
				_exit(give_back(name, &failures) < 0);
			PLAN(plan, name, rows);
			_exit(lend(&plan, NULL, NULL) < 0);
		}
		for (int i = 0; i < SEVERAL; i++) {
			int status = -1;
			waitpid(children[i], &status, 0);
			n_done += status == 0;
		}
		CHECK_INT(n_done, round ? SEVERAL : n);
	}
	kernel_check_shot(before);
}

/* What a process that was killed leaves beside loans: files that it was writing, a lock that nobody
 * holds. */
static inline void remove_stale(void)
{
	file_remove_stale(scratch_path("run"));
	unlink(scratch_path("run/.devices.lock"));
}

/* @again: it is lent once more before it is given back; then what is lent. NULL: it is not.
 * @n_least: places at which a kill makes a difference */
static inline void check_killed_lending(const char *rows, const char *again, unsigned n_least)
{
	PLAN(plan, "web", rows);
	CLEANUP(freep) char *before = kernel_shot();
	unsigned n = 0;
	int r = 1;
	for (; r > 0; n++) {
		pid_t child = kill_child_fork();
		if (child == 0)
			_exit(lend(&plan, NULL, NULL) < 0);
		r = kill_child_at(child, n);
		kernel_sync();
		if (again)
			check_lent(&plan, again);
		check_given_back("web");
		remove_stale();
		kernel_check_shot(before);
	}
	CHECK_INT(r, 0);
	CHECK(n > n_least);
}

/* @used: called when it is lent; may be NULL */
static inline void check_killed_giving_back(
		const char *rows, const char *lent, void (*used)(void), unsigned n_least)
{
	PLAN(plan, "web", rows);
	CLEANUP(freep) char *before = kernel_shot();
	unsigned n = 0;
	int r = 1;
	for (; r > 0; n++) {
		check_lent(&plan, lent);
		if (used)
			used();
		pid_t child = kill_child_fork();
		if (child == 0) {
			CLEANUP(strv_done) struct strv failures = {};
			_exit(give_back("web", &failures) < 0);
		}
		r = kill_child_at(child, n);
		kernel_sync();
		check_given_back("web");
		remove_stale();
		kernel_check_shot(before);
	}
	CHECK_INT(r, 0);
	CHECK(n > n_least);
}
