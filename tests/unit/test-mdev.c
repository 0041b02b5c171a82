/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mediated devices on hosts as they are: NVIDIA cards with and without functions, Intel's GVT-g. */
#include "host/device/mdev.h"

#include "fake-kernel.h"
#include "host/os/clock.h"
#include "host/os/lock.h"
#include "kill-child.h"
#include "test.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define GPU0 "0000:41:00.0"
#define GPU1 "0000:81:00.0"
#define TYPES(address) KERNEL_DEVICES "/" address "/mdev_supported_types"

static struct device_host host;

static void begin_host(void)
{
	static char *paths[3];
	const char *const names[] = { "sys", "dev", "run" };
	kernel_begin();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		free(paths[i]);
		paths[i] = xasprintf("%s/%s", scratch_dir, names[i]);
	}
	host = (struct device_host){ .sys = paths[0], .dev = paths[1], .lock_dir = paths[2] };
}

/* Two GPUs that offer "A40-8Q", the first one "A40-1B" too. */
static void begin(void)
{
	begin_host();
	kernel_pci(&(struct kernel_pci){ GPU0, .driver = "nvidia", .group = "31" });
	kernel_pci(&(struct kernel_pci){ GPU1, .driver = "nvidia", .group = "42" });
	kernel_mdev_type(GPU0, "nvidia-558", "A40-1B\n", "32\n");
	kernel_mdev_type(GPU0, "nvidia-563", "A40-8Q\n", "2\n");
	kernel_mdev_type(GPU1, "nvidia-563", "A40-8Q\n", "2\n");
}

static void end(void)
{
	/* No lock is left. */
	check_tree("run", "");
	kernel_end();
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

/* The function that the device is on; "" for none. Valid until the next call. */
static const char *parent_of(const char *uuid)
{
	static char *last;
	CLEANUP(freep) char *link = xasprintf("%s/sys/bus/mdev/devices/%s", scratch_dir, uuid);
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

static int remove_device(const char *uuid)
{
	struct error err = {};
	int r = mdev_remove(&host, uuid, &err);
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

/* The same of the first parent alone, with the reason for it. */
static void check_reason(const struct vm_mdev *mdev, const char *reason)
{
	struct vm_mdev alone = *mdev;
	alone.n_parents = 1;
	CLEANUP(freep)
	char *text = xasprintf("device 'vgpu': nothing on this host gives it a 'cad': %s: %s",
			alone.parents[0].address, reason);
	check_fails(&alone, ENODEV, text);
	CHECK_STR(parent_of(UUID), "");
}

TEST(a_device_is_made_and_removed)
{
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	CHECK_STR(kernel_get(TYPES(GPU0) "/nvidia-563/available_instances"), "1");
	/* Again: it is there. */
	CHECK_INT(create(&mdev), 1);
	CHECK_INT(remove_device(UUID), 0);
	CHECK_STR(parent_of(UUID), "");
	CHECK_INT(remove_device(UUID), 1);
	kernel_check_shot(before);
	end();
}

TEST(a_full_parent_is_passed_over)
{
	begin();
	static const char *const uuids[] = {
		"00000000-0000-0000-0000-000000000001",
		"00000000-0000-0000-0000-000000000002",
		"00000000-0000-0000-0000-000000000003",
		"00000000-0000-0000-0000-000000000004",
	};
	struct vm_mdev mdev = request();
	for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
		mdev.uuid = uuids[i];
		CHECK_INT(create(&mdev), 0);
		CHECK_STR(parent_of(uuids[i]), i < 2 ? GPU0 : GPU1);
	}
	mdev.uuid = UUID;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": it has no room for a 'A40-8Q' beside its 'A40-8Q', 'A40-8Q'; " GPU1
			": it has no room for a 'A40-8Q' beside its 'A40-8Q', 'A40-8Q'");
	/* One that becomes free is taken. */
	CHECK_INT(remove_device(uuids[1]), 0);
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	end();
}

TEST(a_parent_that_is_missing_or_offers_other_types_is_passed_over)
{
	begin();
	struct vm_mdev mdev = request();
	parents[0].address = "0000:01:00.0";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	CHECK_INT(remove_device(UUID), 0);
	mdev = request();
	parents[0].type_name = "A40-48Q";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	end();
}

TEST(a_parent_that_refuses_is_passed_over)
{
	begin();
	kernel_fail("create:nvidia-563", EIO);
	struct vm_mdev mdev = request();
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": cannot write '" UUID "' to 'DIR/sys/bus/pci/devices/" GPU0
			"/mdev_supported_types/nvidia-563/create': Input/output error; " GPU1
			": cannot write '" UUID "' to 'DIR/sys/bus/pci/devices/" GPU1
			"/mdev_supported_types/nvidia-563/create': Input/output error");
	parents[0].type_name = "A40-1B";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	end();
}

