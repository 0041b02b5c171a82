/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real QEMU starts with every kind of argument vector, in both forms.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "qemu-start.h"
#include "qemu/argv.h"
#include "test.h"
#include "util/file.h"
#include "vm-sample.h"

static bool no_qemu(void)
{
	return access("/usr/bin/qemu-system-x86_64", X_OK) != 0;
}

#define NEEDS_QEMU                                                                                 \
	do {                                                                                       \
		if (no_qemu())                                                                     \
			SKIP("qemu-system-x86_64 is not installed");                               \
	} while (0)

/* The reply to query-named-block-nodes, as the node of that name; the caller releases @ret_reply.
 */
static struct json_object *find_node(
		const struct buf *out, const char *name, struct json_object **ret_reply)
{
	const char *line = buf_text(out);
	*ret_reply = NULL;
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		struct json_object *reply = json_tokener_parse(line), *list, *id;
		if (reply && json_object_object_get_ex(reply, "id", &id) &&
				!strcmp(json_object_get_string(id), "nodes") &&
				json_object_object_get_ex(reply, "return", &list)) {
			*ret_reply = reply;
			for (size_t i = 0; i < json_object_array_length(list); i++) {
				struct json_object *node = json_object_array_get_idx(list, i);
				struct json_object *found =
						json_object_object_get(node, "node-name");
				if (!strcmp(json_object_get_string(found), name))
					return node;
			}
			return NULL;
		}
		json_object_put(reply);
	}
	return NULL;
}

static void check_node(const struct buf *out, const char *name, const char *path, off_t size)
{
	struct json_object *reply, *node = find_node(out, name, &reply);
	if (!node) {
		TEST_FAIL("QEMU has no node '%s'", name);
	} else {
		if (path)
			CHECK_STR(json_object_get_string(json_object_object_get(node, "file")),
					path);
		struct json_object *image = json_object_object_get(node, "image");
		CHECK_INT(json_object_get_int64(json_object_object_get(image, "virtual-size")),
				size);
	}
	json_object_put(reply);
}

/* --- cases ----------------------------------------------------------------------------------- */

TEST(every_storage_type)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	for (const struct vm_storage_type *t = vm_storage_types; t->name; t++) {
		struct vm_volume *v = sample_volume(&s, t->name, t->name);
		v->bootable = true;
		v->serial = "9IQ4PUV68QOCNS2C75OKUS04I4";
		v->wwn = "0x5525400908FE6258";
	}
	sample_firmware(&s);
	qemu_start_check(&s);
}

TEST(read_only_pools)
{
	NEEDS_QEMU;
	static const char *const types[] = { "raw", "raw-block", "nvme", "qcow2-scsi",
		"qcow2-block", "firmware" };
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		sample_volume(&s, types[i], types[i])->readonly = true;
	sample_firmware(&s);
	s.vm.firmware_vars->readonly = true;
	qemu_start_check(&s);
}

static bool can_direct(void)
{
	CLEANUP(freep) char *path = xasprintf("%s/direct", work_dir);
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	return fd >= 0;
}

static bool can_io_uring(void)
{
	char params[120] = {};
	CLEANUP(closep) int fd = (int)syscall(SYS_io_uring_setup, 2, params);
	return fd >= 0;
}

static void check_tuning(enum disk_cache cache, enum disk_aio aio, enum disk_discard discard,
		enum disk_detect_zeroes zeroes)
{
	static const char *const types[] = { "raw", "raw-block", "nvme", "sata", "qcow2-scsi",
		"iso-scsi", "iso-usb" };
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct vm_volume *v = sample_volume(&s, types[i], types[i]);
		v->cache = cache;
		v->aio = aio;
		v->discard = discard;
		v->detect_zeroes = zeroes;
	}
	qemu_start_check(&s);
}

TEST(every_cache_with_every_aio)
{
	NEEDS_QEMU;
	bool direct = can_direct(), io_uring = can_io_uring();
	for (enum disk_cache cache = 0; disk_cache_names[cache]; cache++) {
		bool is_direct = cache == DISK_CACHE_NONE || cache == DISK_CACHE_DIRECTSYNC;
		if (is_direct && !direct)
			continue;
		for (enum disk_aio aio = 0; disk_aio_names[aio]; aio++)
			if ((aio != DISK_AIO_NATIVE || is_direct) &&
					(aio != DISK_AIO_IO_URING || io_uring))
				check_tuning(cache, aio, DISK_DISCARD_UNMAP,
						DISK_DETECT_ZEROES_UNMAP);
	}
	if (!direct)
		SKIP("/tmp has no O_DIRECT; the other caches work");
}

