/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a TPM with swtpm_setup(8): inside of host/storage/swtpm.h. */
#pragma once

#include "host/os/account.h"
#include "util/cleanup.h"
#include "util/error.h"

/* The parts of a TPM's directory. */
#define SWTPM_AUTHORITY "authority"
#define SWTPM_NEW "state.new" /* a TPM that is being made */

/*
 * Run swtpm_setup as @user on @data's SWTPM_NEW and SWTPM_AUTHORITY, which exist and belong to it.
 *
 * The program passes paths on as parts of options, where commas and spaces would end them, and the
 * user may not enter the directories above. So it sees both at other places, in a mount
 * namespace of its own, where its temporary files are as well.
 */
MUST_CHECK int swtpm_setup_run(const char *data, const struct account *user, struct error *err);
