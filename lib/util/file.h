/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files: read one, replace one or many; directories: list, make, remove; paths as text.
 *
 * file.c holds what is about contents, dir.c what is about directories and paths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/error.h"
#include "util/strv.h"

/*
 * Why a file could not be opened or read, in words: "it is a directory", "it is a link to 'x',
 * which leads nowhere", or what strerror(3) says. The caller frees it.
 *
 * @code: the errno that opening or reading it gave
 */
char *file_reason(int dirfd, const char *path, int code) __attribute__((returns_nonnull));

/*
 * Append the whole of a regular file (or of a /proc or /sys file) to @buf.
 *
 * @dirfd: directory that a relative @path starts from, or AT_FDCWD
 * @size_max: a longer file is an error (EFBIG)
 *
 * Errors: those of open(2) and read(2), with a text that names @path. A directory, FIFO or device
 * is EINVAL: opening it must not block, so O_NONBLOCK is used. On failure @buf is as it was.
 */
MUST_CHECK int file_read_at(
		int dirfd, const char *path, size_t size_max, struct buf *buf, struct error *err);
MUST_CHECK int file_read(const char *path, size_t size_max, struct buf *buf, struct error *err);
/* The same of an open file, which @path only names. */
MUST_CHECK int file_read_fd(
		int fd, const char *path, size_t size_max, struct buf *buf, struct error *err);
/* And what fstat(2) says of it, also where reading fails. */
MUST_CHECK int file_read_stat(int fd, const char *path, size_t size_max, struct buf *buf,
		struct stat *ret, struct error *err);

/*
 * Replace a file as a whole: a reader, also one after a crash, sees the old text or the new one.
 * Writes a temporary file beside it, fchmod, fsync, rename, fsync of the directory. A symlink at
 * @path is replaced itself. On failure the old file is intact and the temporary one is gone; only
 * when the last step fails is the new file there without being safe from a crash.
 *
 * @mode: the file's mode, whatever the umask says
 */
MUST_CHECK int file_replace(
		const char *path, const void *data, size_t len, mode_t mode, struct error *err);

/*
 * Make a file for writing beside @path, called ".NAME.tmp-PID-NUMBER", which is to be renamed to
 * it.
 *
 * @dirfd, @path: as for openat(2)
 * @owner: the process that will do so
 * @ret_temporary: its path, as @path is; the caller frees it
 *
 * Returns a descriptor or a negative errno.
 */
MUST_CHECK int file_temporary(
		int dirfd, const char *path, pid_t owner, mode_t mode, char **ret_temporary);

/*
 * Remove the temporary files of a directory whose process is gone: of runs that were killed. One
 * that cannot be removed is no reason to stop: it harms nobody.
 */
void file_remove_stale(const char *dir);
/* The same, but only those of one file or directory, and of this user: where others are as well. */
void file_remove_stale_of(const char *path);
/* A directory that becomes @path, as file_temporary() makes a file: its path, or NULL and errno. */
char *file_temporary_directory(const char *path);
/* Is it the name of one? */
bool file_is_stale(const char *name);

/*
 * Replace many files of one directory with the cost of one flush: each goes to a temporary file by
 * file_batch_add(); file_batch_commit() does one syncfs(2), renames all of them and syncs the
 * directory. A batch that is not committed removes its temporary files in file_batch_done().
 *
 *	CLEANUP(file_batch_done) struct file_batch batch = {};
 *	int r = file_batch_init(&batch, "/etc/systemd/system", err);
 *	...
 *
 * Until the renames no file has changed. Each rename is whole; if one fails, the files before it
 * are replaced and the rest is as it was. A name that was added twice gets the later contents.
 *
 * A process that is forked meanwhile may add files, too; they belong to this one's batch, which has
 * to adopt them.
 */
struct file_batch {
	char *dir; /* NULL: empty, dirfd is not open */
	int dirfd;
	pid_t owner; /* whose number the temporary files have */
	struct strv names;
	struct strv temporaries; /* n: those that may still be there */
};
/* The directory must exist. */
MUST_CHECK int file_batch_init(struct file_batch *batch, const char *dir, struct error *err);
void file_batch_done(struct file_batch *batch);
/* @name: without a slash. */
MUST_CHECK int file_batch_add(struct file_batch *batch, const char *name, const void *data,
		size_t len, mode_t mode, struct error *err);
/* Take over the temporary file for @name that another process has added. */
void file_batch_adopt(struct file_batch *batch, const char *name, const char *temporary);
/* Leave the file of a name as it is after all. */
void file_batch_drop(struct file_batch *batch, const char *name);
/* Does nothing when nothing was added. Ready for another round after success. */
MUST_CHECK int file_batch_commit(struct file_batch *batch, struct error *err);

/*
 * Let this process have as many descriptors open as it may, for those that need one for each
 * machine.
 */
void file_allow_many(void);
/* Before another program is run in this process: it gets the limit that we were given, as it may
 * know select(2) alone, or close one by one all that there may be. */
void file_allow_as_given(void);

/* Write all of it, going on after EINTR and short writes. 0 or negative errno (no text). */
MUST_CHECK int write_all(int fd, const void *data, size_t len);

/*
 * Names in a directory in byte order, without "." and "..". They replace what the list held.
 *
 * Returns 0, or 1 when the directory does not exist (the list stays as it is). A link
 * that leads nowhere is an error.
 */
MUST_CHECK int dir_list(const char *path, struct strv *ret_names, struct error *err);

/* Append the names in an open directory, in the order that it gives them. Returns 0 or a negative
 * errno. */
MUST_CHECK int dir_read_names(int fd, struct strv *names);

/*
 * mkdir(2) with all parents; those that exist are left alone. Each new one gets exactly @mode
 * (which must let this process read it), whatever the umask.
 */
MUST_CHECK int mkdir_all(const char *path, mode_t mode, struct error *err);

/*
 * Remove @path and all below it, without following links or entering another mount (EXDEV). Goes
 * on after a failure, so that as little as possible is left, and reports the first. 1: was not
 * there.
 */
MUST_CHECK int remove_tree(const char *path, struct error *err);

/*
 * Lexical clean-up of a path as Go's path/filepath.Clean does it: no "//", no ".", ".." resolved
 * by text. "" becomes ".". The caller frees the result.
 */
char *path_clean(const char *path);
/*
 * Where @path leads for a system whose root directory is @root ("" for "/"): links on the way and
 * at the end are followed, absolute ones and ".." no further than to @root. What is not there is
 * left as it is written. *ret begins with @root; the caller frees it. Returns 0, or -ELOOP.
 */
MUST_CHECK int path_in_root(const char *root, const char *path, char **ret, struct error *err);
/* path_clean() of @a "/" @b; empty parts are left out, "" if both are. The caller frees it. */
char *path_join(const char *a, const char *b);
