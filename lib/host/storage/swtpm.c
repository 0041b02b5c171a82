/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directories of a TPM and whose they are. */
#include "host/storage/swtpm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/os/rundir.h"
#include "host/storage/swtpm-setup.h"
#include "util/file.h"
#include "util/mem.h"

/* Directories are this deep at most: "authority/state". */
#define DEPTH_MAX 4

static const struct account root = {};

/*
 * Give a directory and all in it to @user, without following links. A file with a second name
 * belongs elsewhere as well, and stays.
 */
static int own_tree(int fd, const struct account *user, unsigned depth)
{
	CLEANUP(strv_done) struct strv names = {};
	char path[32];

	if (fchown(fd, user->uid, user->gid) < 0 || fchmod(fd, 0700) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = dir_list(path, &names, NULL);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(closep)
		int entry = openat(fd, names.items[i],
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		struct stat st;
		if (entry < 0 && (errno == ELOOP || errno == ENOENT || errno == ENXIO))
			continue;
		if (entry < 0 || fstat(entry, &st) < 0)
			return -errno;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
			r = own_tree(entry, user, depth + 1);
		else if (S_ISREG(st.st_mode) && st.st_nlink == 1 &&
				fchown(entry, user->uid, user->gid) < 0)
			r = -errno;
	}
	return r;
}

/* Make DATA/NAME if it is missing and give it to @user. */
static int own_part(const char *data, const char *name, const struct account *user, int *ret_fd,
		struct error *err)
{
	CLEANUP(freep) char *path = path_join(data, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", path);
	/* Whoever may write there could have put a link to another directory, to be given away. */
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open directory '%s'", path);
	int r = own_tree(fd, user, 0);
	if (r < 0)
		return error_code(err, r, "cannot change the owner of '%s'", path);
	if (ret_fd)
		*ret_fd = take_fd(&fd);
	return 0;
}

static int make_data(const char *data, struct error *err)
{
	CLEANUP(freep) char *parent = rundir_parent(data);
	int r = *parent ? mkdir_all(parent, 0755, err) : 0;
	return r < 0 ? r : mkdir_all(data, 0700, err);
}

/* Move the TPM that was just made to its place: there from one moment to the next, also after a
 * crash of the host. */
static int install(const char *data, int state_fd, struct error *err)
{
	CLEANUP(freep) char *made = xasprintf("%s/%s/%s", data, SWTPM_NEW, SWTPM_FILE);
	CLEANUP(closep)
	int fd = open(made, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_errno(err, "'swtpm_setup' has made no TPM in '%s'", made);
	if (renameat(AT_FDCWD, made, state_fd, SWTPM_FILE) < 0 || fsync(state_fd) < 0)
		return error_errno(err, "cannot move '%s' to its place", made);
	return 0;
}

static int make_tpm(const char *data, const struct account *user, int state_fd, struct error *err)
{
	CLEANUP(freep) char *new_dir = path_join(data, SWTPM_NEW);
	int r = remove_tree(new_dir, err);
	if (r >= 0)
		r = own_part(data, SWTPM_NEW, user, NULL, err);
	if (r == 0)
		r = own_part(data, SWTPM_AUTHORITY, user, NULL, err);
	if (r == 0)
		r = swtpm_setup_run(data, user, err);
	if (r == 0)
		r = install(data, state_fd, err);

	/* The keys are of no use to a TPM that is there, and of much to whoever breaks into it. */
	int cleaned = own_part(data, SWTPM_AUTHORITY, &root, NULL, r < 0 ? NULL : err);
	if (r == 0)
		r = cleaned;
	cleaned = remove_tree(new_dir, r < 0 ? NULL : err);
	return r == 0 && cleaned < 0 ? cleaned : r;
}

/* 1: there is none. Of one that only cannot be looked at a new one would take the place. */
static int find_tpm(int state_fd, struct error *err)
{
	struct stat st;
	if (fstatat(state_fd, SWTPM_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOENT ? 1 : error_errno(err, "cannot look at '%s'", SWTPM_FILE);
}

int swtpm_prepare(const char *data, const struct account *user, int *ret_fd, struct error *err)
{
	CLEANUP(closep) int fd = -1;
	int r = make_data(data, err);
	if (r == 0)
		r = own_part(data, SWTPM_STATE, user, &fd, err);
	if (r == 0)
		r = find_tpm(fd, err);
	if (r > 0)
		r = make_tpm(data, user, fd, err);
	if (r < 0)
		return error_wrap(err, "TPM in '%s'", data);
	*ret_fd = take_fd(&fd);
	return 0;
}

int swtpm_give_back(const char *data, struct error *err)
{
	static const char *const parts[] = { SWTPM_STATE, SWTPM_AUTHORITY };
	CLEANUP(freep) char *new_dir = path_join(data, SWTPM_NEW);
	int first = remove_tree(new_dir, err);

	first = first < 0 ? first : 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		CLEANUP(freep) char *path = path_join(data, parts[i]);
		if (access(path, F_OK) < 0)
			continue;
		int r = own_part(data, parts[i], &root, NULL, first < 0 ? NULL : err);
		if (r < 0 && first == 0)
			first = r;
	}
	return first < 0 ? error_wrap(err, "TPM in '%s'", data) : 0;
}
