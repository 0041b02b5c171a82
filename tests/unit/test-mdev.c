/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mediated devices on a sysfs of the test's own: a tree of files, and a write() that does what the
 * drivers of the kernel and of NVIDIA do when their attributes are written.
 */
#include "host/mdev.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "host/clock.h"
#include "host/lock.h"
#include "scratch.h"
#include "test.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define GPU0 "0000:41:00.0"
#define GPU1 "0000:81:00.0"

/* What the driver refuses next: an errno for "create", for "placement_id"; 0: nothing. */
static int refuse_create, refuse_placement;
/* The driver accepts and makes nothing. */
static bool lazy;

static void make_device(const char *type_dir, const char *uuid)
{
	/* ".../ADDRESS/mdev_supported_types/TYPE" */
	CLEANUP(freep) char *parent = xstrdup(type_dir);
	*strstr(parent, "/mdev_supported_types") = '\0';
	CLEANUP(freep) char *dir = xasprintf("%s/%s", parent, uuid);
	CLEANUP(freep) char *type = xasprintf("%s/mdev_type", dir);
	CLEANUP(freep) char *listed = xasprintf("%s/devices/%s", type_dir, uuid);
	CLEANUP(freep) char *bus = xasprintf("%s/bus/mdev/devices/%s", scratch_dir, uuid);
	CLEANUP(freep) char *group = xasprintf("%s/iommu_group", dir);
	CLEANUP(freep) char *nvidia = xasprintf("%s/nvidia", dir);
	CLEANUP(freep) char *remove = xasprintf("%s/remove", dir);
	CLEANUP(freep) char *placement = xasprintf("%s/placement_id", nvidia);
	mkdir(dir, 0755);
	mkdir(nvidia, 0755);
	fclose(fopen(remove, "we"));
	FILE *f = fopen(placement, "we");
	fputs("Not Applicable\n", f);
	fclose(f);
	if (symlink(type_dir, type) < 0 || symlink(dir, listed) < 0 || symlink(dir, bus) < 0 ||
			symlink("../../kernel/iommu_groups/17", group) < 0)
		TEST_FAIL("cannot make %s: %m", dir);
}

static void drop_device(const char *dir)
{
	CLEANUP(freep) char *type = xasprintf("%s/mdev_type", dir);
	CLEANUP(freep) char *type_dir = realpath(type, NULL);
	const char *uuid = strrchr(dir, '/') + 1;
	CLEANUP(freep) char *listed = xasprintf("%s/devices/%s", type_dir, uuid);
	CLEANUP(freep) char *bus = xasprintf("%s/bus/mdev/devices/%s", scratch_dir, uuid);
	if (unlink(listed) < 0 || unlink(bus) < 0 || remove_tree(dir, NULL) != 0)
		TEST_FAIL("cannot remove %s: %m", dir);
}

/* The end of @path, or NULL if it is not there. */
static char *strip(char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);
	if (len < end_len || strcmp(path + len - end_len, end) != 0)
		return NULL;
	path[len - end_len] = '\0';
	return path;
}

ssize_t write(int fd, const void *data, size_t len)
{
	char name[64], path[4096];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	if (!scratch_dir || strncmp(path, scratch_dir, strlen(scratch_dir)) != 0)
		return syscall(SYS_write, fd, data, len);

	CLEANUP(freep) char *text = xstrndup(data, len);
	errno = 0;
	if (strip(path, "/create")) {
		errno = refuse_create;
		if (!errno && !lazy)
			make_device(path, text);
	} else if (strip(path, "/remove")) {
		if (strcmp(text, "1") != 0)
			TEST_FAIL("remove: '%s'", text);
		drop_device(path);
		errno = 0;
	} else if (refuse_placement && strstr(path, "/placement_id")) {
		errno = refuse_placement;
	} else {
		/* An attribute is replaced as a whole. */
		if (strstr(path, "/placement_id") && ftruncate(fd, 0) < 0)
			TEST_FAIL("%s: %m", path);
		return syscall(SYS_write, fd, data, len);
	}
	return errno ? -1 : (ssize_t)len;
}

/* ---- the tree ---- */

static void add_type(const char *address, const char *type, const char *name, const char *room)
{
	CLEANUP(freep)
	char *dir = xasprintf("devices/pci0/%s/mdev_supported_types/%s", address, type);
	CLEANUP(freep) char *devices = xasprintf("%s/devices", dir);
	CLEANUP(freep) char *create = xasprintf("%s/create", dir);
	CLEANUP(freep) char *name_file = xasprintf("%s/name", dir);
	CLEANUP(freep) char *room_file = xasprintf("%s/available_instances", dir);
	CLEANUP(freep) char *name_text = xasprintf("%s\n", name);
	make_directory(devices);
	put_file(create, "");
	put_file(name_file, name_text);
	if (room)
		put_file(room_file, room);
}

