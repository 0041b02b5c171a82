/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB devices: found by port and by ids, lent, given back; what is said when that cannot be. */
#include "host/device/usb.h"

#include "fake-usb.h"
#include "lending.h"
#include "test.h"

#define STICK "1-2"
#define DONGLE "1-3.4"
#define DONGLE2 "1-3.1"
#define PHONE "2-1"
#define STICK_NODE "DIR/dev/bus/usb/001/004"
#define DONGLE_NODE "DIR/dev/bus/usb/001/006"
#define PHONE_NODE "DIR/dev/bus/usb/002/002"
#define DIR_OF(port) KERNEL_USB "/" port

/* A disk; a hub with two dongles that are alike; a phone with a network interface. */
static void begin(void)
{
	kernel_bind_other = kernel_bind_usb;
	begin_host();
	kernel_usb(&(struct kernel_usb){
			STICK, "0781:5567", .number = 4, .driver = "usb-storage" });
	kernel_usb(&(struct kernel_usb){
			"1-3", "05e3:0608", .number = 5, .driver = "hub", .class = "09\n" });
	kernel_usb(&(struct kernel_usb){ DONGLE, "0529:0001", .number = 6 });
	kernel_usb(&(struct kernel_usb){ DONGLE2, "0529:0001", .number = 7 });
	kernel_usb(&(struct kernel_usb){ PHONE, "18d1:4eeb", .number = 2, .driver = "cdc_ether" });
}

static void end(void)
{
	kernel_end();
}

#define BY_ID "usb-node name=usb.0\nusb name=stick class=disk\nplug id=0781:5567"
#define BY_PORT "usb-node name=usb.0\nusb name=key class=key\nplug port=" DONGLE
#define BY_EITHER BY_PORT "\nplug port=" DONGLE2
#define BY_BOTH "usb-node name=usb.0\nusb name=net class=net\nplug id=18d1:4eeb port=" PHONE
#define AT(port) "usb-node name=usb.0\nusb name=x class=x\nplug port=" port
#define IS(id) "usb-node name=usb.0\nusb name=x class=x\nplug id=" id

/* ---- lending ---- */

TEST(a_device_is_found_by_its_ids)
{
	begin();
	PLAN(plan, "web", BY_ID);
	CLEANUP(freep) char *before = kernel_shot();
	check_lent(&plan, STICK_NODE);
	check_file("run/.usb:" STICK, "machine=web\nfor=device stick\nid=0781:5567\ndriver "
				      "1-2:1.0=usb-storage\n");
	/* Again: it is there. */
	check_lent(&plan, STICK_NODE);
	check_given_back("web");
	kernel_check_shot(before);
	check_given_back("web");
	end();
}

TEST(a_device_is_found_by_its_port)
{
	begin();
	PLAN(plan, "web", BY_PORT);
	CLEANUP(freep) char *before = kernel_shot();
	check_lent(&plan, DONGLE_NODE);
	check_file("run/.usb:" DONGLE, "machine=web\nfor=device key\nid=0529:0001\n");
	check_given_back("web");
	kernel_check_shot(before);
	end();
}

TEST(a_device_is_found_by_both)
{
	begin();
	PLAN(plan, "web", BY_BOTH);
	check_lent(&plan, PHONE_NODE);
	check_given_back("web");
	end();
}

TEST(the_first_that_is_free_is_lent)
{
	begin();
	PLAN(web, "web", BY_EITHER);
	PLAN(mail, "mail", BY_EITHER);
	PLAN(ftp, "ftp", BY_EITHER);
	check_lent(&web, DONGLE_NODE);
	check_lent(&mail, "DIR/dev/bus/usb/001/007");
	check_fails(&ftp,
			"device 'key': no device of class 'key' is free: USB port " DONGLE
			" (0529:0001) is lent to machine 'web' ('machina teardown web' gives it "
			"back if that does not run); USB port " DONGLE2
			" (0529:0001) is lent to machine 'mail' ('machina teardown mail' gives it "
			"back if that does not run)");
	check_given_back("web");
	check_lent(&ftp, DONGLE_NODE);
	check_given_back("ftp");
	check_given_back("mail");
	end();
}

/* ---- giving back ---- */

static void take_stick(void)
{
	kernel_usb_take(STICK, NULL);
}

static void check_stick_driver(const char *driver)
{
	char target[PATH_MAX] = "";
	if (readlink(scratch_path(DIR_OF(STICK) "/" STICK ":1.0/driver"), target,
			    sizeof(target) - 1) < 0)
		target[0] = '\0';
	CHECK_STR(target[0] ? kernel_base(target) : "", driver);
}

TEST(after_a_qemu_that_was_killed_drivers_are_bound_again)
{
	begin();
	PLAN(plan, "web", BY_ID);
	CLEANUP(freep) char *before = kernel_shot();
	check_lent(&plan, STICK_NODE);
	take_stick();
	/* A new start, before anything was given back: what drivers there were is known. */
	check_lent(&plan, STICK_NODE);
	check_given_back("web");
	check_stick_driver("usb-storage");
	kernel_check_shot(before);
	end();
}

