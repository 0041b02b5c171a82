/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's cloud-init is told. */
#include <string.h>

#include "model/build.h"
#include "util/mem.h"
#include "util/parse.h"

#define AT "/attrs/cloud-init"

static bool is_set(const char *text)
{
	return text && text[0];
}

static void add(struct vm *vm, enum vm_seed_kind kind, const char *text)
{
	vm->seed[vm->n_seed++] = (struct vm_seed_item){ .kind = kind, .text = text };
}

static void add_text(struct build *b, enum vm_seed_kind kind, const char *text)
{
	if (is_set(text))
		add(b->vm, kind, build_text(b, text));
}

static void add_path(struct build *b, enum vm_seed_kind kind, const char *pattern, const char *key)
{
	if (!is_set(pattern))
		return;
	CLEANUP(freep) char *pointer = xasprintf(AT "/%s", key);
	CLEANUP(freep) char *what = xasprintf("\"%.*s\"", (int)strcspn(key, "/"), key);
	const char *path = build_host_path(b, pattern, pointer, what);
	if (path)
		add(b->vm, kind, path);
}

static void add_list(struct build *b, enum vm_seed_kind kind, const struct jstrings *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_text(b, kind, list->items[i]);
}

static void add_keys(struct build *b, const struct jstrings *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		CLEANUP(freep) char *key = xasprintf("ssh-authorized-keys/%zu", i);
		if (strchr("/$", keys->items[i][0]))
			add_path(b, VM_SEED_KEY_FILE, keys->items[i], key);
		else
			add_text(b, VM_SEED_KEY, keys->items[i]);
	}
}

/* What a file of the user's own would leave without effect. */
static void check_files(struct build *b, const struct cloud_init_conf *conf)
{
	const bool user_data = is_set(conf->user_data), meta_data = is_set(conf->meta_data);
	const struct {
		const char *file, *key;
		bool both;
	} rows[] = {
		{ "user-data", "user", user_data && is_set(conf->user) },
		{ "user-data", "sudo", user_data && is_set(conf->sudo) },
		{ "user-data", "groups", user_data && conf->groups.n },
		{ "user-data", "shell", user_data && is_set(conf->shell) },
		{ "user-data", "password-hash-file",
				user_data && is_set(conf->password_hash_file) },
		{ "user-data", "ssh-authorized-keys", user_data && conf->ssh_authorized_keys.n },
		{ "user-data", "packages", user_data && conf->packages.n },
		{ "user-data", "upgrade", user_data && conf->upgrade },
		{ "user-data", "run", user_data && conf->run.n },
		{ "meta-data", "hostname", meta_data && is_set(conf->hostname) },
		{ "meta-data", "instance-id", meta_data && is_set(conf->instance_id) },
		{ "network-config", "network", is_set(conf->network_config) && conf->network > 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *pointer = xasprintf(AT "/%s", rows[i].file);
		if (rows[i].both)
			BUILD_ERROR(b, pointer,
					"\"%s\" is a file of your own, in which \"%s\" has no "
					"part: give one of the two",
					rows[i].file, rows[i].key);
	}
}

static bool is_wanted(const struct cloud_init_conf *conf)
{
	if (conf->enabled >= 0)
		return conf->enabled;
	const char *const texts[] = { conf->hostname, conf->instance_id, conf->user, conf->sudo,
		conf->shell, conf->password_hash_file, conf->user_data, conf->meta_data,
		conf->network_config, conf->vendor_data };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (is_set(texts[i]))
			return true;
	return conf->groups.n || conf->ssh_authorized_keys.n || conf->packages.n || conf->upgrade ||
	       conf->run.n || conf->network > 0;
}

/* The machine's id, which it keeps; cloud-init takes a guest with another one for a new guest. */
static void add_identity(struct build *b, const struct cloud_init_conf *conf)
{
	struct vm *vm = b->vm;
	char *text = arena_alloc(&vm->arena, UUID_TEXT_MAX);
	format_uuid(vm->uuid, text);
	const char *derived =
			vm->has_uuid ? text : build_derive_device_id(b, "cloud-init", "instance");
	add(vm, VM_SEED_INSTANCE_ID,
			is_set(conf->instance_id) ? build_text(b, conf->instance_id) : derived);
	/* Names of hosts have no '_'. */
	char *name = arena_strdup(&vm->arena, is_set(conf->hostname) ? conf->hostname : vm->name);
	for (char *c = name; *c; c++)
		if (*c == '_')
			*c = '-';
	add(vm, VM_SEED_HOSTNAME, name);
}

void build_cloud_init(struct build *b)
{
	const struct cloud_init_conf *conf = &b->conf->attrs.cloud_init;
	struct vm *vm = b->vm;
	if (!is_wanted(conf))
		return;
	check_files(b, conf);
	vm->seed = arena_array(&vm->arena,
			conf->groups.n + conf->ssh_authorized_keys.n + conf->packages.n +
					conf->run.n + 14,
			sizeof(*vm->seed));
	if (!is_set(conf->meta_data))
		add_identity(b, conf);
	add_text(b, VM_SEED_USER, conf->user);
	add_text(b, VM_SEED_SUDO, conf->sudo);
	add_list(b, VM_SEED_GROUP, &conf->groups);
	add_text(b, VM_SEED_SHELL, conf->shell);
	add_path(b, VM_SEED_PASSWORD_FILE, conf->password_hash_file, "password-hash-file");
	add_keys(b, &conf->ssh_authorized_keys);
	add_list(b, VM_SEED_PACKAGE, &conf->packages);
	if (conf->upgrade)
		add(vm, VM_SEED_UPGRADE, NULL);
	add_list(b, VM_SEED_RUN, &conf->run);
	if (conf->network > 0)
		add(vm, VM_SEED_NETWORK, build_network_config(b));
	add_path(b, VM_SEED_USER_DATA, conf->user_data, "user-data");
	add_path(b, VM_SEED_META_DATA, conf->meta_data, "meta-data");
	add_path(b, VM_SEED_NETWORK_CONFIG, conf->network_config, "network-config");
	add_path(b, VM_SEED_VENDOR_DATA, conf->vendor_data, "vendor-data");
	if (is_set(conf->user) && !is_set(conf->password_hash_file) && !conf->ssh_authorized_keys.n)
		BUILD_ADVICE(b, AT "/user",
				"user '%s' gets neither a key nor a password: nobody can log in as "
				"that user",
				conf->user);
}