TEST(discard_and_zeroes)
{
	NEEDS_QEMU;
	check_tuning(DISK_CACHE_WRITEBACK, DISK_AIO_THREADS, DISK_DISCARD_IGNORE,
			DISK_DETECT_ZEROES_OFF);
	check_tuning(DISK_CACHE_WRITEBACK, DISK_AIO_THREADS, DISK_DISCARD_IGNORE,
			DISK_DETECT_ZEROES_ON);
	check_tuning(DISK_CACHE_WRITEBACK, DISK_AIO_THREADS, DISK_DISCARD_UNMAP,
			DISK_DETECT_ZEROES_OFF);
}

TEST(more_devices_than_one_controller_holds)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_volumes(&s, "disk", "raw", 40);
	sample_volumes(&s, "scsi", "iso-scsi", 20);
	sample_volumes(&s, "ahci", "iso-ahci", 7);
	sample_volumes(&s, "sata", "sata", 7);
	sample_volumes(&s, "usb", "iso-usb", 17);
	qemu_start_check(&s);
}

TEST(every_place)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	s.vm.spare_ports = 239;
	qemu_start_check_as(&s, QEMU_FORM_UNIT);
}

TEST(a_hundred_disks_and_interfaces)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_volumes(&s, "block", "raw-block", 50);
	sample_volumes(&s, "nvme", "nvme", 20);
	for (int i = 0; i < 50; i++)
		sample_nic(&s, NETWORK_USER);
	qemu_start_check(&s);
}

TEST(places_left_by_sata_cds)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_volumes(&s, "a", "raw-block", 7);
	sample_volume(&s, "cd", "iso-ahci");
	sample_volumes(&s, "b", "raw-block", 9);
	qemu_start_check(&s);
	CHECK(strstr(sample_value(&s, "-device", "id=block.7"), "bus=pcie.2.0,"));
	CHECK(strstr(sample_value(&s, "-device", "id=block.8"), "bus=pcie.2.2,"));
}

static void check_screen(bool spice, bool vnc, enum vm_display display, int displays)
{
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	s.vm.spice.enabled = spice;
	s.vm.vnc.enabled = vnc;
	s.vm.display = display;
	s.vm.spice_displays = displays;
	qemu_start_check(&s);
}

TEST(every_display)
{
	NEEDS_QEMU;
	for (enum vm_display display = 0; vm_display_names[display]; display++) {
		check_screen(true, false, display, 1);
		check_screen(true, true, display, 4);
		check_screen(false, true, display, 1);
		check_screen(false, false, display, 1);
	}
}

TEST(screens_on_ports)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	s.vm.spice = s.vm.vnc = (struct vm_remote){ .enabled = true };
	s.vm.display = VM_DISPLAY_QXL;
	s.vm.spice.port = 28871;
	s.vm.vnc.port = 28872;
	qemu_start_check_as(&s, QEMU_FORM_STANDALONE);
}

TEST(kernel_console_agent_and_small_devices)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_kernel(&s);
	s.vm.serial = s.vm.rng = s.vm.balloon = s.vm.agent.enabled = true;
	s.vm.spare_ports = 3;
	s.vm.memory.shared = true;
	qemu_start_check(&s);
	s.vm.agent.port = 28873;
	qemu_start_check(&s);
}

/* Without enlightenments: which of them there are is a matter of the host's KVM. */
TEST(processors)
{
	NEEDS_QEMU;
	struct jpair features[] = { { "vmx", "off" }, { "level", "0xd" } };
	for (enum vm_brand brand = VM_BRAND_OTHER; brand <= VM_BRAND_INTEL; brand++) {
		CLEANUP(sample_done) struct sample s;
		qemu_start_init(&s);
		s.vm.has_uuid = true;
		s.vm.cpu.brand = brand;
		s.vm.cpu.sockets = 1;
		s.vm.cpu.cores = s.vm.cpu.threads = 2;
		s.vm.cpu.features = (struct jpairs){ features, ARRAY_SIZE(features) };
		qemu_start_check_as(&s, QEMU_FORM_UNIT);
	}
}

TEST(user_mode_network_forwards)
{
	NEEDS_QEMU;
	struct forward_conf forwards[] = {
		{ .protocol = FORWARD_TCP, .address = "127.0.0.1", .port = 28874, .to_port = 22 },
		{ .protocol = FORWARD_UDP, .address = "127.0.0.1", .port = 28874, .to_port = 53 },
	};
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	struct vm_nic *nic = sample_nic(&s, NETWORK_USER);
	nic->forward = forwards;
	nic->n_forward = ARRAY_SIZE(forwards);
	qemu_start_check_as(&s, QEMU_FORM_UNIT);
}

