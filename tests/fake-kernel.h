/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for tests of devices: a sysfs and /dev below the scratch directory, and a process that
 * does what the kernel's drivers do when an attribute is written: bind and unbind, make and remove
 * mediated devices and virtual functions.
 *
 *	kernel_begin();				// scratch_begin(), and the process
 *	kernel_driver("vfio-pci");
 *	kernel_pci(&(struct kernel_pci){ .address = "0000:01:00.0", .driver = "nvidia", ... });
 *	...					// write(2) to "sys/..." goes to that process
 *	kernel_end();
 *
 * Each write is done as a whole, also when its writer is killed in the middle of it, and one after
 * the other, whoever writes. kernel_sync() waits for those that were begun.
 *
 * kernel_fail("unbind:0000:01:00.0", EBUSY) makes all of these fail, with KERNEL_HANGS they never
 * return; kernel_fail_nth() makes one write fail, whatever it is. The keys are the attribute's name
 * and that of the device (for drivers: of what is written).
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "scratch.h"
#include "util/parse.h"

#define KERNEL_HANGS (-1)
#define KERNEL_SYNC "sync"
#define KERNEL_DEVICES "sys/devices/pci0000:00"

static pid_t kernel_pid; /* 0: there is none, or this is it */

/* Binding on other buses than PCI (fake-usb.h). */
static int (*kernel_bind_other)(const char *driver, const char *device);

/* ---- building ---- */

static inline void kernel_link(const char *target, const char *name)
{
	CLEANUP(freep) char *parent = xstrdup(name);
	*strrchr(parent, '/') = '\0';
	make_directory(parent);
	CLEANUP(freep) char *full = xstrdup(scratch_path(target));
	unlink(scratch_path(name));
	if (symlink(full, scratch_path(name)) < 0)
		TEST_FAIL("cannot link %s: %m", name);
}

static inline void kernel_put(const char *text, const char *format, ...) PRINTF(2, 3);

static inline void kernel_put(const char *text, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *name = xvasprintf(format, ap);
	va_end(ap);
	put_file(name, text);
}

/* The text of a file without its last newline; "" if there is none. Valid for the next 3 calls. */
static inline const char *kernel_get(const char *format, ...) PRINTF(1, 2);

static inline const char *kernel_get(const char *format, ...)
{
	static char *ring[4];
	static unsigned at;
	char **slot = &ring[at++ % ARRAY_SIZE(ring)];
	CLEANUP(buf_done) struct buf text = {};
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *name = xvasprintf(format, ap);
	va_end(ap);
	if (file_read(scratch_path(name), 1 << 16, &text, NULL) < 0)
		buf_clear(&text);
	if (text.len && text.text[text.len - 1] == '\n')
		text.text[--text.len] = '\0';
	free(*slot);
	*slot = xstrdup(buf_text(&text));
	return *slot;
}

static inline void kernel_driver(const char *name)
{
	kernel_put("", "sys/bus/pci/drivers/%s/bind", name);
	kernel_put("", "sys/bus/pci/drivers/%s/unbind", name);
}

/* The next ones that write there. 0: they succeed again. */
static inline void kernel_fail(const char *key, int code)
{
	CLEANUP(freep) char *text = xasprintf("%d", code);
	kernel_put(text, "fake/fail/%s", key);
}

/* The write after @n others. -1: none. */
static inline void kernel_fail_nth(int n, int code)
{
	CLEANUP(freep) char *left = xasprintf("%d", n);
	CLEANUP(freep) char *text = xasprintf("%d", code);
	kernel_put(left, "fake/left");
	kernel_put(text, "fake/code");
}

static inline void kernel_node(const char *group)
{
	CLEANUP(freep) char *name = xasprintf("dev/vfio/%s", group);
	make_directory("dev/vfio");
	/* Without the right to make one there is none, and tests that need it skip themselves. */
	if (mknod(scratch_path(name), S_IFCHR | 0600, makedev(1, 3)) < 0 && errno != EEXIST &&
			errno != EPERM)
		TEST_FAIL("cannot make %s: %m", name);
}

static inline const char *kernel_needs_nodes(void)
{
	return geteuid() == 0 ? NULL : "only root makes device nodes";
}
#define NEED_NODES() SKIP_BECAUSE(kernel_needs_nodes())