TEST(a_type_that_does_not_tell_its_room_is_tried)
{
	begin();
	CHECK_INT(unlink(scratch_path(TYPES(GPU0) "/nvidia-563/available_instances")), 0);
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	end();
}

/* ---- reasons ---- */

TEST(what_is_not_there_is_told)
{
	begin();
	struct vm_mdev mdev = request();
	parents[0].address = "0000:01:00.0";
	check_reason(&mdev, "there is no such device ('lspci -D' lists all)");
	mdev = request();
	parents[0].type_name = "A40-48Q";
	check_reason(&mdev, "it does not offer 'A40-48Q', but 'A40-1B', 'A40-8Q'");
	CHECK_INT(remove_tree(scratch_path(TYPES(GPU0)), NULL), 0);
	make_directory(TYPES(GPU0));
	check_reason(&mdev, "it does not offer 'A40-48Q', but nothing");
	mdev.n_parents = 0;
	check_fails(&mdev, ENODEV, "device 'vgpu': nothing on this host gives it a 'cad'");
	end();
}

TEST(a_driver_without_types_is_told)
{
	static const struct {
		const char *driver, *reason;
	} rows[] = {
		{ NULL, "it offers no mediated devices: no driver is bound to it" },
		{ "vfio-pci", "it offers no mediated devices: it is bound to 'vfio-pci', to be "
			      "given away as a whole" },
		{ "nvidia", "it offers no mediated devices: its driver 'nvidia' has to be the "
			    "one of NVIDIA's vGPU software, and newer cards need virtual "
			    "functions ('/usr/lib/nvidia/sriov-manage -e " GPU0 "' makes "
			    "them)" },
		{ "i915", "it offers no mediated devices: its driver 'i915' needs the kernel's "
			  "argument 'i915.enable_gvt=1' and the module 'kvmgt' for that" },
		{ "nouveau", "it offers no mediated devices: its driver 'nouveau' has none" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_host();
		kernel_pci(&(struct kernel_pci){ GPU0, .driver = rows[i].driver, .group = "31" });
		struct vm_mdev mdev = request();
		check_reason(&mdev, rows[i].reason);
		end();
	}
}

/* An L40S under Linux 6.8, where NVIDIA's driver has no mediated devices any more. */
TEST(functions_with_types_of_their_own_are_told)
{
	begin_host();
	kernel_pci(&(struct kernel_pci){
			GPU0, .driver = "nvidia", .group = "31", .total = "32\n" });
	kernel_pci(&(struct kernel_pci){
			GPU1, .driver = "nvidia", .group = "32", .physical = GPU0 });
	kernel_link(KERNEL_DEVICES "/" GPU1, KERNEL_DEVICES "/" GPU0 "/virtfn0");
	put_file(KERNEL_DEVICES "/" GPU1 "/nvidia/current_vgpu_type", "0\n");
	struct vm_mdev mdev = request();
	static const char reason[] =
			"it offers no mediated devices: on this kernel its virtual functions are "
			"given away as PCI devices (write a type's number of "
			"'nvidia/creatable_vgpu_types' to 'nvidia/current_vgpu_type' of each, and "
			"name them in \"pci-device\")";
	check_reason(&mdev, reason);
	parents[0].address = GPU1;
	check_reason(&mdev, reason);
	end();
}

TEST(room_that_other_types_take_is_told)
{
	begin();
	struct vm_mdev mdev = request();
	mdev.uuid = "00000000-0000-0000-0000-000000000001";
	parents[0].type_name = "A40-1B";
	CHECK_INT(create(&mdev), 0);
	put_file(TYPES(GPU0) "/nvidia-563/available_instances", "0\n");
	mdev = request();
	check_reason(&mdev, "it has no room for a 'A40-8Q' beside its 'A40-1B'");
	CHECK_INT(remove_device("00000000-0000-0000-0000-000000000001"), 0);
	check_reason(&mdev, "it has no room for a 'A40-8Q'");
	end();
}

TEST(a_driver_that_makes_nothing_is_told)
{
	begin();
	/* In place of the attribute: one that nobody looks after. */
	put_file("nobody", "");
	CHECK_INT(unlink(scratch_path(TYPES(GPU0) "/nvidia-563/create")), 0);
	CHECK_INT(symlink(scratch_path("nobody"), scratch_path(TYPES(GPU0) "/nvidia-563/create")),
			0);
	struct vm_mdev mdev = request();
	check_reason(&mdev, "the driver has accepted it and it is not there");
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
			"echo 1 > DIR/sys/bus/mdev/devices/" UUID "/remove");
	CHECK_STR(parent_of(UUID), GPU0);
	CHECK_INT(remove_device(UUID), 0);

	mdev = request();
	CHECK_INT(create(&mdev), 0);
	mdev.parents = &parents[1];
	mdev.n_parents = 1;
	check_fails(&mdev, EEXIST,
			"device 'vgpu': the mediated device " UUID " exists already, on " GPU0
			" as a 'A40-8Q', which is not what class 'cad' asks for; remove it with: "
			"echo 1 > DIR/sys/bus/mdev/devices/" UUID "/remove");
	end();
}

