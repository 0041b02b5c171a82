/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions: made, set up, lent one by one, and removed with the last. */
#include "host/device/sriov.h"

#include <errno.h>

#include "host/device/loan.h"
#include "host/device/pci.h"
#include "lending.h"
#include "test.h"

#define CARD "0000:41:00.0"
#define VF0 "0000:41:00.1"
#define VF1 "0000:41:00.2"
#define VF2 "0000:41:00.3"
#define DEVICE(address) KERNEL_DEVICES "/" address
#define ZEROS "00:00:00:00:00:00 0 1 0"

/* A network card that can have eight functions. */
static void begin(void)
{
	begin_host();
	kernel_driver("vfio-pci");
	kernel_driver("iavf");
	kernel_pci(&(struct kernel_pci){ CARD, .class = "0x020000\n", .vendor = "0x8086\n",
			.device = "0x1592\n", .driver = "ice", .group = "40", .total = "8\n" });
	put_file(DEVICE(CARD) "/net/enp65s0f0/flags", "0x1003\n");
	kernel_link(DEVICE(CARD) "/net/enp65s0f0", "sys/class/net/enp65s0f0");
	kernel_link(DEVICE(CARD), DEVICE(CARD) "/net/enp65s0f0/device");
	for (int i = 0; i < 8; i++)
		kernel_put(ZEROS "\n", "sys/vf/enp65s0f0.%d", i);
}

#define NIC(name, mac)                                                                             \
	"vf connection=" name " network=fast mac=" mac " vlan=20 spoof-check=yes\n"                \
	"candidate interface=enp65s0f0 virtual-functions=8"
#define LAN NIC("lan", "52:54:00:00:00:01")
#define DMZ NIC("dmz", "52:54:00:00:00:02")

static void check_function(unsigned i, const char *expected)
{
	CHECK_STR(kernel_get("sys/vf/enp65s0f0.%u", i), expected);
}

TEST(functions_are_made_for_the_first_and_removed_with_the_last)
{
	NEED_NODES();
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(web, "web", LAN);
	PLAN(mail, "mail", DMZ);
	check_lent(&web, VF0);
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "8");
	check_driver(VF0, "vfio-pci");
	/* The host's driver does not get the others. */
	check_driver(VF1, "");
	check_function(0, "52:54:00:00:00:01 20 1 0");
	check_lent(&mail, VF1);
	check_function(1, "52:54:00:00:00:02 20 1 0");
	check_lent(&web, VF0);

	check_given_back("web");
	check_function(0, ZEROS);
	check_driver(VF0, "");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "8");
	check_given_back("mail");
	check_function(1, ZEROS);
	kernel_check_shot(before);
	check_given_back("mail");
	kernel_end();
}

TEST(functions_that_were_there_stay_and_are_what_they_were)
{
	NEED_NODES();
	begin();
	CHECK_INT(kernel_set_functions(CARD, 2), 0);
	check_driver(VF0, "iavf");
	put_file("sys/vf/enp65s0f0.0", "02:00:00:00:00:07 0 0 1\n");
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(web, "web", LAN "\n" DMZ);
	check_lent(&web, VF0 " " VF1);
	check_function(0, "52:54:00:00:00:01 20 1 0");
	/* What there is now would not say how it was before. */
	check_lent(&web, VF0 " " VF1);
	check_given_back("web");
	check_function(0, "02:00:00:00:00:07 0 0 1");
	check_driver(VF0, "iavf");
	kernel_check_shot(before);
	kernel_end();
}