struct kernel_pci {
	const char *address;
	const char *class; /* "0x030000" */
	const char *vendor;
	const char *device;
	const char *driver;   /* NULL: none is bound */
	const char *natural;  /* what would be bound; NULL: @driver */
	const char *group;    /* NULL: there is no IOMMU */
	const char *physical; /* of a virtual function */
	const char *total;    /* of a physical one */
};

static inline void kernel_bind(const char *address, const char *driver)
{
	CLEANUP(freep) char *dir = xasprintf(KERNEL_DEVICES "/%s", address);
	CLEANUP(freep) char *driver_dir = xasprintf("sys/bus/pci/drivers/%s", driver);
	CLEANUP(freep) char *link = xasprintf("%s/driver", dir);
	CLEANUP(freep) char *back = xasprintf("%s/%s", driver_dir, address);
	kernel_link(driver_dir, link);
	kernel_link(dir, back);
	CLEANUP(freep) char *group_link = xasprintf("%s/iommu_group", dir);
	char target[PATH_MAX] = "";
	if (!strcmp(driver, "vfio-pci") &&
			readlink(scratch_path(group_link), target, sizeof(target) - 1) > 0)
		kernel_node(strrchr(target, '/') + 1);
}

static inline void kernel_pci(const struct kernel_pci *d)
{
	CLEANUP(freep) char *dir = xasprintf(KERNEL_DEVICES "/%s", d->address);
	CLEANUP(freep) char *link = xasprintf("sys/bus/pci/devices/%s", d->address);
	const char *natural = d->natural ? d->natural : d->driver;
	make_directory(dir);
	kernel_link(dir, link);
	kernel_put(d->class ? d->class : "0x030000\n", "%s/class", dir);
	kernel_put(d->vendor ? d->vendor : "0x10de\n", "%s/vendor", dir);
	kernel_put(d->device ? d->device : "0x2235\n", "%s/device", dir);
	kernel_put("(null)\n", "%s/driver_override", dir);
	kernel_put("", "%s/reset", dir);
	kernel_put(d->physical ? "\xff\xff\xff\xff configuration" : "its configuration",
			"%s/config", dir);
	kernel_put(natural ? natural : "", "fake/natural/%s", d->address);
	if (d->group) {
		CLEANUP(freep) char *group = xasprintf("sys/kernel/iommu_groups/%s", d->group);
		CLEANUP(freep) char *to_group = xasprintf("%s/iommu_group", dir);
		CLEANUP(freep) char *member = xasprintf("%s/devices/%s", group, d->address);
		make_directory(group);
		kernel_link(group, to_group);
		kernel_link(dir, member);
	}
	if (d->physical) {
		CLEANUP(freep) char *physical = xasprintf(KERNEL_DEVICES "/%s", d->physical);
		CLEANUP(freep) char *to = xasprintf("%s/physfn", dir);
		kernel_link(physical, to);
	}
	if (d->total) {
		kernel_put(d->total, "%s/sriov_totalvfs", dir);
		kernel_put("0\n", "%s/sriov_numvfs", dir);
		kernel_put("1\n", "%s/sriov_drivers_autoprobe", dir);
	}
	if (d->driver) {
		kernel_driver(d->driver);
		kernel_bind(d->address, d->driver);
	}
}

/* A type of mediated devices. @name: NULL for a driver that has no names. @room: "2\n" */
static inline void kernel_mdev_type(
		const char *address, const char *id, const char *name, const char *room)
{
	CLEANUP(freep)
	char *dir = xasprintf(KERNEL_DEVICES "/%s/mdev_supported_types/%s", address, id);
	CLEANUP(freep) char *devices = xasprintf("%s/devices", dir);
	make_directory(devices);
	make_directory("sys/bus/mdev/devices");
	kernel_put("", "%s/create", dir);
	kernel_put("vfio-pci\n", "%s/device_api", dir);
	if (name)
		kernel_put(name, "%s/name", dir);
	if (room)
		kernel_put(room, "%s/available_instances", dir);
}

/* ---- what the kernel does: in its own process ---- */

