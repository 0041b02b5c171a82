/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of util/file.h. Full disks are real: a file size limit, and a tiny tmpfs where root may
 * mount one. Short and interrupted writes come from a write() of our own.
 */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "scratch.h"
#include "test.h"
#include "util/mem.h"

/* A write() that writes at most so many bytes at a time and is interrupted before each; 0: off. */
static size_t write_step;
static bool write_interrupted;

ssize_t write(int fd, const void *data, size_t len)
{
	if (write_step) {
		write_interrupted = !write_interrupted;
		if (write_interrupted) {
			errno = EINTR;
			return -1;
		}
		if (len > write_step)
			len = write_step;
	}
	return syscall(SYS_write, fd, data, len);
}

static char *dir;

/* Each test works in a directory of its own. */
static void make_dir(void)
{
	free(dir);
	dir = test_directory();
}

static void remove_dir(void)
{
	struct error err = {};
	if (remove_tree(dir, &err) != 0)
		TEST_FAIL("%s", err.text);
	free(take_ptr(dir));
}

/* DIR/NAME, valid for a few calls. */
static const char *in_dir(const char *name)
{
	static char *ring[4];
	static unsigned at;
	char **slot = &ring[at++ % 4];
	free(*slot);
	*slot = xasprintf("%s/%s", dir, name);
	return *slot;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		TEST_FAIL("cannot prepare %s: %m", path);
}

static void check_contents(const char *path, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (file_read(path, 1 << 20, &text, &err) < 0)
		TEST_FAIL("%s", err.text);
	else
		CHECK_STR(buf_text(&text), expected);
}

/* The names in a directory with a space behind each. */
static void check_names(const char *path, const char *expected)
{
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(buf_done) struct buf text = {};
	CHECK_INT(dir_list(path, &names, NULL), 0);
	for (size_t i = 0; i < names.n; i++)
		buf_printf(&text, "%s ", names.items[i]);
	CHECK_STR(buf_text(&text), expected);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

TEST(read_appends)
{
	make_dir();
	CLEANUP(buf_done) struct buf text = {};
	put(in_dir("f"), "one");
	buf_puts(&text, "zero ");
	CHECK_INT(file_read(in_dir("f"), 3, &text, NULL), 0);
	CHECK_STR(buf_text(&text), "zero one");
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(file_read_at(dirfd, "f", 3, &text, NULL), 0);
	CHECK_STR(buf_text(&text), "zero oneone");
	close(dirfd);
	remove_dir();
}

TEST(read_takes_any_length)
{
	make_dir();
	static const size_t lengths[] = { 0, 1, 4095, 4096, 4097, 100000 };
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		CLEANUP(buf_done) struct buf text = {};
		CLEANUP(freep) char *data = xcalloc(1, lengths[i] + 1);
		memset(data, 'a', lengths[i]);
		put(in_dir("f"), data);
		CHECK_INT(file_read(in_dir("f"), lengths[i], &text, NULL), 0);
		CHECK_INT(text.len, lengths[i]);
		CHECK_STR(buf_text(&text), data);
	}
	remove_dir();
}

TEST(read_does_not_trust_the_size)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	/* The kernel says 0 for all of these. */
	CHECK_INT(file_read("/proc/self/status", 1 << 20, &text, &err), 0);
	CHECK(strstr(buf_text(&text), "Pid:") != NULL);
	size_t len = text.len;
	CHECK_INT(file_read("/proc/self/status", 8, &text, &err), -EFBIG);
	CHECK_STR(err.text, "cannot read '/proc/self/status': it is larger than 8 bytes");
	CHECK_INT(text.len, len);
}

TEST(read_refuses)
{
	make_dir();
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *expected = NULL;
	struct error err = {};
	buf_puts(&text, "kept");
	put(in_dir("f"), "four");
	CHECK_INT(file_read(in_dir("f"), 3, &text, &err), -EFBIG);
	CHECK_INT(file_read(in_dir("absent"), 9, &text, &err), -ENOENT);
	expected = xasprintf("cannot open '%s/absent': No such file or directory", dir);
	CHECK_STR(err.text, expected);
	CHECK_INT(file_read(dir, 9, &text, &err), -EINVAL);
	CHECK_INT(mkfifo(in_dir("fifo"), 0600), 0);
	CHECK_INT(file_read(in_dir("fifo"), 9, &text, &err), -EINVAL);
	CHECK_INT(file_read("/dev/null", 9, &text, &err), -EINVAL);
	CHECK_STR(err.text, "cannot read '/dev/null': it is a device");
	CHECK_STR(buf_text(&text), "kept");
	remove_dir();
}

