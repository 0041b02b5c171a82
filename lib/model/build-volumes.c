/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes: pools become paths and types, names become serial numbers and WWNs. */
#include <string.h>

#include "json/jlocate.h"
#include "json/jnames.h"
#include "json/jtext.h"
#include "model/build.h"
#include "util/file.h"
#include "util/mem.h"

static const struct storage_conf *find_pool(const struct build *b, const char *name)
{
	const struct storage_conf *pools = b->host->conf.storage.items;
	for (size_t i = 0; i < b->host->conf.storage.n; i++)
		if (!strcmp(pools[i].name, name))
			return &pools[i];
	return NULL;
}

/* A pool that no machine uses may be of any type, as in the Go program. */
static void report_type(
		struct build *b, const struct volume_conf *conf, const struct storage_conf *pool)
{
	CLEANUP(strv_done) struct strv known = {};
	CLEANUP(buf_done) struct buf text = {}, pointer = {};
	for (const struct vm_storage_type *t = vm_storage_types; t->name; t++)
		strv_push(&known, t->name);

	bool has_type = pool->type && pool->type[0];
	if (has_type) {
		buf_puts(&text, "unknown storage type ");
		text_quoted(&text, pool->type);
	} else {
		buf_puts(&text, "the storage pool needs a \"type\"");
	}
	const char *near = has_type ? jnames_nearest(pool->type, (const char *const *)known.items,
						      known.n)
				    : NULL;
	if (near)
		buf_printf(&text, "; did you mean \"%s\"?", near);
	for (size_t i = 0; !near && i < known.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "; known are ", known.items[i]);
	buf_printf(&text, " (used by volume '%s' of machine '%s')", conf->name ? conf->name : "",
			b->vm->name);

	buf_puts(&pointer, "/storage");
	jpointer_push(&pointer, pool->name);
	buf_puts(&pointer, "/type");
	host_report(b->host, b->report, SEVERITY_ERROR, buf_text(&pointer), "%s", buf_text(&text));
}

static const struct storage_conf *use_pool(
		struct build *b, const struct volume_conf *conf, const char *pointer)
{
	const char *name = conf->storage ? conf->storage : "";
	const struct storage_conf *pool = find_pool(b, name);
	if (pool)
		return pool;
	const struct jlist *pools = &b->host->conf.storage;
	build_unknown(b,
			&(struct reference){ "volume", conf->name, "storage pool", pointer,
					"storage", name, "storage" },
			build_names(b, pools, sizeof(*pool)), pools->n);
	return NULL;
}

/* Whoever left the path out hardly meant the root directory, as the Go program took it. */
static void advise_path(struct build *b, const struct storage_conf *pool)
{
	CLEANUP(buf_done) struct buf at = {};
	jpointer_push(&at, "storage");
	jpointer_push(&at, pool->name);
	jpointer_push(&at, "path");
	host_report(b->host, b->report, SEVERITY_ADVICE, buf_text(&at),
			pool->path && pool->path[0] ? "the \"path\" of the storage pool is not "
						      "absolute: it counts from '/'"
						    : "the storage pool has no \"path\": its "
						      "volumes are in '/'");
}

/* A relative result counts from "/", where systemd starts units. */
static const char *volume_path(struct build *b, const struct storage_conf *pool,
		const struct volume_conf *conf, const char *pointer)
{
	const char *name = conf->name ? conf->name : "", *dir = pool->path ? pool->path : "";
	char room[200]; /* for nearly all */
	CLEANUP(buf_done) struct buf path = {};
	buf_borrow(&path, room, sizeof(room));
	buf_puts(&path, dir[0] == '/' ? "" : "/");
	buf_puts(&path, dir);
	buf_puts(&path, dir[0] ? "/" : "");
	size_t len = path.len;
	if (pool->pattern && pool->pattern[0]) {
		struct error err = {};
		if (build_expand(b, pool->pattern, name, &path, &err) < 0) {
			BUILD_ERROR_WITH(b, "/vars", pointer,
					"volume '%s' of storage pool '%s': %s", name, pool->name,
					err.text);
			return NULL;
		}
	} else {
		buf_printf(&path, "%s.%s", name, pool->type && pool->type[0] ? pool->type : "raw");
	}
	if (!dir[0] && path.len == len) {
		BUILD_ERROR(b, pointer, "volume '%s' of storage pool '%s' has an empty path", name,
				pool->name);
		return NULL;
	}
	if (dir[0] != '/' && (dir[0] || path.text[len] != '/'))
		advise_path(b, pool);
	CLEANUP(freep) char *clean = path_clean(buf_text(&path));
	return arena_strdup(&b->vm->arena, clean);
}

