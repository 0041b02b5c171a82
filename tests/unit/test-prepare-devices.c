/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preparing a machine with devices of the host, with a kernel of the test's own. */
#include "fake-usb.h"
#include "host/prepare/environment.h"
#include "host/prepare/prepare.h"
#include "plan-rows.h"
#include "test.h"

#define GPU "0000:01:00.0"
#define SOUND "0000:01:00.1"
#define GPU2 "0000:02:00.0"
#define NIC "0000:04:00.0"
#define UUID "11111111-2222-3333-4444-555555555555"

static struct prepare_options options;

static void begin(void)
{
	static char *paths[3];
	const char *const names[] = { "sys", "dev", "proc" };
	kernel_bind_other = kernel_bind_usb;
	kernel_begin();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		free(paths[i]);
		paths[i] = xasprintf("%s/%s", scratch_dir, names[i]);
	}
	options = (struct prepare_options){
		.sys = paths[0], .dev = paths[1], .proc = paths[2], .netns = "/proc/self/ns/net"
	};
	put_file("proc/self/mountinfo", "");
	put_file("proc/swaps", "");
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ GPU, .driver = "nvidia", .group = "14" });
	kernel_pci(&(struct kernel_pci){ SOUND, .driver = "snd_hda_intel", .group = "14" });
	kernel_pci(&(struct kernel_pci){ GPU2, .driver = "nvidia", .group = "15" });
	kernel_pci(&(struct kernel_pci){
			NIC, .class = "0x020000\n", .driver = "igb", .group = "17" });
	kernel_mdev_type(GPU2, "nvidia-563", "A40-8Q\n", "2\n");
	kernel_usb(&(struct kernel_usb){
			"1-2", "0781:5567", .number = 4, .driver = "usb-storage" });
}

static const char *const full[] = {
	"machine name=web user=root run-dir=DIR/run/web socket-dir=DIR/sockets",
	"mdev name=vgpu class=cad uuid=" UUID,
	"parent address=" GPU2 " type=A40-8Q",
	"pci name=gpu class=gpu function=1",
	"candidate address=0000:09:00.0",
	"candidate address=" GPU,
	"pci name=nic class=nic",
	"candidate address=" NIC,
	"usb-node name=usb.0",
	"usb name=stick class=disk",
	"plug id=0781:5567",
	NULL,
};

static int prepare(const struct plan *plan, struct error *err)
{
	int fds[8];
	int r = prepare_run(plan, &options, fds, err);
	for (size_t i = 0; r == 0 && i < plan->n_fds; i++) {
		/* Of the USB device. */
		CHECK(fcntl(fds[i], F_GETFL) >= 0);
		close(fds[i]);
	}
	return r;
}

static void check_torn_down(const struct plan *plan)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(prepare_teardown(plan, &options, &failures), 0);
	for (size_t i = 0; i < failures.n; i++)
		TEST_FAIL("%s", without_scratch(failures.items[i]));
}

TEST(what_was_found_is_told_to_qemu)
{
	NEED_NODES();
	begin();
	CLEANUP(plan_done) struct plan plan;
	plan_of_rows(&plan, full);
	CLEANUP(freep) char *before = kernel_shot();
	struct error err = {};
	if (prepare(&plan, &err) < 0)
		TEST_FAIL("%s", without_scratch(err.text));
	check_file("run/web/environment", "MACHINA_PCI_0_0=" GPU "\nMACHINA_PCI_0_1=" SOUND "\n");
	CHECK_STR(kernel_driver_of(NIC), "vfio-pci");
	CHECK(mode_at("sys/bus/mdev/devices/" UUID));
	CHECK(mode_at("run/.usb:1-2"));
	kernel_usb_take("1-2", NULL);

	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(freep) char *run_dir = xasprintf("%s/run/web", scratch_dir);
	strv_push(&argv, "qemu");
	strv_push(&argv, "host=${MACHINA_PCI_0_1},${MACHINA_PCI_0_0},$MACHINA_PCI_0_0,${X}");
	CHECK_INT(environment_expand(run_dir, &argv, &err), 0);
	CHECK_INT(argv.n, 2);
	CHECK_STR(argv.items[0], "qemu");
	CHECK_STR(argv.items[1], "host=" SOUND "," GPU ",$MACHINA_PCI_0_0,${X}");

	/* Again, as a systemd that restarts a unit does without a teardown in between. */
	CHECK_INT(prepare(&plan, &err), 0);
	check_torn_down(&plan);
	kernel_check_shot(before);
	check_torn_down(&plan);
	kernel_check_shot(before);
	kernel_end();
}

