/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real QEMU starts with every kind of argument vector: paused, with the files, sockets and
 * descriptors that its plan names, in both forms. Runs as anybody, without KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qemu/argv.h"
#include "test.h"
#include "util/file.h"
#include "vm-sample.h"

#define LIMIT_SECONDS 60
#define MIB ((off_t)1 << 20)

static char work_dir[] = "/tmp/machina-test-XXXXXX";

/* --- the host's side: what prepare would do ------------------------------------------------- */

static void put_be(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

/* Header, refcount table, refcount block and an empty L1 table, a cluster each
 * (docs/interop/qcow2.txt of QEMU). */
static void write_qcow2(int fd)
{
	static const unsigned cluster = 1 << 16;
	uint8_t header[72] = { 'Q', 'F', 'I', 0xfb };
	put_be(header + 4, 2, 4);	     /* version */
	put_be(header + 20, 16, 4);	     /* cluster bits */
	put_be(header + 24, MIB, 8);	     /* virtual size */
	put_be(header + 36, 1, 4);	     /* L1 entries */
	put_be(header + 40, 3 * cluster, 8); /* L1 table */
	put_be(header + 48, cluster, 8);     /* refcount table */
	put_be(header + 56, 1, 4);	     /* its clusters */
	uint8_t table[8], block[8];
	put_be(table, 2 * cluster, 8);
	for (size_t i = 0; i < 4; i++)
		put_be(block + 2 * i, 1, 2);
	CHECK(ftruncate(fd, 4 * cluster) == 0);
	CHECK(pwrite(fd, header, sizeof(header), 0) == sizeof(header));
	CHECK(pwrite(fd, table, sizeof(table), cluster) == sizeof(table));
	CHECK(pwrite(fd, block, sizeof(block), 2 * cluster) == sizeof(block));
}

/* As little of a Linux kernel as QEMU looks at (Documentation/arch/x86/boot.rst of Linux). */
static void write_kernel(int fd)
{
	uint8_t image[16384] = {};
	image[0x1f1] = 4;
	memcpy(image + 0x1fe, "\x55\xaaxxHdrS\x0c\x02", 10);
	image[0x211] = 1;
	memcpy(image + 0x22c, "\xff\xff\xff\x7f", 4);
	CHECK(write(fd, image, sizeof(image)) == sizeof(image));
}

/* Images grow by a MiB from one to the next, so that each can be recognized. */
static void make_file(const struct plan_fd *fd, size_t index)
{
	CLEANUP(closep) int made = open(fd->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(made >= 0);
	if (fd->kind == PLAN_FD_COPY)
		write_kernel(made);
	else if (fd->format == PLAN_FORMAT_QCOW2)
		write_qcow2(made);
	else if (fd->kind == PLAN_FD_FILE)
		CHECK(ftruncate(made, (off_t)(index + 1) * MIB) == 0);
}

static int listen_on(const struct plan_fd *fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool tcp = fd->kind == PLAN_FD_LISTEN_TCP;
	int made = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!tcp) {
		unlink(fd->path);
		memcpy(at.sun_path, fd->path, strlen(fd->path) + 1);
	}
	CHECK(bind(made, tcp ? (struct sockaddr *)&in : (struct sockaddr *)&at,
			      tcp ? sizeof(in) : sizeof(at)) == 0);
	CHECK(listen(made, 1) == 0);
	return made;
}

static int open_tap(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &req) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_fd(const struct plan_fd *fd)
{
	switch (fd->kind) {
	case PLAN_FD_TAP:
		return open_tap();
	case PLAN_FD_FILE:
		return open(fd->path, (fd->writable ? O_RDWR : O_RDONLY) |
						      (fd->direct ? O_DIRECT : 0) | O_CLOEXEC);
	case PLAN_FD_COPY:
		return open(fd->path, O_RDONLY | O_CLOEXEC);
	case PLAN_FD_LOG:
		return open(fd->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	case PLAN_FD_LISTEN:
	case PLAN_FD_LISTEN_TCP:
		return listen_on(fd);
	case PLAN_FD_CONNECT:
	case PLAN_FD_STATE:
		break;
	}
	return -1;
}

/* --- QEMU ------------------------------------------------------------------------------------ */

static const char commands[] = "{\"execute\":\"qmp_capabilities\"}\n"
			       "{\"execute\":\"query-named-block-nodes\",\"id\":\"nodes\"}\n"
			       "{\"execute\":\"quit\",\"id\":\"quit\"}\n";

/* In the child: the plan's descriptors get their numbers, everything else stays close-on-exec. */
static void become_qemu(const struct sample *s, char **argv, const int *fds, int in, int out)
{
	int moved[4 * SAMPLE_MAX];
	for (size_t i = 0; i < s->plan.n_fds; i++)
		moved[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 4 * SAMPLE_MAX);
	in = fcntl(in, F_DUPFD_CLOEXEC, 4 * SAMPLE_MAX);
	out = fcntl(out, F_DUPFD_CLOEXEC, 4 * SAMPLE_MAX);
	CLEANUP(freep) char *errors = xasprintf("%s/stderr", work_dir);
	int err = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (moved[i] >= 0)
			dup2(moved[i], s->plan.fds[i].number);
	execv(argv[0], argv);
	_exit(127);
}

static void read_until_end(int fd, pid_t pid, struct buf *out)
{
	time_t end = time(NULL) + LIMIT_SECONDS;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = (int)(end - time(NULL));
		if (left <= 0 || poll(&p, 1, left * 1000) <= 0) {
			TEST_FAIL("QEMU did not end within %d seconds", LIMIT_SECONDS);
			kill(pid, SIGKILL);
			return;
		}
		char part[4096];
		ssize_t n = read(fd, part, sizeof(part));
		if (n <= 0)
			return;
		buf_add(out, part, (size_t)n);
	}
}

static void say_why(const struct sample *s)
{
	CLEANUP(buf_done) struct buf errors = {};
	CLEANUP(freep) char *path = xasprintf("%s/stderr", work_dir);
	struct error err;
	if (file_read(path, 1 << 20, &errors, &err) == 0)
		printf("# QEMU says: %s\n", buf_text(&errors));
	for (size_t i = 0; i < s->argv.n && i < 200; i++)
		printf("#   %s\n", s->argv.items[i]);
}

/* Start QEMU, ask it for its block nodes, let it quit. @fds: by the plan's order; -1: not given. */
static void run(struct sample *s, const int *fds, struct buf *out)
{
	static const char *const more[] = { "-S", "-qmp", "stdio" };
	CLEANUP(strv_done) struct strv argv = {};
	strv_extend(&argv, &s->argv);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		strv_push(&argv, more[i]);

	int in[2], output[2], status;
	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		become_qemu(s, argv.items, fds, in[0], output[1]);
	close(in[0]);
	close(output[1]);
	CHECK(write(in[1], commands, strlen(commands)) == (ssize_t)strlen(commands));
	close(in[1]);
	read_until_end(output[0], pid, out);
	close(output[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status || !strstr(buf_text(out), "\"id\": \"quit\"")) {
		TEST_FAIL("QEMU failed with status %#x", status);
		say_why(s);
	}
}

static void make_surroundings(const struct sample *s)
{
	struct error err;
	CLEANUP(freep) char *qmp = xasprintf("%s/qmp", s->plan.run_dir);
	CHECK(mkdir_all(qmp, 0755, &err) == 0);
	CHECK(mkdir_all(s->plan.socket_dir, 0755, &err) == 0);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (s->plan.fds[i].kind == PLAN_FD_FILE || s->plan.fds[i].kind == PLAN_FD_COPY)
			make_file(&s->plan.fds[i], i);
	for (size_t i = 0; i < s->plan.n_directories; i++)
		CHECK(mkdir_all(s->plan.directories[i].path, 0755, &err) == 0);
}

static void start(struct sample *s, enum qemu_form form, struct buf *out)
{
	int fds[4 * SAMPLE_MAX];
	CHECK_INT(sample_build(s, form), 0);
	for (size_t i = 0; i < s->report.n; i++)
		if (s->report.items[i].severity == SEVERITY_ERROR)
			TEST_FAIL("%s: %s", s->report.items[i].pointer, s->report.items[i].text);
	make_surroundings(s);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		fds[i] = form == QEMU_FORM_UNIT ? open_fd(&s->plan.fds[i]) : -1;
	run(s, fds, out);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void check_starts_as(struct sample *s, enum qemu_form form)
{
	CLEANUP(buf_done) struct buf out = {};
	start(s, form, &out);
}

static void check_starts(struct sample *s)
{
	check_starts_as(s, QEMU_FORM_UNIT);
	check_starts_as(s, QEMU_FORM_STANDALONE);
}

static bool no_qemu(void)
{
	return access("/usr/bin/qemu-system-x86_64", X_OK) != 0;
}

#define NEEDS_QEMU                                                                                 \
	do {                                                                                       \
		if (no_qemu())                                                                     \
			SKIP("qemu-system-x86_64 is not installed");                               \
	} while (0)

static void init(struct sample *s)
{
	sample_init(s);
	s->dir = arena_printf(&s->vm.arena, "%s/disks", work_dir);
	s->run_dir = arena_printf(&s->vm.arena, "%s/run", work_dir);
	struct error err;
	CHECK(mkdir_all(s->dir, 0755, &err) == 0);
}

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
	init(&s);
	for (const struct vm_storage_type *t = vm_storage_types; t->name; t++) {
		struct vm_volume *v = sample_volume(&s, t->name, t->name);
		v->bootable = true;
		v->serial = "9IQ4PUV68QOCNS2C75OKUS04I4";
		v->wwn = "0x5525400908FE6258";
	}
	sample_firmware(&s);
	check_starts(&s);
}

TEST(read_only_pools)
{
	NEEDS_QEMU;
	static const char *const types[] = { "raw", "raw-block", "nvme", "qcow2-scsi",
		"qcow2-block", "firmware" };
	CLEANUP(sample_done) struct sample s;
	init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		sample_volume(&s, types[i], types[i])->readonly = true;
	sample_firmware(&s);
	s.vm.firmware_vars->readonly = true;
	check_starts(&s);
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
	init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct vm_volume *v = sample_volume(&s, types[i], types[i]);
		v->cache = cache;
		v->aio = aio;
		v->discard = discard;
		v->detect_zeroes = zeroes;
	}
	check_starts(&s);
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
	init(&s);
	sample_volumes(&s, "disk", "raw", 40);
	sample_volumes(&s, "scsi", "iso-scsi", 20);
	sample_volumes(&s, "ahci", "iso-ahci", 7);
	sample_volumes(&s, "sata", "sata", 7);
	sample_volumes(&s, "usb", "iso-usb", 17);
	check_starts(&s);
}

TEST(every_place)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	init(&s);
	s.vm.spare_ports = 239;
	check_starts_as(&s, QEMU_FORM_UNIT);
}

