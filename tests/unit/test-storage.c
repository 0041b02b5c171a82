/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening volumes: what is opened how, and what is refused with which words. */
#include "host/storage/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "host/os/memory.h"
#include "scratch.h"
#include "test.h"

/* A volume called "os" of the pool "guest-data". */
static struct storage_file volume(const char *name)
{
	return (struct storage_file){
		.path = scratch_path(name), .volume = "os", .pool = "guest-data", .writable = true
	};
}

static void check_refused(const struct storage_file *file, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(storage_open(file, &fd, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
	CHECK_INT(fd, -1);
}

static void check_copy_refused(const struct storage_file *file, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(storage_copy(file, &fd, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
	CHECK_INT(fd, -1);
}

TEST(the_mode_is_the_one_asked_for)
{
	scratch_begin();
	put_file("x.raw", "data");
	for (int i = 0; i < 4; i++) {
		struct storage_file file = volume("x.raw");
		file.writable = i & 1;
		file.direct = i & 2;
		struct error err = {};
		int fd = -1;
		if (storage_open(&file, &fd, &err) < 0) {
			TEST_FAIL("%s", err.text);
			continue;
		}
		int flags = fcntl(fd, F_GETFL);
		CHECK_INT(flags & O_ACCMODE, file.writable ? O_RDWR : O_RDONLY);
		CHECK_INT(flags & O_DIRECT, file.direct ? O_DIRECT : 0);
		CHECK_INT(flags & (O_NONBLOCK | O_PATH | O_APPEND), 0);
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
	scratch_end();
}

TEST(links_are_followed)
{
	scratch_begin();
	put_file("real", "data");
	CHECK_INT(symlink("real", scratch_path("link")), 0);
	struct storage_file file = volume("link");
	struct stat opened, real;
	int fd = -1;
	CHECK_INT(storage_open(&file, &fd, NULL), 0);
	CHECK_INT(fstat(fd, &opened), 0);
	CHECK_INT(stat(scratch_path("real"), &real), 0);
	CHECK_INT(opened.st_ino, real.st_ino);
	close(fd);
	scratch_end();
}

/* A link that belongs to @owner. */
static void put_link(const char *target, const char *name, uid_t owner)
{
	CHECK_INT(symlink(target, scratch_path(name)), 0);
	CHECK_INT(lchown(scratch_path(name), owner, owner), 0);
}

static void check_opens(const struct storage_file *file, const char *real)
{
	struct stat opened, wanted;
	struct error err = {};
	int fd = -1;
	if (storage_open(file, &fd, &err) < 0) {
		TEST_FAIL("%s", err.text);
		return;
	}
	CHECK_INT(fstat(fd, &opened), 0);
	CHECK_INT(stat(scratch_path(real), &wanted), 0);
	CHECK_INT(opened.st_ino, wanted.st_ino);
	close(fd);
}

TEST(a_link_of_another_user_leads_to_what_is_that_users)
{
	enum { ALICE = 64123, BOB = 64124 };
	if (geteuid() != 0)
		SKIP("only root has users of its own to try it with");
	scratch_begin();
	make_directory("alice/deep");
	put_file("root.raw", "data");
	put_file("alice/deep/own.raw", "data");
	CHECK_INT(chown(scratch_path("alice/deep/own.raw"), ALICE, ALICE), 0);

	put_link("../root.raw", "alice/secret.raw", ALICE);
	struct storage_file file = volume("alice/secret.raw");
	check_refused(&file, EPERM,
			"volume 'os' (pool 'guest-data'): 'DIR/alice/secret.raw' cannot be opened: "
			"the link 'DIR/alice/secret.raw' was made by user 64123 and leads to what "
			"is not that user's; if it is right, give it to root with: chown -h root "
			"'DIR/alice/secret.raw'");
	CHECK_INT(lchown(scratch_path("alice/secret.raw"), 0, 0), 0);
	check_opens(&file, "root.raw");

	put_link("deep/own.raw", "alice/own.raw", ALICE);
	file = volume("alice/own.raw");
	check_opens(&file, "alice/deep/own.raw");

	/* On the way, with a name of the whole path, and behind a link of root's. */
	put_link(scratch_dir, "alice/all", ALICE);
	put_link("alice//all/.", "way", 0);
	file = volume("way/root.raw");
	check_refused(&file, EPERM,
			"volume 'os' (pool 'guest-data'): 'DIR/way/root.raw' cannot be opened: the "
			"link 'DIR/alice/all' was made by user 64123 and leads to what is not that "
			"user's; if it is right, give it to root with: chown -h root "
			"'DIR/alice/all'");
	file = volume("way/../alice/own.raw");
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/way/../alice/own.raw' does not "
			"exist, "
			"nor does its directory; mount its file system, or if it is new, create it "
			"with: mkdir -p 'DIR/way/../alice' && qemu-img create -f raw "
			"'DIR/way/../alice/own.raw' SIZE");
	file = volume("way/alice/deep/own.raw");
	check_opens(&file, "alice/deep/own.raw");

	/* Nothing is both alice's and bob's. */
	put_link("alice/all/alice/own.raw", "of-bob", BOB);
	file = volume("of-bob");
	check_refused(&file, EPERM,
			"volume 'os' (pool 'guest-data'): 'DIR/of-bob' cannot be opened: the link "
			"'DIR/of-bob' was made by user 64124 and leads to what is not that user's; "
			"if it is right, give it to root with: chown -h root 'DIR/of-bob'");

	put_link("loop", "loop", 0);
	file = volume("loop");
	check_refused(&file, ELOOP,
			"volume 'os' (pool 'guest-data'): 'DIR/loop' cannot be opened: Too many "
			"levels of symbolic links");
	scratch_end();
}

TEST(a_missing_file_can_be_created)
{
	scratch_begin();
	struct storage_file file = volume("x.raw");
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/x.raw' does not exist; create it "
			"with: qemu-img create -f raw 'DIR/x.raw' SIZE");
	file.qcow2 = true;
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/x.raw' does not exist; create it "
			"with: qemu-img create -f qcow2 'DIR/x.raw' SIZE");
	/* A link to nothing is there, and a file made by its name would be elsewhere. */
	put_link("away/x.raw", "away.raw", 0);
	file = volume("away.raw");
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/away.raw' does not exist: it is a "
			"link to 'away/x.raw', and nothing is there; mount its file system, or "
			"correct the link");
	file = volume("x.raw");
	/* Nobody wants an empty CD. */
	file.writable = false;
	check_refused(&file, ENOENT, "volume 'os' (pool 'guest-data'): 'DIR/x.raw' does not exist");
	/* Whoever pastes the command has it done to that file. */
	file = volume("alice's.raw");
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/alice's.raw' does not exist; create "
			"it with: qemu-img create -f raw 'DIR/alice'\\''s.raw' SIZE");
	file = volume("no/x.raw");
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/no/x.raw' does not exist, nor does "
			"its directory; mount its file system, or if it is new, create it with: "
			"mkdir -p 'DIR/no' && qemu-img create -f raw 'DIR/no/x.raw' SIZE");
	file.firmware = "/none/CODE.fd";
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/no/x.raw' does not exist, nor does "
			"its directory; mount its file system, or if it is new, copy the "
			"variables that came with the firmware there, as with: install -D -m 0600 "
			"'/usr/share/OVMF/OVMF_VARS_4M.fd' 'DIR/no/x.raw'");
	file = volume("no/x.iso");
	file.writable = false;
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/no/x.iso' does not exist, nor does "
			"its directory; mount its file system, or put it there");
	struct storage_file given = { .path = scratch_path("vmlinuz") };
	check_copy_refused(&given, ENOENT, "'DIR/vmlinuz' does not exist");
	CHECK_INT(symlink("nowhere", scratch_path("link")), 0);
	file = volume("link");
	file.writable = false;
	check_refused(&file, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/link' does not exist: it is a link "
			"to 'nowhere', and nothing is there; mount its file system, or correct the "
			"link");
	scratch_end();
}

