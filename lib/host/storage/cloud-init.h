/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's cloud-init is told: the files of its data source NoCloud, and the CD that carries
 * them (cloud-init's documentation, "NoCloud").
 *
 * What is made here is JSON that is YAML, too, also the older YAML of PyYAML: a few characters have
 * to be escaped, and none as a pair of surrogates.
 */
#pragma once

#include "model/vm.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"

/* The CD's label, by which the guest finds it. */
#define CLOUD_INIT_LABEL "cidata"
/* The longest file. cloud-init itself has no limit. */
#define CLOUD_INIT_FILE_MAX (1 << 20)

enum cloud_init_file {
	CLOUD_INIT_META_DATA, /* has to be there, as user data has */
	CLOUD_INIT_USER_DATA,
	CLOUD_INIT_NETWORK_CONFIG,
	CLOUD_INIT_VENDOR_DATA,
	CLOUD_INIT_N_FILES,
};
/* "meta-data" and so on. */
extern const char *const cloud_init_file_names[];

struct cloud_init {
	struct buf files[CLOUD_INIT_N_FILES];
	bool has[CLOUD_INIT_N_FILES];
};

void cloud_init_done(struct cloud_init *data);

/*
 * Make the files of the items, reading those that are the user's own, keys and the password's hash.
 *
 * @ret: released with cloud_init_done() in every case
 *
 * Errors: those of storage_open_file(); EFBIG; EINVAL: a file that holds no key, or no hash. No
 * text has anything of a file's content in it.
 */
MUST_CHECK int cloud_init_make(const struct vm_seed_item *items, size_t n, struct cloud_init *ret,
		struct error *err);

/* Append the CD. Same files, same bytes. Errors: those of iso9660_write(). */
MUST_CHECK int cloud_init_pack(const struct cloud_init *data, struct buf *ret, struct error *err);

/*
 * The CD as a file in memory that nobody can change, open for reading. Errors: those of
 * cloud_init_make(), cloud_init_pack() and memory_file().
 */
MUST_CHECK int cloud_init_open(
		const struct vm_seed_item *items, size_t n, int *ret_fd, struct error *err);
