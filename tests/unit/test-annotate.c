/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what is said about an argument vector. */
#include "qemu/argv.h"

#include "test.h"
#include "vm-sample.h"

TEST(options_and_their_values)
{
	static const struct {
		const char *word;
		size_t length;
	} rows[] = {
		{ "-nodefaults", 1 },
		{ "-uuid", 2 },
		{ "x", 1 },
		{ "-append", 2 },
		{ "-quiet", 1 },
		{ "-foo", 1 },
		{ "-bar", 2 },
		{ "y", 1 },
	};
	CLEANUP(strv_done) struct strv argv = {};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		strv_push(&argv, rows[i].word);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(qemu_option_length(&argv, i), rows[i].length);
}

TEST(the_options_of_a_machine_are_told_apart)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_kernel(&s);
	s.vm.cmdline = "-x";
	sample_volume(&s, "os", "qcow2-scsi");
	sample_build(&s, QEMU_FORM_UNIT);
	for (size_t i = 1; i < s.argv.n;) {
		CHECK(s.argv.items[i][0] == '-');
		i += qemu_option_length(&s.argv, i);
	}
}

TEST(annotations_say_what_each_descriptor_is)
{
	static const char *const expected[] = {
		"fd 3 net.0: tap 'web.0' of network 'lan', port of bridge 'br0'",
		"fd 4 net.0.1: one more queue of 'web.0'",
		"fd 5 net.1: macvtap 'web.1' on 'eth0', of network 'lan'",
		("fd 6 (set 1) disk.0: read and write '/tank/web/os.img', volume 'os' of storage "
		 "pool 'tank'"),
		"fd 7 (set 2) disk.1: read '/tank/web/cd.img', volume 'cd' of storage pool 'tank'",
		"fd 8 kernel: copy in memory of '/tank/web/vmlinuz'",
		"fd 9 initrd: copy in memory of '/tank/web/initrd'",
		"fd 10 tpm: connected to '/run/machina/web/swtpm/control.socket'",
		"fd 11 qmp.0: listen on '/run/machina/web/qmp/systemd.0.qmp.socket'",
		"fd 12 qmp.1: listen on '/run/machina/web/qmp/command.0.qmp.socket'",
		"fd 13 qmp.2: listen on '/run/machina/web/qmp/command.1.qmp.socket'",
		"fd 14 agent: listen on 127.0.0.1:4900",
		"fd 15 console: listen on '/run/machina/web/console.socket'",
		"fd 16 (set 3) console.log: append to '/run/machina/web/console.log'",
	};
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_nic(&s, NETWORK_BRIDGE)->queues = 2;
	sample_volume(&s, "os", "raw");
	sample_volume(&s, "cd", "iso-scsi");
	sample_kernel(&s);
	s.vm.tpm.enabled = s.vm.agent.enabled = s.vm.serial = true;
	s.vm.agent.port = 4900;
	struct vm_nic *nic = sample_nic(&s, NETWORK_MACVTAP);
	nic->device = "eth0";
	sample_build(&s, QEMU_FORM_UNIT);
	CLEANUP(strv_done) struct strv rows = {};
	qemu_annotate(&s.plan, &rows);
	CHECK_INT(rows.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < rows.n && i < ARRAY_SIZE(expected); i++)
		CHECK_STR(rows.items[i], expected[i]);
}

TEST_MAIN()