TEST(a_failure_gives_all_devices_back)
{
	NEED_NODES();
	begin();
	CLEANUP(plan_done) struct plan plan;
	plan_of_rows(&plan, full);
	CLEANUP(freep) char *before = kernel_shot();
	struct error err = {};
	kernel_fail("unbind:" NIC, EBUSY);
	CHECK_INT(prepare(&plan, &err), -EBUSY);
	CHECK_STR(without_scratch(err.text),
			"device 'nic': cannot write '" NIC
			"' to 'DIR/sys/bus/pci/drivers/igb/unbind': Device or resource busy");
	kernel_check_shot(before);
	/* And when that fails as well. */
	kernel_fail("bind:" SOUND, EIO);
	CHECK_INT(prepare(&plan, &err), -EBUSY);
	CHECK_STR(without_scratch(err.text),
			"device 'nic': cannot write '" NIC
			"' to 'DIR/sys/bus/pci/drivers/igb/unbind': Device or resource busy; then, "
			"when it was undone: " SOUND
			" cannot be given back to driver 'snd_hda_intel': Input/output error");
	kernel_fail("bind:" SOUND, 0);
	check_torn_down(&plan);
	kernel_check_shot(before);
	kernel_end();
}

/* The unit was written anew, or is gone: what the machine has is known from its loans. */
TEST(devices_that_the_plan_does_not_name_are_given_back)
{
	NEED_NODES();
	begin();
	CLEANUP(plan_done) struct plan plan, other;
	plan_of_rows(&plan, (const char *const[]){ full[0], full[6], full[7], NULL });
	plan_of_rows(&other, (const char *const[]){ full[0], NULL });
	CLEANUP(freep) char *before = kernel_shot();
	struct error err = {};
	CHECK_INT(prepare(&plan, &err), 0);
	CHECK_STR(kernel_driver_of(NIC), "vfio-pci");
	check_torn_down(&other);
	kernel_check_shot(before);
	kernel_end();
}

TEST(steps_have_lines)
{
	begin();
	static const char *const rows[] = {
		"machine name=web user=u run-dir=/r socket-dir=/s",
		"pci name=gpu class=gpu function=1 function=2",
		"candidate address=" GPU,
		"candidate vendor=10de device=2684",
		"pci name=nic class=nic",
		"candidate address=" NIC,
		"vf connection=lan network=fast mac=52:54:00:00:00:01 vlan=20",
		"candidate interface=enp65s0f0 virtual-functions=8",
		"pci name=disk class=disk",
		"candidate address=" NIC " virtual-functions=2",
		"usb-node name=usb.0",
		"usb name=key class=licence",
		"plug id=0529:0001",
		"usb-node name=usb.1",
		"usb name=stick class=disk",
		"plug port=1-2",
		"plug id=0781:5567 port=1-3.4",
		NULL,
	};
	CLEANUP(plan_done) struct plan plan;
	CLEANUP(strv_done) struct strv lines = {};
	plan_of_rows(&plan, rows);
	prepare_describe(&plan, true, &lines);
	prepare_describe_teardown(&plan, &lines);
	static const char *const expected[] = {
		"make directory '/r'",
		"look for one that is free and take it: " GPU
		" with functions 1, 2, any 10de:2684 with functions 1, 2 (device 'gpu', class "
		"'gpu')",
		"take " NIC " (device 'nic', class 'nic')",
		"look for one that is free and take it: a virtual function of enp65s0f0, of which "
		"8 are made if there are none (connection 'lan', network 'fast')",
		"look for one that is free and take it: a virtual function of " NIC
		", of which 2 are made if there are none (device 'disk', class 'disk')",
		"bind it to 'vfio-pci', reset it and give its group to 'u' (device 'gpu')",
		"bind it to 'vfio-pci', reset it and give its group to 'u' (device 'nic')",
		"give it the MAC address 52:54:00:00:00:01 and VLAN 20, bind it to 'vfio-pci', "
		"reset it and give its group to 'u' (connection 'lan')",
		"bind it to 'vfio-pci', reset it and give its group to 'u' (device 'disk')",
		"take USB device 0529:0001 (device 'key', class 'licence')",
		"look for one that is free and take it: USB device at port 1-2, USB device "
		"0781:5567 at port 1-3.4 (device 'stick', class 'disk')",
		"take back the descriptors that systemd has",
		"delete all interfaces of machine 'web'",
		"remove the packet filter of machine 'web'",
		"give back all devices of the host that machine 'web' has",
		"remove directory '/r'",
	};
	CHECK_INT(lines.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < lines.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(lines.items[i], expected[i]);
	kernel_end();
}

TEST_MAIN()