TEST(a_device_in_use_is_not_removed)
{
	begin();
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	put_file("dev/vfio/100.busy", "");
	struct error err = {};
	CHECK_INT(mdev_remove(&host, UUID, &err), -EBUSY);
	CHECK_STR(without_scratch(err.text),
			"mediated device " UUID " is in use: some program has 'DIR/dev/vfio/100' "
			"open ('fuser -v DIR/dev/vfio/100' shows which)");
	CHECK_STR(parent_of(UUID), GPU0);
	CHECK_INT(unlink(scratch_path("dev/vfio/100.busy")), 0);
	CHECK_INT(remove_device(UUID), 0);
	end();
}

/* ---- real hosts ---- */

/* An A40: the card has 16 functions, each with all types and room for one device. */
TEST(functions_of_a_card_are_used_in_order)
{
	begin_host();
	kernel_pci(&(struct kernel_pci){
			GPU0, .driver = "nvidia", .group = "31", .total = "16\n" });
	static char addresses[3][16];
	for (int i = 0; i < 3; i++) {
		char link[64];
		snprintf(addresses[i], sizeof(addresses[i]), "0000:41:00.%d", i + 4);
		snprintf(link, sizeof(link), KERNEL_DEVICES "/" GPU0 "/virtfn%d", i);
		kernel_pci(&(struct kernel_pci){ addresses[i], .driver = "nvidia", .physical = GPU0,
				.group = "32" });
		CLEANUP(freep) char *dir = xasprintf(KERNEL_DEVICES "/%s", addresses[i]);
		kernel_link(dir, link);
		kernel_mdev_type(addresses[i], "nvidia-558", "NVIDIA A40-1B\n", "1\n");
		kernel_mdev_type(addresses[i], "nvidia-563", "NVIDIA A40-8Q\n", "1\n");
	}
	CLEANUP(freep) char *before = kernel_shot();
	static const int64_t placements[] = { 0, 8, 16 };
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	parents[0].type_name = "NVIDIA A40-8Q";
	parents[0].placements = placements;
	parents[0].n_placements = 3;
	static const char *const uuids[] = {
		"00000000-0000-0000-0000-000000000001",
		"00000000-0000-0000-0000-000000000002",
		"00000000-0000-0000-0000-000000000003",
	};
	for (int i = 0; i < 3; i++) {
		mdev.uuid = uuids[i];
		CHECK_INT(create(&mdev), 0);
		CHECK_STR(parent_of(uuids[i]), addresses[i]);
		/* Placements are those of the whole card. */
		CHECK_INT(atoi(kernel_get("sys/bus/mdev/devices/%s/nvidia/placement_id", uuids[i])),
				placements[i]);
		CHECK_INT(create(&mdev), 1);
	}
	mdev.uuid = UUID;
	check_reason(&mdev,
			"it has no room for a 'NVIDIA A40-8Q' beside its 'NVIDIA A40-8Q', 'NVIDIA "
			"A40-8Q', 'NVIDIA A40-8Q'");
	/* A function may be named itself. */
	CHECK_INT(remove_device(uuids[1]), 0);
	parents[0].address = addresses[1];
	parents[0].n_placements = 0;
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), addresses[1]);
	CHECK_INT(remove_device(UUID), 0);
	CHECK_INT(remove_device(uuids[0]), 0);
	CHECK_INT(remove_device(uuids[2]), 0);
	kernel_check_shot(before);
	end();
}