TEST(functions_of_a_device_that_is_no_network_card)
{
	NEED_NODES();
	begin_host();
	kernel_driver("vfio-pci");
	kernel_pci(&(struct kernel_pci){ CARD, .class = "0x010802\n", .driver = "nvme",
			.group = "40", .total = "4\n" });
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(web, "web",
			"pci name=a class=disk\ncandidate address=" CARD " virtual-functions=2\n"
			"pci name=b class=disk\ncandidate address=" CARD " virtual-functions=2");
	check_lent(&web, VF0 " " VF1);
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "2");
	PLAN(mail, "mail", "pci name=a class=disk\ncandidate address=" CARD " virtual-functions=2");
	check_fails(&mail,
			"device 'a': no device of class 'disk' is free: " VF0
			" is lent to machine 'web' ('machina teardown web' gives it back if that "
			"does not run); " VF1
			" is lent to machine 'web' ('machina teardown web' gives it back if that "
			"does not run)");
	check_given_back("mail");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "2");
	check_given_back("web");
	kernel_check_shot(before);
	kernel_end();
}

/* ---- what is told ---- */

static void check_told(const char *text)
{
	PLAN(plan, "web", LAN);
	check_fails(&plan, text);
	check_given_back("web");
}

TEST(an_interface_that_cannot_be_used_is_told)
{
	begin();
	PLAN(other, "web",
			"vf connection=lan network=fast mac=52:54:00:00:00:01\n"
			"candidate interface=eth9 virtual-functions=8");
	check_fails(&other, "connection 'lan': there is no interface 'eth9'");
	make_directory("sys/class/net/br0");
	PLAN(bridge, "web",
			"vf connection=lan network=fast mac=52:54:00:00:00:01\n"
			"candidate interface=br0 virtual-functions=8");
	check_fails(&bridge,
			"connection 'lan': interface 'br0' is not one of a PCI device, and has "
			"no virtual functions");
	put_file(DEVICE(CARD) "/net/enp65s0f0/flags", "0x1002\n");
	check_told("connection 'lan': interface 'enp65s0f0' is down, and its virtual functions "
		   "would have no link ('ip link set enp65s0f0 up' switches it on)");
	kernel_end();
}

TEST(a_card_that_has_no_functions_is_told)
{
	begin();
	PLAN(none, "web",
			"vf connection=lan network=fast mac=52:54:00:00:00:01\n"
			"candidate interface=enp65s0f0");
	check_fails(&none,
			"connection 'lan': " CARD
			" has no virtual functions: say how many to make (\"virtual-functions\")");
	put_file(DEVICE(CARD) "/sriov_totalvfs", "4\n");
	check_told("connection 'lan': " CARD " cannot be given 8 virtual functions: it can have 4");
	CHECK_INT(unlink(scratch_path(DEVICE(CARD) "/sriov_totalvfs")), 0);
	check_told("connection 'lan': " CARD
		   " cannot have virtual functions: it is none of those devices (SR-IOV), or they "
		   "are switched off in its or the host's firmware");
	kernel_end();
}

TEST(a_card_that_makes_none_is_told)
{
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	kernel_fail("sriov_numvfs:" CARD, ENOMEM);
	check_told("connection 'lan': " CARD
		   " cannot be given 8 virtual functions: Cannot allocate memory (the firmware may "
		   "have left no room for them: the kernel's argument 'pci=realloc', or SR-IOV in "
		   "its setup, may mend that)");
	kernel_check_shot(before);
	kernel_fail("sriov_numvfs:" CARD, EIO);
	check_told("connection 'lan': " CARD
		   " cannot be given 8 virtual functions: Input/output error (the kernel says "
		   "more: 'journalctl -k --grep " CARD "')");
	kernel_check_shot(before);
	kernel_end();
}

TEST(a_setting_that_is_refused_is_told)
{
	NEED_NODES();
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	PLAN(web, "web", LAN);
	put_file("fake/refuse-vf", "");
	check_fails(&web, "connection 'lan': cannot give function 0 of 'enp65s0f0' a MAC address");
	/* It can't be taken back either; as soon as it can, it is. */
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(pci_give_back(&host, "web", &failures), -EPERM);
	CHECK_INT(failures.n, 1);
	CHECK_INT(unlink(scratch_path("fake/refuse-vf")), 0);
	check_given_back("web");
	kernel_check_shot(before);
	kernel_end();
}