TEST(other_types_are_refused_without_opening_them)
{
	scratch_begin();
	make_directory("dir");
	/* Opening it for reading would wait for a writer. */
	CHECK_INT(mkfifo(scratch_path("fifo"), 0600), 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, scratch_path("socket"));
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	close(s);
	static const char *const names[][2] = {
		{ "dir", "directory" },
		{ "fifo", "FIFO" },
		{ "socket", "socket" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct storage_file file = volume(names[i][0]);
		CLEANUP(freep)
		char *text = xasprintf("volume 'os' (pool 'guest-data'): 'DIR/%s' is a %s, not a "
				       "file",
				names[i][0], names[i][1]);
		check_copy_refused(&file, EINVAL, text);
		CLEANUP(freep) char * or = xasprintf("%s or a block device", text);
		check_refused(&file, EINVAL, or);
	}
	struct storage_file null = { .path = "/dev/null" };
	check_refused(&null, EINVAL,
			"'/dev/null' is a character device, not a file or a block device");
	scratch_end();
}

TEST(block_devices_are_volumes)
{
	if (geteuid() != 0)
		SKIP("only root makes device nodes");
	scratch_begin();
	/* A loop device that is not set up can be opened. */
	if (mknod(scratch_path("disk"), S_IFBLK | 0600, makedev(7, 0)) < 0)
		SKIP("device nodes cannot be made here");
	struct storage_file file = volume("disk");
	/* QEMU's arguments and the unit know it by its path only. */
	check_refused(&file, EINVAL,
			"volume 'os' (pool 'guest-data'): 'DIR/disk' is a block device, which has "
			"to be named by a path below '/dev': set \"path\" of the pool so");
	file.device = true;
	CHECK_INT(storage_check(&file, 0, NULL), 0);
	/* Nor is it read, where the start would read it. */
	struct storage_file image = file;
	image.qcow2 = true;
	CHECK_INT(storage_check(&image, 0, NULL), 0);
	struct error err = {};
	int fd = -1;
	int r = storage_open(&file, &fd, &err);
	if (r == -ENXIO || r == -ENODEV)
		test_skip_reason = "this kernel has no loop devices";
	else if (r == 0)
		CHECK_INT(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	else if (r == -EPERM)
		CHECK_STR(without_scratch(err.text),
				"volume 'os' (pool 'guest-data'): 'DIR/disk': the unit does not "
				"allow this device; make it anew with 'machina generate'");
	else
		TEST_FAIL("%s", err.text);
	if (fd >= 0)
		close(fd);
	check_copy_refused(&file, EINVAL,
			"volume 'os' (pool 'guest-data'): 'DIR/disk' is a block device, not a "
			"file");
	scratch_end();
}

TEST(what_is_no_device_is_refused_where_one_has_to_be)
{
	scratch_begin();
	put_file("disk", "data");
	struct storage_file file = volume("disk"), missing = volume("none");
	file.device = missing.device = true;
	check_refused(&file, EINVAL,
			"volume 'os' (pool 'guest-data'): 'DIR/disk' is a file, not a block "
			"device, as a volume below '/dev' has to be");
	check_refused(&missing, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/none' does not exist");
	/* As of a volume group that is not active. */
	missing = volume("vg/none");
	missing.device = true;
	check_refused(&missing, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/vg/none' does not exist, nor does "
			"its directory; is its disk there, and its volume group active?");
	scratch_end();
}

static void check_found(const struct storage_file *file, mode_t type, int code, const char *text)
{
	struct error err = {};
	CHECK_INT(storage_check(file, type, &err), -code);
	CHECK_STR(without_scratch(err.text), text);
}

TEST(a_look_tells_what_opening_would)
{
	scratch_begin();
	put_file("disk", "");
	make_directory("dir");
	struct storage_file disk = volume("disk"), dir = volume("dir"), none = volume("none");
	check_found(&disk, 0, 0, "");
	check_found(&disk, S_IFREG, 0, "");
	check_found(&dir, S_IFDIR, 0, "");
	check_found(&disk, S_IFDIR, ENOTDIR,
			"volume 'os' (pool 'guest-data'): 'DIR/disk' is not a directory");
	check_found(&dir, S_IFREG, EINVAL,
			"volume 'os' (pool 'guest-data'): 'DIR/dir' is a directory, not a file");
	check_found(&dir, 0, EINVAL,
			"volume 'os' (pool 'guest-data'): 'DIR/dir' is a directory, not a file or "
			"a block device");
	CLEANUP(freep) char *code = xstrdup(scratch_path("OVMF_CODE_4M.ms.fd"));
	none.firmware = code;
	check_found(&none, 0, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/none' does not exist; copy the "
			"variables that came with the firmware there, as with: install -D -m 0600 "
			"'/usr/share/OVMF/OVMF_VARS_4M.fd' 'DIR/none'");
	/* Others than those of its code would take Secure Boot away. */
	put_file("OVMF_VARS_4M.ms.fd", "");
	check_found(&none, 0, ENOENT,
			"volume 'os' (pool 'guest-data'): 'DIR/none' does not exist; copy the "
			"variables that came with the firmware there, as with: install -D -m 0600 "
			"'DIR/OVMF_VARS_4M.ms.fd' 'DIR/none'");
	scratch_end();
}

TEST(a_read_only_file_system_is_named)
{
	if (geteuid() != 0)
		SKIP("only root mounts");
	scratch_begin();
	make_directory("ro");
	if (mount("machina-test", scratch_path("ro"), "tmpfs", 0, "size=1m") < 0)
		SKIP("nothing can be mounted here");
	put_file("ro/x.raw", "data");
	CHECK_INT(mount("none", scratch_path("ro"), "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
	struct storage_file file = volume("ro/x.raw");
	check_refused(&file, EROFS,
			"volume 'os' (pool 'guest-data'): 'DIR/ro/x.raw' is on a read-only file "
			"system; set \"readonly\" of the pool if the guest may only read");
	file.writable = false;
	int fd = -1;
	CHECK_INT(storage_open(&file, &fd, NULL), 0);
	close(fd);
	CHECK_INT(umount(scratch_path("ro")), 0);
	scratch_end();
}

TEST(a_file_system_without_direct_access_is_named)
{
	scratch_begin();
	/* sysfs has none; its files are regular ones. */
	struct storage_file file = {
		.path = "/sys/kernel/notes", .volume = "os", .pool = "guest-data", .direct = true
	};
	if (access(file.path, R_OK) < 0)
		SKIP("/sys/kernel/notes is not there");
	check_refused(&file, EINVAL,
			"volume 'os' (pool 'guest-data'): '/sys/kernel/notes' is on a file system "
			"without direct access; set \"cache\" of the volume or its pool to "
			"\"writeback\"");
	scratch_end();
}

/* ---- qcow2 ---- */

struct qcow2_head {
	unsigned char bytes[112];
};

static struct qcow2_head qcow2_head(unsigned char version)
{
	struct qcow2_head head = { { 'Q', 'F', 'I', 0xfb, 0, 0, 0, version } };
	return head;
}

static void check_qcow2(const struct qcow2_head *head, size_t len, int code, const char *text)
{
	put_bytes("x.qcow2", head, len);
	struct storage_file file = volume("x.qcow2");
	file.qcow2 = true;
	if (code) {
		CLEANUP(freep)
		char *whole = xasprintf("volume 'os' (pool 'guest-data'): 'DIR/x.qcow2': %s", text);
		check_refused(&file, code, whole);
		struct error seen = {};
		CHECK_INT(storage_check(&file, 0, &seen), -code);
		return;
	}
	int fd = -1;
	struct error err = {};
	if (storage_check(&file, 0, &err) < 0)
		TEST_FAIL("%s", err.text);
	if (storage_open(&file, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
}

TEST(qcow2_images_that_stand_alone_are_opened)
{
	scratch_begin();
	struct qcow2_head head = qcow2_head(3);
	check_qcow2(&head, sizeof(head), 0, NULL);
	head = qcow2_head(2);
	check_qcow2(&head, 72, 0, NULL);
	/* Version 2 has no features: there, other things begin at that place. */
	head.bytes[79] = 4;
	check_qcow2(&head, sizeof(head), 0, NULL);
	scratch_end();
}

TEST(qcow2_images_that_need_others_are_refused)
{
	scratch_begin();
	struct qcow2_head head = qcow2_head(3);
	head.bytes[15] = 104; /* where the name is */
	head.bytes[19] = 8;   /* how long it is */
	memcpy(head.bytes + 104, "base.img", 8);
	check_qcow2(&head, sizeof(head), ENOTSUP,
			"it has a backing file ('base.img'), which is not supported; make it stand "
			"alone with: qemu-img convert -O qcow2");
	/* A length or a place that cannot be. */
	head.bytes[16] = 0xff;
	check_qcow2(&head, sizeof(head), ENOTSUP,
			"it has a backing file (''), which is not supported; make it stand alone "
			"with: qemu-img convert -O qcow2");
	head.bytes[16] = 0;
	head.bytes[8] = 0xff;
	check_qcow2(&head, sizeof(head), ENOTSUP,
			"it has a backing file (''), which is not supported; make it stand alone "
			"with: qemu-img convert -O qcow2");
	head = qcow2_head(3);
	head.bytes[79] = 4;
	check_qcow2(&head, sizeof(head), ENOTSUP,
			"it keeps its data in another file, which is not supported; make it stand "
			"alone with: qemu-img convert -O qcow2");
	head = qcow2_head(2);
	head.bytes[35] = 2; /* LUKS; 1 is AES */
	check_qcow2(&head, sizeof(head), ENOTSUP,
			"it is encrypted, which is not supported; the guest can encrypt what it "
			"keeps in a plain one");
	scratch_end();
}

TEST(what_is_no_qcow2_image_is_refused)
{
	scratch_begin();
	static const char no[] = "not a qcow2 image, as the type of its pool says";
	struct qcow2_head head = qcow2_head(3);
	check_qcow2(&head, 0, EINVAL, no);
	check_qcow2(&head, 71, EINVAL, no);
	head.bytes[3] = 0;
	check_qcow2(&head, sizeof(head), EINVAL, no);
	head = qcow2_head(1);
	check_qcow2(&head, sizeof(head), EINVAL, "a qcow2 image of version 1, not 2 or 3");
	head = qcow2_head(4);
	check_qcow2(&head, sizeof(head), EINVAL, "a qcow2 image of version 4, not 2 or 3");
	scratch_end();
}

/* ---- copies ---- */

/* On a busy host the kernel itself is somebody who uses it for a while. */
TEST(a_copy_that_is_in_use_is_sealed_soon)
{
	CLEANUP(closep) int fd = memory_new();
	int ends[2];
	char byte = 0;
	CHECK_INT(ftruncate(fd, 4096), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	pid_t child = fork();
	if (child == 0) {
		if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
			_exit(1);
		if (write(ends[1], "m", 1) != 1 || read(ends[1], &byte, 1) != 1)
			_exit(2);
		usleep(300000);
		_exit(0);
	}
	CHECK_INT(read(ends[0], &byte, 1), 1);
	CHECK_INT(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	CHECK_INT(errno, EBUSY);
	CHECK_INT(write(ends[0], "m", 1), 1);
	CHECK_INT(memory_seal(fd), 0);
	CHECK(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE);
	int status = -1;
	CHECK_INT(waitpid(child, &status, 0), child);
	CHECK_INT(status, 0);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_copy_cannot_be_changed)
{
	scratch_begin();
	static const size_t len = 3 << 20;
	CLEANUP(freep) char *data = xmalloc(len);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 + i / 4096);
	put_bytes("vmlinuz", data, len);
	struct storage_file file = { .path = scratch_path("vmlinuz") };
	struct error err = {};
	int fd = -1;
	CHECK_INT(storage_copy(&file, &fd, &err), 0);
	put_file("vmlinuz", "changed");

	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(lseek(fd, 0, SEEK_CUR), 0);
	CHECK_INT(lseek(fd, 0, SEEK_END), len);
	CLEANUP(freep) char *copy = xmalloc(len);
	CHECK_INT(pread(fd, copy, len, 0), len);
	CHECK(!memcmp(copy, data, len));
	CHECK_INT(pwrite(fd, "x", 1, 0), -1);
	CHECK_INT(ftruncate(fd, 0), -1);
	CHECK_INT(fcntl(fd, F_ADD_SEALS, 0), -1);
	/* Anyone who has the descriptor may open it by name, as QEMU does with a kernel. */
	CHECK_INT(fcntl(fd, F_GET_SEALS) &
					(F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW),
			F_SEAL_SEAL | F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid_t child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		/* The kernel hides descriptors of a process that has changed its user. */
		int again = open(path, O_RDONLY | O_CLOEXEC);
		_exit(again >= 0 || errno == EACCES ? 0 : 1);
	}
	int status = -1;
	waitpid(child, &status, 0);
	CHECK_INT(status, 0);
	close(fd);
	scratch_end();
}

/* It would take as much memory of the host, which a sparse one has not to have on the disk. */
TEST(a_file_without_end_is_no_kernel)
{
	static const char text[] = "'DIR/vmlinuz' is too large: 1048576 MiB, and at most 4096 MiB "
				   "are copied to memory";
	scratch_begin();
	put_file("vmlinuz", "");
	CHECK_INT(truncate(scratch_path("vmlinuz"), (off_t)1 << 40), 0);
	struct storage_file file = { .path = scratch_path("vmlinuz") };
	check_copy_refused(&file, EFBIG, text);
	check_found(&file, S_IFREG, EFBIG, text);
	scratch_end();
}

TEST(an_empty_file_is_no_kernel)
{
	scratch_begin();
	put_file("vmlinuz", "");
	struct storage_file file = { .path = scratch_path("vmlinuz") };
	check_copy_refused(&file, EINVAL, "'DIR/vmlinuz' is empty");
	scratch_end();
}

/* ---- logs ---- */

TEST(a_log_is_appended_to)
{
	scratch_begin();
	mode_t mask = umask(0777);
	struct error err = {};
	int fd = -1;
	CHECK_INT(storage_open_log(scratch_path("log"), 0640, &fd, &err), 0);
	CHECK_INT(mode_at("log"), S_IFREG | 0640);
	CHECK_INT(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_WRONLY | O_APPEND);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_INT(write(fd, "one ", 4), 4);
	close(fd);
	CHECK_INT(storage_open_log(scratch_path("log"), 0600, &fd, &err), 0);
	CHECK_INT(mode_at("log"), S_IFREG | 0600);
	CHECK_INT(write(fd, "two", 3), 3);
	close(fd);
	umask(mask);
	check_file("log", "one two");
	scratch_end();
}

TEST(a_log_is_a_file)
{
	scratch_begin();
	put_file("victim", "kept");
	CHECK_INT(symlink("victim", scratch_path("link")), 0);
	make_directory("dir");
	CHECK_INT(mkfifo(scratch_path("fifo"), 0600), 0);
	struct error err = {};
	int fd = -1;
	CHECK_INT(storage_open_log(scratch_path("link"), 0600, &fd, &err), -ELOOP);
	CHECK_INT(storage_open_log(scratch_path("dir"), 0600, &fd, &err), -EISDIR);
	/* With a reader, it can even be opened. */
	int reader = open(scratch_path("fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK_INT(storage_open_log(scratch_path("fifo"), 0600, &fd, &err), -EINVAL);
	CHECK_STR(without_scratch(err.text), "'DIR/fifo' is a FIFO, not a file");
	close(reader);
	CHECK_INT(storage_open_log(scratch_path("fifo"), 0600, &fd, &err), -ENXIO);
	CHECK_INT(fd, -1);
	check_file("victim", "kept");
	scratch_end();
}

/* ---- directories ---- */

TEST(a_directory_is_read_as_the_user)
{
	static const struct account user = { 64000, 64000 }, member = { 64000, 64001 };
	static const gid_t roots = 0;
	gid_t groups[2] = { 7 };
	/* As a login has it, and a hook of a unit has not. */
	if (geteuid() != 0 || setgroups(1, &roots) < 0)
		SKIP("only root is another user");
	scratch_begin();
	CHECK_INT(chmod(scratch_dir, 0711), 0);
	make_directory("share");
	struct storage_file file = volume("share");
	struct error err = {};
	CHECK_INT(storage_check_directory(&file, &user, &err), 0);

	static const char text[] =
			"volume 'os' (pool 'guest-data'): 'DIR/share' cannot be read by the user "
			"of "
			"the machine's unit; allow it for everyone, also for the directories above "
			"(chmod o+rx)";
	static const mode_t modes[] = { 0750, 0754, 0751 };
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		CHECK_INT(chmod(scratch_path("share"), modes[i]), 0);
		err = (struct error){};
		CHECK_INT(storage_check_directory(&file, &user, &err), -EACCES);
		CHECK_STR(without_scratch(err.text), text);
	}
	/* By its group, which the user has. */
	CHECK_INT(chown(scratch_path("share"), 0, 64001), 0);
	CHECK_INT(chmod(scratch_path("share"), 0750), 0);
	CHECK_INT(storage_check_directory(&file, &member, &err), 0);
	/* A directory above. */
	CHECK_INT(chmod(scratch_dir, 0700), 0);
	CHECK_INT(storage_check_directory(&file, &member, &err), -EACCES);

	/* Root is root again. */
	int fd = -1;
	CHECK_INT(getgroups(ARRAY_SIZE(groups), groups), 1);
	CHECK_INT(groups[0], roots);
	put_file("share/secret", "");
	CHECK_INT(chmod(scratch_path("share/secret"), 0), 0);
	file = volume("share/secret");
	CHECK_INT(storage_open(&file, &fd, &err), 0);
	close(fd);
	scratch_end();
}

TEST(a_directory_is_a_directory)
{
	scratch_begin();
	put_file("file", "");
	struct storage_file file = volume("file");
	file.writable = false;
	const struct account self = { getuid(), getgid() };
	struct error err = {};
	CHECK_INT(storage_check_directory(&file, &self, &err), -ENOTDIR);
	CHECK_STR(without_scratch(err.text),
			"volume 'os' (pool 'guest-data'): 'DIR/file' is not a directory");
	file.path = scratch_path("no");
	CHECK_INT(storage_check_directory(&file, &self, &err), -ENOENT);
	CHECK_STR(without_scratch(err.text),
			"volume 'os' (pool 'guest-data'): 'DIR/no' does not exist");
	scratch_end();
}

TEST_MAIN()
