/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the host's devices a machine has, for those who ask. */
#pragma once

#include "host/device/device.h"
#include "model/plan.h"
#include "util/strv.h"

enum lent_kind { LENT_PCI, LENT_USB, LENT_MEDIATED };
extern const char *const lent_kind_names[]; /* "mediated" */

struct lent_device {
	char *name;	    /* of the device or the connection, as in the config */
	bool is_connection; /* it is a connection's virtual function */
	enum lent_kind kind;
	struct strv places; /* PCI addresses, of all functions; the USB port; the parent's address
			     */
	bool is_gone;	    /* it was unplugged: the guest gets it with its next start */
	char *is;	    /* USB: "0529:0001"; mediated: the name of its type; else NULL */
};

struct lent_devices {
	struct lent_device *items;
	size_t n, n_alloc;
};
void lent_devices_done(struct lent_devices *devices);

/*
 * All that a machine has by now, in the order of its kinds. What cannot be read is left out: the
 * machine may be starting or stopping.
 *
 * @plan: of its QEMU; mediated devices are those of the plan
 */
void lent_find(const struct device_host *host, const struct plan *plan, struct lent_devices *ret);
