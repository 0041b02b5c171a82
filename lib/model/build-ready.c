/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a machine counts as started. */
#include <string.h>

#include "model/build.h"
#include "util/parse.h"

/* The first address that a connection is given, without its prefix length; NULL: none is. */
static const char *first_address(struct build *b)
{
	for (size_t i = 0; i < b->vm->n_nics; i++) {
		const struct jstrings *ip = &b->vm->nics[i].ip;
		/* The host can't reach a guest there. */
		if (b->vm->nics[i].mode == NETWORK_USER)
			continue;
		for (size_t k = 0; k < ip->n; k++) {
			const char *text = ip->items[k];
			if (fw_is_address(text))
				return arena_strndup(&b->vm->arena, text, strcspn(text, "/"));
		}
	}
	return NULL;
}

void build_ready(struct build *b)
{
	static const char tcp[] = "tcp:", at[] = "/attrs/ready";
	const char *when = b->conf->attrs.ready.when;
	struct vm *vm = b->vm;
	int port;
	vm->ready.timeout_sec = build_seconds(b->conf->attrs.ready.timeout, VM_READY_SEC);
	if (!when || !strcmp(when, "agent")) {
		vm->ready.when = when ? VM_READY_AGENT : VM_READY_QMP;
		if (when && !vm->agent.enabled)
			BUILD_ERROR_WITH(b, "/attrs/agent", at,
					"\"agent\" needs the channel of QEMU's guest agent: set "
					"\"attrs\": { \"agent\": { \"qemu\": { \"enabled\": true } "
					"} }");
	} else if (!strcmp(when, "notify")) {
		vm->ready.when = VM_READY_NOTIFY;
		if (!vm->vsock.enabled)
			BUILD_ERROR_WITH(b, "/attrs/vsock", at,
					"\"notify\" needs a way from the guest to the host: set "
					"\"attrs\": { \"vsock\": { \"enabled\": true } }");
	} else if (!strncmp(when, tcp, strlen(tcp)) &&
			parse_int(when + strlen(tcp), 1, UINT16_MAX, &port) == 0) {
		vm->ready.when = VM_READY_TCP;
		vm->ready.port = (uint16_t)port;
		vm->ready.address = first_address(b);
		if (!vm->ready.address)
			BUILD_ERROR_WITH(b, "/connections", at,
					"\"%s\" needs a connection with an \"ip\", by which the "
					"host finds the guest",
					when);
	}
}