/* The volume's own word, else the pool's, else the standard. */
static int tuned(int own, int pool, int standard)
{
	return own >= 0 ? own : pool >= 0 ? pool : standard;
}

/* Who has said it, where it was not the volume: its file does not show the key. */
static const char *of_pool(struct build *b, int own, const struct storage_conf *pool)
{
	return own >= 0 ? "" : arena_printf(&b->vm->arena, " of storage pool '%s'", pool->name);
}

static void tune(struct build *b, const struct volume_conf *conf, const struct storage_conf *pool,
		const char *pointer, struct vm_volume *v)
{
	const struct disk_tuning_conf *own = &conf->tuning, *from = &pool->tuning;
	v->discard = (enum disk_discard)tuned(own->discard, from->discard, DISK_DISCARD_UNMAP);
	v->detect_zeroes = (enum disk_detect_zeroes)tuned(own->detect_zeroes, from->detect_zeroes,
			v->discard == DISK_DISCARD_UNMAP ? DISK_DETECT_ZEROES_UNMAP
							 : DISK_DETECT_ZEROES_OFF);
	v->cache = (enum disk_cache)tuned(own->cache, from->cache, DISK_CACHE_WRITEBACK);
	v->aio = (enum disk_aio)tuned(own->aio, from->aio, DISK_AIO_THREADS);

	/* QEMU refuses both: aio=native without O_DIRECT (block/file-posix.c), and
	 * detect-zeroes=unmap without discard=unmap (block.c, bdrv_open_common). */
	if (v->aio == DISK_AIO_NATIVE && v->cache != DISK_CACHE_NONE &&
			v->cache != DISK_CACHE_DIRECTSYNC) {
		CLEANUP(freep) char *at = xasprintf("%s/aio", pointer);
		BUILD_ERROR(b, at,
				"volume '%s': \"aio\": \"native\"%s needs \"cache\" to be "
				"\"none\" or \"directsync\", not \"%s\"",
				v->name, of_pool(b, own->aio, pool), disk_cache_names[v->cache]);
	}
	if (v->detect_zeroes == DISK_DETECT_ZEROES_UNMAP && v->discard != DISK_DISCARD_UNMAP) {
		CLEANUP(freep) char *at = xasprintf("%s/detect-zeroes", pointer);
		BUILD_ERROR(b, at,
				"volume '%s': \"detect-zeroes\": \"unmap\"%s needs \"discard\" to "
				"be \"unmap\"",
				v->name, of_pool(b, own->detect_zeroes, pool));
	}
}

/* Pool, path, type and tuning; what firmware, boot files and disks have in common. */
static bool resolve(struct build *b, const struct volume_conf *conf, const char *pointer,
		struct vm_volume *v)
{
	const struct storage_conf *pool = use_pool(b, conf, pointer);
	if (!pool)
		return false;
	v->type = vm_storage_type_find(pool->type ? pool->type : "");
	if (!v->type) {
		report_type(b, conf, pool);
		return false;
	}
	v->name = build_text(b, conf->name);
	v->pool = build_text(b, pool->name);
	v->path = volume_path(b, pool, conf, pointer);
	v->readonly = pool->readonly || v->type->readonly;
	v->serial = v->wwn = "";
	tune(b, conf, pool, pointer, v);
	return v->path != NULL;
}

static void identify(struct build *b, const struct volume_conf *conf, const char *pointer,
		struct vm_volume *v)
{
	struct error err = {};
	if (conf->wwn && conf->wwn[0]) {
		if (build_wwn(b, conf->wwn, &v->wwn, &err) < 0) {
			CLEANUP(freep) char *at = xasprintf("%s/wwn", pointer);
			BUILD_ERROR(b, at, "%s", err.text);
		}
	} else if (v->name[0]) {
		v->wwn = build_derive_wwn(b, v->name);
	}
	if (conf->serial && conf->serial[0])
		v->serial = build_text(b, conf->serial);
	else if (v->name[0])
		v->serial = build_derive_serial(b, v->name);
}

