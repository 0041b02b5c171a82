/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of QEMU's arguments for SPICE, VNC and graphics adapters. */
#include "qemu/argv.h"
#include "test.h"
#include "vm-sample.h"

TEST(spice_desk)
{
	static const char *const devices[] = {
		"pvpanic-pci,id=panic.0,bus=pcie.0,addr=1.0,multifunction=on",
		"ioh3420,id=pcie.1.1,chassis=1,bus=pcie.0,addr=1.1",
		"virtio-serial-pci,id=serial,bus=pcie.1.1",
		"virtserialport,id=serial.0.0,bus=serial.0,nr=1,chardev=guestagent,name=org.qemu."
		"guest_agent.0",
		"virtserialport,id=serial.0.1,bus=serial.0,nr=2,chardev=vdagent,name=com.redhat."
		"spice.0",
		"qxl-vga,id=qxl.0,bus=pcie.0,addr=1.2",
		"qxl,id=qxl.1,bus=pcie.0,addr=1.3",
		"ioh3420,id=pcie.1.4,chassis=4,bus=pcie.0,addr=1.4",
		"qemu-xhci,id=usb,bus=pcie.1.4,p2=4,p3=4",
		"usb-tablet,id=usb.0.1,bus=usb.0,port=1",
		"usb-redir,id=usb.0.2,bus=usb.0,port=2,chardev=usbredir.0",
		"usb-redir,id=usb.0.3,bus=usb.0,port=3,chardev=usbredir.1",
	};
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.spice.enabled = true;
	s.vm.spice.port = 5907;
	s.vm.spice_displays = 2;
	s.vm.display = VM_DISPLAY_QXL;
	s.vm.agent.enabled = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-spice", ""),
			"unix=on,addr=/run/machina-qemu/web/spice,disable-ticketing=on");
	CHECK_STR(sample_value(&s, "-machine", ""), "type=q35,vmport=off");
	CHECK(sample_value(&s, "-global", "property=ram_size"));
	CHECK(sample_value(&s, "-global", "property=vram_size"));
	CHECK_STR(sample_value(&s, "-chardev", "id=usbredir.1"),
			"spicevmc,id=usbredir.1,debug=0,name=usbredir");
	size_t first = 0;
	while (first < s.argv.n && strcmp(s.argv.items[first], "-device") != 0)
		first++;
	CHECK_INT(s.argv.n - first, 2 * ARRAY_SIZE(devices));
	for (size_t i = 0; i < ARRAY_SIZE(devices) && first + 2 * i + 1 < s.argv.n; i++)
		CHECK_STR(s.argv.items[first + 2 * i + 1], devices[i]);

	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-spice", ""), "port=5907,addr=127.0.0.1,disable-ticketing=on");
	s.vm.spice.port = 0;
	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-spice", ""),
			"unix=on,addr=/run/machina-qemu/web/spice,disable-ticketing=on");
}

TEST(spice_with_other_adapters)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.spice.enabled = true;
	s.vm.spice_displays = 3;
	s.vm.display = VM_DISPLAY_VIRTIO;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "virtio-vga"),
			"virtio-vga,id=display.0,bus=pcie.0,addr=1.1,max_outputs=3");
	CHECK(!sample_value(&s, "-global", ""));

	s.vm.display = VM_DISPLAY_NONE;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(!sample_value(&s, "-device", "virtio-vga"));
	CHECK(sample_value(&s, "-device", "usb-tablet"));
}

TEST(vnc_comes_after_all_that_was_there)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	s.vm.vnc.enabled = true;
	s.vm.vnc.port = 5961;
	s.vm.display = VM_DISPLAY_VIRTIO;
	sample_nic(&s, NETWORK_BRIDGE);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-vnc", ""), "vnc=unix:/run/machina-qemu/web/vnc");
	CHECK(sample_value(&s, "-device", "bus=pcie.1.1"));
	CHECK_STR(sample_value(&s, "-device", "virtio-vga"),
			"virtio-vga,id=display.0,bus=pcie.0,addr=1.2");
	CHECK_STR(sample_value(&s, "-device", "usb-tablet"),
			"usb-tablet,id=usb.0.1,bus=usb.0,port=1");
	CHECK(!sample_value(&s, "-machine", "vmport=off"));

	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-vnc", ""), "vnc=127.0.0.1:61");
}

TEST_MAIN()
