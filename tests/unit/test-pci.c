/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices on hosts as they are: a card alone, two cards in one group, no IOMMU. */
#include "host/device/pci.h"

#include "host/os/clock.h"
#include "host/os/sysfs.h"
#include "lending.h"
#include "test.h"

#define GPU "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define GPU2 "0000:02:00.0"
#define SOUND2 "0000:02:00.1"
#define DISK "0000:03:00.0"
#define NIC "0000:04:00.0"
#define DEVICE(address) KERNEL_DEVICES "/" address

/* Two cards with sound, a disk and a network card, each in a group of its own. */
static void begin(void)
{
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "nvidia", .group = "14" });
	kernel_pci(&(struct kernel_pci){ SOUND, .class = "0x040300\n", .device = "0x1aef\n",
			.driver = "snd_hda_intel", .group = "14" });
	kernel_pci(&(struct kernel_pci){ GPU2, .driver = "nvidia", .group = "15" });
	kernel_pci(&(struct kernel_pci){ SOUND2, .class = "0x040300\n", .device = "0x1aef\n",
			.driver = "snd_hda_intel", .group = "15" });
	kernel_pci(&(struct kernel_pci){ DISK, .class = "0x010802\n", .vendor = "0x144d\n",
			.device = "0xa808\n", .driver = "nvme", .group = "16" });
	kernel_pci(&(struct kernel_pci){ NIC, .class = "0x020000\n", .vendor = "0x8086\n",
			.device = "0x1521\n", .driver = "igb", .group = "17" });
}

static void end(void)
{
	kernel_end();
}

/* ---- plans ---- */

#define CARD "pci name=gpu class=gpu function=1\ncandidate address=" GPU
#define CARDS CARD "\ncandidate address=" GPU2
#define ONE_DISK "pci name=disk class=disk\ncandidate address=" DISK
#define ONE_NIC "pci name=nic class=nic\ncandidate address=" NIC

/* ---- lending ---- */

TEST(a_card_is_bound_with_its_sound_and_given_back)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", CARD);
	CLEANUP(freep) char *before = kernel_shot();
	struct stat st = {};
	check_lent(&plan, GPU " " SOUND);
	check_driver(GPU, "vfio-pci");
	check_driver(SOUND, "vfio-pci");
	check_driver(GPU2, "nvidia");
	CHECK(mode_at("fake/reset/" GPU) && mode_at("fake/reset/" SOUND));
	CHECK_INT(lstat(scratch_path("dev/vfio/14"), &st), 0);
	CHECK_INT(st.st_uid, 64000);
	/* What there is now would not say how it was before. */
	check_file("run/.pci:" SOUND,
			"machine=web\nfor=device gpu\nfunction=1\ndriver=snd_hda_intel\n");
	/* Again: it is there. */
	check_lent(&plan, GPU " " SOUND);
	check_given_back("web");
	kernel_check_shot(before);
	check_given_back("web");
	end();
}

TEST(the_first_card_that_is_free_is_lent)
{
	NEED_NODES();
	begin();
	PLAN(web, "web", CARDS);
	PLAN(mail, "mail", CARDS);
	PLAN(ftp, "ftp", CARDS);
	check_lent(&web, GPU " " SOUND);
	check_lent(&mail, GPU2 " " SOUND2);
	check_fails(&ftp,
			"device 'gpu': no device of class 'gpu' is free: " GPU
			" is lent to machine 'web' ('machina teardown web' gives it back if that "
			"does not run); " GPU2
			" is lent to machine 'mail' ('machina teardown mail' gives it back if that "
			"does not run)");
	check_given_back("web");
	check_lent(&ftp, GPU " " SOUND);
	/* A machine keeps what it has, also when a better one becomes free. */
	check_given_back("ftp");
	check_lent(&mail, GPU2 " " SOUND2);
	check_given_back("mail");
	end();
}