/* GVT-g: types have descriptions and no names, and share the room of the processor's GPU. */
TEST(a_type_without_a_name_is_found_by_its_directory)
{
	begin_host();
	kernel_pci(&(struct kernel_pci){
			"0000:00:02.0", .vendor = "0x8086\n", .driver = "i915", .group = "0" });
	kernel_mdev_type("0000:00:02.0", "i915-GVTg_V5_4", NULL, "1\n");
	kernel_mdev_type("0000:00:02.0", "i915-GVTg_V5_8", NULL, "2\n");
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	parents[0].address = "0000:00:02.0";
	parents[0].type_name = "i915-GVTg_V5_4";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), "0000:00:02.0");
	CHECK_INT(create(&mdev), 1);
	mdev.uuid = "00000000-0000-0000-0000-000000000001";
	struct error err = {};
	CHECK_INT(mdev_create(&host, &mdev, &err), -ENODEV);
	CHECK_STR(err.text,
			"device 'vgpu': nothing on this host gives it a 'cad': 0000:00:02.0: it "
			"has no room for a 'i915-GVTg_V5_4' beside its 'i915-GVTg_V5_4'");
	parents[0].type_name = "GVTg";
	CHECK_INT(mdev_create(&host, &mdev, &err), -ENODEV);
	CHECK_STR(err.text,
			"device 'vgpu': nothing on this host gives it a 'cad': 0000:00:02.0: it "
			"does not offer 'GVTg', but 'i915-GVTg_V5_4', 'i915-GVTg_V5_8'");
	CHECK_INT(remove_device(UUID), 0);
	end();
}

/* ---- drivers that are not ready ---- */

TEST(types_that_come_later_are_waited_for)
{
	begin_host();
	kernel_pci(&(struct kernel_pci){ GPU0, .driver = "nvidia", .group = "31" });
	host.ready_deadline_usec = clock_deadline_usec(20 * USEC_PER_SEC);
	pid_t child = fork();
	if (child == 0) {
		clock_pause(50 * USEC_PER_MSEC);
		kernel_mdev_type(GPU0, "nvidia-563", "A40-8Q\n", "2\n");
		_exit(0);
	}
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU0);
	waitpid(child, NULL, 0);
	end();
}

TEST(what_is_ready_is_not_waited_for)
{
	begin();
	host.ready_deadline_usec = DEADLINE_NEVER;
	struct vm_mdev mdev = request();
	/* One that never comes, and one that can. */
	parents[0].address = "0000:01:00.0";
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	CHECK_INT(remove_device(UUID), 0);
	/* One that is ready and can't. */
	mdev = request();
	parents[0].type_name = "A40-48Q";
	check_reason(&mdev, "it does not offer 'A40-48Q', but 'A40-1B', 'A40-8Q'");
	end();
}

TEST(waiting_has_an_end)
{
	begin();
	uint64_t before = clock_now_usec();
	host.ready_deadline_usec = clock_deadline_usec(150 * USEC_PER_MSEC);
	struct vm_mdev mdev = request();
	parents[0].address = "0000:01:00.0";
	check_reason(&mdev, "there is no such device ('lspci -D' lists all)");
	CHECK(clock_now_usec() - before >= 150 * USEC_PER_MSEC);
	end();
}

/* ---- placements ---- */

