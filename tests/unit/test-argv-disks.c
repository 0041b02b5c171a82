/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of QEMU's arguments for disks and CDs, and for the controllers that devices share. */
#include "qemu/argv.h"
#include "test.h"
#include "vm-sample.h"

TEST(raw_disk_in_both_forms)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "os", "raw");
	v->serial = "9IQ4PUV68QOCNS2C75OKUS04I4";
	v->wwn = "0x5525400908FE6258";
	v->bootable = true;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-object", ""), "iothread,id=iothread.0");
	CHECK_STR(sample_value(&s, "-add-fd", ""), "fd=3,set=1,opaque=disk.0");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=file-os"),
			"driver=file,node-name=file-os,discard=unmap,filename=/dev/fdset/1");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=disk-os"),
			"driver=raw,node-name=disk-os,discard=unmap,detect-zeroes=unmap,file=file-"
			"os");
	CHECK_STR(sample_value(&s, "-device", "id=scsi"),
			"virtio-scsi-pci,id=scsi,bus=pcie.1.1,iothread=iothread.0,num_queues=4");
	CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"),
			"scsi-hd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id=0,lun=0,drive=disk-os,"
			"wwn=0x5525400908FE6258,"
			"device_id=9IQ4PUV68QOCNS2C75OK,serial=9IQ4PUV68QOCNS2C75OKUS04I4,"
			"bootindex=1");

	sample_build(&s, QEMU_FORM_STANDALONE);
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=file-os"),
			"driver=file,node-name=file-os,discard=unmap,filename=/tank/web/os.img");
	CHECK_INT(sample_count(&s, "-add-fd", ""), 0);
}

TEST(a_read_only_pool_is_said_on_every_node)
{
	static const char *const types[] = { "raw", "raw-block", "nvme", "qcow2-scsi" };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		CLEANUP(sample_done) struct sample s;
		sample_init(&s);
		sample_volume(&s, "os", types[i])->readonly = true;
		CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
		CHECK_INT(sample_count(&s, "-blockdev", ""), 2);
		CHECK(sample_value(&s, "-blockdev", "read-only=on"));
		CHECK(sample_count(&s, "-blockdev", "read-only=on") +
						sample_count(&s, "-blockdev",
								"\"read-only\":true") ==
				2);
	}
}

TEST(virtio_disk)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "a", "raw-block");
	struct vm_volume *v = sample_volume(&s, "b", "raw-block");
	v->serial = "S";
	v->wwn = "0x5525400908FE6258";
	v->bootable = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=block.0"),
			"virtio-blk-pci,id=block.0,bus=pcie.1.1,iothread=iothread.0,num-queues=4,"
			"drive=disk-a");
	CHECK_STR(sample_value(&s, "-device", "id=block.1"),
			"virtio-blk-pci,id=block.1,bus=pcie.1.2,iothread=iothread.0,num-queues=4,"
			"drive=disk-b,serial=S,bootindex=1");
	CHECK_INT(sample_count(&s, "-object", "iothread"), 1);
}

TEST(qcow2_disk_opens_no_backing_file)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "os", "qcow2-block");
	v->cache = DISK_CACHE_NONE;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-blockdev", "\"driver\":\"qcow2\""), NULL);
	const char *json = sample_value(&s, "-blockdev", "\"backing\":null}");
	CHECK_STR(json, "{\"driver\":\"qcow2\",\"node-name\":\"disk-os\",\"read-only\":false,"
			"\"discard\":\"unmap\",\"detect-zeroes\":\"unmap\",\"cache\":{\"direct\":"
			"true,"
			"\"no-flush\":false},\"file\":\"file-os\",\"backing\":null}");
	CHECK(strstr(sample_value(&s, "-device", "id=block.0"), "drive=disk-os"));
}