TEST(a_device_that_was_unplugged_is_forgotten)
{
	begin();
	PLAN(plan, "web", BY_ID);
	check_lent(&plan, STICK_NODE);
	CHECK_INT(unlink(scratch_path("sys/bus/usb/devices/" STICK)), 0);
	check_given_back("web");
	CHECK_INT(mode_at("run/.usb:" STICK), 0);
	end();
}

TEST(another_device_at_its_port_is_left_alone)
{
	begin();
	PLAN(plan, "web", BY_ID);
	check_lent(&plan, STICK_NODE);
	take_stick();
	put_file(DIR_OF(STICK) "/idProduct", "5568\n");
	check_given_back("web");
	check_stick_driver("");
	CHECK_INT(mode_at("run/.usb:" STICK), 0);
	end();
}

TEST(a_driver_that_somebody_has_bound_meanwhile_stays)
{
	begin();
	PLAN(plan, "web", BY_ID);
	check_lent(&plan, STICK_NODE);
	kernel_usb_take(STICK, "uas");
	check_given_back("web");
	check_stick_driver("uas");
	end();
}

TEST(a_driver_that_does_not_take_it_back_is_told)
{
	begin();
	PLAN(plan, "web", BY_ID);
	check_lent(&plan, STICK_NODE);
	take_stick();
	kernel_fail("bind:" STICK ":1.0", EIO);
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(usb_give_back(&host, "web", &failures), -EIO);
	CHECK_INT(failures.n, 1);
	CHECK_STR(failures.items[0],
			"USB port " STICK " (0781:5567) cannot be given back to driver "
			"'usb-storage': Input/output error");
	/* It stays lent until that has succeeded. */
	kernel_fail("bind:" STICK ":1.0", 0);
	check_given_back("web");
	check_stick_driver("usb-storage");
	end();
}

TEST(a_device_that_was_not_given_back_may_get_another_name)
{
	begin();
	PLAN(plan, "web", BY_ID);
	PLAN(renamed, "web", "usb-node name=usb.0\nusb name=other class=disk\nplug id=0781:5567");
	check_lent(&plan, STICK_NODE);
	take_stick();
	kernel_fail("bind:" STICK ":1.0", EIO);
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(usb_give_back(&host, "web", &failures), -EIO);
	check_lent(&renamed, STICK_NODE);
	kernel_fail("bind:" STICK ":1.0", 0);
	check_given_back("web");
	check_stick_driver("usb-storage");
	end();
}

TEST(a_program_that_keeps_it_open_is_told)
{
	begin();
	PLAN(plan, "web", BY_ID);
	check_lent(&plan, STICK_NODE);
	kernel_usb_take(STICK, "usbfs");
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(usb_give_back(&host, "web", &failures), -EBUSY);
	CHECK_INT(failures.n, 1);
	CHECK_STR(failures.items[0],
			"USB port " STICK " (0781:5567) cannot be given back to driver "
			"'usb-storage': some program has it open");
	end();
}

/* ---- what is not there ---- */

TEST(a_port_with_nothing_in_it_is_told)
{
	begin();
	check_refused(AT("1-9"), "device 'x': nothing is plugged in at USB port 1-9 ('lsusb -t' "
				 "shows what is where)");
	end();
}

TEST(a_bus_that_is_not_there_is_told)
{
	begin();
	check_refused(AT("7-1.2"), "device 'x': the host has no USB bus 7, of port 7-1.2 ('lsusb "
				   "-t' shows all)");
	end();
}

TEST(ids_that_are_not_plugged_in_are_told)
{
	begin();
	check_refused(IS("046d:c52b"), "device 'x': no USB device 046d:c52b is plugged in ('lsusb' "
				       "lists all devices)");
	end();
}

TEST(another_device_at_the_port_is_told)
{
	begin();
	check_refused("usb-node name=usb.0\nusb name=x class=x\nplug id=046d:c52b port=" STICK,
			"device 'x': USB port " STICK
			" has 0781:5567 and not 046d:c52b ('lsusb' lists all devices)");
	end();
}

TEST(devices_that_are_alike_are_told_with_their_ports)
{
	begin();
	check_refused(IS("0529:0001"),
			"device 'x': 2 USB devices are 0529:0001, at the ports 1-3.1 "
			"and 1-3.4: say which is meant by \"port\"");
	kernel_usb(&(struct kernel_usb){ "2-4", "0529:0001", .number = 9 });
	check_refused(IS("0529:0001"), "device 'x': 3 USB devices are 0529:0001, at the ports "
				       "1-3.1, 1-3.4 and 2-4: say which is meant by \"port\"");
	end();
}

TEST(a_hub_is_not_lent)
{
	begin();
	check_refused(AT("1-3"), "device 'x': USB port 1-3 (05e3:0608) is a hub, which cannot be "
				 "given away: name the devices that are plugged in at it");
	check_refused(IS("05e3:0608"),
			"device 'x': USB port 1-3 (05e3:0608) is a hub, which cannot "
			"be given away: name the devices that are plugged in at it");
	end();
}

