/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making, finding and removing virtual functions. */
#include "host/device/sriov.h"

#include <assert.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "host/device/pci-parts.h"
#include "host/os/clock.h"
#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

#define PREFIX "sriov:"
/* Cards take seconds to make their functions. */
#define MAKE_USEC (60 * USEC_PER_SEC)
static_assert(LOAN_WAIT_USEC > MAKE_USEC, "who waits for a card to be done fails for nothing");

static int read_number(const char *dir, const char *name, int64_t *ret, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	int r = sysfs_read(dir, name, &text, err);
	if (r < 0)
		return r;
	return parse_i64(buf_text(&text), ret) == 0
			       ? 0
			       : error_set(err, EPROTO, "'%s/%s' is no number", dir, name);
}

int64_t sriov_count(const struct device_host *host, const char *address)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	int64_t n;
	return read_number(dir, "sriov_numvfs", &n, NULL) < 0 ? 0 : n;
}

/* ---- who belongs to whom ---- */

int sriov_find_card(const struct device_host *host, const char *interface, char **ret_address,
		struct error *err)
{
	CLEANUP(freep) char *dir = xasprintf("%s/class/net/%s", host->sys, interface);
	CLEANUP(freep) char *address = sysfs_link_name(dir, "device");
	CLEANUP(freep) char *device = address ? pci_dir(host, address) : NULL;
	CLEANUP(buf_done) struct buf flags = {};
	if (access(dir, F_OK) < 0)
		return error_set(err, ENODEV, "there is no interface '%s'", interface);
	if (!device || access(device, F_OK) < 0)
		return error_set(err, ENODEV,
				"interface '%s' is not one of a PCI device, and has no virtual "
				"functions",
				interface);
	int r = sysfs_read(dir, "flags", &flags, err);
	if (r < 0)
		return r;
	if (!(strtoul(buf_text(&flags), NULL, 16) & IFF_UP))
		return error_set(err, ENETDOWN,
				"interface '%s' is down, and its virtual functions would have no "
				"link ('ip link set %s up' switches it on)",
				interface, interface);
	*ret_address = take_ptr(address);
	return 0;
}

static void list_functions(const struct device_host *host, const char *address, struct strv *ret)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	for (unsigned i = 0;; i++) {
		CLEANUP(freep) char *name = xasprintf("virtfn%u", i);
		CLEANUP(freep) char *function = sysfs_link_name(dir, name);
		if (!function)
			return;
		strv_push(ret, function);
	}
}

bool sriov_physical(const struct device_host *host, const char *function, char **ret_physical,
		unsigned *ret_number)
{
	CLEANUP(freep) char *dir = pci_dir(host, function);
	CLEANUP(freep) char *physical = sysfs_link_name(dir, "physfn");
	CLEANUP(strv_done) struct strv functions = {};
	if (physical)
		list_functions(host, physical, &functions);
	for (size_t i = 0; i < functions.n; i++) {
		if (strcmp(functions.items[i], function) != 0)
			continue;
		*ret_physical = take_ptr(physical);
		*ret_number = (unsigned)i;
		return true;
	}
	return false;
}

/* A card with a switch of its own has an interface for each of its functions, too: "pf0vf3" where
 * the card's own is "p0" (the kernel's Documentation/networking/devlink/devlink-port.rst). */
static bool is_representor(const char *net_dir, const char *name)
{
	CLEANUP(freep) char *dir = xasprintf("%s/%s", net_dir, name);
	CLEANUP(buf_done) struct buf port = {};
	return sysfs_read(dir, "phys_port_name", &port, NULL) == 0 && strstr(buf_text(&port), "pf");
}

char *sriov_interface(const struct device_host *host, const char *address)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *net = xasprintf("%s/net", dir);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(net, &names, NULL) != 0)
		return NULL;
	for (size_t i = 0; i < names.n; i++)
		if (!is_representor(net, names.items[i]))
			return xstrdup(names.items[i]);
	return NULL;
}

/* ---- making ---- */

static int tell_refused(const char *address, int64_t n, int code, struct error *err)
{
	if (code == -ENOMEM || code == -ENOSPC || code == -EBUSY)
		return error_set(err, -code,
				"%s cannot be given %jd virtual functions: %s (the firmware may "
				"have left no room for them: the kernel's argument 'pci=realloc', "
				"or SR-IOV in its setup, may mend that)",
				address, (intmax_t)n, strerror(-code));
	return error_set(err, -code,
			"%s cannot be given %jd virtual functions: %s (the kernel says more: "
			"'journalctl -k --grep %s')",
			address, (intmax_t)n, strerror(-code), address);
}