TEST(nvme_disk_always_has_a_serial_number)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "a", "nvme");
	sample_volume(&s, "b", "nvme")->serial = "SER,1";
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=nvme.0"),
			"nvme,id=nvme.0,bus=pcie.1.1,drive=disk-a,serial=nvme.0");
	CHECK_STR(sample_value(&s, "-device", "id=nvme.1"),
			"nvme,id=nvme.1,bus=pcie.1.2,drive=disk-b,serial=SER,,1");
	CHECK_INT(sample_count(&s, "-object", "iothread"), 0);
}

TEST(caches)
{
	static const struct {
		enum disk_cache cache;
		const char *nodes, *device;
	} rows[] = {
		{ DISK_CACHE_WRITEBACK, "", "" },
		{ DISK_CACHE_NONE, ",cache.direct=on", "" },
		{ DISK_CACHE_WRITETHROUGH, "", ",write-cache=off" },
		{ DISK_CACHE_DIRECTSYNC, ",cache.direct=on", ",write-cache=off" },
		{ DISK_CACHE_UNSAFE, ",cache.no-flush=on", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s;
		sample_init(&s);
		sample_volume(&s, "os", "raw")->cache = rows[i].cache;
		sample_build(&s, QEMU_FORM_UNIT);
		CHECK_STR(sample_value(&s, "-blockdev", "node-name=file-os"),
				arena_printf(&s.vm.arena,
						"driver=file,node-name=file-os,discard=unmap%s,"
						"filename=/dev/fdset/1",
						rows[i].nodes));
		CHECK_STR(sample_value(&s, "-blockdev", "node-name=disk-os"),
				arena_printf(&s.vm.arena,
						"driver=raw,node-name=disk-os,discard=unmap,detect-"
						"zeroes=unmap%s,file=file-os",
						rows[i].nodes));
		CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"),
				arena_printf(&s.vm.arena,
						"scsi-hd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id="
						"0,lun=0,drive=disk-os%s",
						rows[i].device));
	}
}

TEST(discard_zeroes_and_aio)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "os", "raw");
	v->discard = DISK_DISCARD_IGNORE;
	v->detect_zeroes = DISK_DETECT_ZEROES_OFF;
	v->aio = DISK_AIO_IO_URING;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=file-os"),
			"driver=file,node-name=file-os,discard=ignore,aio=io_uring,filename=/dev/"
			"fdset/1");
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=disk-os"),
			"driver=raw,node-name=disk-os,discard=ignore,detect-zeroes=off,file=file-"
			"os");
}

TEST(block_devices_have_their_own_driver)
{
	static const struct {
		const char *path, *driver;
	} rows[] = {
		{ "/dev/vg/web", "driver=host_device" },
		{ "/dev/shm/web.img", "driver=file" },
		{ "/devices/web.img", "driver=file" },
		{ "/tank/dev/web.img", "driver=file" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s;
		sample_init(&s);
		sample_volume(&s, "os", "raw")->path = rows[i].path;
		sample_build(&s, QEMU_FORM_UNIT);
		const char *node = sample_value(&s, "-blockdev", "node-name=file-os");
		CHECK(sample_has_part(node, rows[i].driver));
	}
}

TEST(vvfat_is_a_directory_by_its_path)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "drop", "vvfat-block");
	v->path = "/srv/a,b c";
	v->bootable = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-blockdev", ""),
			"driver=vvfat,node-name=disk-drop,read-only=on,dir=/srv/a,,b c");
	CHECK_STR(sample_value(&s, "-device", "id=block.0"),
			"virtio-blk-pci,id=block.0,bus=pcie.1.1,iothread=iothread.0,num-queues=4,"
			"drive=disk-drop,bootindex=1");
	CHECK_INT(sample_count(&s, "-add-fd", ""), 0);
}

/* -device of the volumes, a line each. */
static void check_order(struct sample *s, const char *const expected[])
{
	sample_build(s, QEMU_FORM_UNIT);
	for (size_t i = 0; i < s->vm.n_volumes; i++) {
		CLEANUP(freep) char *drive = xasprintf("drive=disk-%s", s->vm.volumes[i].name);
		const char *device = sample_value(s, "-device", drive);
		const char *index = device ? strstr(device, "bootindex=") : NULL;
		CHECK_STR(index ? index : "", expected[i]);
	}
}