static void add_gpu(const char *address)
{
	CLEANUP(freep) char *device = xasprintf("%s/devices/pci0/%s", scratch_dir, address);
	CLEANUP(freep) char *link = xasprintf("bus/pci/devices/%s", address);
	CLEANUP(freep) char *dir = xasprintf("devices/pci0/%s", address);
	make_directory(dir);
	make_directory("bus/pci/devices");
	if (symlink(device, scratch_path(link)) < 0)
		TEST_FAIL("cannot link %s: %m", link);
}

static struct mdev_host host;

/* Two GPUs that offer "A40-8Q", the first one "A40-1B" too. */
static void begin(void)
{
	scratch_begin();
	refuse_create = refuse_placement = 0;
	lazy = false;
	make_directory("bus/mdev/devices");
	make_directory("run");
	add_gpu(GPU0);
	add_gpu(GPU1);
	add_type(GPU0, "nvidia-558", "A40-1B", "32\n");
	add_type(GPU0, "nvidia-563", "A40-8Q", "2\n");
	add_type(GPU1, "nvidia-563", "A40-8Q", "2\n");
	static char *lock_dir;
	free(lock_dir);
	lock_dir = xasprintf("%s/run", scratch_dir);
	host = (struct mdev_host){ .sys = scratch_dir, .dev = scratch_dir, .lock_dir = lock_dir };
}

static void end(void)
{
	/* No lock is left. */
	check_tree("run", "");
	scratch_end();
}

static struct vm_mdev_parent parents[2];

static struct vm_mdev request(void)
{
	parents[0] = (struct vm_mdev_parent){ .address = GPU0, .type_name = "A40-8Q" };
	parents[1] = (struct vm_mdev_parent){ .address = GPU1, .type_name = "A40-8Q" };
	return (struct vm_mdev){
		.name = "vgpu",
		.class_name = "cad",
		.uuid = UUID,
		.parents = parents,
		.n_parents = 2,
	};
}

/* The GPU that the device is on; "" for none. Valid until the next call. */
static const char *parent_of(const char *uuid)
{
	static char *last;
	CLEANUP(freep) char *link = xasprintf("%s/bus/mdev/devices/%s", scratch_dir, uuid);
	CLEANUP(freep) char *real = realpath(link, NULL);
	if (real)
		*strrchr(real, '/') = '\0';
	free(last);
	last = xstrdup(real ? strrchr(real, '/') + 1 : "");
	return last;
}

static int create(const struct vm_mdev *mdev)
{
	struct error err = {};
	int r = mdev_create(&host, mdev, &err);
	if (r < 0)
		TEST_FAIL("%s", err.text);
	return r;
}

static void check_fails(const struct vm_mdev *mdev, int code, const char *text)
{
	struct error err = {};
	CHECK_INT(mdev_create(&host, mdev, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
	check_tree("run", "");
}

TEST(a_device_is_made_and_removed)
{
	begin();
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	/* Again: it is there. */
	CHECK_INT(create(&mdev), 1);
	struct error err = {};
	CHECK_INT(mdev_remove(&host, UUID, &err), 0);
	CHECK_STR(parent_of(UUID), "");
	CHECK_INT(mdev_remove(&host, UUID, &err), 1);
	end();
}

TEST(a_full_parent_is_passed_over)
{
	begin();
	put_file("devices/pci0/" GPU0 "/mdev_supported_types/nvidia-563/available_instances",
			"0\n");
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	end();
}

TEST(a_parent_that_is_missing_or_offers_other_types_is_passed_over)
{
	begin();
	struct vm_mdev mdev = request();
	parents[0].address = "0000:01:00.0";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	CHECK_INT(mdev_remove(&host, UUID, NULL), 0);
	mdev = request();
	parents[0].type_name = "A40-48Q";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	end();
}

TEST(a_type_that_does_not_tell_its_room_is_tried)
{
	begin();
	CHECK_INT(unlink(scratch_path("devices/pci0/" GPU0 "/mdev_supported_types/nvidia-563/"
				      "available_instances")),
			0);
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	end();
}

TEST(every_reason_is_told)
{
	begin();
	struct vm_mdev mdev = request();
	refuse_create = ENOSPC;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": cannot write '" UUID "' to 'DIR/bus/pci/devices/" GPU0
			"/mdev_supported_types/nvidia-563/create': No space left on device; " GPU1
			": cannot write '" UUID "' to 'DIR/bus/pci/devices/" GPU1
			"/mdev_supported_types/nvidia-563/create': No space left on device");
	refuse_create = 0;
	lazy = true;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": the driver has accepted it and it is not there; " GPU1
			": the driver has accepted it and it is not there");
	lazy = false;
	parents[0].type_name = "A40-48Q";
	parents[1].address = "0000:01:00.0";
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": it does not offer 'A40-48Q'; 0000:01:00.0: there is no such device");
	mdev.n_parents = 0;
	check_fails(&mdev, ENODEV, "device 'vgpu': nothing on this host gives it a 'cad'");
	mdev = request();
	mdev.n_parents = 1;
	CHECK_INT(remove_tree(scratch_path("devices/pci0/" GPU0 "/mdev_supported_types"), NULL), 0);
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": it offers no mediated devices (is its vendor's driver loaded?)");
	CHECK_STR(parent_of(UUID), "");
	end();
}

