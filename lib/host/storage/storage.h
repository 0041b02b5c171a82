/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files behind a machine's volumes, opened for QEMU by someone who may.
 *
 * Messages name the volume, its pool and the path, and what to do. Links are followed as
 * host/os/follow.h says. Nothing is opened before its type is known, so that a FIFO cannot hang a
 * start and a tape does not rewind.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "host/os/account.h"
#include "util/cleanup.h"
#include "util/error.h"

/* In the message about an image that is missing: a command that makes it follows. */
#define STORAGE_CREATE "create it with: "

/* Variables for most firmwares: those of a machine whose code is not known by its name. */
#define STORAGE_VARIABLES "/usr/share/OVMF/OVMF_VARS_4M.fd"

/* A copy takes memory of the host for all of its size, also where the file is sparse. More than
 * that is no kernel, initial RAM disk or ROM: on a PC QEMU puts these below 4 GiB. */
#define STORAGE_COPY_MAX ((off_t)4 << 30)

/*
 * The variables that came with a firmware, by the path of its code: those in "OVMF_VARS_4M.fd" are
 * for "OVMF_CODE_4M.fd". NULL: not known. The caller frees it.
 */
char *storage_find_variables(const char *code);

struct storage_file {
	const char *path;
	const char *volume; /* for messages; NULL: a file that is given by its path */
	const char *pool;   /* NULL with volume */
	bool writable;
	bool device;	      /* must be a block device; else it must be a regular file */
	bool direct;	      /* O_DIRECT */
	const char *firmware; /* of variables: the code that they are for; NULL: another file */
	bool qcow2;	      /* must be an image of that format that needs no other file */
};

/*
 * A regular file or a block device (@file->device), O_RDWR or O_RDONLY.
 *
 * Errors: those of open(2); EINVAL: another type of file, an image of another format; ENOTSUP: an
 * image that needs other files.
 */
MUST_CHECK int storage_open(const struct storage_file *file, int *ret_fd, struct error *err);

/*
 * Whether storage_open() would find what it wants, as far as that shows without opening it: but for
 * a file with a qcow2 image, whose head is read. A device is left alone: one whose disk has gone
 * may let its reader wait for ever. With @type S_IFREG the same for storage_copy(), with S_IFDIR a
 * directory is wanted, with 0 a volume.
 */
MUST_CHECK int storage_check(const struct storage_file *file, mode_t type, struct error *err);

/* Is a file there that begins as a qcow2 image does? */
bool storage_is_qcow2(const char *path);
/* The same of an ELF file: as a kernel, one that was not made into a "bzImage". */
bool storage_is_elf(const char *path);

/*
 * A copy of a regular file in memory that nobody can change (memfd_create(2), all seals): for files
 * that QEMU opens by itself, as /proc/self/fd/N. Position 0.
 *
 * Errors: as above; EINVAL: an empty file; EFBIG: one of more than STORAGE_COPY_MAX.
 */
MUST_CHECK int storage_copy(const struct storage_file *file, int *ret_fd, struct error *err);

/* A regular file for reading, O_RDONLY; it may be empty. Errors: as above. */
MUST_CHECK int storage_open_file(const struct storage_file *file, int *ret_fd, struct error *err);

/* A file for appending (O_WRONLY), made with @mode if it is missing. Links are not followed. */
MUST_CHECK int storage_open_log(const char *path, mode_t mode, int *ret_fd, struct error *err);

/*
 * Is the path of @file a directory that the user may read and enter? Tries as that user, without
 * its groups. A process that is not root tries as itself.
 */
MUST_CHECK int storage_check_directory(
		const struct storage_file *file, const struct account *user, struct error *err);
