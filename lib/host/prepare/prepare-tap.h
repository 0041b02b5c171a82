/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps that make taps, for host/prepare/prepare-step.c; what they ask for, for
 * host/prepare/connect.c. */
#pragma once

#include "host/net/tap.h"
#include "host/prepare/prepare-context.h"

/* What is asked of the kernel for a tap of the plan. */
struct prepare_tap_want {
	char *alias;
	struct port_settings port;
	struct tap_request request;
};
MUST_CHECK int prepare_tap_want_init(const struct plan *plan, const struct plan_fd *fd,
		struct prepare_tap_want *ret, struct error *err);
void prepare_tap_want_done(struct prepare_tap_want *tap);

/*
 * Set what the guard has the bridge do up anew at the port of a tap that is there, as the plan has
 * it: the filter may be newer than the tap. @nl: of the host's network
 */
MUST_CHECK int prepare_tap_renew(struct netlink *nl, const struct plan *plan,
		const struct plan_fd *fd, struct error *err);

MUST_CHECK int prepare_tap(struct prepare_context *c, size_t i, struct error *err);
/* Its bridge and its script. */
MUST_CHECK int prepare_check_tap(struct prepare_context *c, size_t i, struct error *err);
MUST_CHECK int prepare_undo_tap(struct prepare_context *c, size_t i, struct error *err);
/* Those of connections that have other names by now, too. */
MUST_CHECK int prepare_undo_links(struct prepare_context *c, size_t i, struct error *err);
