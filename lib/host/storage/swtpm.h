/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a machine's TPM (swtpm(8)): made once, with its certificates, and lent to the user
 * of the TPM's unit while that runs.
 *
 * Below the directory that the configuration names there are "state", which swtpm reads and writes,
 * and "authority", the keys and certificates of the machine's own certificate authority. swtpm gets
 * the first one as a descriptor, so that its user need not enter the directories above. Both belong
 * to root while the unit is down: users that systemd makes up for a unit are used again for others.
 */
#pragma once

#include "host/os/account.h"
#include "util/buf.h"
#include "util/cleanup.h"
#include "util/error.h"

/* Below that directory: what swtpm keeps a TPM 2 in (swtpm's src/swtpm/swtpm_nvstore.c). */
#define SWTPM_STATE "state"
#define SWTPM_FILE "tpm2-00.permall"

/* The files that swtpm_setup(8) and swtpm_localca(8) read. */
enum swtpm_config {
	SWTPM_CONFIG_SETUP,   /* swtpm_setup.conf */
	SWTPM_CONFIG_CA,      /* swtpm-localca.conf */
	SWTPM_CONFIG_OPTIONS, /* swtpm-localca.options */
	SWTPM_N_CONFIGS,
};
extern const char *const swtpm_config_names[];

/* The text of a file. @data: what is there of the machine's TPM, "DATA/authority" for instance */
void swtpm_config_text(enum swtpm_config config, const char *data, struct buf *ret);

/*
 * Make what is missing of the TPM and give "state" to the user. If there is no TPM yet, it is made
 * by swtpm_setup, as that user, which takes a second. Killed at any point, there is a whole TPM or
 * none. Only root may do this.
 *
 * @data: absolute; made with its parents if it is missing
 * @ret_fd: of the directory "state", opened for reading
 */
MUST_CHECK int swtpm_prepare(
		const char *data, const struct account *user, int *ret_fd, struct error *err);

/* Give everything back to root and remove what a killed swtpm_prepare() left. */
MUST_CHECK int swtpm_give_back(const char *data, struct error *err);