/* What it has is what it keeps, as long as the config names it. */
TEST(a_machine_does_not_keep_what_its_config_does_not_name)
{
	NEED_NODES();
	begin();
	PLAN(old, "web", CARD);
	PLAN(new, "web", "pci name=gpu class=gpu function=1\ncandidate address=" GPU2);
	PLAN(amd, "web", "pci name=gpu class=gpu function=1\ncandidate vendor=1002 device=2235");
	check_lent(&old, GPU " " SOUND);
	check_fails(&amd, "device 'gpu': the host has no 1002:2235 ('lspci -Dnn' lists all "
			  "devices)");
	check_lent(&new, GPU2 " " SOUND2);
	check_file("run/.pci:" GPU, "machine=web\nfunction=0\ndriver=nvidia\n");
	check_given_back("web");
	check_driver(GPU, "nvidia");
	check_driver(GPU2, "nvidia");
	end();
}

TEST(devices_are_found_by_their_ids)
{
	NEED_NODES();
	begin();
	PLAN(web, "web", "pci name=gpu class=gpu function=1\ncandidate vendor=10de device=2235");
	PLAN(mail, "mail", "pci name=gpu class=gpu function=1\ncandidate vendor=10de device=2235");
	check_lent(&web, GPU " " SOUND);
	check_lent(&mail, GPU2 " " SOUND2);
	check_given_back("web");
	check_given_back("mail");
	end();
}

TEST(a_machine_has_several_of_one_class)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web",
			"pci name=a class=gpu function=1\ncandidate vendor=10de device=2235\n"
			"pci name=b class=gpu function=1\ncandidate vendor=10de "
			"device=2235\n" ONE_NIC);
	check_lent(&plan, GPU " " SOUND " " GPU2 " " SOUND2 " " NIC);
	check_lent(&plan, GPU " " SOUND " " GPU2 " " SOUND2 " " NIC);
	PLAN(more, "web",
			"pci name=a class=gpu function=1\ncandidate vendor=10de device=2235\n"
			"pci name=b class=gpu function=1\ncandidate vendor=10de device=2235\n"
			"pci name=c class=gpu function=1\ncandidate vendor=10de device=2235");
	check_fails(&more, "device 'c': no device of class 'gpu' is free: " GPU
			   " is another device of this machine; " GPU2
			   " is another device of this machine");
	check_given_back("web");
	check_driver(GPU2, "nvidia");
	check_driver(NIC, "igb");
	end();
}

TEST(what_the_administrator_has_bound_stays_bound)
{
	NEED_NODES();
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "vfio-pci", .group = "14" });
	put_file(DEVICE(GPU) "/driver_override", "vfio-pci\n");
	kernel_pci(&(struct kernel_pci){ SOUND, .natural = "snd_hda_intel", .group = "14" });
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(plan, "web", CARD);
	check_lent(&plan, GPU " " SOUND);
	check_given_back("web");
	check_driver(GPU, "vfio-pci");
	/* Nothing was bound to it. */
	check_driver(SOUND, "");
	kernel_check_shot(before);
	end();
}

/* Vendors have drivers of VFIO for their devices, which know more of them than 'vfio-pci'. */
TEST(a_driver_of_vfio_stays)
{
	NEED_NODES();
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ NIC, .class = "0x020000\n", .vendor = "0x15b3\n",
			.device = "0x101e\n", .driver = "mlx5_vfio_pci", .group = "17" });
	/* In the same group. */
	kernel_pci(&(struct kernel_pci){ DISK, .class = "0x020000\n", .vendor = "0x15b3\n",
			.device = "0x101e\n", .driver = "mlx5_vfio_pci", .group = "17" });
	make_directory(DEVICE(NIC) "/vfio-dev/vfio0");
	make_directory(DEVICE(DISK) "/vfio-dev/vfio1");
	kernel_node("17");
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(plan, "web", ONE_NIC);
	check_lent(&plan, NIC);
	check_driver(NIC, "mlx5_vfio_pci");
	CHECK(!mode_at("fake/reset/" NIC));
	check_given_back("web");
	kernel_check_shot(before);
	end();
}