TEST(a_card_that_is_given_away_has_no_functions)
{
	NEED_NODES();
	begin();
	put_file(DEVICE(CARD) "/net/enp65s0f0/flags", "0x1002\n");
	PLAN(mail, "mail", "pci name=nic class=nic\ncandidate address=" CARD);
	PLAN(web, "web", "pci name=nic class=nic\ncandidate address=" CARD " virtual-functions=8");
	check_lent(&mail, CARD);
	check_fails(&web, "device 'nic': " CARD " is lent to machine 'mail' as a whole");
	check_given_back("mail");
	CHECK_INT(kernel_unbind("ice", CARD), 0);
	check_fails(&web, "device 'nic': " CARD
			  " cannot be given virtual functions: no driver is bound to it");
	kernel_bind(CARD, "vfio-pci");
	check_fails(&web, "device 'nic': " CARD
			  " cannot be given virtual functions: it is bound to 'vfio-pci', to be "
			  "given away as a whole");
	kernel_end();
}

TEST(a_card_without_its_interface_is_told)
{
	begin();
	CHECK_INT(kernel_set_functions(CARD, 1), 0);
	CHECK_INT(kernel_unbind("iavf", VF0), 0);
	put_file("elsewhere/flags", "0x1003\n");
	CHECK_INT(remove_tree(scratch_path(DEVICE(CARD) "/net"), NULL), 0);
	kernel_link("elsewhere", "sys/class/net/enp65s0f0");
	kernel_link(DEVICE(CARD), "elsewhere/device");
	check_told("connection 'lan': " CARD
		   " has no interface that could set up its virtual function 0 (is its driver "
		   "loaded?)");
	kernel_end();
}

/* Each function has an interface at the card's switch (switchdev), which the host sees. */
TEST(a_function_is_set_up_through_the_card_itself)
{
	NEED_NODES();
	begin();
	put_file(DEVICE(CARD) "/net/enp65s0f0/phys_port_name", "p0\n");
	put_file(DEVICE(CARD) "/net/enp65s0f0r0/flags", "0x1002\n");
	put_file(DEVICE(CARD) "/net/enp65s0f0r0/phys_port_name", "pf0vf0\n");
	put_file(DEVICE(CARD) "/net/a/phys_port_name", "c1pf0vf1\n");
	PLAN(plan, "web", LAN);
	check_lent(&plan, VF0);
	check_function(0, "52:54:00:00:00:01 20 1 0");
	check_given_back("web");
	check_function(0, ZEROS);
	kernel_end();
}

/* The function goes back all the same, without what the machine was allowed. */
TEST(a_card_that_takes_no_zeros_gets_its_function_back)
{
	NEED_NODES();
	begin();
	put_file("fake/refuse-zeros", "");
	PLAN(plan, "web", LAN);
	check_lent(&plan, VF0);
	check_given_back("web");
	check_function(0, "52:54:00:00:00:01 0 1 0");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "0");
	check_tree("run", "");
	kernel_end();
}

static int look(const char *rows, struct error *err)
{
	PLAN(plan, "web", rows);
	return pci_look(&host, &plan, 0, err);
}

