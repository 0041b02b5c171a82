/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written beside the memory of a saved machine ("saved.json"): all that has to be as it was
 * when the machine resumes, and stamps of its disks (host/machine/saved.h).
 */
#pragma once

#include "host/machine/saved.h"
#include "json/jbind.h"
#include "json/jdoc.h"
#include "util/arena.h"

/* Another one is refused: it would be of a newer version of this program. */
#define SAVED_FORMAT 1

/* A file behind a volume, or a TPM's. Texts are borrowed, of struct saved_meta or of the plan. */
struct saved_disk {
	const char *name; /* of its descriptor, "disk.0" */
	const char *path;
	bool writable;
	int64_t size_bytes;
	const char *changed; /* "SECONDS.NANOSECONDS"; NULL or "": a block device or TPM */
	const char *digest;  /* hexadecimal */
};

/* A CD drive that has something else in it than at the start. */
struct saved_medium {
	const char *drive; /* QEMU's id of it, "scsi.0.0" */
	const char *path;  /* NULL or "": nothing */
};

struct saved_meta {
	int64_t format;
	bool was_running;	  /* else somebody had paused it, and it stays so */
	int64_t time_usec;	  /* CLOCK_REALTIME */
	const char *boot;	  /* /proc/sys/kernel/random/boot_id */
	const char *qemu_version; /* "7.2.22 (Debian 1:7.2+dfsg-7)" */
	const char *machine_type; /* "pc-q35-7.2" */
	struct jstrings argv;
	struct jlist disks;    /* struct saved_disk */
	struct jlist media;    /* struct saved_medium */
	struct jstrings taken; /* connections that were taken away, "net.0" */
	struct arena arena;
	struct jdoc doc; /* that it was read from; texts are its own */
};

void saved_meta_done(struct saved_meta *meta);

/*
 * The files of a machine that have stamps: what the guest can read as a disk or firmware variables,
 * CDs that were put in (@meta->media), whose names are those of their drives, and the state of its
 * TPM, which is of the kind PLAN_FD_STATE here and has the name "tpm".
 *
 * @arena: gets @ret and the texts that are not of @machine
 */
void saved_files(const struct saved_machine *machine, const struct saved_meta *meta,
		struct arena *arena, struct plan_fd **ret, size_t *ret_n);

/*
 * Look at one of them.
 *
 * @sync: have it written to its disk first, times included (fsync(2))
 * @arena: gets the texts of @ret
 */
MUST_CHECK int saved_stamp(const struct plan_fd *fd, bool sync, struct arena *arena,
		struct saved_disk *ret, struct error *err);

/* Write it into the directory @path, whole and durably. */
MUST_CHECK int saved_meta_write(const char *path, const struct saved_meta *meta, struct error *err);

/*
 * Read that. @ret: released with saved_meta_done() in every case.
 *
 * Errors: ENOENT; EINVAL: it is damaged, or of a newer version.
 */
MUST_CHECK int saved_meta_read(const char *path, struct saved_meta *ret, struct error *err);

/*
 * Would the machine be started with the arguments that it was saved with? EINVAL if not: the text
 * names the first difference. Numbers of descriptors count: they are in the unit as well. What QEMU
 * is told of now that it did by itself before is no difference.
 */
MUST_CHECK int saved_check_argv(
		const struct saved_meta *meta, const struct strv *argv, struct error *err);

/* What the disks of a machine say, the worst last; what follows from it: host/machine/saved.h. */
enum saved_disks {
	SAVED_DISKS_SAME,
	SAVED_DISKS_INDISTINCT, /* likewise, but a writable one is a block device */
	SAVED_DISKS_CHANGED,	/* others than before, or one that the guest cannot write */
	SAVED_DISKS_WRITTEN,	/* one that the guest can write */
};

/*
 * Compare the files of @machine with their stamps.
 *
 * @ret: the worst
 * @why: what is different with SAVED_DISKS_CHANGED and _WRITTEN; no failure, only its text
 *
 * Errors: a disk cannot be read.
 */
MUST_CHECK int saved_check_disks(const struct saved_meta *meta, const struct saved_machine *machine,
		enum saved_disks *ret, struct error *why, struct error *err);

/*
 * Is an open file the CD that @medium was? For who opens it after saved_check_disks(): its
 * directory may be somebody else's, who has put another one there. Errors: EINVAL: it is not.
 */
MUST_CHECK int saved_check_medium(const struct saved_meta *meta, const struct saved_medium *medium,
		int fd, struct error *err);
