/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory on its way between host and guest: lists of hostile guests, and files here. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/agent/tree.h"
#include "scratch.h"
#include "test.h"
#include "util/mem.h"

#define NAMES(tree, text, err) names(tree, text, sizeof(text) - 1, err)

static int names(struct tree *tree, const char *text, size_t len, struct error *err)
{
	CLEANUP(buf_done) struct buf list = {};
	buf_add(&list, text, len);
	*err = (struct error){};
	return tree_read_names(tree, "/d/.", &list, err);
}

static int stats(struct tree *tree, const char *text, struct error *err)
{
	CLEANUP(buf_done) struct buf list = {};
	buf_puts(&list, text);
	*err = (struct error){};
	return tree_read_stats(tree, 0, tree->n, &list, err);
}

TEST(list_of_a_guest_is_taken)
{
	CLEANUP(tree_done) struct tree tree = {};
	CLEANUP(buf_done) struct buf targets = {};
	struct error err;
	CHECK_INT(NAMES(&tree, "/d/.\0/d/./a\0/d/./a/new\nline\0/d/./a/b\0/d/./l\0/d/./s\0", &err),
			0);
	CHECK_INT(stats(&tree, "41ed 4096\n41c0 4096\n8dff 5\n81a4 7\na1ff 3\nc1ff 0\n", &err), 0);
	CHECK_INT(tree.n, 6);
	CHECK_STR(tree.entries[0].path, "");
	CHECK_STR(tree.entries[2].path, "a/new\nline");
	CHECK_INT(tree.entries[1].type, TREE_DIRECTORY);
	CHECK_INT(tree.entries[1].mode, 0700);
	CHECK_INT(tree.entries[2].type, TREE_FILE);
	CHECK_INT(tree.entries[2].mode, 0777); /* without setuid and setgid */
	CHECK_INT(tree.entries[4].type, TREE_LINK);
	CHECK_INT(tree.entries[5].type, TREE_OTHER);
	CHECK_INT(tree_size(&tree), 12);
	buf_add(&targets, "a/b", 4);
	CHECK_INT(tree_read_targets(&tree, &targets, &err), 0);
	CHECK_STR(tree.entries[4].target, "a/b");
}

static void refuses_names(const char *text, size_t len, const char *message)
{
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	CHECK_INT(names(&tree, text, len, &err), -EPROTO);
	CHECK_STR(err.text, message);
}

#define REFUSES(text, message) refuses_names(text, sizeof(text) - 1, message)
#define CANNOT_BE "the guest's list of files has a name that cannot be: "

TEST(names_that_lead_elsewhere_are_refused)
{
	REFUSES("", "the guest's list of files is empty");
	REFUSES("/d/.\0/d/./a", "the guest's list of files ends early");
	REFUSES("/etc\0", CANNOT_BE "'/etc'");
	REFUSES("/d/./a\0", CANNOT_BE "'/d/./a'");
	REFUSES("/d/.\0/etc/passwd\0", CANNOT_BE "'/etc/passwd'");
	REFUSES("/d/.\0/d/..\0", CANNOT_BE "'/d/..'");
	REFUSES("/d/.\0/d/./../x\0", CANNOT_BE "'/d/./../x'");
	REFUSES("/d/.\0/d/./a/../../x\0", CANNOT_BE "'/d/./a/../../x'");
	REFUSES("/d/.\0/d/./a/.\0", CANNOT_BE "'/d/./a/.'");
	REFUSES("/d/.\0/d/.//etc\0", CANNOT_BE "'/d/.//etc'");
	REFUSES("/d/.\0/d/./a/\0", CANNOT_BE "'/d/./a/'");
	REFUSES("/d/.\0/d/./\0", CANNOT_BE "'/d/./'");
	REFUSES("/d/.\0/d/.\0", CANNOT_BE "'/d/.'");
	REFUSES("/d/.\0\0", CANNOT_BE "''");
}

TEST(names_that_no_file_can_have_are_refused)
{
	CLEANUP(buf_done) struct buf deep = {}, longest = {};
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	buf_add(&deep, "/d/.\0/d/.", 9);
	for (int i = 0; i <= TREE_DEPTH_MAX; i++)
		buf_puts(&deep, "/a");
	buf_putc(&deep, '\0');
	CHECK_INT(tree_read_names(&tree, "/d/.", &deep, &err), -EPROTO);
	tree_done(&tree);
	buf_add(&longest, "/d/.\0/d/./", 10);
	for (int i = 0; i < 256; i++)
		buf_putc(&longest, 'n');
	buf_putc(&longest, '\0');
	CHECK_INT(tree_read_names(&tree, "/d/.", &longest, &err), -EPROTO);
}

static void refuses_stats(const char *text)
{
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	CHECK_INT(NAMES(&tree, "/d/.\0/d/./a\0/d/./a/b\0", &err), 0);
	CHECK_INT(stats(&tree, text, &err), -EPROTO);
}