TEST(a_device_of_another_type_or_parent_is_an_error)
{
	begin();
	struct vm_mdev mdev = request();
	parents[0].type_name = "A40-1B";
	mdev.n_parents = 1;
	CHECK_INT(create(&mdev), 0);
	mdev = request();
	check_fails(&mdev, EEXIST,
			"device 'vgpu': the mediated device " UUID " exists already, on " GPU0
			" as a 'A40-1B', which is not what class 'cad' asks for; remove it with: "
			"echo 1 > DIR/bus/mdev/devices/" UUID "/remove");
	CHECK_STR(parent_of(UUID), GPU0);
	CHECK_INT(mdev_remove(&host, UUID, NULL), 0);

	mdev = request();
	CHECK_INT(create(&mdev), 0);
	mdev.parents = &parents[1];
	mdev.n_parents = 1;
	check_fails(&mdev, EEXIST,
			"device 'vgpu': the mediated device " UUID " exists already, on " GPU0
			" as a 'A40-8Q', which is not what class 'cad' asks for; remove it with: "
			"echo 1 > DIR/bus/mdev/devices/" UUID "/remove");
	end();
}

/* ---- placements ---- */

static void check_placement(const char *uuid, const char *expected)
{
	CLEANUP(freep) char *name = xasprintf("bus/mdev/devices/%s/nvidia/placement_id", uuid);
	check_file(name, expected);
}

TEST(the_first_free_placement_is_set)
{
	begin();
	static const int64_t placements[] = { 16, 0, 32 };
	static const char *const uuids[] = {
		"00000000-0000-0000-0000-000000000001",
		"00000000-0000-0000-0000-000000000002",
		"00000000-0000-0000-0000-000000000003",
	};
	/* One of another type, which has a placement as well, and one that has none. */
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	mdev.uuid = "00000000-0000-0000-0000-00000000000a";
	parents[0].type_name = "A40-1B";
	CHECK_INT(create(&mdev), 0);
	put_file("bus/mdev/devices/00000000-0000-0000-0000-00000000000a/nvidia/placement_id",
			"0\n");
	mdev.uuid = "00000000-0000-0000-0000-00000000000b";
	CHECK_INT(create(&mdev), 0);
	check_placement(mdev.uuid, "Not Applicable\n");

	parents[0] = (struct vm_mdev_parent){
		.address = GPU0,
		.type_name = "A40-8Q",
		.placements = placements,
		.n_placements = 3,
	};
	for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
		mdev.uuid = uuids[i];
		CHECK_INT(create(&mdev), 0);
	}
	check_placement(uuids[0], "16");
	check_placement(uuids[1], "32");
	/* None is left: the driver's choice stays. */
	check_placement(uuids[2], "Not Applicable\n");
	end();
}

TEST(a_placement_that_is_refused_leaves_no_device)
{
	begin();
	static const int64_t placements[] = { 16 };
	struct vm_mdev mdev = request();
	parents[0].placements = placements;
	parents[0].n_placements = 1;
	refuse_placement = EBUSY;
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	CHECK_INT(mdev_remove(&host, UUID, NULL), 0);
	mdev.n_parents = 1;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": cannot write '16' to 'DIR/bus/mdev/devices/" UUID
			"/nvidia/placement_id': Device or resource busy");
	CHECK_STR(parent_of(UUID), "");
	end();
}

TEST(a_placement_that_cannot_be_read_is_an_error)
{
	begin();
	static const int64_t placements[] = { 16 };
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	CHECK_INT(create(&mdev), 0);
	put_file("bus/mdev/devices/" UUID "/nvidia/placement_id", "soon\n");
	mdev.uuid = "00000000-0000-0000-0000-000000000001";
	parents[0].placements = placements;
	parents[0].n_placements = 1;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": placement 'soon' of " UUID " is not a number");
	end();
}