TEST(volumes_are_tried_first_and_last)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "os", "raw-scsi")->bootable = true;
	sample_volume(&s, "install", "iso-scsi")->boot = VM_BOOT_LAST;
	sample_volume(&s, "drivers", "iso-scsi");
	sample_volume(&s, "data", "raw-block")->bootable = true;
	sample_volume(&s, "fw", "firmware")->boot = VM_BOOT_FIRST;
	check_order(&s, (const char *const[]){
					"bootindex=1", "bootindex=3", "", "bootindex=2", "" });
	struct sample t;
	sample_init(&t);
	sample_volume(&t, "os", "sata")->bootable = true;
	sample_volume(&t, "a", "iso-usb")->boot = VM_BOOT_FIRST;
	/* What is said in full counts more. */
	struct vm_volume *v = sample_volume(&t, "b", "raw-block");
	v->bootable = true;
	v->boot = VM_BOOT_FIRST;
	sample_volume(&t, "c", "iso-ahci")->boot = VM_BOOT_LAST;
	check_order(&t, (const char *const[]){ "bootindex=3", "bootindex=1", "bootindex=2",
					"bootindex=4" });
	sample_done(&t);
}

TEST(cds_are_one_node_without_format_or_boot_order)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "a", "iso-scsi")->bootable = true;
	sample_volume(&s, "b", "iso-usb")->serial = "not shown";
	sample_volume(&s, "c", "iso-ahci");
	sample_volume(&s, "os", "raw")->bootable = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-blockdev", "node-name=disk-a"),
			"driver=file,node-name=disk-a,read-only=on,filename=/dev/fdset/1");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-a"),
			"scsi-cd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id=0,lun=0,drive=disk-a");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-b"),
			"usb-storage,id=usb.0.1,bus=usb.0,port=1,drive=disk-b");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-c"),
			"ide-cd,id=sata.0,bus=ide.1,drive=disk-c");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-os"),
			"scsi-hd,id=scsi.0.1,bus=scsi.0,channel=0,scsi-id=0,lun=1,drive=disk-os,"
			"bootindex=1");
	CHECK_INT(sample_count(&s, "-object", "iothread"), 1);
}

TEST(a_sata_cd_uses_up_a_place)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "cd", "iso-ahci");
	sample_volume(&s, "os", "raw-block");
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(strstr(sample_value(&s, "-device", "id=block.0"), "bus=pcie.1.2,"));
}

TEST(sata_buses_hold_one_device_each)
{
	static const char *const buses[] = { "ide.1", "ide.2", "ide.3", "ide.4", "ide.5", "ide.0",
		"ahci1.1", "ahci1.2" };
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volumes(&s, "cd", "iso-ahci", ARRAY_SIZE(buses));
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	for (int i = 0; i < (int)ARRAY_SIZE(buses); i++)
		CHECK_STR(sample_value(&s, "-device",
					  arena_printf(&s.vm.arena, "drive=disk-cd%d", i)),
				arena_printf(&s.vm.arena,
						"ide-cd,id=sata.%d,bus=%s,drive=disk-cd%d", i,
						buses[i], i));
	CHECK(sample_value(&s, "-device", "ich9-ahci"));
}

TEST(sata_disks_leave_the_first_cd_its_bus)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volumes(&s, "d", "sata", 5);
	struct vm_volume *v = &s.volumes[0];
	v->serial = "S";
	v->wwn = "0x5525400908FE6258";
	v->bootable = true;
	sample_volume(&s, "cd", "iso-ahci");
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "drive=disk-d0"),
			"ide-hd,id=sata.0,bus=ide.0,drive=disk-d0,wwn=0x5525400908FE6258,serial=S,"
			"bootindex=1");
	CHECK(strstr(sample_value(&s, "-device", "drive=disk-d1"), "bus=ide.2,"));
	CHECK(strstr(sample_value(&s, "-device", "drive=disk-cd"), "bus=ide.1,"));
	CHECK(!sample_value(&s, "-device", "ich9-ahci"));
}