TEST(taps)
{
	NEEDS_QEMU;
	CLEANUP(closep) int probe = qemu_start_open_tap(false);
	if (probe < 0)
		SKIP("a tap can be made by root only, and where /dev/net/tun is");
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE)->queues = 3;
	sample_nic(&s, NETWORK_BRIDGE);
	qemu_start_check_as(&s, QEMU_FORM_UNIT);
}

TEST(vhost)
{
	NEEDS_QEMU;
	CLEANUP(closep) int tap = qemu_start_open_tap(false);
	CLEANUP(closep) int vhost = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (tap < 0 || vhost < 0)
		SKIP("there is no '/dev/vhost-net' that could be opened");
	CLEANUP(sample_done) struct sample s;
	CLEANUP(strv_done) struct strv words = {};
	qemu_start_init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE)->vhost = true;
	struct vm_nic *nic = sample_nic(&s, NETWORK_BRIDGE);
	nic->vhost = true;
	nic->queues = 2;
	CHECK_INT(sample_build(&s, QEMU_FORM_UNIT), 0);
	qemu_vhost_args(&s.plan, &words);
	const char *more[8];
	CHECK_INT(words.n, ARRAY_SIZE(more));
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		more[i] = words.items[i];
	s.vm.qemu_args = (struct jstrings){ more, ARRAY_SIZE(more) };
	qemu_start_check_as(&s, QEMU_FORM_UNIT);
}

/* A block device over @file that goes away when it is closed; -1 if that can't be had here. */
static int open_loop(const char *file, char **ret_path)
{
	CLEANUP(closep) int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	CLEANUP(closep) int backing = open(file, O_RDWR | O_CLOEXEC);
	int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0 || backing < 0)
		return -1;
	*ret_path = xasprintf("/dev/loop%d", number);
	int fd = open(*ret_path, O_RDWR | O_CLOEXEC);
	struct loop_config config = { .fd = (uint32_t)backing,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR };
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

TEST(block_devices)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	CLEANUP(freep) char *path = NULL;
	qemu_start_init(&s);
	CLEANUP(freep) char *file = xasprintf("%s/loop.img", work_dir);
	CLEANUP(closep) int made = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(ftruncate(made, MIB) == 0);
	CLEANUP(closep) int loop = open_loop(file, &path);
	if (loop < 0)
		SKIP("a loop device can be made by root only, and not everywhere");
	sample_volume(&s, "os", "raw-block")->path = path;
	qemu_start_check(&s);
}

TEST(long_wwn)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	qemu_start_init(&s);
	sample_volume(&s, "a", "raw")->wwn = "0x60014051234567890123456789ABCDEF";
	qemu_start_check_as(&s, QEMU_FORM_UNIT);
}

TEST(any_path_arrives_as_it_is)
{
	NEEDS_QEMU;
	static const char *const names[] = {
		"a,b",
		"a,,b,driver=null-co",
		"sp ace 'q' \"d\" \\ back",
		"%n $HOME ${x} %i",
		"{\"driver\":\"null-co\"}",
		"caf\303\251 \342\202\254",
		"json:{}",
		"-x",
	};
	CLEANUP(sample_done) struct sample s;
	CLEANUP(buf_done) struct buf out = {};
	qemu_start_init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sample_volume(&s, names[i], "raw")->serial = names[i];
	qemu_start(&s, QEMU_FORM_STANDALONE, &out);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep)
		char *node = i == ARRAY_SIZE(names) - 1 ? xstrdup("file--x")
							: xasprintf("file.%zu", i);
		check_node(&out, node, s.volumes[i].path, (off_t)(i + 1) * MIB);
	}
}

TEST(each_descriptor_is_the_file_that_is_meant)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	CLEANUP(buf_done) struct buf out = {};
	qemu_start_init(&s);
	sample_volumes(&s, "d", "raw-block", 5);
	sample_volume(&s, "cd", "iso-scsi");
	qemu_start(&s, QEMU_FORM_UNIT, &out);
	for (int i = 0; i < 5; i++) {
		CLEANUP(freep) char *node = xasprintf("disk-d%d", i);
		check_node(&out, node, NULL, (i + 1) * MIB);
	}
	check_node(&out, "disk-cd", "/dev/fdset/6", 6 * MIB);
}

TEST_MAIN()
