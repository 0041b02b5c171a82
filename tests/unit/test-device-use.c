/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host uses itself is not lent: its uplink, its disks, on hosts of several makes. */
#include "host/device/device-use.h"

#include "host/device/pci.h"
#include "lending.h"
#include "test.h"

#define DISK "0000:03:00.0"
#define NIC "0000:04:00.0"
#define HBA "0000:05:00.0"
#define USB "0000:06:00.0"
#define DEVICE(address) KERNEL_DEVICES "/" address
#define NVME DEVICE(DISK) "/nvme/nvme0"
#define SUBSYSTEM "sys/devices/virtual/nvme-subsystem/nvme-subsys0"

#define ONE_DISK "pci name=disk class=disk\ncandidate address=" DISK
#define ONE_NIC "pci name=nic class=nic\ncandidate address=" NIC
#define ONE_HBA "pci name=hba class=hba\ncandidate address=" HBA
#define ONE_USB "pci name=usb class=usb\ncandidate address=" USB
#define DISK_IN_USE "device 'disk': " DISK " is in use by the host: "

static char *udev;

static void begin(void)
{
	begin_host();
	free(udev);
	udev = xasprintf("%s/run-udev", scratch_dir);
	host.udev = udev;
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ DISK, .class = "0x010802\n", .vendor = "0x144d\n",
			.device = "0xa808\n", .driver = "nvme", .group = "16" });
	kernel_pci(&(struct kernel_pci){ NIC, .class = "0x020000\n", .vendor = "0x8086\n",
			.device = "0x1521\n", .driver = "igb", .group = "17" });
	kernel_pci(&(struct kernel_pci){ HBA, .class = "0x0c0400\n", .vendor = "0x1077\n",
			.device = "0x2261\n", .driver = "qla2xxx", .group = "18" });
	kernel_pci(&(struct kernel_pci){ USB, .class = "0x0c0330\n", .vendor = "0x1b73\n",
			.device = "0x1100\n", .driver = "xhci_hcd", .group = "19" });
}

static void end(void)
{
	kernel_end();
}

static void check_taken(const char *rows, const char *addresses)
{
	PLAN(plan, "web", rows);
	check_lent(&plan, addresses);
	check_given_back("web");
}

/* ---- interfaces ---- */

static void add_interface(const char *dir, const char *name, const char *flags)
{
	CLEANUP(freep) char *own = xasprintf("%s/%s", dir, name);
	CLEANUP(freep) char *link = xasprintf("sys/class/net/%s", name);
	kernel_put(flags, "%s/flags", own);
	kernel_link(own, link);
}

TEST(an_interface_that_is_up_is_told)
{
	NEED_NODES();
	begin();
	/* Another card's. */
	add_interface(DEVICE("0000:00:1f.6") "/net", "eno1", "0x1003\n");
	add_interface(DEVICE(NIC) "/net", "enp4s0", "0x1003\n");
	check_refused(ONE_NIC, "device 'nic': " NIC
			       " is in use by the host: its interface 'enp4s0' is up ('ip link set "
			       "enp4s0 down' ends that)");
	put_file(DEVICE(NIC) "/net/enp4s0/flags", "0x1002\n");
	add_interface(DEVICE(NIC) "/virtio2/net", "eth1", "0x1043\n");
	check_refused(ONE_NIC, "device 'nic': " NIC
			       " is in use by the host: its interface 'eth1' is up ('ip link set "
			       "eth1 down' ends that)");
	put_file(DEVICE(NIC) "/virtio2/net/eth1/flags", "0x1002\n");
	check_taken(ONE_NIC, NIC);
	end();
}

/* A container's uplink, or a router's. */
TEST(an_interface_of_another_network_namespace_is_told)
{
	static const char text[] = "device 'nic': " NIC " is in use by the host: its interface is "
				   "in another network namespace ('ip "
				   "-all netns exec ip link' shows those that have names)";
	NEED_NODES();
	begin();
	make_directory(DEVICE(NIC) "/net");
	check_refused(ONE_NIC, text);
	add_interface(DEVICE(NIC) "/net", "enp4s0", "0x1002\n");
	check_taken(ONE_NIC, NIC);
	make_directory(DEVICE(NIC) "/virtio2/net");
	check_refused(ONE_NIC, text);
	end();
}

/* The uplink of a host can be a stick. */
TEST(an_interface_at_a_usb_controller_is_told)
{
	NEED_NODES();
	begin();
	add_interface(DEVICE(USB) "/usb3/3-1/3-1:1.0/net", "enx00e04c680001", "0x1003\n");
	check_refused(ONE_USB, "device 'usb': " USB
			       " is in use by the host: its interface 'enx00e04c680001' is up ('ip "
			       "link set enx00e04c680001 down' ends that)");
	end();
}