TEST(what_files_are_has_to_be_told_of_each)
{
	refuses_stats("");
	refuses_stats("41ed 0\n41ed 0\n");
	refuses_stats("41ed 0\n41ed 0\n81a4 0");
	refuses_stats("41ed 0\n41ed 0\n81a4 0\n81a4 0\n");
	refuses_stats("41ed 0\n41ed 0\n81a4 -1\n");
	refuses_stats("41ed 0\n41ed 0\n81a4 99999999999999999999\n");
	refuses_stats("41ed 0\n41ed 0\n123456789 1\n");
	refuses_stats("41ed 0\n41ed 0\n 1\n");
	refuses_stats("41ed 0\n41ed 0\n0x1 1\n");
	/* The directory is none, or what a file is in. */
	refuses_stats("81a4 0\n41ed 0\n81a4 0\n");
	refuses_stats("41ed 0\n81a4 0\n81a4 0\n");
	refuses_stats("41ed 0\na1ff 0\n81a4 0\n");
}

TEST(files_stand_behind_their_directories)
{
	struct error err = {};
	CLEANUP(tree_done) struct tree orphan = {}, later = {}, back = {};
	CHECK_INT(NAMES(&orphan, "/d/.\0/d/./a/b\0", &err), 0);
	CHECK_INT(stats(&orphan, "41ed 0\n81a4 0\n", &err), -EPROTO);
	CHECK_INT(NAMES(&later, "/d/.\0/d/./a/b\0/d/./a\0", &err), 0);
	CHECK_INT(stats(&later, "41ed 0\n81a4 0\n41ed 0\n", &err), -EPROTO);
	CHECK_INT(NAMES(&back, "/d/.\0/d/./a\0/d/./a/b\0/d/./a/b/c\0/d/./a/d\0/d/./e\0", &err), 0);
	CHECK_INT(stats(&back, "41ed 0\n41ed 0\n41ed 0\n81a4 0\n81a4 0\n81a4 0\n", &err), 0);
	CHECK_INT(back.entries[3].parent, 2);
	CHECK_INT(back.entries[4].parent, 1);
	CHECK_INT(back.entries[5].parent, 0);
}

TEST(sizes_that_cannot_be_added_are_the_largest)
{
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	CHECK_INT(NAMES(&tree, "/d/.\0/d/./a\0/d/./b\0", &err), 0);
	CHECK_INT(stats(&tree, "41ed 0\n81a4 18446744073709551615\n81a4 1\n", &err), 0);
	CHECK(tree_size(&tree) == UINT64_MAX);
}

static enum tree_type type_of_link(const char *path, const char *target)
{
	struct tree_entry entry = { .type = TREE_LINK };
	struct tree tree = { .entries = &entry, .n = 1 };
	entry.path = xstrdup(path);
	entry.target = xstrdup(target);
	tree_drop_links(&tree);
	free(entry.path);
	free(entry.target);
	return entry.type;
}

TEST(links_stay_in_the_directory)
{
	CHECK_INT(type_of_link("l", "a/b"), TREE_LINK);
	CHECK_INT(type_of_link("l", "."), TREE_LINK);
	CHECK_INT(type_of_link("l", "..a"), TREE_LINK);
	CHECK_INT(type_of_link("a/b/l", "../../c"), TREE_LINK);
	CHECK_INT(type_of_link("a/b/l", ".././../c/"), TREE_LINK);
	CHECK_INT(type_of_link("l", ".."), TREE_OTHER);
	CHECK_INT(type_of_link("l", ""), TREE_OTHER);
	CHECK_INT(type_of_link("l", "/etc/shadow"), TREE_OTHER);
	CHECK_INT(type_of_link("l", "//etc/shadow"), TREE_OTHER);
	CHECK_INT(type_of_link("a/l", "../../etc"), TREE_OTHER);
	/* "up" may lead up by more than a name. */
	CHECK_INT(type_of_link("l", "a/b/up/../../.."), TREE_OTHER);
	CHECK_INT(type_of_link("l", "up/.."), TREE_OTHER);
}

TEST(targets_have_to_be_told_of_each)
{
	CLEANUP(tree_done) struct tree tree = {};
	CLEANUP(buf_done) struct buf none = {}, two = {}, open = {};
	struct error err = {};
	CHECK_INT(NAMES(&tree, "/d/.\0/d/./l\0", &err), 0);
	CHECK_INT(stats(&tree, "41ed 0\na1ff 0\n", &err), 0);
	buf_add(&two, "a\0b", 4);
	buf_add(&open, "a", 1);
	CHECK_INT(tree_read_targets(&tree, &none, &err), -EPROTO);
	CHECK_INT(tree_read_targets(&tree, &open, &err), -EPROTO);
	CHECK_INT(tree_read_targets(&tree, &two, &err), -EPROTO);
}

/* ---- here ---- */