TEST(long_wwns)
{
	static const char wwn[] = "0x60014051234567890123456789ABCDEF";
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "a", "raw")->wwn = wwn;
	sample_volume(&s, "b", "raw-block")->wwn = wwn;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"),
			"scsi-hd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id=0,lun=0,drive=disk-a,"
			"device_id=60014051234567890123456789ABCDEF");
	CHECK(!strstr(sample_value(&s, "-device", "drive=disk-b"), "6001"));
}

#define SCSI_DISK "scsi-hd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id=0,lun=0,drive=disk-a,"

TEST(serial_numbers_are_as_long_as_the_guest_of_qemu_7_2_sees_them)
{
	static const struct {
		const char *serial, *disk;
	} rows[] = {
		{ "01234567890123456789", SCSI_DISK "serial=01234567890123456789" },
		{ "012345678901234567890", SCSI_DISK "device_id=01234567890123456789,"
						     "serial=012345678901234567890" },
		/* No half of a character. */
		{ "0123456789012345678\u00e9", SCSI_DISK "device_id=0123456789012345678,"
							 "serial=0123456789012345678\u00e9" },
		{ "012345678901234567890123456789012345",
				SCSI_DISK "device_id=01234567890123456789,"
					  "serial=012345678901234567890123456789012345" },
		{ "0123456789012345678901234567890123456",
				SCSI_DISK "device_id=01234567890123456789,"
					  "serial=012345678901234567890123456789012345" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(sample_done) struct sample s;
		sample_init(&s);
		sample_volume(&s, "a", "raw")->serial = rows[i].serial;
		sample_volume(&s, "b", "raw-block")->serial = rows[i].serial;
		CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
		CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"), rows[i].disk);
		/* QEMU cuts it for other disks, whatever its version. */
		CHECK(strstr(sample_value(&s, "-device", "drive=disk-b"), rows[i].serial));
	}
}

TEST(a_long_wwn_has_the_place_of_a_long_serial_number)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "a", "raw");
	v->wwn = "0x60014051234567890123456789ABCDEF";
	v->serial = "012345678901234567890";
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"), SCSI_DISK
			"device_id=60014051234567890123456789ABCDEF,serial=012345678901234567890");
}

TEST(boot_order_is_that_of_the_config)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "a", "nvme")->bootable = true;
	sample_volume(&s, "b", "raw");
	sample_volume(&s, "c", "iso-usb")->bootable = true;
	sample_volume(&s, "d", "sata")->bootable = true;
	sample_volume(&s, "e", "qcow2-scsi")->bootable = true;
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK(sample_has_part(sample_value(&s, "-device", "drive=disk-a"), "bootindex=1"));
	CHECK(sample_has_part(sample_value(&s, "-device", "drive=disk-d"), "bootindex=2"));
	CHECK(sample_has_part(sample_value(&s, "-device", "drive=disk-e"), "bootindex=3"));
	CHECK_INT(sample_count(&s, "-device", "bootindex=4"), 0);
}

TEST(flash_images_among_the_volumes_are_nodes_alone)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volume(&s, "fw", "firmware")->bootable = true;
	sample_volume(&s, "tpm", "tpm-data");
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_INT(sample_count(&s, "-blockdev", ""), 1);
	CHECK(sample_value(&s, "-blockdev", "node-name=disk-fw"));
	CHECK_INT(sample_count(&s, "-device", ""), 1);
}

