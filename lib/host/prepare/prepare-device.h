/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of devices, for the table of host/prepare/prepare-step.c. */
#pragma once

#include "host/prepare/prepare-context.h"

int prepare_mdev(struct prepare_context *c, size_t i, struct error *err);
int prepare_undo_mdev(struct prepare_context *c, size_t i, struct error *err);

/* One of plan->pcis: find one that is free; bind it. */
int prepare_lend(struct prepare_context *c, size_t i, struct error *err);
int prepare_pci(struct prepare_context *c, size_t i, struct error *err);
/* One of plan->usbs: find one that is free, open it. */
int prepare_usb(struct prepare_context *c, size_t i, struct error *err);
/* Is there one of them, whoever has it? */
int prepare_check_pci(struct prepare_context *c, size_t i, struct error *err);
int prepare_check_usb(struct prepare_context *c, size_t i, struct error *err);
/* Give back all that the machine has, whatever its plan says. */
int prepare_undo_loans(struct prepare_context *c, size_t i, struct error *err);