TEST(a_hundred_disks_and_interfaces)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	init(&s);
	sample_volumes(&s, "block", "raw-block", 50);
	sample_volumes(&s, "nvme", "nvme", 20);
	for (int i = 0; i < 50; i++)
		sample_nic(&s, NETWORK_USER);
	check_starts(&s);
}

TEST(places_left_by_sata_cds)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	init(&s);
	sample_volumes(&s, "a", "raw-block", 7);
	sample_volume(&s, "cd", "iso-ahci");
	sample_volumes(&s, "b", "raw-block", 9);
	check_starts(&s);
	CHECK(strstr(sample_value(&s, "-device", "id=block.7"), "bus=pcie.2.0,"));
	CHECK(strstr(sample_value(&s, "-device", "id=block.8"), "bus=pcie.2.2,"));
}

static void check_screen(bool spice, bool vnc, enum vm_display display, int displays)
{
	CLEANUP(sample_done) struct sample s;
	init(&s);
	s.vm.spice.enabled = spice;
	s.vm.vnc.enabled = vnc;
	s.vm.display = display;
	s.vm.spice_displays = displays;
	check_starts(&s);
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
	init(&s);
	s.vm.spice = s.vm.vnc = (struct vm_remote){ .enabled = true };
	s.vm.display = VM_DISPLAY_QXL;
	s.vm.spice.port = 45871;
	s.vm.vnc.port = 45872;
	check_starts_as(&s, QEMU_FORM_STANDALONE);
}

