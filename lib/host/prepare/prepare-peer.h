/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps for switches that QEMU connects to, for host/prepare/prepare-step.c. */
#pragma once

#include "host/prepare/prepare-context.h"

/* May QEMU connect to it? One of plan->peers. */
MUST_CHECK int prepare_check_peer(struct prepare_context *c, size_t i, struct error *err);
/* And has it as many queues as QEMU will ask it for? Not while QEMU is connected. */
MUST_CHECK int prepare_peer(struct prepare_context *c, size_t i, struct error *err);
/* How is QEMU told to connect again? PLAN_RECONNECT, when there is the run directory. */
MUST_CHECK int prepare_emulator(struct prepare_context *c, size_t i, struct error *err);
