/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's systemd is told in secret: system credentials as SMBIOS strings of type 11
 * (systemd.exec(5), "io.systemd.credential.binary:" in systemd(1)).
 */
#pragma once

#include "host/storage/storage.h"

/*
 * Bytes that all strings of a machine may have together: the tables of QEMU 7.2 end at 65535
 * (SMBIOS_21_MAX_TABLES_LEN in its hw/smbios/smbios.c), and others have their part.
 */
#define CREDENTIALS_TEXT_MAX 61440

/*
 * The string of a credential, "io.systemd.credential.binary:NAME=BASE64", as a sealed file in
 * memory, which QEMU reads as "-smbios type=11,path=/proc/self/fd/N".
 *
 * @file: what it is to hold: a regular file, which may be empty
 * @n_used: bytes of the machine's other strings
 * @ret_len: of this one
 *
 * Errors: those of storage_open_file(); EFBIG: more than there is room for.
 */
MUST_CHECK int credential_open(const char *name, const struct storage_file *file, size_t n_used,
		int *ret_fd, size_t *ret_len, struct error *err);
