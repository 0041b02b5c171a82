/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Have the host pass packets on from one interface to another (ip-sysctl, kernel documentation). */
#pragma once

#include "model/filter.h"
#include "util/cleanup.h"
#include "util/error.h"

/*
 * Switch forwarding on for a family, for all interfaces of the thread's network namespace. Nobody
 * switches it off again: others may have come to depend on it.
 *
 * Errors: EBUSY: a host that forwards IPv6 does not listen to routers any more, and one of its
 * interfaces has its default route from one; those of writing the setting.
 */
MUST_CHECK int forwarding_enable(enum fw_family family, struct error *err);