TEST(write_all_goes_on)
{
	make_dir();
	int fd = open(in_dir("f"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	write_step = 3;
	int r = write_all(fd, "ten bytes.", 10);
	write_step = 0;
	CHECK_INT(r, 0);
	CHECK_INT(write_all(fd, NULL, 0), 0);
	close(fd);
	check_contents(in_dir("f"), "ten bytes.");
	fd = open(in_dir("f"), O_RDONLY | O_CLOEXEC);
	CHECK_INT(write_all(fd, "x", 1), -EBADF);
	close(fd);
	remove_dir();
}

TEST(replace)
{
	make_dir();
	mode_t old_mask = umask(077);
	CHECK_INT(file_replace(in_dir("f"), "new", 3, 0644, NULL), 0);
	check_contents(in_dir("f"), "new");
	CHECK_INT(mode_of(in_dir("f")), 0644);
	CHECK_INT(file_replace(in_dir("f"), "newer", 5, 0600, NULL), 0);
	check_contents(in_dir("f"), "newer");
	CHECK_INT(mode_of(in_dir("f")), 0600);
	umask(old_mask);
	check_names(dir, "f ");
	remove_dir();
}

TEST(replace_puts_a_file_in_place_of_a_link)
{
	make_dir();
	put(in_dir("target"), "kept");
	CHECK_INT(symlink("target", in_dir("link")), 0);
	CHECK_INT(file_replace(in_dir("link"), "new", 3, 0644, NULL), 0);
	check_contents(in_dir("target"), "kept");
	check_contents(in_dir("link"), "new");
	remove_dir();
}

TEST(replace_with_a_relative_name)
{
	make_dir();
	CLEANUP(closep) int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_INT(chdir(dir), 0);
	CHECK_INT(file_replace("f", "x", 1, 0644, NULL), 0);
	CHECK_INT(fchdir(here), 0);
	check_contents(in_dir("f"), "x");
	remove_dir();
}

TEST(replace_that_fails_leaves_the_old)
{
	make_dir();
	struct error err = {};
	CHECK_INT(file_replace(in_dir("no/f"), "x", 1, 0644, &err), -ENOENT);
	CHECK(strstr(err.text, "cannot write '") != NULL);
	CHECK_INT(mkdir(in_dir("d"), 0755), 0);
	CHECK_INT(file_replace(in_dir("d"), "x", 1, 0644, &err), -EISDIR);
	CHECK(strstr(err.text, "cannot replace '") != NULL);
	check_names(dir, "d ");
	remove_dir();
}

/* Half of the data can be written, the rest is EFBIG: write(2) is short first. */
TEST(replace_at_a_size_limit_leaves_the_old)
{
	make_dir();
	CLEANUP(freep) char *data = xcalloc(1, 4000);
	struct rlimit old, tight;
	put(in_dir("f"), "old");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	tight = (struct rlimit){ .rlim_cur = 2000, .rlim_max = old.rlim_max };
	struct error err = {};
	CLEANUP(file_batch_done) struct file_batch batch = {};
	CHECK_INT(file_batch_init(&batch, dir, &err), 0);
	setrlimit(RLIMIT_FSIZE, &tight);
	int r = file_replace(in_dir("f"), data, 4000, 0644, &err);
	int batch_r = file_batch_add(&batch, "f", data, 4000, 0644, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	CHECK_INT(r, -EFBIG);
	CHECK_INT(batch_r, -EFBIG);
	check_contents(in_dir("f"), "old");
	check_names(dir, "f ");
	remove_dir();
}

/* A file system of 64 KiB at DIR in a mount namespace of this process. */
static bool mount_tiny(void)
{
	static bool alone;
	if (!alone && (unshare(CLONE_NEWNS) < 0 ||
				      mount("", "/", "", MS_REC | MS_PRIVATE, NULL) < 0))
		return false;
	alone = true;
	return mount("machina-test", dir, "tmpfs", 0, "size=64k") == 0;
}

TEST(full_disk_leaves_the_old)
{
	make_dir();
	if (!mount_tiny()) {
		remove_dir();
		SKIP("this process may not mount a tmpfs");
	}
	CLEANUP(freep) char *data = xcalloc(1, 80000);
	struct error err = {};
	put(in_dir("f"), "old");
	CHECK_INT(file_replace(in_dir("f"), data, 80000, 0644, &err), -ENOSPC);
	CHECK(strstr(err.text, "/f': No space left on device") != NULL);
	check_contents(in_dir("f"), "old");
	{
		CLEANUP(file_batch_done) struct file_batch batch = {};
		CHECK_INT(file_batch_init(&batch, dir, &err), 0);
		CHECK_INT(file_batch_add(&batch, "g", data, 20000, 0644, &err), 0);
		CHECK_INT(file_batch_add(&batch, "f", data, 20000, 0644, &err), 0);
		CHECK_INT(file_batch_add(&batch, "h", data, 40000, 0644, &err), -ENOSPC);
	}
	check_contents(in_dir("f"), "old");
	check_names(dir, "f ");
	CHECK_INT(umount(dir), 0);
	remove_dir();
}

TEST(batch_replaces_at_commit)
{
	make_dir();
	struct error err = {};
	put(in_dir("a"), "old a");
	mode_t old_mask = umask(077);
	CLEANUP(file_batch_done) struct file_batch batch = {};
	CHECK_INT(file_batch_init(&batch, dir, &err), 0);
	CHECK_INT(file_batch_add(&batch, "a", "new a", 5, 0644, &err), 0);
	CHECK_INT(file_batch_add(&batch, "b", "new b", 5, 0600, &err), 0);
	CHECK_INT(file_batch_add(&batch, "b", "newer b", 7, 0640, &err), 0);
	CHECK_INT(file_batch_add(&batch, "d", "new d", 5, 0640, &err), 0);
	file_batch_drop(&batch, "d");
	file_batch_drop(&batch, "none");
	check_contents(in_dir("a"), "old a");
	CHECK(access(in_dir("b"), F_OK) < 0);
	CHECK_INT(file_batch_commit(&batch, &err), 0);
	umask(old_mask);
	check_names(dir, "a b ");
	check_contents(in_dir("a"), "new a");
	check_contents(in_dir("b"), "newer b");
	CHECK_INT(mode_of(in_dir("a")), 0644);
	CHECK_INT(mode_of(in_dir("b")), 0640);
	/* And once more. */
	CHECK_INT(file_batch_commit(&batch, &err), 0);
	CHECK_INT(file_batch_add(&batch, "c", "c", 1, 0644, &err), 0);
	CHECK_INT(file_batch_commit(&batch, &err), 0);
	check_names(dir, "a b c ");
	remove_dir();
}

TEST(batch_that_is_dropped_leaves_nothing)
{
	make_dir();
	struct error err = {};
	put(in_dir("a"), "old a");
	struct file_batch batch = {};
	CHECK_INT(file_batch_init(&batch, dir, &err), 0);
	CHECK_INT(file_batch_add(&batch, "a", "new a", 5, 0644, &err), 0);
	file_batch_done(&batch);
	file_batch_done(&batch);
	check_names(dir, "a ");
	check_contents(in_dir("a"), "old a");
	CHECK_INT(file_batch_init(&batch, in_dir("absent"), &err), -ENOENT);
	file_batch_done(&batch);
	remove_dir();
}

TEST(batch_names_the_file_that_cannot_be_replaced)
{
	make_dir();
	struct error err = {};
	CHECK_INT(mkdir(in_dir("b"), 0755), 0);
	struct file_batch batch = {};
	CHECK_INT(file_batch_init(&batch, dir, &err), 0);
	CHECK_INT(file_batch_add(&batch, "a", "a", 1, 0644, &err), 0);
	CHECK_INT(file_batch_add(&batch, "b", "b", 1, 0644, &err), 0);
	CHECK_INT(file_batch_add(&batch, "c", "c", 1, 0644, &err), 0);
	CHECK_INT(file_batch_commit(&batch, &err), -EISDIR);
	CLEANUP(freep)
	char *expected = xasprintf("cannot replace '%s/b': Is a directory", dir);
	CHECK_STR(err.text, expected);
	file_batch_done(&batch);
	check_names(dir, "a b ");
	remove_dir();
}

/* A process that is killed in the middle of a batch; returns its number, reaped. */
static pid_t die_in_batch(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct file_batch batch = {};
		if (file_batch_init(&batch, dir, NULL) < 0 ||
				file_batch_add(&batch, "a", "a", 1, 0644, NULL) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status));
	return pid;
}

TEST(what_a_killed_batch_left_is_removed)
{
	make_dir();
	pid_t dead = die_in_batch();
	CLEANUP(strv_done) struct strv names = {};
	CHECK_INT(dir_list(dir, &names, NULL), 0);
	CHECK_INT(names.n, 1);

	/* Those of the living and what only looks alike stay. */
	CLEANUP(strv_done) struct strv others = {};
	strv_pushf(&others, ".a.tmp-%d-1", (int)getppid());
	strv_pushf(&others, ".a.tmp-%d-", (int)dead);
	strv_pushf(&others, ".a.tmp-%d-1x", (int)dead);
	strv_pushf(&others, ".a.tmp--%d-1", (int)dead);
	strv_pushf(&others, ".a.tmp-%d", (int)dead);
	strv_pushf(&others, ".a.tmp-99999999999-1");
	strv_pushf(&others, ".a.tmp-%d-1.tmp-x", (int)dead);
	strv_pushf(&others, ".atmp-%d-1", (int)dead);
	strv_pushf(&others, "a.tmp-%d-1", (int)dead);
	for (size_t i = 0; i < others.n; i++)
		put(in_dir(others.items[i]), "");
	strv_push(&others, "b");

	CLEANUP(file_batch_done) struct file_batch batch = {};
	CHECK_INT(file_batch_init(&batch, dir, NULL), 0);
	CHECK_INT(file_batch_add(&batch, "b", "b", 1, 0644, NULL), 0);
	file_remove_stale(dir);
	CHECK_INT(file_batch_commit(&batch, NULL), 0);
	CHECK_INT(dir_list(dir, &names, NULL), 0);
	strv_sort(&others);
	CHECK_INT(names.n, others.n);
	for (size_t i = 0; i < names.n && i < others.n; i++)
		CHECK_STR(names.items[i], others.items[i]);
	remove_dir();
}

/* What another process adds is replaced with the rest, and goes with it. */
TEST(batch_adopts_files_of_a_forked_process)
{
	make_dir();
	struct error err = {};
	for (int round = 0; round < 2; round++) {
		CLEANUP(file_batch_done) struct file_batch batch = {};
		CHECK_INT(file_batch_init(&batch, dir, &err), 0);
		pid_t pid = fork();
		if (pid == 0)
			_exit(file_batch_add(&batch, "b", "b", 1, 0644, NULL) < 0);
		int status = 1;
		waitpid(pid, &status, 0);
		CHECK_INT(status, 0);
		CLEANUP(strv_done) struct strv names = {};
		CHECK_INT(dir_list(dir, &names, NULL), 0);
		CHECK_INT(names.n, 1);
		/* Its process has ended, but not the one that owns it. */
		file_remove_stale(dir);
		file_batch_adopt(&batch, "b", names.items[0]);
		if (round == 1)
			CHECK_INT(file_batch_commit(&batch, &err), 0);
		file_batch_done(&batch);
		check_names(dir, round ? "b " : "");
	}
	check_contents(in_dir("b"), "b");
	remove_dir();
}

TEST(list_is_in_byte_order)
{
	make_dir();
	static const char *const names[] = { "b", "a", "B", ".hidden", "a.b", "\xc3\xa4", "..." };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		put(in_dir(names[i]), "");
	check_names(dir, "... .hidden B a a.b b \xc3\xa4 ");
	CLEANUP(strv_done) struct strv list = {};
	struct error err = {};
	strv_push(&list, "kept");
	CHECK_INT(dir_list(in_dir("absent"), &list, &err), 1);
	CHECK_INT(dir_list(in_dir("a"), &list, &err), -ENOTDIR);
	CHECK_INT(list.n, 1);
	CHECK_STR(list.items[0], "kept");
	CHECK_INT(dir_list(dir, &list, &err), 0);
	CHECK_INT(list.n, ARRAY_SIZE(names));
	remove_dir();
}

TEST(mkdir_all_makes_parents)
{
	make_dir();
	mode_t old_mask = umask(077);
	CHECK_INT(mkdir(in_dir("old"), 0700), 0);
	CHECK_INT(mkdir_all(in_dir("old//a/./b/"), 0755, NULL), 0);
	CHECK_INT(mkdir_all(in_dir("old/a/b"), 0711, NULL), 0);
	umask(old_mask);
	CHECK_INT(mode_of(in_dir("old")), 0700);
	CHECK_INT(mode_of(in_dir("old/a")), 0755);
	CHECK_INT(mode_of(in_dir("old/a/b")), 0755);
	CHECK_INT(mkdir_all("/", 0755, NULL), 0);
	struct error err = {};
	put(in_dir("f"), "");
	CHECK_INT(mkdir_all(in_dir("f"), 0755, &err), -ENOTDIR);
	CHECK_INT(mkdir_all(in_dir("f/x"), 0755, &err), -ENOTDIR);
	CLEANUP(freep)
	char *expected = xasprintf("cannot make directory '%s/f': Not a directory", dir);
	CHECK_STR(err.text, expected);
	/* A link to a directory is one; a dangling one is not. */
	CHECK_INT(symlink("old", in_dir("link")), 0);
	CHECK_INT(symlink("nowhere", in_dir("dangling")), 0);
	CHECK_INT(mkdir_all(in_dir("link/new"), 0755, &err), 0);
	CHECK_INT(mode_of(in_dir("old/new")), 0755);
	CHECK_INT(mkdir_all(in_dir("dangling/new"), 0755, &err), -ENOENT);
	remove_dir();
}

TEST(remove_tree_stays_inside)
{
	make_dir();
	put(in_dir("kept"), "kept");
	CHECK_INT(mkdir_all(in_dir("t/a/b"), 0755, NULL), 0);
	put(in_dir("t/a/b/f"), "");
	put(in_dir("t/f"), "");
	CHECK_INT(symlink("../../kept", in_dir("t/a/to-file")), 0);
	CHECK_INT(symlink("../..", in_dir("t/a/to-dir")), 0);
	CHECK_INT(symlink("t", in_dir("link")), 0);
	CHECK_INT(mkfifo(in_dir("t/fifo"), 0600), 0);
	CHECK_INT(remove_tree(in_dir("link/"), NULL), 0);
	check_names(in_dir("t"), "a f fifo ");
	CHECK_INT(remove_tree(in_dir("t//"), NULL), 0);
	check_names(dir, "kept ");
	CHECK_INT(remove_tree(in_dir("t"), NULL), 1);
	CHECK_INT(remove_tree(in_dir("kept"), NULL), 0);
	struct error err = {};
	CHECK_INT(remove_tree("/", &err), -EINVAL);
	CHECK_INT(remove_tree("", &err), -EINVAL);
	remove_dir();
}

/* As a process may leave it whose directory it is: deeper than a path may be. */
TEST(remove_tree_gets_to_the_bottom)
{
	struct rlimit before;
	struct error err = {};
	make_dir();
	CHECK_INT(mkdir(in_dir("t"), 0755), 0);
	int fd = open(in_dir("t"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1000; i++) {
		CHECK_INT(mkdirat(fd, "d", 0755), 0);
		CHECK_INT(mkdirat(fd, ".deep-0", 0755), 0);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 100, before.rlim_max }), 0);
	CHECK_INT(remove_tree(in_dir("t"), &err), 0);
	CHECK_STR(err.text, "");
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	check_names(dir, "");
	remove_dir();
}

TEST(remove_tree_does_not_enter_a_mount)
{
	make_dir();
	CLEANUP(freep) char *top = take_ptr(dir);
	dir = xasprintf("%s/t/mnt", top);
	CHECK_INT(mkdir_all(dir, 0755, NULL), 0);
	bool mounted = mount_tiny();
	free(dir);
	dir = take_ptr(top);
	if (!mounted) {
		remove_dir();
		SKIP("this process may not mount a tmpfs");
	}
	/* A bind mount has the device number of its source: the number of the mount must tell. */
	struct error err = {};
	CHECK_INT(mkdir_all(in_dir("t/bound"), 0755, &err), 0);
	CHECK_INT(mkdir_all(in_dir("source"), 0755, &err), 0);
	put(in_dir("source/kept"), "");
	put(in_dir("t/mnt/kept"), "");
	put(in_dir("t/z"), "");
	CHECK_INT(mount(in_dir("source"), in_dir("t/bound"), "", MS_BIND, NULL), 0);
	CHECK_INT(remove_tree(in_dir("t"), &err), -EXDEV);
	CHECK(strstr(err.text, "/t/bound': ") != NULL);
	check_names(in_dir("source"), "kept ");
	check_names(in_dir("t/mnt"), "kept ");
	check_names(in_dir("t"), "bound mnt ");
	CHECK_INT(umount(in_dir("t/bound")), 0);
	CHECK_INT(umount(in_dir("t/mnt")), 0);
	remove_dir();
}

TEST(paths_are_cleaned_as_by_go)
{
	/* The rows of Go's own test of path/filepath.Clean, and some more. */
	static const char *const rows[][2] = {
		{ "abc", "abc" },
		{ "abc/def", "abc/def" },
		{ "a/b/c", "a/b/c" },
		{ ".", "." },
		{ "..", ".." },
		{ "../..", "../.." },
		{ "../../abc", "../../abc" },
		{ "/abc", "/abc" },
		{ "/", "/" },
		{ "", "." },
		{ "abc/", "abc" },
		{ "abc/def/", "abc/def" },
		{ "./", "." },
		{ "../", ".." },
		{ "../../", "../.." },
		{ "/abc/", "/abc" },
		{ "abc//def//ghi", "abc/def/ghi" },
		{ "abc//", "abc" },
		{ "//abc", "/abc" },
		{ "///abc", "/abc" },
		{ "//abc//", "/abc" },
		{ "abc/./def", "abc/def" },
		{ "/./abc/def", "/abc/def" },
		{ "abc/.", "abc" },
		{ "abc/def/ghi/../jkl", "abc/def/jkl" },
		{ "abc/def/../ghi/../jkl", "abc/jkl" },
		{ "abc/def/..", "abc" },
		{ "abc/def/../..", "." },
		{ "/abc/def/../..", "/" },
		{ "abc/def/../../..", ".." },
		{ "/abc/def/../../..", "/" },
		{ "abc/def/../../../ghi/jkl/../../../mno", "../../mno" },
		{ "/../abc", "/abc" },
		{ "a/../b:/../../c", "../c" },
		{ "abc/./../def", "def" },
		{ "abc//./../def", "def" },
		{ "abc/../../././../def", "../../def" },
		{ "...", "..." },
		{ "a/..b/.c", "a/..b/.c" },
		{ "/..", "/" },
		{ "a/b/../../../..", "../.." },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *clean = path_clean(rows[i][0]);
		CHECK_STR(clean, rows[i][1]);
		CLEANUP(freep) char *again = path_clean(clean);
		CHECK_STR(again, clean);
	}
}

TEST(paths_are_joined)
{
	static const char *const rows[][3] = {
		{ "", "", "" },
		{ "a", "", "a" },
		{ "", "b", "b" },
		{ "a", "b", "a/b" },
		{ "a/", "/b", "a/b" },
		{ "/srv", "../b.raw", "/b.raw" },
		{ "", "/x//y", "/x/y" },
		{ "/", "b", "/b" },
		{ "/srv/vm", "x y,z", "/srv/vm/x y,z" },
		{ ".", "b", "b" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *joined = path_join(rows[i][0], rows[i][1]);
		CHECK_STR(joined, rows[i][2]);
	}
}

TEST(links_end_in_the_root)
{
	static const char *const links[][2] = {
		{ "etc", "/usr/etc" },
		{ "usr/etc/up", "../../../../a" },
		{ "usr/etc/here", "." },
		{ "a", "./b//c/" },
		{ "gone", "/nowhere/x" },
		{ "loop", "pool" },
		{ "pool", "/loop" },
		{ "host", "/" },
	};
	static const char *const rows[][2] = {
		{ "/", "" },
		{ "/x/y", "/x/y" },
		{ "/../x/./y/..", "/x" },
		{ "/etc", "/usr/etc" },
		{ "/etc/machina/x", "/usr/etc/machina/x" },
		{ "/etc/up/d", "/b/c/d" },
		{ "/etc/here/here/f", "/usr/etc/f" },
		{ "/gone/y", "/nowhere/x/y" },
		{ "/host/host/etc/f", "/usr/etc/f" },
	};
	scratch_begin();
	make_directory("usr/etc");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		CHECK_INT(symlink(links[i][1], scratch_path(links[i][0])), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err;
		CLEANUP(freep) char *found = NULL;
		CHECK_INT(path_in_root(scratch_dir, rows[i][0], &found, &err), 0);
		CHECK(!strncmp(found, scratch_dir, strlen(scratch_dir)));
		CHECK_STR(found + strlen(scratch_dir), rows[i][1]);
	}
	char *found;
	struct error err;
	CHECK_INT(path_in_root(scratch_dir, "/usr/../loop/x", &found, &err), -ELOOP);
	scratch_end();

	CHECK_INT(path_in_root("", "/nowhere/../x", &found, &err), 0);
	CHECK_STR(found, "/x");
	free(found);
}
TEST_MAIN()