static inline const char *kernel_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The name of the driver, or NULL. Valid until the next call. */
static inline const char *kernel_driver_of(const char *address)
{
	static char target[PATH_MAX];
	CLEANUP(freep) char *link = xasprintf(KERNEL_DEVICES "/%s/driver", address);
	ssize_t n = readlink(scratch_path(link), target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	return n < 0 ? NULL : kernel_base(target);
}

/* A node goes with the last device of its group that VFIO has. */
static inline void kernel_drop_node(const char *address)
{
	char target[PATH_MAX] = "";
	CLEANUP(freep) char *link = xasprintf(KERNEL_DEVICES "/%s/iommu_group", address);
	if (readlink(scratch_path(link), target, sizeof(target) - 1) < 0)
		return;
	const char *group = kernel_base(target);
	CLEANUP(freep) char *members = xasprintf("sys/kernel/iommu_groups/%s/devices", group);
	CLEANUP(freep) char *node = xasprintf("dev/vfio/%s", group);
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(scratch_path(members), &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		const char *driver = kernel_driver_of(names.items[i]);
		if (driver && !strcmp(driver, "vfio-pci"))
			return;
	}
	unlink(scratch_path(node));
}

static inline int kernel_unbind(const char *driver, const char *address)
{
	const char *bound = kernel_driver_of(address);
	if (!bound || strcmp(bound, driver) != 0)
		return ENODEV;
	CLEANUP(freep) char *link = xasprintf(KERNEL_DEVICES "/%s/driver", address);
	CLEANUP(freep) char *back = xasprintf("sys/bus/pci/drivers/%s/%s", driver, address);
	unlink(scratch_path(link));
	unlink(scratch_path(back));
	kernel_drop_node(address);
	return 0;
}

/* drivers/base/dd.c and pci_match_device(): an override excludes all others. */
static inline bool kernel_matches(const char *driver, const char *address)
{
	const char *override = kernel_get(KERNEL_DEVICES "/%s/driver_override", address);
	if (override[0] && strcmp(override, "(null)") != 0)
		return !strcmp(override, driver);
	return !strcmp(kernel_get("fake/natural/%s", address), driver);
}

/* pci_device_can_probe(): functions that are not probed by themselves are with an override. */
static inline bool kernel_may_probe(const char *address)
{
	const char *override = kernel_get(KERNEL_DEVICES "/%s/driver_override", address);
	const char *autoprobe =
			kernel_get(KERNEL_DEVICES "/%s/physfn/sriov_drivers_autoprobe", address);
	return strcmp(autoprobe, "0") != 0 || strcmp(override, "(null)") != 0;
}

static inline int kernel_try_bind(const char *driver, const char *address)
{
	if (kernel_driver_of(address))
		return EBUSY;
	if (!kernel_matches(driver, address) || !kernel_may_probe(address))
		return ENODEV;
	kernel_bind(address, driver);
	return 0;
}

static inline int kernel_probe(const char *address)
{
	CLEANUP(strv_done) struct strv drivers = {};
	if (dir_list(scratch_path("sys/bus/pci/drivers"), &drivers, NULL) != 0)
		return 0;
	for (size_t i = 0; i < drivers.n; i++)
		if (kernel_try_bind(drivers.items[i], address) == 0)
			break;
	return 0;
}

static inline void kernel_add_room(const char *type_dir, int n)
{
	CLEANUP(freep) char *name = xasprintf("%s/available_instances", type_dir);
	CLEANUP(buf_done) struct buf text = {};
	if (file_read(name, 64, &text, NULL) < 0)
		return;
	FILE *f = fopen(name, "we");
	fprintf(f, "%d\n", atoi(buf_text(&text)) + n);
	fclose(f);
}

static inline void kernel_symlink(const char *target, const char *path)
{
	if (symlink(target, path) < 0)
		TEST_FAIL("cannot link %s: %m", path);
}

/* @type_dir: ".../ADDRESS/mdev_supported_types/TYPE" */
static inline int kernel_create(const char *type_dir, const char *uuid)
{
	CLEANUP(freep) char *parent = xstrdup(type_dir);
	*strstr(parent, "/mdev_supported_types") = '\0';
	CLEANUP(freep) char *dir = xasprintf("%s/%s", parent, uuid);
	CLEANUP(freep) char *type = xasprintf("%s/mdev_type", dir);
	CLEANUP(freep) char *listed = xasprintf("%s/devices/%s", type_dir, uuid);
	CLEANUP(freep) char *bus = xasprintf("%s/sys/bus/mdev/devices/%s", scratch_dir, uuid);
	CLEANUP(freep) char *group = xasprintf("%s/iommu_group", dir);
	CLEANUP(freep) char *placement = xasprintf("%s/nvidia/placement_id", dir);
	CLEANUP(freep) char *room = xasprintf("%s/available_instances", type_dir);
	CLEANUP(buf_done) struct buf left = {};
	if (access(bus, F_OK) == 0)
		return EEXIST;
	if (file_read(room, 64, &left, NULL) == 0 && atoi(buf_text(&left)) <= 0)
		return ENOSPC;
	int number = 100 + atoi(kernel_get("fake/groups"));
	CLEANUP(freep) char *number_text = xasprintf("%d", number);
	CLEANUP(freep)
	char *to_group = xasprintf("%s/sys/kernel/iommu_groups/%d", scratch_dir, number);
	CLEANUP(freep) char *next = xasprintf("%d", number - 99);
	kernel_put(next, "fake/groups");
	kernel_add_room(type_dir, -1);
	kernel_put("", "%s/remove", dir + strlen(scratch_dir) + 1);
	if (strstr(kernel_get("%s/vendor", parent + strlen(scratch_dir) + 1), "10de"))
		kernel_put("Not Applicable\n", "%s", placement + strlen(scratch_dir) + 1);
	kernel_symlink(type_dir, type);
	kernel_symlink(dir, listed);
	kernel_symlink(to_group, group);
	kernel_node(number_text);
	kernel_symlink(dir, bus);
	return 0;
}

static inline int kernel_remove(const char *dir)
{
	CLEANUP(freep) char *type = xasprintf("%s/mdev_type", dir);
	CLEANUP(freep) char *type_dir = realpath(type, NULL);
	CLEANUP(freep) char *listed = xasprintf("%s/devices/%s", type_dir, kernel_base(dir));
	CLEANUP(freep)
	char *bus = xasprintf("%s/sys/bus/mdev/devices/%s", scratch_dir, kernel_base(dir));
	CLEANUP(freep) char *group_link = xasprintf("%s/iommu_group", dir);
	char target[PATH_MAX] = "";
	if (readlink(group_link, target, sizeof(target) - 1) > 0) {
		CLEANUP(freep) char *node = xasprintf("dev/vfio/%s", kernel_base(target));
		unlink(scratch_path(node));
	}
	unlink(bus);
	unlink(listed);
	kernel_add_room(type_dir, 1);
	return remove_tree(dir, NULL) == 0 ? 0 : EIO;
}

/* The address of the function @i after a physical one: the slot's functions go on into the next. */
static inline char *kernel_function(const char *physical, int i)
{
	int bus = (int)strtol(physical + 5, NULL, 16), slot = (int)strtol(physical + 8, NULL, 16);
	int place = slot * 8 + (physical[11] - '0') + 1 + i;
	return xasprintf("%.4s:%02x:%02x.%d", physical, bus, place / 8, place % 8);
}

static inline void kernel_drop_function(const char *physical, int i)
{
	CLEANUP(freep) char *address = kernel_function(physical, i);
	CLEANUP(freep) char *dir = xasprintf(KERNEL_DEVICES "/%s", address);
	CLEANUP(freep) char *link = xasprintf("sys/bus/pci/devices/%s", address);
	CLEANUP(freep) char *number = xasprintf(KERNEL_DEVICES "/%s/virtfn%d", physical, i);
	CLEANUP(freep) char *group = xasprintf("sys/kernel/iommu_groups/%d", 200 + i);
	const char *driver = kernel_driver_of(address);
	if (driver)
		kernel_unbind(driver, address);
	unlink(scratch_path(link));
	unlink(scratch_path(number));
	(void)!remove_tree(scratch_path(group), NULL);
	(void)!remove_tree(scratch_path(dir), NULL);
}

/* drivers/pci/pci-sysfs.c: sriov_numvfs_store() */
static inline int kernel_set_functions(const char *physical, int n)
{
	int now = atoi(kernel_get(KERNEL_DEVICES "/%s/sriov_numvfs", physical));
	if (n < 0 || n > atoi(kernel_get(KERNEL_DEVICES "/%s/sriov_totalvfs", physical)))
		return ERANGE;
	if (now && n && n != now)
		return EBUSY;
	for (int i = 0; n == 0 && i < now; i++)
		kernel_drop_function(physical, i);
	for (int i = now; i < n; i++) {
		CLEANUP(freep) char *address = kernel_function(physical, i);
		CLEANUP(freep) char *group = xasprintf("%d", 200 + i);
		CLEANUP(freep) char *dir = xasprintf(KERNEL_DEVICES "/%s", address);
		CLEANUP(freep) char *number = xasprintf(KERNEL_DEVICES "/%s/virtfn%d", physical, i);
		kernel_pci(&(struct kernel_pci){
				.address = address,
				.class = "0x020000\n",
				.vendor = "0x8086\n",
				.device = "0x1889\n",
				.natural = "iavf",
				.group = group,
				.physical = physical,
		});
		kernel_link(dir, number);
		if (!strcmp(kernel_get(KERNEL_DEVICES "/%s/sriov_drivers_autoprobe", physical),
				    "1"))
			kernel_probe(address);
	}
	CLEANUP(freep) char *text = xasprintf("%d\n", n);
	kernel_put(text, KERNEL_DEVICES "/%s/sriov_numvfs", physical);
	return 0;
}

static inline int kernel_store(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	bool none = !strcmp(kernel_base(path), "driver_override") && !strcmp(text, "\n");
	fprintf(f, "%s%s", none ? "(null)" : text, strchr(text, '\n') && !none ? "" : "\n");
	return fclose(f) == 0 ? 0 : EIO;
}

static inline int kernel_do(const char *path, const char *text)
{
	CLEANUP(freep) char *dir = xstrdup(path);
	char *name = strrchr(dir, '/');
	*name++ = '\0';
	const char *owner = kernel_base(dir);
	bool of_driver = strstr(path, "/drivers") != NULL;
	CLEANUP(freep) char *key = xasprintf("%s:%s", name, of_driver ? text : owner);
	const char *fails = kernel_get("fake/fail/%s", key);
	if (fails[0] && atoi(fails))
		return atoi(fails);
	int left = kernel_get("fake/left")[0] ? atoi(kernel_get("fake/left")) : -1;
	CLEANUP(freep) char *next = xasprintf("%d", left - 1);
	if (left >= 0)
		kernel_put(next, "fake/left");
	if (left == 0)
		return atoi(kernel_get("fake/code"));
	if (!strcmp(name, "unbind"))
		return kernel_unbind(owner, text);
	if (!strcmp(name, "bind"))
		return strstr(path, "/bus/pci/") ? kernel_try_bind(owner, text)
						 : kernel_bind_other(owner, text);
	if (!strcmp(name, "drivers_probe"))
		return kernel_probe(text);
	if (!strcmp(name, "create"))
		return kernel_create(dir, text);
	if (!strcmp(name, "remove"))
		return kernel_remove(dir);
	if (!strcmp(name, "reset")) {
		kernel_put("", "fake/reset/%s", owner);
		return 0;
	}
	if (!strcmp(name, "sriov_numvfs"))
		return kernel_set_functions(owner, atoi(text));
	return kernel_store(path, text);
}

static inline void kernel_serve(int listening)
{
	static char request[PATH_MAX + 4096];
	for (;;) {
		int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : recv(fd, request, sizeof(request) - 1, 0);
		if (fd < 0)
			_exit(1);
		/* Its caller was killed before it could ask. */
		if (n <= 0) {
			close(fd);
			continue;
		}
		request[n] = '\0';
		int code = strcmp(request, KERNEL_SYNC) != 0
					   ? kernel_do(request, request + strlen(request) + 1)
					   : 0;
		/* Who hangs keeps the connection until the end. */
		if (code == KERNEL_HANGS)
			continue;
		send(fd, &code, sizeof(code), MSG_NOSIGNAL);
		close(fd);
	}
}

/* ---- its callers ---- */

static inline int kernel_ask(const void *request, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int code = EIO;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/kernel", scratch_dir);
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
			send(fd, request, len, MSG_NOSIGNAL) < 0 ||
			recv(fd, &code, sizeof(code), 0) != sizeof(code))
		return EIO;
	return code;
}

