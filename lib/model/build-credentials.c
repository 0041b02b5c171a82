/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files whose content the guest's systemd is told. */
#include <stdio.h>

#include "model/build.h"
#include "util/mem.h"

static void build_credential(struct build *b, const struct credential_conf *conf,
		const char *pointer, struct vm_credential *ret)
{
	*ret = (struct vm_credential){ .name = build_text(b, conf->name), .path = "" };
	if (!conf->name) {
		BUILD_ERROR(b, pointer, "a credential needs \"name\", by which the guest knows it");
		return;
	}
	CLEANUP(freep) char *what = xasprintf("credential '%s'", conf->name);
	CLEANUP(freep) char *at = xasprintf("%s/path", pointer);
	if (!conf->path || !conf->path[0]) {
		BUILD_ERROR(b, at, "%s needs \"path\": the file of the host that holds it", what);
		return;
	}
	const char *path = build_host_path(b, conf->path, at, what);
	ret->path = path ? path : "";
}

void build_credentials(struct build *b)
{
	const struct credential_conf *confs = b->conf->credentials.items;
	struct vm *vm = b->vm;
	vm->n_credentials = b->conf->credentials.n;
	vm->credentials = arena_array(&vm->arena, vm->n_credentials, sizeof(*vm->credentials));
	for (size_t i = 0; i < vm->n_credentials; i++) {
		char pointer[sizeof("/credentials/") + 20];
		snprintf(pointer, sizeof(pointer), "/credentials/%zu", i);
		build_credential(b, &confs[i], pointer, &vm->credentials[i]);
	}
	if (vm->n_credentials > VM_CREDENTIALS_MAX)
		BUILD_ERROR(b, "/credentials", "%zu credentials are more than %d",
				vm->n_credentials, VM_CREDENTIALS_MAX);
}