TEST(a_host_without_usb_is_told)
{
	kernel_bind_other = kernel_bind_usb;
	begin_host();
	check_refused(AT("1-1"),
			"device 'x': the host has no USB: no driver of a USB controller is "
			"loaded");
	end();
}

/* ---- what others use ---- */

TEST(who_only_looks_finds_what_is_lent)
{
	begin();
	PLAN(web, "web", BY_ID);
	PLAN(mail, "mail", BY_ID);
	struct error err = {};
	check_lent(&web, STICK_NODE);
	CHECK_INT(usb_look(&host, &web, 0, &err), 0);
	CHECK_INT(usb_look(&host, &mail, 0, &err), 0);
	CHECK_INT(unlink(scratch_path("sys/bus/usb/devices/" STICK)), 0);
	CHECK_INT(usb_look(&host, &web, 0, &err), -ENODEV);
	CHECK_STR(err.text, "device 'stick': no USB device 0781:5567 is plugged in ('lsusb' lists "
			    "all devices)");
	check_given_back("web");
	end();
}

TEST(a_device_is_one_machines)
{
	begin();
	PLAN(web, "web", BY_ID);
	PLAN(mail, "mail", AT(STICK));
	check_lent(&web, STICK_NODE);
	check_fails(&mail, "device 'x': USB port " STICK
			   " (0781:5567) is lent to machine 'web' ('machina teardown web' gives it "
			   "back if that does not run)");
	check_given_back("mail");
	check_given_back("web");
	end();
}

TEST(a_device_is_one_of_a_machines_devices)
{
	begin();
	check_refused(BY_ID "\nusb-node name=usb.1\nusb name=y class=y\nplug port=" STICK,
			"device 'y': USB port " STICK
			" (0781:5567) is another device of this machine");
	end();
}

TEST(a_disk_that_is_mounted_is_told)
{
	begin();
	put_file(DIR_OF(STICK) "/" STICK ":1.0/host6/target6:0:0/6:0:0:0/block/sdc/dev", "8:32\n");
	kernel_link(DIR_OF(STICK) "/" STICK ":1.0/host6/target6:0:0/6:0:0:0/block/sdc",
			"sys/class/block/sdc");
	put_file("proc/self/mountinfo", "31 30 8:32 / /media/stick rw - vfat /dev/sdc rw\n");
	check_refused(BY_ID, "device 'stick': USB port " STICK
			     " (0781:5567) is in use by the host: 'sdc' is mounted at "
			     "'/media/stick'");
	end();
}

TEST(an_interface_that_is_up_is_told)
{
	begin();
	put_file(DIR_OF(PHONE) "/" PHONE ":1.0/net/usb0/flags", "0x1003\n");
	kernel_link(DIR_OF(PHONE) "/" PHONE ":1.0/net/usb0", "sys/class/net/usb0");
	check_refused(BY_BOTH,
			"device 'net': USB port " PHONE
			" (18d1:4eeb) is in use by the host: its interface 'usb0' is up ('ip "
			"link set usb0 down' ends that)");
	end();
}

TEST(a_device_that_a_program_has_is_told)
{
	begin();
	kernel_usb_take(DONGLE, "usbfs");
	check_refused(BY_PORT, "device 'key': USB port " DONGLE
			       " (0529:0001) is in use: some program has it open ('fuser "
			       "-v " DONGLE_NODE "' shows which)");
	end();
}

TEST(a_device_that_is_not_allowed_is_told)
{
	begin();
	put_file(DIR_OF(STICK) "/authorized", "0\n");
	check_refused(BY_ID, "device 'stick': USB port " STICK
			     " (0781:5567) is not allowed on this host ('echo 1 > "
			     "DIR/sys/bus/usb/devices/" STICK
			     "/authorized' allows it until it is unplugged; does usbguard run?)");
	end();
}

TEST(a_node_that_is_missing_is_told)
{
	begin();
	CHECK_INT(unlink(scratch_path("dev/bus/usb/001/004")), 0);
	check_refused(BY_ID,
			"device 'stick': USB port " STICK " (0781:5567): cannot open '" STICK_NODE
			"': No such file or directory");
	end();
}

/* The number is given to what is plugged in next. */
TEST(a_device_that_changes_meanwhile_is_told)
{
	begin();
	kernel_usb_node(STICK, "046d:c52b", 4);
	check_refused(BY_ID, "device 'stick': USB port " STICK " (0781:5567): '" STICK_NODE
			     "' is not this device any more: it was unplugged a moment ago");
	end();
}

/* ---- several at once, and the end at any point ---- */

TEST(of_sixteen_machines_as_many_as_there_are_devices_get_one)
{
	begin();
	check_lent_to_several(BY_EITHER, 2);
	end();
}

TEST(killed_at_any_point_it_can_be_undone)
{
	begin();
	check_killed_lending(BY_ID, NULL, 2);
	end();
}

TEST(killed_at_any_point_it_can_be_done_again)
{
	begin();
	check_killed_lending(BY_ID, STICK_NODE, 2);
	end();
}

TEST(giving_back_can_be_killed_at_any_point)
{
	begin();
	check_killed_giving_back(BY_ID, STICK_NODE, take_stick, 2);
	end();
}

TEST_MAIN()