TEST(kernel_console_agent_and_small_devices)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	init(&s);
	sample_kernel(&s);
	s.vm.serial = s.vm.rng = s.vm.balloon = s.vm.agent.enabled = true;
	s.vm.spare_ports = 3;
	s.vm.memory.shared = true;
	check_starts(&s);
	s.vm.agent.port = 45873;
	check_starts(&s);
}

/* Without enlightenments: which of them there are is a matter of the host's KVM. */
TEST(processors)
{
	NEEDS_QEMU;
	struct jpair features[] = { { "vmx", "off" }, { "level", "0xd" } };
	for (enum vm_brand brand = VM_BRAND_OTHER; brand <= VM_BRAND_INTEL; brand++) {
		CLEANUP(sample_done) struct sample s;
		init(&s);
		s.vm.has_uuid = true;
		s.vm.cpu.brand = brand;
		s.vm.cpu.sockets = 1;
		s.vm.cpu.cores = s.vm.cpu.threads = 2;
		s.vm.cpu.features = (struct jpairs){ features, ARRAY_SIZE(features) };
		check_starts_as(&s, QEMU_FORM_UNIT);
	}
}

TEST(user_mode_network_forwards)
{
	NEEDS_QEMU;
	struct forward_conf forwards[] = {
		{ .protocol = FORWARD_TCP, .address = "127.0.0.1", .port = 45874, .to_port = 22 },
		{ .protocol = FORWARD_UDP, .address = "127.0.0.1", .port = 45874, .to_port = 53 },
	};
	CLEANUP(sample_done) struct sample s;
	init(&s);
	struct vm_nic *nic = sample_nic(&s, NETWORK_USER);
	nic->forward = forwards;
	nic->n_forward = ARRAY_SIZE(forwards);
	check_starts_as(&s, QEMU_FORM_UNIT);
}

