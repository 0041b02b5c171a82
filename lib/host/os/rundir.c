/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories of machines at run time. */
#include "host/os/rundir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/strv.h"

char *rundir_parent(const char *run_dir)
{
	const char *slash = strrchr(run_dir, '/');
	return slash ? xstrndup(run_dir, (size_t)(slash - run_dir)) : xstrdup(".");
}

/* @sharing: NULL: for everyone */
static int make_one(const char *path, const struct sharing *sharing, struct error *err)
{
	mode_t mode = !sharing ? 0755 : sharing->is_shared ? 0750 : 0700;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", path);
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open directory '%s'", path);
	/* The group first: until then the mode must not let anyone in. */
	if (sharing && sharing->is_shared && fchown(fd, (uid_t)-1, sharing->group) < 0)
		return error_errno(err, "cannot give directory '%s' to its group", path);
	if (fchmod(fd, mode) < 0)
		return error_errno(err, "cannot set the mode of directory '%s'", path);
	return 0;
}

int rundir_make_parent(const char *run_dir, struct error *err)
{
	CLEANUP(freep) char *parent = rundir_parent(run_dir);
	struct stat st;
	return lstat(parent, &st) == 0 && S_ISDIR(st.st_mode) ? 0 : make_one(parent, NULL, err);
}

int rundir_make(const char *run_dir, const struct sharing *sharing, struct error *err)
{
	int r = rundir_make_parent(run_dir, err);
	return r < 0 ? r : make_one(run_dir, sharing, err);
}

int rundir_make_for(const char *run_dir, const char *path, const struct sharing *sharing,
		struct error *err)
{
	size_t len = strlen(run_dir);
	if (strncmp(path, run_dir, len) != 0 || path[len] != '/')
		return 0;
	CLEANUP(freep) char *part = xstrdup(path);
	for (char *slash = part + len; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		int r = make_one(part, sharing, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int rundir_make_owned(const char *dir, uid_t uid, gid_t gid, struct error *err)
{
	CLEANUP(freep) char *parent = rundir_parent(dir);
	int r = mkdir_all(parent, 0755, err);
	/* It may be a link by now, and what is in it is another user's. */
	if (r == 0)
		r = remove_tree(dir, err);
	if (r < 0)
		return r;
	if (mkdir(dir, 0700) < 0)
		return error_errno(err, "cannot make directory '%s'", dir);
	CLEANUP(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fchown(fd, uid, gid) == 0 && fchmod(fd, 0711) == 0)
		return 0;
	r = error_errno(err, "cannot give directory '%s' to user %u", dir, uid);
	(void)!remove_tree(dir, NULL);
	return r;
}

int rundir_take_over(const char *dir, struct error *err)
{
	CLEANUP(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 ||
			(st.st_uid != geteuid() && fchown(fd, geteuid(), getegid()) < 0))
		return error_errno(err, "cannot take over directory '%s'", dir);
	return 0;
}

static bool is_kept(const char *const *keep, const char *name)
{
	for (; *keep; keep++)
		if (!strcmp(*keep, name))
			return true;
	return false;
}

int rundir_remove(const char *run_dir, const char *const *keep, struct error *err)
{
	if (!keep) {
		int r = remove_tree(run_dir, err);
		return r < 0 ? r : 0;
	}
	CLEANUP(strv_done) struct strv names = {};
	int first = dir_list(run_dir, &names, err);
	if (first != 0)
		return first < 0 ? first : 0;
	for (size_t i = 0; i < names.n; i++) {
		if (is_kept(keep, names.items[i]))
			continue;
		CLEANUP(freep) char *path = path_join(run_dir, names.items[i]);
		int r = remove_tree(path, first < 0 ? NULL : err);
		if (r < 0 && first == 0)
			first = r;
	}
	if (first == 0 && rmdir(run_dir) < 0 && errno != ENOTEMPTY && errno != ENOENT)
		return error_errno(err, "cannot remove directory '%s'", run_dir);
	return first;
}
