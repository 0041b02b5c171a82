/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the places of devices. */
#include "qemu/topology.h"

#include "test.h"

/* The value of a device's "addr=". */
static void check_address(struct device *d, const char *expected)
{
	CLEANUP(strv_done) struct strv words = {};
	props_take(&d->props, "-device", &words);
	const char *at = strstr(words.items[1], "addr=");
	CHECK(at);
	if (!at)
		return;
	at += strlen("addr=");
	size_t len = strcspn(at, ",");
	if (len != strlen(expected) || strncmp(at, expected, len) != 0)
		TEST_FAIL("expected the address %s in \"%s\"", expected, words.items[1]);
}

static void add_ports(struct topology *t, int n)
{
	for (int i = 0; i < n; i++)
		topology_add_port(t);
}

TEST(places_fill_slots_of_eight_functions_from_slot_1)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	check_address(topology_add_port(&t), "1.0");
	check_address(topology_add_port(&t), "1.1");
	add_ports(&t, 5);
	check_address(topology_add_port(&t), "1.7");
	check_address(topology_add_port(&t), "2.0");
	CHECK(!t.full);
}

TEST(slots_that_were_printed_in_decimal_stay_where_the_guest_saw_them)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 8 * 8 + 7);
	check_address(topology_add_port(&t), "9.7");
	check_address(topology_add_port(&t), "10.0");
	add_ports(&t, 8 * 9 + 6);
	check_address(topology_add_port(&t), "19.7");
}

TEST(slots_beyond_are_those_that_are_left)
{
	static const char *const expected[] = { "a.0", "b.0", "c.0", "d.0", "e.0", "f.0", "1a.0",
		"1b.0", "1c.0", "1d.0", "1e.0" };
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 8 * 19);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		check_address(topology_add_port(&t), expected[i]);
		add_ports(&t, 7);
	}
	CHECK(!t.full);
	CHECK_INT(t.n_places, TOPOLOGY_PLACES);
}

TEST(every_place_has_another_address_and_the_last_ones_say_that_it_is_full)
{
	CLEANUP(topology_done) struct topology t;
	CLEANUP(strv_done) struct strv argv = {}, seen = {};
	topology_init(&t);
	add_ports(&t, TOPOLOGY_PLACES);
	CHECK(!t.full);
	topology_add_port(&t);
	CHECK(t.full);
	topology_add_integrated(&t, "qxl", "qxl.0");
	topology_add_behind(&t, topology_add_port(&t), "nvme", "nvme.0");
	topology_skip_place(&t);

	topology_take(&t, &argv);
	CHECK_INT(argv.n, 2 * TOPOLOGY_PLACES);
	for (size_t i = 1; i < argv.n; i += 2) {
		const char *address = strstr(argv.items[i], "addr=");
		CHECK(address && !strv_contains(&seen, address));
		if (address)
			strv_push(&seen, address);
	}
}

TEST(text_of_a_port_and_what_is_behind_it)
{
	CLEANUP(topology_done) struct topology t;
	CLEANUP(strv_done) struct strv argv = {};
	topology_init(&t);
	topology_add_integrated(&t, "pvpanic-pci", "panic.0");
	struct device *first = topology_add_port(&t);
	struct device *second = topology_add_port(&t);
	topology_add_behind(&t, second, "nvme", "nvme.0");
	struct device *controller = topology_add_behind(&t, first, "virtio-scsi-pci", "scsi");
	topology_add_other(&t, controller, "scsi-hd", "scsi.0.0");
	topology_add_other(&t, NULL, "tpm-crb", "tpm.0");

	topology_take(&t, &argv);
	static const char *const expected[] = {
		"pvpanic-pci,id=panic.0,bus=pcie.0,addr=1.0,multifunction=on",
		"ioh3420,id=pcie.1.1,chassis=1,bus=pcie.0,addr=1.1",
		"virtio-scsi-pci,id=scsi,bus=pcie.1.1",
		"scsi-hd,id=scsi.0.0",
		"ioh3420,id=pcie.1.2,chassis=2,bus=pcie.0,addr=1.2",
		"nvme,id=nvme.0,bus=pcie.1.2",
		"tpm-crb,id=tpm.0",
	};
	CHECK_INT(argv.n, 2 * ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected) && 2 * i + 1 < argv.n; i++) {
		CHECK_STR(argv.items[2 * i], "-device");
		CHECK_STR(argv.items[2 * i + 1], expected[i]);
	}
}

TEST(a_skipped_place_moves_what_follows)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 1);
	topology_skip_place(&t);
	check_address(topology_add_port(&t), "1.2");
}

TEST(a_skipped_function_0_is_taken_by_the_next_device_and_the_rest_stays)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 8);
	topology_skip_place(&t);
	check_address(topology_add_port(&t), "2.0");
	check_address(topology_add_port(&t), "2.2");
	add_ports(&t, 4);
	check_address(topology_add_port(&t), "2.7");
	check_address(topology_add_port(&t), "3.0");
}

TEST(two_skipped_places_at_the_start_of_a_slot)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 8);
	topology_skip_place(&t);
	topology_skip_place(&t);
	check_address(topology_add_port(&t), "2.0");
	check_address(topology_add_port(&t), "2.3");
}

TEST(a_slot_of_nothing_but_skipped_places_takes_no_device_of_the_next_one)
{
	CLEANUP(topology_done) struct topology t;
	topology_init(&t);
	add_ports(&t, 8);
	for (int i = 0; i < 8; i++)
		topology_skip_place(&t);
	check_address(topology_add_port(&t), "3.0");
	check_address(topology_add_port(&t), "3.1");
}

TEST_MAIN()