/* An L40S under Linux 6.8: each function gets a type, and is a device of VFIO as it is. */
TEST(a_function_of_nvidia_has_a_vgpu_first)
{
	NEED_NODES();
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .class = "0x030200\n", .device = "0x26b9\n",
			.driver = "nvidia", .group = "14" });
	make_directory(DEVICE(GPU) "/vfio-dev/vfio0");
	kernel_node("14");
	put_file(DEVICE(GPU) "/nvidia/current_vgpu_type", "0\n");
	check_refused("pci name=gpu class=gpu\ncandidate address=" GPU,
			"device 'gpu': " GPU " has no vGPU yet: write the number of one of "
			"'DIR/sys/bus/pci/devices/" GPU "/nvidia/creatable_vgpu_types' to "
			"'DIR/sys/bus/pci/devices/" GPU "/nvidia/current_vgpu_type'");
	put_file(DEVICE(GPU) "/nvidia/current_vgpu_type", "1155\n");
	PLAN(plan, "web", "pci name=gpu class=gpu\ncandidate address=" GPU);
	check_lent(&plan, GPU);
	check_driver(GPU, "nvidia");
	check_given_back("web");
	check_driver(GPU, "nvidia");
	end();
}

TEST(an_override_of_others_comes_back)
{
	NEED_NODES();
	begin();
	put_file(DEVICE(NIC) "/driver_override", "igb\n");
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(plan, "web", ONE_NIC);
	check_lent(&plan, NIC);
	check_given_back("web");
	kernel_check_shot(before);
	end();
}

/* ---- groups ---- */

/* Two cards behind one bridge without isolation: one group, and the bridge in it. */
static void begin_shared(void)
{
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ "0000:00:01.0", .class = "0x060400\n",
			.driver = "pcieport", .group = "2" });
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "nvidia", .group = "2" });
	kernel_pci(&(struct kernel_pci){
			SOUND, .driver = "snd_hda_intel", .device = "0x1aef\n", .group = "2" });
	kernel_pci(&(struct kernel_pci){ GPU2, .driver = "nouveau", .group = "2" });
	kernel_pci(&(struct kernel_pci){
			SOUND2, .driver = "snd_hda_intel", .device = "0x1aef\n", .group = "2" });
}

TEST(the_members_of_a_group_are_named)
{
	begin();
	check_refused("pci name=gpu class=gpu\ncandidate address=" GPU,
			"device 'gpu': " GPU " shares IOMMU group 14 with " SOUND
			" (snd_hda_intel): add it to the machine or move the card");
	end();
	begin_shared();
	check_refused(CARD, "device 'gpu': " GPU " shares IOMMU group 2 with " GPU2
			    " (nouveau) and " SOUND2
			    " (snd_hda_intel): add them to the machine or move the card");
	check_refused("pci name=gpu class=gpu\ncandidate address=" GPU,
			"device 'gpu': " GPU " shares IOMMU group 2 with " SOUND
			" (snd_hda_intel), " GPU2 " (nouveau) and " SOUND2
			" (snd_hda_intel): add them to the machine or move the card");
	end();
}

TEST(a_group_is_one_machines)
{
	NEED_NODES();
	begin_shared();
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(both, "web", CARD "\npci name=gpu2 class=gpu2 function=1\ncandidate address=" GPU2);
	check_lent(&both, GPU " " SOUND " " GPU2 " " SOUND2);
	check_given_back("web");
	check_driver(GPU2, "nouveau");
	check_driver("0000:00:01.0", "pcieport");

	/* One without a driver is in nobody's way, until another machine has it. */
	CHECK_INT(kernel_unbind("nouveau", GPU2), 0);
	CHECK_INT(kernel_unbind("snd_hda_intel", SOUND2), 0);
	PLAN(web, "web", CARD);
	PLAN(mail, "mail", "pci name=gpu class=gpu2 function=1\ncandidate address=" GPU2);
	check_lent(&web, GPU " " SOUND);
	check_fails(&mail, "device 'gpu': " GPU2 " shares IOMMU group 2 with " GPU ": " GPU
			   " is lent to machine 'web', and one machine has to have both");
	check_given_back("mail");
	check_given_back("web");
	kernel_bind(GPU2, "nouveau");
	kernel_bind(SOUND2, "snd_hda_intel");
	kernel_check_shot(before);
	end();
}