/* ---- heterogeneous parents ---- */

TEST(sizes_are_allowed_while_there_are_no_devices)
{
	begin();
	CLEANUP(freep) char *path = xstrdup(getenv("PATH"));
	CLEANUP(freep) char *with_tool = xasprintf("%s/bin:%s", scratch_dir, path);
	put_file("bin/nvidia-smi", "#!/bin/sh\necho \"$@\" >>${0%/*}/log\n");
	CHECK_INT(chmod(scratch_path("bin/nvidia-smi"), 0755), 0);
	setenv("PATH", with_tool, 1);
	struct vm_mdev mdev = request();
	parents[0].heterogeneous = true;
	CHECK_INT(create(&mdev), 0);
	mdev.uuid = "00000000-0000-0000-0000-000000000001";
	CHECK_INT(create(&mdev), 0);
	check_file("bin/log", "vgpu --id " GPU0 " -shm 1\n");
	CHECK_STR(parent_of(mdev.uuid), GPU0);
	CHECK_INT(mdev_remove(&host, mdev.uuid, NULL), 0);
	CHECK_INT(mdev_remove(&host, UUID, NULL), 0);

	/* A tool that fails: the next parent. */
	put_file("bin/nvidia-smi", "#!/bin/sh\nexit 6\n");
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(mdev.uuid), GPU1);
	CHECK_INT(mdev_remove(&host, mdev.uuid, NULL), 0);
	mdev.n_parents = 1;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": 'nvidia-smi' has failed with status 6");
	setenv("PATH", path, 1);
	end();
}

/* ---- the VFIO group ---- */

TEST(the_group_gets_an_owner)
{
	if (geteuid() != 0)
		SKIP("only root changes owners");
	begin();
	struct vm_mdev mdev = request();
	struct error err = {};
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 1);
	CHECK_INT(create(&mdev), 0);
	make_directory("vfio");
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 1);
	if (mknod(scratch_path("vfio/17"), S_IFCHR | 0600, makedev(1, 3)) < 0)
		SKIP("device nodes cannot be made here");
	struct stat st = {};
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 0);
	CHECK_INT(lstat(scratch_path("vfio/17"), &st), 0);
	CHECK_INT(st.st_uid, 64000);
	CHECK_INT(st.st_gid, 0);
	CHECK_INT(mdev_chown(&host, UUID, 0, &err), 0);
	CHECK_INT(lstat(scratch_path("vfio/17"), &st), 0);
	CHECK_INT(st.st_uid, 0);

	/* Only a device is given away. */
	CHECK_INT(unlink(scratch_path("vfio/17")), 0);
	put_file("vfio/17", "");
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), -EINVAL);
	CHECK_STR(without_scratch(err.text), "'DIR/vfio/17' is not a device");
	CHECK_INT(unlink(scratch_path("vfio/17")), 0);
	CHECK_INT(mknod(scratch_path("other"), S_IFCHR | 0600, makedev(1, 3)), 0);
	CHECK_INT(symlink("../other", scratch_path("vfio/17")), 0);
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), -EINVAL);
	CHECK_INT(lstat(scratch_path("other"), &st), 0);
	CHECK_INT(st.st_uid, 0);
	end();
}

TEST(without_a_lock_nothing_is_made)
{
	begin();
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	CHECK_INT(rmdir(scratch_path("run")), 0);
	struct error err = {};
	CHECK_INT(mdev_create(&host, &mdev, &err), -ENODEV);
	CHECK_STR(without_scratch(err.text),
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": cannot lock 'DIR/run/.mdev:" GPU0 ".lock': No such file or directory");
	CHECK_STR(parent_of(UUID), "");
	scratch_end();
}

/* A process that holds the lock sees no device until it lets go of it. */
TEST(one_process_at_a_time_works_on_a_parent)
{
	begin();
	int ready[2];
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		struct lock lock = {};
		if (lock_take(scratch_path("run/.mdev:" GPU0 ".lock"), 0, &lock, NULL) < 0 ||
				syscall(SYS_write, ready[1], "y", 1) != 1)
			_exit(1);
		/* Long enough for the other to do it all, if it does not wait. */
		clock_poll(NULL, 0, clock_deadline_usec(50 * USEC_PER_MSEC));
		bool made = access(scratch_path("bus/mdev/devices/" UUID), F_OK) == 0;
		lock_done(&lock);
		_exit(made ? 2 : 0);
	}
	char c;
	CHECK_INT(read(ready[0], &c, 1), 1);
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	close(ready[0]);
	close(ready[1]);
	end();
}

TEST_MAIN()