TEST(taps)
{
	NEEDS_QEMU;
	CLEANUP(closep) int probe = open_tap();
	if (probe < 0)
		SKIP("a tap can be made by root only, and where /dev/net/tun is");
	CLEANUP(sample_done) struct sample s;
	init(&s);
	sample_nic(&s, NETWORK_BRIDGE);
	sample_nic(&s, NETWORK_BRIDGE);
	check_starts_as(&s, QEMU_FORM_UNIT);
}

TEST(huge_pages)
{
	NEEDS_QEMU;
	CLEANUP(buf_done) struct buf meminfo = {};
	struct error err;
	CHECK(file_read("/proc/meminfo", 1 << 16, &meminfo, &err) == 0);
	const char *free_pages = strstr(buf_text(&meminfo), "HugePages_Free:");
	if (!free_pages || strtol(free_pages + strlen("HugePages_Free:"), NULL, 10) < 64)
		SKIP("the host has no 64 huge pages to spare");
	CLEANUP(sample_done) struct sample s;
	init(&s);
	s.vm.memory.hugepages = true;
	check_starts_as(&s, QEMU_FORM_UNIT);
}

TEST(long_wwn)
{
	NEEDS_QEMU;
	CLEANUP(sample_done) struct sample s;
	init(&s);
	sample_volume(&s, "a", "raw")->wwn = "0x60014051234567890123456789ABCDEF";
	check_starts_as(&s, QEMU_FORM_UNIT);
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
	init(&s);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		sample_volume(&s, names[i], "raw")->serial = names[i];
	start(&s, QEMU_FORM_STANDALONE, &out);
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
	init(&s);
	sample_volumes(&s, "d", "raw-block", 5);
	sample_volume(&s, "cd", "iso-scsi");
	start(&s, QEMU_FORM_UNIT, &out);
	for (int i = 0; i < 5; i++) {
		CLEANUP(freep) char *node = xasprintf("disk-d%d", i);
		check_node(&out, node, NULL, (i + 1) * MIB);
	}
	check_node(&out, "disk-cd", "/dev/fdset/6", 6 * MIB);
}

__attribute__((constructor)) static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(work_dir))
		abort();
}

__attribute__((destructor)) static void tear_down(void)
{
	struct error err;
	if (remove_tree(work_dir, &err) < 0)
		printf("# %s\n", err.text);
}

TEST_MAIN()
