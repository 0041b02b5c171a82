/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories and user namespaces for shares. */
#include "host/storage/share.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/os/follow.h"
#include "host/os/guise.h"
#include "util/mem.h"
#include "util/shell.h"

/* ---- the directory ---- */

static int try_as(int fd, const struct account *user, int mode)
{
	CLEANUP(guise_done) struct guise guise = {};
	guise_put_on(&guise, user, NULL);
	/* The program opens it in the same way, from inside. */
	CLEANUP(closep) int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return opened < 0 || faccessat(fd, ".", mode, AT_EACCESS) < 0 ? -errno : 0;
}

static int check_access(const struct share_tree *tree, const struct account *user, int fd,
		struct error *err)
{
	int r = try_as(fd, user, X_OK | (tree->writable ? W_OK : 0));
	if (r >= 0)
		return 0;
	/* Of one that others are to read, such as the system's own, nothing is given away. */
	if (tree->writable && try_as(fd, user, X_OK) >= 0)
		return error_set(err, -r,
				"user '%s' can read directory '%s' (share '%s') and not write to "
				"it: %s; share it with \"readonly\": true, or give it to that "
				"user",
				tree->user, tree->path, tree->share, strerror(-r));
	CLEANUP(freep) char *path = shell_quoted(tree->path);
	return error_set(err, -r,
			"user '%s' can't %s directory '%s' (share '%s'): %s; give it to that user, "
			"or allow it with: setfacl -m u:%s:%s %s",
			tree->user, tree->writable ? "read and write" : "read", tree->path,
			tree->share, strerror(-r), tree->user, tree->writable ? "rwx" : "rx", path);
}

/* As a mount of its own. */
static int open_directory(const struct share_tree *tree, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int path_fd = -1;
	struct error why = {};
	if (follow_open(tree->path, O_DIRECTORY, &path_fd, &why) < 0)
		return error_set(err, why.code, "cannot open directory '%s' (share '%s'): %s",
				tree->path, tree->share, why.text);
	CLEANUP(closep)
	int fd = open_tree(path_fd, "",
			OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
	if (fd < 0)
		return error_errno(err, "cannot open directory '%s' (share '%s')", tree->path,
				tree->share);
	*ret_fd = take_fd(&fd);
	return 0;
}

int share_open(const struct share_tree *tree, const struct account *user, int *ret_fd,
		struct error *err)
{
	if (user->uid == 0 || user->gid == 0)
		return error_set(err, EPERM,
				"share '%s': user '%s' is root, or in root's group; name another "
				"user",
				tree->share, tree->user);
	/* What is mounted below it by either side is nothing to the other: what came from the host
	 * would come without these attributes. */
	struct mount_attr attr = {
		.propagation = MS_PRIVATE,
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			    (tree->writable ? 0 : MOUNT_ATTR_RDONLY),
	};
	CLEANUP(closep) int fd = -1;
	int r = open_directory(tree, &fd, err);
	if (r == 0)
		r = check_access(tree, user, fd, err);
	if (r < 0)
		return r;
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return error_errno(err, "cannot set the mount of directory '%s' (share '%s')",
				tree->path, tree->share);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* ---- the namespace ---- */

/* Root's capabilities with another user's number: that user becomes the owner, also on a host where
 * only root may make namespaces. */
static int unshare_as(const struct account *user)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
	/* By the system's own calls: those of libc change the other threads too. */
	if (syscall(SYS_setresgid, -1, user->gid, -1) < 0 ||
			syscall(SYS_setresuid, -1, user->uid, -1) < 0 ||
			syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &header, data) < 0 || unshare(CLONE_NEWUSER) < 0)
		return -errno;
	return 0;
}

/* In a child: tell how it went, then keep the namespace there until the other end is closed. */
_Noreturn static void hold_namespace(const struct account *user, int fd)
{
	int r = unshare_as(user);
	char end;
	if (write(fd, &r, sizeof(r)) == (ssize_t)sizeof(r))
		while (read(fd, &end, 1) < 0 && errno == EINTR)
			continue;
	_exit(0);
}

static int write_map(pid_t pid, const char *name, uint32_t id, struct error *err)
{
	CLEANUP(freep) char *path = xasprintf("/proc/%d/%s", pid, name);
	CLEANUP(freep) char *text = xasprintf("0 %u 1\n", id);
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return error_errno(err, "cannot map user %u into a user namespace", id);
	return 0;
}

static int take_namespace(
		pid_t pid, const struct account *user, int socket, int *ret_fd, struct error *err)
{
	int told = -EIO;
	ssize_t n;
	while ((n = read(socket, &told, sizeof(told))) < 0 && errno == EINTR)
		continue;
	if (n != (ssize_t)sizeof(told))
		told = -EIO;
	if (told < 0)
		return error_code(err, told,
				"cannot make a user namespace (is the sysctl "
				"user.max_user_namespaces 0?)");
	CLEANUP(freep) char *path = xasprintf("/proc/%d/ns/user", pid);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	int r = write_map(pid, "uid_map", user->uid, err);
	if (r == 0)
		r = write_map(pid, "gid_map", user->gid, err);
	if (r == 0)
		*ret_fd = take_fd(&fd);
	return r;
}

int share_make_users(const struct account *user, int *ret_fd, struct error *err)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "cannot make a pair of sockets");
	CLEANUP(closep) int own = ends[0];
	CLEANUP(closep) int other = ends[1];
	pid_t pid = fork();
	if (pid < 0)
		return error_errno(err, "cannot make a process");
	if (pid == 0) {
		closep(&own);
		hold_namespace(user, other);
	}
	closep(&other);
	int r = take_namespace(pid, user, own, ret_fd, err);
	closep(&own);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return r;
}

int share_enter(int users, int tree, struct error *err)
{
	if (setns(users, CLONE_NEWUSER) < 0)
		return error_errno(err, "cannot enter the user namespace of the share");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the share's user namespace");
	if (unshare(CLONE_NEWNS) < 0)
		return error_errno(err, "cannot make a mount namespace for the share");
	if (move_mount(tree, "", AT_FDCWD, VM_SHARE_PLACE, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(
				err, "cannot mount the share's directory at '" VM_SHARE_PLACE "'");
	/* A directory that is mounted read-only stays so. */
	if (prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN) < 0)
		return error_errno(err, "cannot give up capabilities");
	return 0;
}