/* ---- disks ---- */

static void add_block(const char *dir, const char *name, const char *number)
{
	CLEANUP(freep) char *link = xasprintf("sys/class/block/%s", name);
	if (number)
		kernel_put(number, "%s/dev", dir);
	make_directory(dir);
	kernel_link(dir, link);
}

static void add_nvme(void)
{
	add_block(NVME "/nvme0n1", "nvme0n1", "259:0\n");
	add_block(NVME "/nvme0n1/nvme0n1p1", "nvme0n1p1", "259:1\n");
	/* Of another controller. */
	add_block(DEVICE("0000:00:17.0") "/ata1/host0/target0:0:0/0:0:0:0/block/sda", "sda",
			"8:0\n");
}

TEST(a_disk_that_is_not_used_is_lent)
{
	NEED_NODES();
	begin();
	add_nvme();
	put_file("proc/self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\n"
					"30 1 8:0 / / rw - ext4 /dev/sda rw\n"
					"31 30 259:10 / /other rw - ext4 /dev/x rw\n");
	put_file("proc/swaps", "Filename Type Size Used Priority\n/dev/sda partition 1 0 -2\n");
	put_file("sys/fs/btrfs/1e0f/devices/sda", "");
	make_directory("sys/fs/btrfs/features");
	make_directory("proc/spl/kstat/zfs/rpool");
	put_file("run-udev/data/b259:1", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=old\n");
	put_file("run-udev/data/b8:0", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=rpool\n");
	check_taken(ONE_DISK, DISK);
	end();
}

TEST(a_disk_that_is_mounted_is_told)
{
	begin();
	add_nvme();
	put_file("proc/self/mountinfo",
			"30 1 8:0 / / rw - ext4 /dev/sda rw\n"
			"31 30 259:1 /sub /srv/vm rw,relatime shared:1 - ext4 /dev/nvme0n1p1 rw\n");
	check_refused(ONE_DISK, DISK_IN_USE "'nvme0n1p1' is mounted at '/srv/vm'");
	end();
}

TEST(swap_space_is_told)
{
	begin();
	add_nvme();
	put_file("proc/swaps",
			"Filename Type Size Used Priority\n/dev/nvme0n1p1 partition 1 0 -2\n");
	check_refused(ONE_DISK, DISK_IN_USE
			"'nvme0n1p1' is swap space ('swapoff /dev/nvme0n1p1' ends that)");
	end();
}

TEST(a_part_of_an_array_or_a_mapping_is_told)
{
	begin();
	add_nvme();
	make_directory(NVME "/nvme0n1/holders/md0");
	check_refused(ONE_DISK, DISK_IN_USE "'nvme0n1' is a part of 'md0'");
	CHECK_INT(rmdir(scratch_path(NVME "/nvme0n1/holders/md0")), 0);
	put_file("sys/devices/virtual/block/dm-0/dm/name", "vg0-root\n");
	kernel_link("sys/devices/virtual/block/dm-0", NVME "/nvme0n1/nvme0n1p1/holders/dm-0");
	check_refused(ONE_DISK, DISK_IN_USE "'nvme0n1p1' is a part of '/dev/mapper/vg0-root'");
	end();
}

/* btrfs gives its mounts numbers of their own, and names one of its disks as their source. */
TEST(a_part_of_a_btrfs_is_told)
{
	begin();
	add_nvme();
	put_file("proc/self/mountinfo", "30 1 0:30 /@ / rw - btrfs /dev/sda rw,subvol=/@\n");
	make_directory("sys/fs/btrfs/features");
	kernel_link("sys/class/block/sda", "sys/fs/btrfs/9b2f7c10-5a53/devices/sda");
	kernel_link("sys/class/block/nvme0n1p1", "sys/fs/btrfs/9b2f7c10-5a53/devices/nvme0n1p1");
	check_refused(ONE_DISK, DISK_IN_USE "'nvme0n1p1' is a part of the btrfs 9b2f7c10-5a53 "
					    "('findmnt -t btrfs' shows "
					    "where that is mounted)");
	end();
}

/* A pool's mounts name the pool; which disks it has is known from what is written on them. */
TEST(a_part_of_a_zfs_pool_is_told)
{
	begin();
	add_nvme();
	put_file("proc/self/mountinfo", "30 1 0:30 / / rw - zfs rpool/ROOT/pve-1 rw\n");
	make_directory("proc/spl/kstat/zfs/rpool");
	put_file("run-udev/data/b259:1",
			"S:disk/by-label/rpool\nE:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=rpool\n"
			"E:ID_FS_VERSION=5000\n");
	check_refused(ONE_DISK, DISK_IN_USE
			"'nvme0n1p1' is a part of the ZFS pool 'rpool' ('zpool status -L rpool' "
			"shows all of it)");
	end();
}

/* A guest whose volume the partition is. */
TEST(a_disk_that_a_program_writes_to_is_told)
{
	NEED_NODES();
	begin();
	add_nvme();
	put_file("proc/4711/comm", "qemu-system-x86\n");
	kernel_link("dev/null", "proc/4711/fd/0");
	kernel_link("dev/nvme0n1p1", "proc/4711/fd/31");
	/* Whoever only reads is udev, or the like. */
	put_file("proc/4711/fdinfo/31", "pos:\t0\nflags:\t02100000\nmnt_id:\t23\n");
	check_taken(ONE_DISK, DISK);
	put_file("proc/4711/fdinfo/31", "pos:\t0\nflags:\t02100002\nmnt_id:\t23\n");
	check_refused(ONE_DISK, DISK_IN_USE
			"'DIR/dev/nvme0n1p1' is open for writing in qemu-system-x86 (pid 4711)");
	end();
}

/* The mounts of containers, and of services that have some for themselves. */
TEST(a_disk_that_is_mounted_in_a_container_is_told)
{
	NEED_NODES();
	begin();
	add_nvme();
	put_file("proc/self/mountinfo", "30 1 8:0 / / rw - ext4 /dev/sda rw\n");
	put_file("proc/1/mountinfo", "30 1 8:0 / / rw - ext4 /dev/sda rw\n");
	put_file("proc/4711/comm", "dockerd\n");
	put_file("proc/4711/mountinfo", "31 30 259:1 / /a\\040\033b rw - ext4 /dev/nvme0n1p1 rw\n");
	/* It is looked at once for each namespace. */
	kernel_link("mnt:[4026531841]", "proc/1/ns/mnt");
	kernel_link("mnt:[4026531841]", "proc/4711/ns/mnt");
	check_taken(ONE_DISK, DISK);
	CHECK_INT(unlink(scratch_path("proc/4711/ns/mnt")), 0);
	kernel_link("mnt:[4026532999]", "proc/4711/ns/mnt");
	/* The first one there has another root, which hides the rest of it. */
	put_file("proc/471/mountinfo", "");
	kernel_link("mnt:[4026532999]", "proc/471/ns/mnt");
	kernel_link("var/empty", "proc/471/root");
	check_refused(ONE_DISK, DISK_IN_USE "'DIR/dev/nvme0n1p1' is mounted at '/a\\040\\x1bb' in "
					    "the mount namespace of "
					    "dockerd (pid 4711)");
	end();
}

/* With the kernel's multipath the disk is below no controller, and what is there is hidden. */
TEST(a_disk_that_could_have_two_controllers_is_told)
{
	NEED_NODES();
	begin();
	add_block(NVME "/nvme0c0n1", "nvme0c0n1", NULL);
	add_block(SUBSYSTEM "/nvme0n1", "nvme0n1", "259:0\n");
	add_block(SUBSYSTEM "/nvme0n1/nvme0n1p1", "nvme0n1p1", "259:1\n");
	kernel_link(NVME, SUBSYSTEM "/nvme0");
	/* Another one, whose disk is mounted. */
	add_block("sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1", "nvme1n1", "259:2\n");
	kernel_link(DEVICE("0000:09:00.0") "/nvme/nvme1",
			"sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1");
	make_directory(DEVICE("0000:09:00.0") "/nvme/nvme1");
	put_file("proc/self/mountinfo", "31 30 259:2 / /srv rw - ext4 /dev/nvme1n1 rw\n");
	check_taken(ONE_DISK, DISK);
	put_file("proc/self/mountinfo", "30 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw\n");
	check_refused(ONE_DISK, DISK_IN_USE "'nvme0n1p1' is mounted at '/'");
	end();
}

/* Its class is not that of controllers of disks. */
TEST(a_disk_in_a_storage_network_is_told)
{
	begin();
	add_block(DEVICE(HBA) "/host7/rport-7:0-0/target7:0:0/7:0:0:0/block/sdb", "sdb", "8:16\n");
	put_file("sys/devices/virtual/block/dm-1/dm/name", "mpatha\n");
	kernel_link("sys/devices/virtual/block/dm-1",
			DEVICE(HBA) "/host7/rport-7:0-0/target7:0:0/7:0:0:0/block/sdb/holders/"
				    "dm-1");
	check_refused(ONE_HBA, "device 'hba': " HBA
			       " is in use by the host: 'sdb' is a part of '/dev/mapper/mpatha'");
	end();
}

TEST_MAIN()
