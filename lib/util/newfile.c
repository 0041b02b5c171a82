/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that has its name only when it is whole. */
#include "util/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/mem.h"

void newfile_done(struct newfile *file)
{
	if (!file->temporary)
		return;
	unlink(file->temporary);
	close(file->fd);
	free(file->path);
	free(file->temporary);
	*file = (struct newfile){};
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* "" for the directory that this process is in. */
static int dir_length(const char *path)
{
	return (int)(name_of(path) - path);
}

static int is_there(const struct newfile *file, struct error *err)
{
	return error_set(err, EEXIST, "'%s' is there already", file->path);
}

static int check_absent(const struct newfile *file, struct error *err)
{
	struct stat st;
	return !file->replaces && lstat(file->path, &st) == 0 ? is_there(file, err) : 0;
}

int newfile_open(const char *path, bool replaces, struct newfile *ret, struct error *err)
{
	struct newfile file = { .path = xstrdup(path), .fd = -1, .replaces = replaces };
	int r = name_of(path)[0] ? check_absent(&file, err)
				 : error_set(err, EISDIR, "'%s' is no name of a file", path);
	if (r == 0) {
		file_remove_stale_of(path);
		file.fd = file_temporary(AT_FDCWD, path, getpid(), 0600, &file.temporary);
		if (file.fd < 0)
			r = error_code(err, file.fd, "cannot make '%s'", path);
	}
	if (r < 0) {
		free(file.path);
		return r;
	}
	*ret = file;
	return 0;
}

/* Where the file system can't refuse to replace, a look before has to do. */
static int rename_to(const struct newfile *file, struct error *err)
{
	if (!file->replaces && renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path,
					       RENAME_NOREPLACE) == 0)
		return 0;
	if (!file->replaces && errno == EEXIST)
		return is_there(file, err);
	int r = check_absent(file, err);
	if (r == 0 && rename(file->temporary, file->path) < 0)
		return error_errno(err, "cannot make '%s'", file->path);
	return r;
}

int newfile_commit(struct newfile *file, struct error *err)
{
	CLEANUP(freep) char *dir = xasprintf("%.*s.", dir_length(file->path), file->path);
	/* What could not be written tells here. */
	if (fsync(file->fd) < 0)
		return error_errno(err, "cannot write '%s'", file->path);
	int r = rename_to(file, err);
	if (r < 0)
		return r;
	close(file->fd);
	free(file->path);
	free(file->temporary);
	*file = (struct newfile){};
	CLEANUP(closep) int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd >= 0 && fsync(dirfd) < 0)
		return error_errno(err, "cannot write the directory '%s'", dir);
	return 0;
}

int newfile_write(const char *path, bool replaces, const void *data, size_t len, struct error *err)
{
	CLEANUP(newfile_done) struct newfile file = {};
	int r = newfile_open(path, replaces, &file, err);
	if (r < 0)
		return r;
	r = write_all(file.fd, data, len);
	return r < 0 ? error_code(err, r, "cannot write '%s'", path) : newfile_commit(&file, err);
}