static void check_placement(const char *uuid, const char *expected)
{
	CHECK_STR(kernel_get("sys/bus/mdev/devices/%s/nvidia/placement_id", uuid), expected);
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
	put_file(TYPES(GPU0) "/nvidia-563/available_instances", "9\n");
	/* One of another type, which has a placement as well, and one that has none. */
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	mdev.uuid = "00000000-0000-0000-0000-00000000000a";
	parents[0].type_name = "A40-1B";
	CHECK_INT(create(&mdev), 0);
	put_file("sys/bus/mdev/devices/00000000-0000-0000-0000-00000000000a/nvidia/placement_id",
			"0\n");
	mdev.uuid = "00000000-0000-0000-0000-00000000000b";
	CHECK_INT(create(&mdev), 0);
	check_placement(mdev.uuid, "Not Applicable");

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
	check_placement(uuids[2], "Not Applicable");
	end();
}

TEST(a_placement_that_is_refused_leaves_no_device)
{
	begin();
	static const int64_t placements[] = { 16 };
	struct vm_mdev mdev = request();
	parents[0].placements = placements;
	parents[0].n_placements = 1;
	kernel_fail("placement_id:nvidia", EBUSY);
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(UUID), GPU1);
	CHECK_INT(remove_device(UUID), 0);
	check_reason(&mdev, "cannot write '16' to 'DIR/sys/bus/mdev/devices/" UUID
			    "/nvidia/placement_id': Device or resource busy");
	end();
}

TEST(a_placement_that_cannot_be_read_is_an_error)
{
	begin();
	static const int64_t placements[] = { 16 };
	struct vm_mdev mdev = request();
	mdev.n_parents = 1;
	CHECK_INT(create(&mdev), 0);
	put_file("sys/bus/mdev/devices/" UUID "/nvidia/placement_id", "soon\n");
	mdev.uuid = "00000000-0000-0000-0000-000000000001";
	parents[0].placements = placements;
	parents[0].n_placements = 1;
	check_fails(&mdev, ENODEV,
			"device 'vgpu': nothing on this host gives it a 'cad': " GPU0
			": placement 'soon' of " UUID " is not a number");
	/* Also when it is the device's own. */
	mdev.uuid = UUID;
	check_fails(&mdev, EPROTO, "device 'vgpu': placement 'soon' of " UUID " is not a number");
	end();
}

TEST(a_device_that_was_left_without_its_placement_gets_it)
{
	begin();
	static const int64_t placements[] = { 16, 32 };
	struct vm_mdev mdev = request();
	CHECK_INT(create(&mdev), 0);
	check_placement(UUID, "Not Applicable");
	parents[0].placements = placements;
	parents[0].n_placements = 2;
	CHECK_INT(create(&mdev), 1);
	check_placement(UUID, "16");
	/* One that it may have is left. */
	put_file("sys/bus/mdev/devices/" UUID "/nvidia/placement_id", "32\n");
	CHECK_INT(create(&mdev), 1);
	check_placement(UUID, "32");
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
	CHECK_INT(remove_device(mdev.uuid), 0);
	CHECK_INT(remove_device(UUID), 0);

	/* A tool that fails: the next parent. */
	put_file("bin/nvidia-smi", "#!/bin/sh\nexit 6\n");
	CHECK_INT(create(&mdev), 0);
	CHECK_STR(parent_of(mdev.uuid), GPU1);
	CHECK_INT(remove_device(mdev.uuid), 0);
	check_reason(&mdev, "'nvidia-smi' has failed with status 6");
	setenv("PATH", scratch_dir, 1);
	check_reason(&mdev, "cannot run 'nvidia-smi': No such file or directory");
	setenv("PATH", path, 1);
	end();
}

/* ---- the VFIO group ---- */