static void fill(int fd)
{
	CHECK_INT(mkdirat(fd, "a", 0750), 0);
	CHECK_INT(mkdirat(fd, "a/b", 0700), 0);
	int file = openat(fd, "a/b/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	CHECK_INT(write(file, "text", 4), 4);
	CHECK_INT(fchmod(file, 04640), 0);
	close(file);
	CHECK_INT(symlinkat("/etc", fd, "a/out"), 0);
	CHECK_INT(mkfifoat(fd, "pipe", 0600), 0);
}

/* An agent is told names in JSON. */
TEST(names_that_are_not_utf_8_are_left_out)
{
	scratch_begin();
	CLEANUP(closep) int fd = open(scratch_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(tree_done) struct tree tree = {}, list = {};
	struct error err = {};
	CHECK_INT(mkdirat(fd, "bad\xff", 0700), 0);
	CHECK_INT(mkdirat(fd, "bad\xff/in", 0700), 0);
	CHECK_INT(symlinkat("bad\xff", fd, "link"), 0);
	CHECK_INT(mkdirat(fd, "n\xc3\xa4me\n", 0700), 0);
	CHECK_INT(tree_read(fd, &tree, &err), 0);
	CHECK_INT(tree.n, 4);
	CHECK_INT(tree.entries[1].type, TREE_OTHER);
	CHECK_INT(tree.entries[2].type, TREE_OTHER);
	CHECK_INT(tree.entries[3].type, TREE_DIRECTORY);
	CHECK_INT(NAMES(&list, "/d/.\0/d/./bad\xff\0", &err), -EILSEQ);
	CHECK(strstr(err.text, "can only be told UTF-8, and '/d/./bad"));
	scratch_end();
}

TEST(directory_here_is_read_without_following)
{
	scratch_begin();
	CLEANUP(closep) int fd = open(scratch_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int file = -1;
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	fill(fd);
	CHECK_INT(tree_read(fd, &tree, &err), 0);
	CHECK_INT(tree.n, 6);
	const char *const paths[] = { "", "a", "a/b", "a/b/f", "a/out", "pipe" };
	const enum tree_type types[] = { TREE_DIRECTORY, TREE_DIRECTORY, TREE_DIRECTORY, TREE_FILE,
		TREE_LINK, TREE_OTHER };
	for (size_t i = 0; i < ARRAY_SIZE(paths) && i < tree.n; i++) {
		CHECK_STR(tree.entries[i].path, paths[i]);
		CHECK_INT(tree.entries[i].type, types[i]);
	}
	CHECK_STR(tree.entries[4].target, "/etc");
	CHECK_INT(tree.entries[3].mode, 0640);
	CHECK_INT(tree_open_file(fd, "a/b/f", &file, &err), 0);
	CHECK(tree_open_file(fd, "a/out/passwd", &file, &err) < 0);
	CHECK(tree_open_file(fd, "a/out", &file, &err) < 0);
	CHECK_INT(tree_open_file(fd, "pipe", &file, &err), -ENXIO);
	scratch_end();
}

TEST(directory_is_made_without_following)
{
	scratch_begin();
	CHECK_INT(mkdir(scratch_path("in"), 0700), 0);
	CHECK_INT(mkdir(scratch_path("out"), 0700), 0);
	CLEANUP(closep) int fd = open(scratch_path("in"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closep) int out = open(scratch_path("out"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(tree_done) struct tree tree = {};
	struct error err = {};
	struct stat st;
	int file = -1;
	CHECK_INT(NAMES(&tree, "/d/.\0/d/./a\0/d/./a/f\0/d/./l\0", &err), 0);
	CHECK_INT(stats(&tree, "41ed 0\n41ff 0\n81a4 1\na1ff 3\n", &err), 0);
	tree.entries[3].target = xstrdup("a/f");
	CHECK_INT(tree_make_directories(fd, &tree, &err), 0);
	CHECK_INT(fstatat(fd, "a", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0700);
	CHECK_INT(tree_make_file(fd, "a/f", &file, &err), 0);
	CHECK_INT(fstat(file, &st), 0);
	CHECK_INT(st.st_mode & 07777, 0600);
	close(file);
	CHECK_INT(tree_make_file(fd, "a/f", &file, &err), -EEXIST);
	CHECK_INT(tree_make_links(fd, &tree, &err), 0);
	CHECK_INT(tree_make_file(fd, "l", &file, &err), -EEXIST);
	CHECK_INT(tree_make_directories(fd, &tree, &err), -EEXIST);
	CHECK_INT(tree_set_modes(fd, &tree, 022, &err), 0);
	CHECK_INT(fstatat(fd, "a", &st, 0), 0);
	CHECK_INT(st.st_mode & 07777, 0755);

	/* Somebody puts a link where a directory was. */
	CHECK_INT(renameat(fd, "a", fd, "old"), 0);
	CHECK_INT(symlinkat("../out", fd, "a"), 0);
	CHECK(tree_make_file(fd, "a/g", &file, &err) < 0);
	CHECK(tree_set_modes(fd, &tree, 0, &err) < 0);
	CHECK(faccessat(out, "g", F_OK, 0) < 0);
	scratch_end();
}

TEST_MAIN()