/* The host's drivers are kept off them: nothing else is to use them. */
static int make(const struct device_host *host, const char *address, int64_t n, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(freep) char *name = xasprintf(PREFIX "%s", address);
	CLEANUP(freep) char *text = xasprintf("%jd", (intmax_t)n);
	CLEANUP(buf_done) struct buf probe = {};
	CLEANUP(loan_done) struct loan loan = {};
	/* Not all kernels have it. */
	int r = sysfs_read(dir, "sriov_drivers_autoprobe", &probe, err);
	if (r < 0 && r != -ENOENT)
		return r;
	int known = loan_read(host, name, &loan, err);
	if (known < 0)
		return known;
	loan_put(&loan, "functions", text);
	loan_put(&loan, "autoprobe", probe.len ? buf_text(&probe) : NULL);
	r = known > 0 ? loan_write(host, name, &loan, err) : 0;
	if (r == 0 && probe.len)
		r = sysfs_write(dir, "sriov_drivers_autoprobe", "0", err);
	if (r < 0)
		return r;
	r = sysfs_write_within(dir, "sriov_numvfs", text, clock_deadline_usec(MAKE_USEC), NULL);
	return r < 0 ? tell_refused(address, n, r, err) : 0;
}

/* One that is given away as a whole has no driver that could make functions. */
static int check_driver(const struct device_host *host, const char *address, struct error *err)
{
	CLEANUP(freep) char *name = pci_loan_name(address);
	CLEANUP(freep) char *driver = pci_driver(host, address);
	CLEANUP(loan_done) struct loan loan = {};
	const char *machine = loan_read(host, name, &loan, NULL) == 0
					      ? loan_get(&loan, LOAN_MACHINE)
					      : NULL;
	if (machine)
		return error_set(err, EBUSY, "%s is lent to machine '%s' as a whole", address,
				machine);
	if (!driver || !strcmp(driver, PCI_VFIO_DRIVER))
		return error_set(err, ENODEV, "%s cannot be given virtual functions: %s%s%s",
				address, driver ? "it is bound to '" : "no driver is bound to it",
				driver ? driver : "",
				driver ? "', to be given away as a whole" : "");
	return 0;
}

int sriov_check(const struct device_host *host, const char *address, int64_t n_wanted,
		int64_t *ret_n, struct error *err)
{
	CLEANUP(freep) char *dir = pci_dir(host, address);
	int64_t total = 0, n = 0;
	int r = pci_check_exists(host, address, err);
	if (r < 0)
		return r;
	if (read_number(dir, "sriov_totalvfs", &total, NULL) < 0 || total == 0)
		return error_set(err, ENODEV,
				"%s cannot have virtual functions: it is none of those devices "
				"(SR-IOV), or they are switched off in its or the host's firmware",
				address);
	r = read_number(dir, "sriov_numvfs", &n, err);
	if (r == 0 && n == 0 && !n_wanted)
		return error_set(err, ENODEV,
				"%s has no virtual functions: say how many to make "
				"(\"virtual-functions\")",
				address);
	if (r == 0 && n == 0)
		r = check_driver(host, address, err);
	if (r == 0 && n == 0 && n_wanted > total)
		return error_set(err, ERANGE,
				"%s cannot be given %jd virtual functions: it can have %jd",
				address, (intmax_t)n_wanted, (intmax_t)total);
	if (r == 0)
		*ret_n = n;
	return r;
}

int sriov_functions(const struct device_host *host, const char *address, int64_t n_wanted,
		struct strv *ret, struct error *err)
{
	int64_t n;
	int r = sriov_check(host, address, n_wanted, &n, err);
	if (r == 0 && n == 0)
		r = make(host, address, n_wanted, err);
	if (r == 0)
		list_functions(host, address, ret);
	return r;
}

/* ---- removing ---- */

/* Lent, or in the hands of a driver: then somebody wants it to stay. */
static bool is_used(const struct device_host *host, const char *function)
{
	CLEANUP(freep) char *name = pci_loan_name(function);
	CLEANUP(freep) char *driver = pci_driver(host, function);
	CLEANUP(loan_done) struct loan loan = {};
	return driver || loan_read(host, name, &loan, NULL) != 1;
}

static int remove_all(const struct device_host *host, const char *name, struct error *err)
{
	const char *address = name + strlen(PREFIX);
	CLEANUP(freep) char *dir = pci_dir(host, address);
	CLEANUP(strv_done) struct strv functions = {};
	CLEANUP(loan_done) struct loan loan = {};
	int r = loan_read(host, name, &loan, err);
	if (r != 0)
		return r < 0 ? r : 0;
	/* Pulled out, with all its functions. */
	if (access(dir, F_OK) < 0)
		return loan_end(host, name, err);
	list_functions(host, address, &functions);
	for (size_t i = 0; i < functions.n; i++)
		if (is_used(host, functions.items[i]))
			return 0;
	const char *probe = loan_get(&loan, "autoprobe");
	r = functions.n ? sysfs_write_within(dir, "sriov_numvfs", "0",
					  clock_deadline_usec(MAKE_USEC), err)
			: 0;
	if (r == 0 && probe)
		r = sysfs_write(dir, "sriov_drivers_autoprobe", probe, err);
	return r == 0 ? loan_end(host, name, err) : r;
}

int sriov_tidy(const struct device_host *host, struct error *err)
{
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(lock_done) struct lock lock = {};
	int r = loan_list(host, PREFIX, NULL, NULL, &names, err);
	/* Where nothing was ever lent there need not be a directory for the lock. */
	if (r == 0 && names.n)
		r = loan_lock(host, &lock, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = remove_all(host, names.items[i], err);
	return r;
}
