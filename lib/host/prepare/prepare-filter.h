/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of host/prepare/prepare-step.h that have to do with the packet filter. */
#pragma once

#include "host/prepare/prepare-context.h"

MUST_CHECK int prepare_filter(struct prepare_context *c, size_t i, struct error *err);
/* Of one connection, which has a filter, whatever there is of it. */
MUST_CHECK int prepare_filter_one(
		struct prepare_context *c, const struct plan_fd *fd, struct error *err);
MUST_CHECK int prepare_undo_filter(struct prepare_context *c, size_t i, struct error *err);

/* Close an interface that has just joined its bridge while others are closed (host/net/hold.h). */
MUST_CHECK int prepare_hold(struct prepare_context *c, const struct plan_fd *fd, struct error *err);