TEST(the_group_gets_an_owner)
{
	NEED_NODES();
	begin();
	struct vm_mdev mdev = request();
	struct error err = {};
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 1);
	CHECK_INT(create(&mdev), 0);
	struct stat st = {};
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 0);
	CHECK_INT(lstat(scratch_path("dev/vfio/100"), &st), 0);
	CHECK_INT(st.st_uid, 64000);
	CHECK_INT(st.st_gid, 0);
	CHECK_INT(mdev_chown(&host, UUID, 0, &err), 0);
	CHECK_INT(lstat(scratch_path("dev/vfio/100"), &st), 0);
	CHECK_INT(st.st_uid, 0);

	/* Only a device is given away. */
	CHECK_INT(unlink(scratch_path("dev/vfio/100")), 0);
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), 1);
	put_file("dev/vfio/100", "");
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), -EINVAL);
	CHECK_STR(without_scratch(err.text), "'DIR/dev/vfio/100' is not a device");
	CHECK_INT(unlink(scratch_path("dev/vfio/100")), 0);
	CHECK_INT(mknod(scratch_path("other"), S_IFCHR | 0600, makedev(1, 3)), 0);
	CHECK_INT(symlink("../../other", scratch_path("dev/vfio/100")), 0);
	CHECK_INT(mdev_chown(&host, UUID, 64000, &err), -EINVAL);
	CHECK_INT(lstat(scratch_path("other"), &st), 0);
	CHECK_INT(st.st_uid, 0);
	end();
}

/* ---- several at once ---- */

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
	kernel_end();
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
		clock_pause(50 * USEC_PER_MSEC);
		bool made = access(scratch_path("sys/bus/mdev/devices/" UUID), F_OK) == 0;
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

/* Sixteen machines start: as many as there is room for get one, each with a placement of its own.
 */
TEST(sixteen_at_once_get_different_placements)
{
	begin();
	static int64_t placements[16];
	CLEANUP(freep) char *before = kernel_shot();
	pid_t children[16];
	char uuids[16][40];
	put_file(TYPES(GPU0) "/nvidia-563/available_instances", "10\n");
	for (int i = 0; i < 16; i++)
		placements[i] = i;
	for (int i = 0; i < 16; i++) {
		snprintf(uuids[i], sizeof(uuids[i]), "00000000-0000-0000-0000-0000000000%02d", i);
		children[i] = fork();
		if (children[i] != 0)
			continue;
		struct vm_mdev mdev = request();
		mdev.uuid = uuids[i];
		parents[0].placements = parents[1].placements = placements;
		parents[0].n_placements = parents[1].n_placements = 16;
		_exit(mdev_create(&host, &mdev, NULL) == 0 ? 0 : 1);
	}
	int n = 0;
	unsigned taken[2] = {};
	bool made[16];
	for (int i = 0; i < 16; i++) {
		int status = -1;
		waitpid(children[i], &status, 0);
		made[i] = status == 0;
		n += made[i];
	}
	for (int i = 0; i < 16; i++) {
		if (!made[i])
			continue;
		unsigned *of = &taken[!strcmp(parent_of(uuids[i]), GPU1)];
		unsigned bit = 1u << atoi(kernel_get("sys/bus/mdev/devices/%s/nvidia/placement_id",
					       uuids[i]));
		CHECK(!(*of & bit));
		*of |= bit;
		CHECK_INT(remove_device(uuids[i]), 0);
	}
	/* Ten on the first, two on the second. */
	CHECK_INT(n, 12);
	CHECK_INT(taken[0], 0x3ff);
	CHECK_INT(taken[1], 0x3);
	put_file(TYPES(GPU0) "/nvidia-563/available_instances", "2\n");
	kernel_check_shot(before);
	end();
}

/* ---- the end at any point ---- */

TEST(killed_at_any_point_it_can_be_done_again_and_undone)
{
	static const int64_t placements[] = { 16 };
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	struct vm_mdev mdev = request();
	parents[0].placements = placements;
	parents[0].n_placements = 1;
	unsigned n = 0;
	int r = 1;
	for (; r > 0; n++) {
		pid_t child = kill_child_fork();
		if (child == 0)
			_exit(mdev_create(&host, &mdev, NULL) < 0);
		r = kill_child_at(child, n);
		kernel_sync();
		/* The next start goes on where that one was ended, on the same parent. */
		CHECK(create(&mdev) >= 0);
		CHECK_STR(parent_of(UUID), GPU0);
		check_placement(UUID, "16");
		CHECK_INT(remove_device(UUID), 0);
		kernel_check_shot(before);
	}
	CHECK_INT(r, 0);
	/* It has been through more than a handful of places. */
	CHECK(n > 6);
	end();
}

TEST_MAIN()