static inline void kernel_sync(void)
{
	CHECK_INT(kernel_ask(KERNEL_SYNC, strlen(KERNEL_SYNC)), 0);
}

/* In place of libc's: what is written below "sys" is the kernel's to do. */
ssize_t write(int fd, const void *data, size_t len)
{
	char name[64], path[PATH_MAX];
	CLEANUP(freep) char *sys = NULL;
	ssize_t n = -1;
	if (kernel_pid) {
		sys = xasprintf("%s/sys/", scratch_dir);
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, path, sizeof(path) - 1);
	}
	path[n < 0 ? 0 : n] = '\0';
	if (!sys || strncmp(path, sys, strlen(sys)) != 0)
		return syscall(SYS_write, fd, data, len);

	CLEANUP(buf_done) struct buf request = {};
	buf_add(&request, path, (size_t)n + 1);
	buf_add(&request, data, len);
	int code = kernel_ask(request.text, request.len);
	errno = code;
	return code ? -1 : (ssize_t)len;
}

/* In place of libc's: a node beside which there is "NODE.busy" is in use. */
static inline bool kernel_is_busy(const char *path)
{
	CLEANUP(freep) char *busy = kernel_pid ? xasprintf("%s.busy", path) : NULL;
	return busy && access(busy, F_OK) == 0;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (!(flags & O_PATH) && kernel_is_busy(path)) {
		errno = EBUSY;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline void kernel_begin(void)
{
	scratch_begin();
	make_directory("sys/bus/pci/drivers");
	make_directory("sys/bus/pci/devices");
	make_directory("sys/kernel/iommu_groups");
	make_directory("dev/vfio");
	make_directory("run");
	make_directory("fake/fail");
	put_file("sys/bus/pci/drivers_probe", "");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/kernel", scratch_dir);
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 100) < 0) {
		perror("the kernel's socket");
		exit(1);
	}
	kernel_pid = 0;
	pid_t child = fork();
	if (child == 0)
		kernel_serve(fd);
	kernel_pid = child;
}

