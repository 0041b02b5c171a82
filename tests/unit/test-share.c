/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shared directory as a mount of its own, and the user namespace in which it is served. */
#include "host/storage/share.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

static const struct account user = { .uid = 64123, .gid = 64124 };

#define NEED_ROOT()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			SKIP("only root makes mounts and namespaces");                             \
	} while (0)

/* "docs", which has @mode and belongs to @owner, in a directory that only root may enter. */
static struct share_tree make_docs(mode_t mode, uid_t owner)
{
	scratch_begin();
	CHECK(mkdir(scratch_path("above"), 0700) == 0);
	CHECK(mkdir(scratch_path("above/docs"), 0700) == 0);
	CHECK(chmod(scratch_path("above/docs"), mode) == 0);
	CHECK(chown(scratch_path("above/docs"), owner, owner) == 0);
	return (struct share_tree){
		.path = scratch_path("above/docs"), .share = "docs", .user = "alice"
	};
}

/* What becomes of a file made through the descriptor: 0 or an errno. */
static int try_to_write(int tree)
{
	int fd = openat(tree, "made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return r;
}

TEST(a_readonly_tree_refuses_root_too)
{
	NEED_ROOT();
	int fd = -1;
	struct share_tree tree = make_docs(0755, 0);
	CHECK_INT(share_open(&tree, &user, &fd, NULL), 0);
	CHECK_INT(try_to_write(fd), EROFS);
	CHECK_INT(faccessat(AT_FDCWD, tree.path, W_OK, 0), 0);
	close(fd);
	scratch_end();
}

TEST(a_link_of_the_user_leads_nowhere_else)
{
	NEED_ROOT();
	int fd = -1;
	struct error err = {};
	struct share_tree tree = make_docs(0755, 0);
	CHECK(symlink(tree.path, scratch_path("link")) == 0);
	CHECK(lchown(scratch_path("link"), user.uid, user.gid) == 0);
	tree.path = scratch_path("link");
	CHECK_INT(share_open(&tree, &user, &fd, &err), -EPERM);
	CHECK_STR(without_scratch(err.text),
			"cannot open directory 'DIR/link' (share 'docs'): the link 'DIR/link' was "
			"made by user 64123 and leads to what is not that user's; if it is right, "
			"give it to root with: chown -h root 'DIR/link'");
	CHECK(lchown(scratch_path("link"), 0, 0) == 0);
	CHECK_INT(share_open(&tree, &user, &fd, NULL), 0);
	close(fd);
	scratch_end();
}

TEST(a_writable_tree_can_be_written)
{
	NEED_ROOT();
	int fd = -1;
	struct share_tree tree = make_docs(0700, user.uid);
	tree.writable = true;
	CHECK_INT(share_open(&tree, &user, &fd, NULL), 0);
	CHECK_INT(try_to_write(fd), 0);
	struct stat st;
	CHECK_INT(stat(scratch_path("above/docs/made"), &st), 0);
	close(fd);
	scratch_end();
}

static void check_refused(
		struct share_tree tree, const struct account *who, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(share_open(&tree, who, &fd, &err), -code);
	if (!strstr(err.text, text))
		TEST_FAIL("expected \"%s\", found \"%s\"", text, err.text);
	CHECK_INT(fd, -1);
	scratch_end();
}

TEST(the_user_has_to_be_able)
{
	NEED_ROOT();
	check_refused(make_docs(0700, 0), &user, EACCES, "user 'alice' can't read directory");
	check_refused(make_docs(0700, 0), &user, EACCES,
			"or allow it with: setfacl -m u:alice:rx '/");
	struct share_tree tree = make_docs(0700, 0);
	tree.writable = true;
	check_refused(tree, &user, EACCES, "user 'alice' can't read and write directory");
	/* It may be "/": nobody is told to open that for writing. */
	tree = make_docs(0755, 0);
	tree.writable = true;
	check_refused(tree, &user, EACCES,
			"and not write to it: Permission denied; share it with \"readonly\": true, "
			"or "
			"give it to that user");
}

TEST(roots_own_groups_are_not_the_users)
{
	static const gid_t roots = 0;
	NEED_ROOT();
	if (setgroups(1, &roots) < 0)
		SKIP("groups cannot be set");
	check_refused(make_docs(0750, 0), &user, EACCES, "user 'alice' can't read directory");
}

TEST(root_serves_nothing)
{
	NEED_ROOT();
	const struct account root = {}, in_roots_group = { .uid = 64123 };
	check_refused(make_docs(0755, 0), &root, EPERM, "user 'alice' is root");
	check_refused(make_docs(0755, 0), &in_roots_group, EPERM, "name another user");
}

TEST(what_is_no_directory_is_refused)
{
	NEED_ROOT();
	struct share_tree tree = make_docs(0755, 0);
	tree.path = "/etc/passwd";
	check_refused(tree, &user, ENOTDIR, "'/etc/passwd' (share 'docs'): Not a directory");
	tree = make_docs(0755, 0);
	tree.path = scratch_path("nowhere");
	check_refused(tree, &user, ENOENT, "(share 'docs'): No such file or directory");
}

/* In a child without groups or capabilities, as virtiofsd begins: 0 if it ends up as root of the
 * namespace and nobody else, else what went wrong. */
static int enter(int users)
{
	if (setgroups(0, NULL) < 0 || setresgid(user.gid, user.gid, user.gid) < 0 ||
			setresuid(user.uid, user.uid, user.uid) < 0)
		return 1;
	if (setns(users, CLONE_NEWUSER) < 0)
		return 2;
	if (geteuid() != 0 || getegid() != 0)
		return 3;
	if (setgroups(0, NULL) < 0 || setresuid(0, 0, 0) < 0)
		return 4;
	/* There is no other user to become, and the host's root is none of its. */
	if (setresuid(1, 1, 1) == 0 || setresgid(1, 1, 1) == 0)
		return 5;
	struct stat st;
	if (stat("/", &st) < 0 || st.st_uid == 0)
		return 6;
	return 0;
}

TEST(the_user_is_root_of_its_namespace)
{
	NEED_ROOT();
	int users = -1, status = -1;
	struct error err = {};
	if (share_make_users(&user, &users, &err) == -ENOSPC)
		SKIP("no user namespace can be made");
	CHECK_STR(err.text, "");
	pid_t child = fork();
	if (child == 0)
		_exit(enter(users));
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(WEXITSTATUS(status), 0);
	/* Who made it has stayed who he was. */
	CHECK_INT(geteuid(), 0);
	close(users);
}

TEST(another_user_does_not_enter_it)
{
	NEED_ROOT();
	int users = -1, status = -1;
	if (share_make_users(&user, &users, NULL) < 0)
		SKIP("no user namespace can be made");
	pid_t child = fork();
	if (child == 0)
		_exit(setresuid(64125, 64125, 64125) < 0 || setns(users, CLONE_NEWUSER) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	close(users);
}

/* In a child. */
static int become_program(int users, int tree)
{
	struct error err = {};
	if (setgroups(0, NULL) < 0 || setresgid(user.gid, user.gid, user.gid) < 0 ||
			setresuid(user.uid, user.uid, user.uid) < 0)
		return -1;
	int r = share_enter(users, tree, &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	return r;
}

/* In a child: 0 if the directory is where the program looks for it, and only for the child. */
static int look_for_it(int users, int tree)
{
	struct stat st, named;
	char path[PATH_MAX];
	if (fstat(tree, &st) < 0)
		return 1;
	if (become_program(users, tree) < 0)
		return 2;
	/* As virtiofsd in Rust does. */
	if (!realpath(VM_SHARE_PLACE, path) || stat(path, &named) < 0)
		return 3;
	if (named.st_dev != st.st_dev || named.st_ino != st.st_ino)
		return 4;
	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) != 0)
		return 5;
	int fd = open(VM_SHARE_PLACE, O_PATH | O_CLOEXEC);
	return try_to_write(fd) == EROFS ? 0 : 6;
}

TEST(the_directory_has_a_path_for_its_program_alone)
{
	NEED_ROOT();
	int users = -1, fd = -1, status = -1;
	struct stat before, after;
	struct share_tree tree = make_docs(0755, user.uid);
	CHECK_INT(share_open(&tree, &user, &fd, NULL), 0);
	if (share_make_users(&user, &users, NULL) < 0)
		SKIP("no user namespace can be made");
	CHECK_INT(stat(VM_SHARE_PLACE, &before), 0);
	pid_t child = fork();
	if (child == 0)
		_exit(look_for_it(users, fd));
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	CHECK_INT(stat(VM_SHARE_PLACE, &after), 0);
	CHECK(before.st_dev == after.st_dev && before.st_ino == after.st_ino);
	close(users);
	close(fd);
	scratch_end();
}

/* In a child: 0 if a file system that the host mounts while the directory is served is not in it.
 */
static int mount_later(int users, const struct share_tree *tree)
{
	const char *below = scratch_path("above/docs/later");
	int fd = -1, to_child[2], to_parent[2], status = -1;
	char byte = 0;
	/* File systems of our own, where mounts reach others as those of a host do. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			mount("docs", tree->path, "tmpfs", 0, "mode=0755") < 0 ||
			mount(NULL, tree->path, NULL, MS_SHARED, NULL) < 0 ||
			mkdir(below, 0755) < 0 || pipe(to_child) < 0 || pipe(to_parent) < 0)
		return 1;
	if (share_open(tree, &user, &fd, NULL) < 0)
		return 2;
	pid_t child = fork();
	if (child == 0) {
		close(to_child[1]);
		int r = become_program(users, fd);
		if (r < 0 || write(to_parent[1], &byte, 1) != 1 || read(to_child[0], &byte, 1) != 1)
			_exit(3);
		int dir = open(VM_SHARE_PLACE "/later", O_PATH | O_CLOEXEC);
		_exit(try_to_write(dir) == EROFS ? 0 : 4);
	}
	close(to_parent[1]);
	if (read(to_parent[0], &byte, 1) == 1 &&
			mount("later", below, "tmpfs", 0, "mode=0777") == 0 &&
			write(to_child[1], &byte, 1) != 1)
		return 5;
	close(to_child[0]);
	close(to_child[1]);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 6;
	return WEXITSTATUS(status);
}

TEST(what_is_mounted_later_is_not_in_it)
{
	NEED_ROOT();
	int users = -1, status = -1;
	struct share_tree tree = make_docs(0755, user.uid);
	if (share_make_users(&user, &users, NULL) < 0)
		SKIP("no user namespace can be made");
	pid_t child = fork();
	if (child == 0)
		_exit(mount_later(users, &tree));
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_INT(status, 0);
	close(users);
	scratch_end();
}

TEST_MAIN()