/* QEMU's disks have WWNs of eight bytes (hw/scsi/scsi-disk.c, scsi_disk_emulate_vpd_page). */
static void check_wwn(struct build *b, const char *pointer, const struct vm_volume *v)
{
	if (strlen(v->wwn) <= VM_WWN_LEN)
		return;
	CLEANUP(freep) char *at = xasprintf("%s/wwn", pointer);
	if (v->type->bus == VM_BUS_SCSI)
		BUILD_ADVICE(b, at,
				"QEMU's disks have WWNs of 16 hex digits: the guest finds this one "
				"as the text of a vendor-specific identifier, not as a WWN");
	else if (v->type->bus == VM_BUS_SATA)
		BUILD_ERROR(b, at, "volume '%s': a SATA disk has a WWN of 16 hex digits", v->name);
}

static void check_readonly(struct build *b, const char *pointer, const struct vm_volume *v)
{
	if (v->type->bus != VM_BUS_SATA || !v->readonly)
		return;
	CLEANUP(freep) char *at = xasprintf("%s/storage", pointer);
	BUILD_ERROR(b, at,
			"volume '%s': a SATA disk can't be read-only, and storage pool '%s' is; "
			"use a pool of type \"raw-scsi\" or \"raw-block\"",
			v->name, v->pool);
}

/* Is it a file that QEMU keeps locked for the guest? */
static bool is_attached(const struct vm_volume *v)
{
	return v->path && v->type->bus != VM_BUS_NONE && v->type->bus != VM_BUS_TPM &&
	       v->type->format != VM_FORMAT_VVFAT;
}

/*
 * A file that one node may write can't be used by another: QEMU's locks refuse it ("Failed to get
 * shared \"write\" lock"), also within one machine.
 */
static void check_shared(struct build *b, const char *pointer, const struct vm_volume *v)
{
	const struct vm *vm = b->vm;
	const struct vm_volume *const flash[] = { vm->firmware_code, vm->firmware_vars };
	const struct vm_volume *other = NULL;
	if (!is_attached(v))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(flash) && !other; i++)
		if (flash[i] && !strcmp(flash[i]->path, v->path) &&
				(!v->readonly || !flash[i]->readonly))
			other = flash[i];
	for (const struct vm_volume *w = vm->volumes; w < v && !other; w++)
		if (is_attached(w) && !strcmp(w->path, v->path) && (!v->readonly || !w->readonly))
			other = w;
	if (other)
		BUILD_ERROR(b, pointer,
				"volume '%s' is the same file as volume '%s', '%s', and one of "
				"them may write it",
				v->name, other->name, v->path);
}

static void advise_boot(struct build *b, const struct volume_conf *conf, const char *pointer,
		const struct vm_volume *v)
{
	if (!conf->bootable || conf->boot >= 0 || !vm_volume_is_cd(v))
		return;
	CLEANUP(freep) char *at = xasprintf("%s/bootable", pointer);
	BUILD_ADVICE(b, at,
			"\"bootable\" has no effect on a CD, such as volume '%s'; the firmware "
			"tries it with \"boot\": \"first\" or \"last\"",
			v->name);
}

void build_volumes(struct build *b)
{
	const struct volume_conf *confs = b->conf->volumes.items;
	size_t n = b->conf->volumes.n;
	b->vm->volumes = arena_array(&b->vm->arena, n, sizeof(*b->vm->volumes));
	b->vm->n_volumes = n;
	for (size_t i = 0; i < n; i++) {
		const char *pointer = arena_printf(&b->vm->arena, "/volumes/%zu", i);
		struct vm_volume *v = &b->vm->volumes[i];
		if (!resolve(b, &confs[i], pointer, v))
			continue;
		v->bootable = confs[i].bootable;
		v->boot = (enum vm_boot)(confs[i].boot + 1);
		identify(b, &confs[i], pointer, v);
		check_wwn(b, pointer, v);
		check_readonly(b, pointer, v);
		check_shared(b, pointer, v);
		advise_boot(b, &confs[i], pointer, v);
		if (v->type->bus == VM_BUS_NONE || v->type->bus == VM_BUS_TPM)
			BUILD_ADVICE(b, pointer,
					"the guest does not see volume '%s': its storage pool '%s' "
					"is of type \"%s\"",
					v->name, v->pool, v->type->name);
	}
}

