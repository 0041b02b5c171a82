/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that a guest shares with the host. */
#include <stdio.h>
#include <string.h>

#include "model/build.h"
#include "model/plan.h"
#include "util/file.h"
#include "util/mem.h"

/* A finding at @key of the share at @pointer. */
static void share_error(struct build *b, const char *pointer, const char *key,
		const struct share_conf *conf, const char *text)
{
	CLEANUP(freep) char *at = xasprintf("%s/%s", pointer, key);
	BUILD_ERROR(b, at, "share '%s'%s", conf->name ? conf->name : "", text);
}

/* Returns 0, or 1 after a finding. */
static int build_path(struct build *b, const struct share_conf *conf, const char *pointer,
		struct vm_share *share)
{
	if (!conf->path || !conf->path[0]) {
		share_error(b, pointer, "path", conf, " needs \"path\": a directory of the host");
		return 1;
	}
	CLEANUP(freep) char *at = xasprintf("%s/path", pointer);
	CLEANUP(freep) char *what = xasprintf("share '%s'", conf->name);
	share->path = build_host_path(b, conf->path, at, what);
	return share->path ? 0 : 1;
}

/* What a guest writes is someone's: systemd gives the numbers of made-up users to others later. */
static void build_user(struct build *b, const struct share_conf *conf, const char *pointer,
		struct vm_share *share)
{
	share->user_exists = conf->user && conf->user[0];
	CLEANUP(freep)
	char *user = share->user_exists ? xstrdup(conf->user)
					: vm_share_user_name(b->vm->name, share->name);
	share->user = build_text(b, user);
	if (!strcmp(user, "root"))
		share_error(b, pointer, "user", conf,
				": a guest that is root in a directory of the host could leave "
				"programs there that run as root; name another user");
	if (!share->user_exists && !conf->readonly)
		share_error(b, pointer, "user", conf,
				" can be written, so it needs \"user\": the account of the host "
				"whose the files are; or \"readonly\": true");
}

static void build_share(struct build *b, const struct share_conf *conf, const char *pointer,
		struct vm_share *share)
{
	*share = (struct vm_share){
		.name = build_text(b, conf->name),
		.path = "",
		.user = "",
		.readonly = conf->readonly,
		.cache = conf->cache < 0 ? SHARE_CACHE_AUTO : (enum share_cache)conf->cache,
		.program = build_text(b, conf->program),
	};
	if (!share->program[0])
		share->program = "virtiofsd";
	if (!share->name[0]) {
		share_error(b, pointer, "name", conf,
				" needs \"name\", by which the guest mounts it");
		return;
	}
	if (build_path(b, conf, pointer, share) != 0)
		return;
	build_user(b, conf, pointer, share);
	CLEANUP(freep) char *socket = plan_share_path("/run/machina", b->vm->name, share->name);
	if (strlen(socket) > SOCKET_PATH_MAX)
		share_error(b, pointer, "name", conf,
				": together with the machine's, the name is too long for the path "
				"of a socket");
}

void build_shares(struct build *b)
{
	const struct share_conf *confs = b->conf->shares.items;
	struct vm *vm = b->vm;
	vm->n_shares = b->conf->shares.n;
	vm->shares = arena_array(&vm->arena, vm->n_shares, sizeof(*vm->shares));
	for (size_t i = 0; i < vm->n_shares; i++) {
		char pointer[sizeof("/shares/") + 20];
		snprintf(pointer, sizeof(pointer), "/shares/%zu", i);
		build_share(b, &confs[i], pointer, &vm->shares[i]);
	}
	if (vm->n_shares > VM_SHARES_MAX)
		BUILD_ERROR(b, "/shares", "%zu shares are more than %d", vm->n_shares,
				VM_SHARES_MAX);
	/* The program that serves them reads and writes in the guest's memory. */
	if (vm->n_shares) {
		vm->memory.shared = true;
		vm->memory.shared_for = arena_printf(&vm->arena, "share '%s'", vm->shares[0].name);
	}
}
