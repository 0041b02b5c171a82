/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting until a guest is ready, as "ready" of its machine says: its agent answers, its systemd
 * tells (host/machine/ready-notify.h), or it takes connections at a port.
 *
 * The words of the unit's own command line are the form in which it is handed on: "agent",
 * "notify:CID", "tcp:10.0.0.5:22", "tcp:[fd00::5]:22".
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "model/plan.h"
#include "util/cleanup.h"
#include "util/error.h"

struct ready {
	enum vm_ready when;
	struct sockaddr_storage address; /* VM_READY_TCP */
	socklen_t address_len;
	uint32_t cid; /* VM_READY_NOTIFY: the guest's, and the number of the host's port */
	int listenfd; /* ready_open() */
};

/* Errors: EINVAL: no such words. */
MUST_CHECK int ready_parse(const char *text, struct ready *ret, struct error *err);

/*
 * Before the guest can have booted: listen where that is needed.
 *
 * @ready: parsed; released with ready_close()
 */
MUST_CHECK int ready_open(struct ready *ready, struct error *err);
void ready_close(struct ready *ready);

/*
 * Wait, by trying again and again. Meant for a process of its own, which is ended to give up.
 *
 * @plan: by which the machine was started
 * @netns: from where connections are made (host/os/netns.h); NULL: NETNS_HOST
 *
 * Errors: ETIMEDOUT, with the last attempt's reason; what no other attempt can cure.
 */
MUST_CHECK int ready_wait(const struct ready *ready, const struct plan *plan, const char *netns,
		uint64_t deadline_usec, struct error *err);