TEST(looking_makes_no_functions)
{
	NEED_NODES();
	begin();
	CLEANUP(freep) char *before = kernel_shot();
	struct error err = {};
	CHECK_INT(look(LAN, &err), 0);
	CHECK_INT(look("vf connection=lan network=fast mac=52:54:00:00:00:01\n"
		       "candidate interface=enp65s0f0 virtual-functions=9",
				  &err),
			-ENODEV);
	CHECK_STR(err.text, "connection 'lan': " CARD
			    " cannot be given 9 virtual functions: it can have 8");
	kernel_check_shot(before);
	/* There are functions, and the host uses one: so it is with the other. */
	CHECK_INT(kernel_set_functions(CARD, 2), 0);
	CHECK_INT(look(LAN, &err), 0);
	put_file(DEVICE(VF0) "/net/enp65s0f0v0/flags", "0x1003\n");
	kernel_link(DEVICE(VF0) "/net/enp65s0f0v0", "sys/class/net/enp65s0f0v0");
	CHECK_INT(look(LAN, &err), 0);
	put_file(DEVICE(VF1) "/net/enp65s0f0v1/flags", "0x1003\n");
	kernel_link(DEVICE(VF1) "/net/enp65s0f0v1", "sys/class/net/enp65s0f0v1");
	CHECK_INT(look(LAN, &err), -ENODEV);
	CHECK_STR(err.text, "connection 'lan': no virtual function of network 'fast' is free: " VF0
			    " is in use by the host: its interface 'enp65s0f0v0' is up ('ip link "
			    "set enp65s0f0v0 down' ends that); " VF1
			    " is in use by the host: its interface 'enp65s0f0v1' is up ('ip link "
			    "set enp65s0f0v1 down' ends that)");
	/* One that a machine has is taken for free: machines may take turns. */
	put_file("run/.pci:" VF1, "machine=mail\nfor=connection lan\nfunction=0\n");
	CHECK_INT(look(LAN, &err), 0);
	kernel_end();
}

TEST(when_all_functions_are_lent_not_all_are_listed)
{
	NEED_NODES();
	begin();
	for (int i = 0; i < 8; i++) {
		CLEANUP(freep) char *name = xasprintf("m%d", i);
		PLAN(plan, name, LAN);
		struct error err = {};
		CHECK_INT(lend(&plan, NULL, &err), 0);
	}
	PLAN(web, "web", LAN);
	check_fails(&web, "connection 'lan': no virtual function of network 'fast' is free: " VF0
			  " is lent to machine 'm0' ('machina teardown m0' gives it back if that "
			  "does "
			  "not run); " VF1 " is lent to machine 'm1' ('machina teardown m1' gives "
			  "it back if that does "
			  "not run); " VF2 " is lent to machine 'm2' ('machina teardown m2' gives "
			  "it back if that does "
			  "not run); 0000:41:00.4 is lent to machine 'm3' ('machina teardown m3' "
			  "gives "
			  "it back if that does not run); and 4 more");
	kernel_end();
}

TEST(a_card_is_not_given_away_with_functions_on_it)
{
	begin();
	put_file(DEVICE(CARD) "/net/enp65s0f0/flags", "0x1002\n");
	CHECK_INT(kernel_set_functions(CARD, 2), 0);
	check_refused("pci name=nic class=nic\ncandidate address=" CARD,
			"device 'nic': " CARD
			" has 2 virtual functions, which would go with it ('echo 0 > "
			"DIR/sys/bus/pci/devices/" CARD "/sriov_numvfs' removes them)");
	kernel_end();
}

/* Somebody else has taken one: it was made by us and is not ours any more. */
TEST(functions_that_others_use_are_not_removed)
{
	NEED_NODES();
	begin();
	PLAN(web, "web", LAN);
	check_lent(&web, VF0);
	put_file(DEVICE(VF2) "/driver_override", "iavf\n");
	CHECK_INT(kernel_try_bind("iavf", VF2), 0);
	check_given_back("web");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "8");
	CHECK_INT(kernel_unbind("iavf", VF2), 0);
	/* The next one to give anything back sees to it. */
	check_given_back("mail");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_numvfs"), "0");
	CHECK_STR(kernel_get(DEVICE(CARD) "/sriov_drivers_autoprobe"), "1");
	kernel_end();
}

/* ---- several at once, and the end at any point ---- */

TEST(of_sixteen_machines_as_many_as_there_are_functions_get_one)
{
	NEED_NODES();
	begin();
	check_lent_to_several(LAN, 8);
	kernel_end();
}

TEST(killed_at_any_point_it_can_be_undone)
{
	NEED_NODES();
	begin();
	check_killed_lending(LAN, NULL, 12);
	kernel_end();
}

TEST(giving_back_can_be_killed_at_any_point)
{
	NEED_NODES();
	begin();
	check_killed_giving_back(LAN, VF0, NULL, 8);
	kernel_end();
}

TEST_MAIN()
