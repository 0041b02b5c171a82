/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over all that a machine claims for itself (model/claims.h). Private to lib/model.
 */
#pragma once

#include "model/vm.h"

enum claim_kind {
	CLAIM_ID,
	CLAIM_MAC,
	CLAIM_LINK,
	CLAIM_IP,
	CLAIM_FILE,
	CLAIM_TPM,
	CLAIM_MDEV,
	CLAIM_PCI,
	CLAIM_USB,
	CLAIM_SOCKET,
	CLAIM_PORT,
	CLAIM_CID,
	CLAIM_UPLINK,
};

/* One claim as the walk over a machine finds it. */
struct claim_told {
	enum claim_kind kind;
	const char *value;
	const char *address; /* PORT: where it listens; else "" */
	bool shared;	     /* FILE: only read; UPLINK: not taken over */
	bool filtered;	     /* IP, MAC: of a connection whose packets are looked at */
	const char *pointer; /* where it comes from in the merged machine; NULL: not asked for */
};

typedef void claim_visitor(void *context, const struct claim_told *told);

struct claim_visit {
	claim_visitor *visitor;
	void *context;
	bool has_pointers; /* are the pointers wanted? */
};

/* Each claim of a machine, in the order of its config. */
void claims_visit(const struct claim_visit *v, const struct vm *vm);