static inline void kernel_end(void)
{
	kill(kernel_pid, SIGKILL);
	waitpid(kernel_pid, NULL, 0);
	kernel_pid = 0;
	scratch_end();
}

/* ---- looking ---- */

static inline void kernel_shot_of(const char *name, struct buf *text)
{
	CLEANUP(strv_done) struct strv names = {};
	struct stat st;
	char target[PATH_MAX] = "";
	if (lstat(scratch_path(name), &st) < 0)
		return;
	buf_printf(text, "%s %o %u", name, st.st_mode & S_IFMT, st.st_uid);
	if (S_ISLNK(st.st_mode) && readlink(scratch_path(name), target, sizeof(target) - 1) > 0)
		buf_printf(text, " -> %s", kernel_base(target));
	else if (S_ISREG(st.st_mode))
		buf_printf(text, " %s", kernel_get("%s", name));
	buf_putc(text, '\n');
	if (!S_ISDIR(st.st_mode) || dir_list(scratch_path(name), &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", name, names.items[i]);
		kernel_shot_of(path, text);
	}
}

/* All that is in sysfs, /dev and /run: a text to compare. The caller frees it. */
static inline char *kernel_shot(void)
{
	CLEANUP(buf_done) struct buf text = {};
	kernel_shot_of("sys", &text);
	kernel_shot_of("dev", &text);
	kernel_shot_of("run", &text);
	return buf_take(&text);
}

/* All is as it was when @before was taken. */
static inline void kernel_check_shot(const char *before)
{
	CLEANUP(freep) char *after = kernel_shot();
	const char *a = before, *b = after;
	while (*a && *b) {
		size_t len = strcspn(a, "\n"), other = strcspn(b, "\n");
		if (len != other || strncmp(a, b, len) != 0)
			break;
		a += len + (a[len] == '\n');
		b += len + (b[len] == '\n');
	}
	if (*a || *b)
		TEST_FAIL("it was '%.*s' and is '%.*s'", (int)strcspn(a, "\n"), a,
				(int)strcspn(b, "\n"), b);
}