static struct vm_volume *flash(struct build *b, const struct volume_conf *conf, const char *pointer)
{
	struct vm_volume *v = ARENA_NEW(&b->vm->arena, struct vm_volume);
	if (!resolve(b, conf, pointer, v))
		return NULL;
	if (v->type->bus == VM_BUS_NONE)
		return v;
	CLEANUP(freep) char *at = xasprintf("%s/storage", pointer);
	/* Of other types QEMU refuses the second user of the node: it may write, or is moved to
	 * another thread. */
	if (v->type->bus == VM_BUS_CD_SATA || v->type->bus == VM_BUS_CD_USB) {
		BUILD_ADVICE(b, at,
				"volume '%s' is firmware, and the guest sees it as a CD, too: "
				"storage pool '%s' is of type \"%s\", not \"firmware\"",
				v->name, v->pool, v->type->name);
		return v;
	}
	BUILD_ERROR(b, at,
			"volume '%s' is firmware, but storage pool '%s' is of type \"%s\", not "
			"\"firmware\"",
			v->name, v->pool, v->type->name);
	return NULL;
}

void build_firmware(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	if (!volume_conf_is_named(&attrs->firmware.code)) {
		if (volume_conf_is_named(&attrs->firmware.vars))
			BUILD_ADVICE(b, "/attrs/firmware/vars",
					"firmware variables without \"code\" are not used");
		return;
	}
	vm->firmware_code = flash(b, &attrs->firmware.code, "/attrs/firmware/code");
	if (!volume_conf_is_named(&attrs->firmware.vars))
		return;
	vm->firmware_vars = flash(b, &attrs->firmware.vars, "/attrs/firmware/vars");
	if (vm->firmware_code && vm->firmware_vars &&
			!strcmp(vm->firmware_code->path, vm->firmware_vars->path))
		BUILD_ERROR(b, "/attrs/firmware/vars",
				"firmware code and variables are the same file, '%s'",
				vm->firmware_vars->path);
}

static struct vm_volume *boot_file(
		struct build *b, const struct volume_conf *conf, const char *pointer)
{
	bool has_path = conf->path && conf->path[0];
	if (!has_path && !volume_conf_is_named(conf))
		return NULL;
	struct vm_volume *v = ARENA_NEW(&b->vm->arena, struct vm_volume);
	if (has_path && volume_conf_is_named(conf)) {
		BUILD_ERROR(b, pointer,
				"expected a \"path\", or a \"name\" and a \"storage\", found both");
	} else if (has_path) {
		CLEANUP(freep) char *clean = path_clean(conf->path);
		v->name = v->path = arena_strdup(&b->vm->arena, clean);
		v->serial = v->wwn = "";
	} else {
		resolve(b, conf, pointer, v);
	}
	v->readonly = true;
	return v;
}

void build_boot(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	vm->kernel = boot_file(b, &attrs->boot.kernel, "/attrs/boot/kernel");
	vm->initrd = boot_file(b, &attrs->boot.initrd, "/attrs/boot/initrd");
	vm->cmdline = build_text(b, attrs->boot.cmdline);
	if (!vm->kernel && vm->initrd)
		BUILD_ERROR(b, "/attrs/boot/initrd", "\"initrd\" needs \"kernel\"");
	if (!vm->kernel && vm->cmdline[0])
		BUILD_ERROR(b, "/attrs/boot/cmdline", "\"cmdline\" needs \"kernel\"");
}

void build_tpm(struct build *b)
{
	const struct attrs_conf *attrs = &b->conf->attrs;
	struct vm *vm = b->vm;
	vm->tpm.enabled = attrs->tpm.enabled;
	if (!vm->tpm.enabled)
		return;
	vm->tpm.socket = "";
	if (attrs->tpm.socket.path && attrs->tpm.socket.path[0])
		vm->tpm.socket = build_socket_path(
				b, attrs->tpm.socket.path, "/attrs/tpm/socket/path");

	if (!volume_conf_is_named(&attrs->tpm.data)) {
		BUILD_ERROR(b, "/attrs/tpm/enabled",
				"the TPM needs \"data\": a volume for its state in a pool of type "
				"\"tpm-data\"");
		return;
	}
	/* As in the Go program, the pool says where the directory is, and can be of any type. */
	const struct storage_conf *pool = use_pool(b, &attrs->tpm.data, "/attrs/tpm/data");
	if (!pool)
		return;
	if (!pool->type || strcmp(pool->type, "tpm-data") != 0)
		BUILD_ADVICE(b, "/attrs/tpm/data/storage",
				"the TPM's state is kept in storage pool '%s', which is not of "
				"type \"tpm-data\"",
				pool->name);
	vm->tpm.data = volume_path(b, pool, &attrs->tpm.data, "/attrs/tpm/data");
}