/* The rest of the group was wanted and is not there: found out before anything is unbound. */
TEST(a_group_that_is_lent_in_part_is_refused)
{
	NEED_NODES();
	begin_shared();
	PLAN(plan, "web", CARD "\npci name=gpu2 class=gpu2 function=1\ncandidate address=" GPU2);
	struct error err = {};
	CLEANUP(strv_done) struct strv addresses = {};
	CHECK_INT(pci_bind(&host, &plan, 0, 0, &addresses, &err), -ENODEV);
	CHECK_STR(err.text, "device 'gpu': it was not lent");
	CHECK_INT(pci_lend(&host, &plan, 0, &err), 0);
	CHECK_INT(pci_bind(&host, &plan, 0, 0, &addresses, &err), -EBUSY);
	CHECK_STR(err.text, "device 'gpu': " GPU " shares IOMMU group 2 with " GPU2
			    " (nouveau) and " SOUND2
			    " (snd_hda_intel): add them to the machine or move the card");
	check_driver(GPU, "nvidia");
	check_given_back("web");
	end();
}

TEST(without_an_iommu_nothing_is_lent)
{
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "nvidia" });
	kernel_pci(&(struct kernel_pci){ SOUND, .driver = "snd_hda_intel" });
	check_refused(CARD, "device 'gpu': " GPU
			    " is in no IOMMU group, and no device is: switch the IOMMU on in the "
			    "firmware's setup (VT-d or AMD-Vi), and for Intel boot the kernel with "
			    "'intel_iommu=on'");
	/* One that it does not reach. */
	kernel_pci(&(struct kernel_pci){ GPU2, .driver = "nvidia", .group = "3" });
	check_refused(CARD, "device 'gpu': " GPU
			    " is in no IOMMU group, though other devices are: the IOMMU does not "
			    "reach its slot, move the card to another one");
	end();
}

/* ---- what is not there, or is not what was meant ---- */

TEST(a_device_that_is_not_there_is_told)
{
	begin();
	check_refused("pci name=gpu class=gpu\ncandidate address=0000:09:00.0",
			"device 'gpu': 0000:09:00.0 is not there ('lspci -D' lists all devices)");
	check_refused("pci name=gpu class=gpu function=7\ncandidate address=" GPU,
			"device 'gpu': 0000:01:00.7 is not there ('lspci -D' lists all devices)");
	check_refused("pci name=gpu class=gpu\ncandidate vendor=1002 device=744c",
			"device 'gpu': the host has no 1002:744c ('lspci -Dnn' lists all devices)");
	check_refused("pci name=gpu class=gpu\ncandidate address=0000:09:00.0\n"
		      "candidate vendor=1002 device=744c",
			"device 'gpu': no device of class 'gpu' is free: 0000:09:00.0 is not there "
			"('lspci -D' lists all devices); the host has no 1002:744c ('lspci -Dnn' "
			"lists all devices)");
	end();
}

TEST(an_address_that_moved_is_told)
{
	NEED_NODES();
	static const char *const ids[][2] = {
		{ "vendor=144d device=a808", "144d:a808" },
		{ "vendor=8086 device=a808", "8086:a808" },
		{ "vendor=144d device=1521", "144d:1521" },
	};
	begin();
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		CLEANUP(freep)
		char *rows = xasprintf("pci name=disk class=disk\ncandidate address=" NIC " %s",
				ids[i][0]);
		CLEANUP(freep)
		char *text = xasprintf(
				"device 'disk': " NIC " is 8086:1521 and not %s: addresses "
				"change when cards are added ('lspci -Dnn' lists all devices)",
				ids[i][1]);
		check_refused(rows, text);
	}
	PLAN(plan, "web",
			"pci name=disk class=disk\ncandidate address=" DISK
			" vendor=144d device=a808");
	check_lent(&plan, DISK);
	check_given_back("web");
	end();
}

