/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The step of host/prepare/prepare-step.h that looks after the ports of screens. */
#pragma once

#include "host/prepare/prepare-context.h"

/* One of plan->sockets that has a port. */
MUST_CHECK int prepare_port(struct prepare_context *c, size_t i, struct error *err);