TEST(a_full_scsi_controller_is_followed_by_another)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volumes(&s, "d", "raw", 57);
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	CHECK_STR(sample_value(&s, "-device", "drive=disk-d27"),
			"scsi-hd,id=scsi.0.27,bus=scsi.0,channel=0,scsi-id=0,lun=27,drive=disk-"
			"d27");
	CHECK_STR(sample_value(&s, "-device", "id=scsi1"),
			"virtio-scsi-pci,id=scsi1,bus=pcie.1.2,iothread=iothread.0,num_queues=4");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-d28"),
			"scsi-hd,id=scsi1.0.0,bus=scsi1.0,channel=0,scsi-id=0,lun=0,drive=disk-"
			"d28");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-d56"),
			"scsi-hd,id=scsi2.0.0,bus=scsi2.0,channel=0,scsi-id=0,lun=0,drive=disk-"
			"d56");
	CHECK_INT(sample_count(&s, "-device", "virtio-scsi-pci"), 3);
}

TEST(usb_controllers_have_as_many_ports_as_devices_but_four_at_least)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	sample_volumes(&s, "u", "iso-usb", 5);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=usb"), "qemu-xhci,id=usb,bus=pcie.1.1,p2=5,p3=5");

	sample_volumes(&s, "v", "iso-usb", 12);
	sample_build(&s, QEMU_FORM_UNIT);
	CHECK_STR(sample_value(&s, "-device", "id=usb"),
			"qemu-xhci,id=usb,bus=pcie.1.1,p2=15,p3=15");
	CHECK_STR(sample_value(&s, "-device", "id=usb1"),
			"qemu-xhci,id=usb1,bus=pcie.1.2,p2=4,p3=4");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-v9"),
			"usb-storage,id=usb.0.15,bus=usb.0,port=15,drive=disk-v9");
	CHECK_STR(sample_value(&s, "-device", "drive=disk-v10"),
			"usb-storage,id=usb1.0.1,bus=usb1.0,port=1,drive=disk-v10");
}

TEST(node_names_are_valid_and_unique_whatever_volumes_are_called)
{
	static const char *const names[] = {
		"",
		"0",
		"a b",
		"a,b",
		"caf\303\251",
		"abcdefghijklmnopqrstuvwxyz",
		"abcdefghijklmnopqrstuvwxyz0",
		"-",
		"x.3",
		"disk.0",
		"firmware.code",
	};
	CLEANUP(sample_done) struct sample s;
	CLEANUP(strv_done) struct strv seen = {};
	sample_init(&s);
	sample_firmware(&s);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sample_volume(&s, names[i], "raw");
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	for (size_t i = 0; i + 1 < s.argv.n; i++) {
		if (strcmp(s.argv.items[i], "-blockdev") != 0)
			continue;
		char *name = strstr(s.argv.items[i + 1], "node-name=") + strlen("node-name=");
		name = arena_strndup(&s.vm.arena, name, strcspn(name, ","));
		CHECK(!strv_contains(&seen, name));
		CHECK(strlen(name) < 32);
		CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz") > 0);
		CHECK_INT(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"
				       "789-."
				       "_"),
				strlen(name));
		strv_push(&seen, name);
	}
	CHECK_INT(seen.n, 2 + 2 * ARRAY_SIZE(names));
}

TEST(hostile_text_stays_one_value)
{
	CLEANUP(sample_done) struct sample s;
	sample_init(&s);
	struct vm_volume *v = sample_volume(&s, "a,readonly=on", "raw");
	v->path = "/tank/a,b=\"c\" 'd' %n $HOME \\ \303\266,,";
	v->serial = "x,lun=7";
	CHECK_INT(sample_build(&s, QEMU_FORM_STANDALONE), 0);
	CHECK_STR(sample_value(&s, "-blockdev", "driver=file"),
			"driver=file,node-name=file.0,discard=unmap,filename=/tank/a,,b=\"c\" 'd' "
			"%n $HOME \\ \303\266,,,,");
	CHECK_STR(sample_value(&s, "-device", "id=scsi.0.0"),
			"scsi-hd,id=scsi.0.0,bus=scsi.0,channel=0,scsi-id=0,lun=0,drive=disk.0,"
			"serial=x,,lun=7");
}

TEST_MAIN()
