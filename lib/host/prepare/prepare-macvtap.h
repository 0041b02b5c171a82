/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step that makes a macvtap, for host/prepare/prepare-step.c. */
#pragma once

#include "host/prepare/prepare-context.h"

MUST_CHECK int prepare_macvtap(struct prepare_context *c, size_t i, struct error *err);
MUST_CHECK int prepare_check_macvtap(struct prepare_context *c, size_t i, struct error *err);
MUST_CHECK int prepare_undo_macvtap(struct prepare_context *c, size_t i, struct error *err);