TEST(a_bridge_is_not_lent)
{
	begin_shared();
	check_refused("pci name=gpu class=gpu\ncandidate address=0000:00:01.0",
			"device 'gpu': 0000:00:01.0 is a PCI bridge, which cannot be given away: "
			"name the devices behind it");
	end();
}

TEST(a_dead_device_is_told)
{
	begin();
	put_file(DEVICE(DISK) "/config",
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	check_refused(ONE_DISK,
			"device 'disk': " DISK
			" does not answer (its configuration reads as ones): it is switched off or "
			"hangs, which only switching the host off and on may mend");
	end();
}

TEST(a_group_that_a_program_has_is_told)
{
	begin();
	put_file("dev/vfio/16.busy", "");
	check_refused(ONE_DISK, "device 'disk': " DISK
				" is in use: some program has 'DIR/dev/vfio/16' open ('fuser -v "
				"DIR/dev/vfio/16' shows which)");
	end();
}

/* ---- what drivers do ---- */

TEST(a_missing_driver_is_told)
{
	begin();
	CHECK_INT(remove_tree(scratch_path("sys/bus/pci/drivers/vfio-pci"), NULL), 0);
	check_refused(ONE_DISK, "device 'disk': there is no driver 'vfio-pci' to bind " DISK
				" to: load it with 'modprobe vfio-pci'");
	end();
}

TEST(a_driver_that_refuses_is_told)
{
	begin();
	kernel_fail("unbind:" DISK, EPERM);
	check_refused(ONE_DISK,
			"device 'disk': cannot write '" DISK
			"' to 'DIR/sys/bus/pci/drivers/nvme/unbind': Operation not permitted");
	kernel_fail("unbind:" DISK, 0);
	kernel_fail("driver_override:" DISK, EACCES);
	check_refused(ONE_DISK,
			"device 'disk': cannot write 'vfio-pci' to 'DIR/sys/bus/pci/devices/" DISK
			"/driver_override': Permission denied");
	kernel_fail("driver_override:" DISK, 0);
	kernel_fail("drivers_probe:" DISK, EIO);
	PLAN(plan, "web", ONE_DISK);
	check_fails(&plan, "device 'disk': cannot write '" DISK
			   "' to 'DIR/sys/bus/pci/drivers_probe': Input/output error");
	kernel_fail("drivers_probe:" DISK, 0);
	check_given_back("web");
	check_driver(DISK, "nvme");
	end();
}

/* Writing succeeds, and nothing was bound. */
TEST(vfio_that_does_not_take_a_device_is_told)
{
	begin();
	put_file("sys/bus/pci/nobody", "");
	CHECK_INT(unlink(scratch_path("sys/bus/pci/drivers_probe")), 0);
	CHECK_INT(symlink("/dev/null", scratch_path("sys/bus/pci/drivers_probe")), 0);
	check_refused(ONE_DISK, "device 'disk': driver 'vfio-pci' does not take " DISK
				" (the kernel says why: 'journalctl -k --grep vfio')");
	check_driver(DISK, "nvme");
	end();
}

TEST(a_reset_that_fails_is_told)
{
	NEED_NODES();
	begin();
	kernel_fail("reset:" DISK, ETIMEDOUT);
	check_refused(ONE_DISK,
			"device 'disk': " DISK
			" does not come back from a reset (Connection timed out): it may need the "
			"host to be switched off and on");
	/* One that has no way of its own to be reset. */
	kernel_fail("reset:" DISK, ENOTTY);
	PLAN(plan, "web", ONE_DISK);
	check_lent(&plan, DISK);
	CHECK_INT(unlink(scratch_path(DEVICE(DISK) "/reset")), 0);
	check_lent(&plan, DISK);
	check_given_back("web");
	end();
}

TEST(a_node_that_does_not_appear_is_told)
{
	begin();
	/* A /dev that is not the kernel's. */
	host.dev = "/nonexistent";
	uint64_t before = clock_now_usec();
	check_refused(ONE_DISK, "device 'disk': " DISK
				" is bound to 'vfio-pci', and '/nonexistent/vfio/16' does not "
				"appear (is udev running?)");
	CHECK(clock_now_usec() - before < 20 * USEC_PER_SEC);
	end();
}

/* ---- giving back ---- */

static void check_kept(const char *machine, const char *text)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK(pci_give_back(&host, machine, &failures) < 0);
	CHECK_INT(failures.n, 1);
	CHECK_STR(failures.n ? without_scratch(failures.items[0]) : "", text);
}

TEST(what_a_program_has_is_not_given_back)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", ONE_DISK);
	check_lent(&plan, DISK);
	put_file("dev/vfio/16.busy", "");
	check_kept("web", DISK " cannot be given back: some program has 'DIR/dev/vfio/16' open "
			       "('fuser -v DIR/dev/vfio/16' shows which)");
	check_driver(DISK, "vfio-pci");
	CHECK_INT(unlink(scratch_path("dev/vfio/16.busy")), 0);
	check_given_back("web");
	check_driver(DISK, "nvme");
	end();
}

TEST(a_driver_that_does_not_take_it_back_is_told)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", CARD);
	check_lent(&plan, GPU " " SOUND);
	kernel_fail("bind:" SOUND, ENOMEM);
	check_kept("web", SOUND " cannot be given back to driver 'snd_hda_intel': Cannot allocate "
				"memory");
	/* The rest went on; what is left can be tried again. */
	check_driver(GPU, "nvidia");
	check_driver(SOUND, "");
	kernel_fail("bind:" SOUND, 0);
	check_given_back("web");
	check_driver(SOUND, "snd_hda_intel");
	end();
}

/* What the machine cannot be rid of keeps it from nothing else. */
TEST(a_card_that_was_not_given_back_and_fails_is_replaced)
{
	NEED_NODES();
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(plan, "web", CARDS);
	check_lent(&plan, GPU " " SOUND);
	kernel_fail("bind:" GPU, EIO);
	check_kept("web", GPU " cannot be given back to driver 'nvidia': Input/output error");
	put_file(DEVICE(GPU) "/config",
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	check_lent(&plan, GPU2 " " SOUND2);
	check_file("run/.pci:" GPU, "machine=web\nfunction=0\ndriver=nvidia\n");
	check_lent(&plan, GPU2 " " SOUND2);
	check_kept("web", GPU " cannot be given back to driver 'nvidia': Input/output error");
	/* It works again, and may be lent again. */
	put_file(DEVICE(GPU) "/config", "its configuration");
	check_lent(&plan, GPU " " SOUND);
	kernel_fail("bind:" GPU, 0);
	check_given_back("web");
	kernel_check_shot(before);
	end();
}

TEST(a_device_that_was_not_given_back_may_get_another_name)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", ONE_DISK);
	PLAN(renamed, "web", "pci name=other class=disk\ncandidate address=" DISK);
	check_lent(&plan, DISK);
	CHECK_INT(remove_tree(scratch_path("sys/bus/pci/drivers/nvme"), NULL), 0);
	check_kept("web", DISK " cannot be given back to driver 'nvme'");
	check_lent(&renamed, DISK);
	kernel_driver("nvme");
	check_given_back("web");
	check_driver(DISK, "nvme");
	end();
}

TEST(a_driver_that_was_unloaded_is_told)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", ONE_DISK);
	check_lent(&plan, DISK);
	CHECK_INT(remove_tree(scratch_path("sys/bus/pci/drivers/nvme"), NULL), 0);
	check_kept("web", DISK " cannot be given back to driver 'nvme'");
	kernel_driver("nvme");
	check_given_back("web");
	check_driver(DISK, "nvme");
	end();
}

TEST(a_device_that_was_pulled_out_is_forgotten)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", ONE_DISK);
	check_lent(&plan, DISK);
	CHECK_INT(unlink(scratch_path("sys/bus/pci/devices/" DISK)), 0);
	check_given_back("web");
	check_tree("run", "");
	end();
}

/* Whoever did that meanwhile wanted it so. */
TEST(what_was_bound_to_another_driver_meanwhile_stays)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", ONE_DISK);
	check_lent(&plan, DISK);
	CHECK_INT(kernel_unbind("vfio-pci", DISK), 0);
	put_file(DEVICE(DISK) "/driver_override", "uio_pci_generic\n");
	kernel_driver("uio_pci_generic");
	kernel_bind(DISK, "uio_pci_generic");
	check_given_back("web");
	check_driver(DISK, "uio_pci_generic");
	CHECK_STR(kernel_get(DEVICE(DISK) "/driver_override"), "uio_pci_generic");
	check_tree("run", "");
	end();
}

TEST(loans_of_other_machines_are_not_touched)
{
	NEED_NODES();
	begin();
	PLAN(web, "web", ONE_DISK);
	PLAN(mail, "mail", ONE_NIC);
	check_lent(&web, DISK);
	check_lent(&mail, NIC);
	check_given_back("web");
	check_driver(DISK, "nvme");
	check_driver(NIC, "vfio-pci");
	check_given_back("we");
	check_driver(NIC, "vfio-pci");
	check_given_back("mail");
	check_driver(NIC, "igb");
	end();
}

/* ---- several at once, and the end at any point ---- */

TEST(of_sixteen_machines_as_many_as_there_are_cards_get_one)
{
	NEED_NODES();
	begin();
	check_lent_to_several(CARDS, 2);
	end();
}

TEST(killed_at_any_point_it_can_be_undone)
{
	NEED_NODES();
	begin();
	check_killed_lending(CARDS, NULL, 12);
	end();
}

TEST(killed_at_any_point_it_can_be_done_again)
{
	NEED_NODES();
	begin();
	check_killed_lending(CARDS, GPU " " SOUND, 12);
	end();
}

TEST(giving_back_can_be_killed_at_any_point)
{
	NEED_NODES();
	begin();
	check_killed_giving_back(CARD, GPU " " SOUND, NULL, 8);
	end();
}

/* The first, the second, ... write fails, and all that were before it are undone. */
TEST(whichever_write_fails_all_is_undone)
{
	NEED_NODES();
	begin();
	PLAN(plan, "web", CARD);
	CLEANUP(freep) char *before = kernel_shot();
	int n = 0;
	for (bool failed = true; failed; n++) {
		struct error err = {};
		kernel_fail_nth(n, EIO);
		failed = lend(&plan, NULL, &err) < 0;
		kernel_fail_nth(-1, 0);
		CHECK(!failed || err.text[0]);
		check_given_back("web");
		kernel_check_shot(before);
	}
	/* Override, unbind, probe, reset, of two functions; and one round to the end. */
	CHECK_INT(n, 9);
	end();
}

/* nvidia's driver waits for its users for as long as they like. */
TEST(a_driver_that_never_lets_go_is_told)
{
	NEED_NODES();
	begin();
	kernel_fail("unbind:" DISK, KERNEL_HANGS);
	struct error err = {};
	CLEANUP(freep) char *dir = xasprintf("%s/bus/pci/drivers/nvme", host.sys);
	uint64_t before = clock_now_usec();
	CHECK_INT(sysfs_write_within(dir, "unbind", DISK, clock_deadline_usec(100 * USEC_PER_MSEC),
				  &err),
			-ETIMEDOUT);
	CHECK(clock_now_usec() - before >= 100 * USEC_PER_MSEC);
	CHECK_STR(without_scratch(err.text), "'DIR/sys/bus/pci/drivers/nvme/unbind' has not taken "
					     "'" DISK "' in time");
	end();
}

TEST_MAIN()
