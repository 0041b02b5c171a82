/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block nodes. */
#include "qemu/nodes.h"

#include <string.h>

/* 31 bytes without "disk-". */
#define VOLUME_NAME_MAX 26

const char *nodes_name(struct assembly *a, const struct vm_volume *volume, size_t number, bool file)
{
	static const char chars[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	const char *kind = file ? "file" : "disk", *name = volume->name;
	size_t len = strlen(name);
	if (len > 0 && len <= VOLUME_NAME_MAX && strspn(name, chars) == len)
		return arena_printf(&a->topology.arena, "%s-%s", kind, name);
	return arena_printf(&a->topology.arena, "%s.%zu", kind, number);
}

static bool is_direct(const struct vm_volume *v)
{
	return v->cache == DISK_CACHE_NONE || v->cache == DISK_CACHE_DIRECTSYNC;
}

/* Each takes nothing but its own kind (block/file-posix.c, raw_open_common). */
static const char *file_driver(const char *path)
{
	return plan_is_device(path) ? "host_device" : "file";
}

/* O_DIRECT and flushes are the file's matter, but each node has its own word on them. */
static void add_cache(struct props *p, const struct vm_volume *v)
{
	if (is_direct(v))
		props_add(p, "cache.direct", "on");
	if (v->cache == DISK_CACHE_UNSAFE)
		props_add(p, "cache.no-flush", "on");
}

static void add_file(struct assembly *a, const struct vm_volume *v, const struct plan_fd *fd,
		const char *name)
{
	CLEANUP(props_done) struct props p = {};
	props_init(&p, NULL);
	props_add(&p, "driver", file_driver(fd->path));
	props_add(&p, "node-name", name);
	/* Said of all nodes of the volume: a disk on a writable node of a read-only file would be
	 * refused ("Block node is read-only"). */
	if (v->readonly)
		props_add(&p, "read-only", "on");
	if (v->type->format != VM_FORMAT_PLAIN)
		props_add(&p, "discard", disk_discard_names[v->discard]);
	add_cache(&p, v);
	if (v->aio != DISK_AIO_THREADS)
		props_add(&p, "aio", disk_aio_names[v->aio]);
	if (a->form == QEMU_FORM_UNIT)
		props_addf(&p, "filename", "/dev/fdset/%d", fd->set);
	else
		props_add(&p, "filename", fd->path);
	assembly_option(a, SECTION_BLOCKDEV, "-blockdev", &p);
}

static void add_raw(
		struct assembly *a, const struct vm_volume *v, const char *top, const char *file)
{
	CLEANUP(props_done) struct props p = {};
	props_add(&p, "driver", "raw");
	props_add(&p, "node-name", top);
	if (v->readonly)
		props_add(&p, "read-only", "on");
	props_add(&p, "discard", disk_discard_names[v->discard]);
	props_add(&p, "detect-zeroes", disk_detect_zeroes_names[v->detect_zeroes]);
	add_cache(&p, v);
	props_add(&p, "file", file);
	assembly_option(a, SECTION_BLOCKDEV, "-blockdev", &p);
}

/*
 * As JSON, the other form of -blockdev: only there "backing" can be null. Without it QEMU would
 * open by itself what the image names as its backing file. No text of the config is in here: names
 * of nodes need no quoting.
 */
static void add_qcow2(
		struct assembly *a, const struct vm_volume *v, const char *top, const char *file)
{
	CLEANUP(buf_done) struct buf json = {};
	buf_printf(&json, "{\"driver\":\"qcow2\",\"node-name\":\"%s\",\"read-only\":%s,", top,
			v->readonly ? "true" : "false");
	buf_printf(&json, "\"discard\":\"%s\",\"detect-zeroes\":\"%s\",",
			disk_discard_names[v->discard], disk_detect_zeroes_names[v->detect_zeroes]);
	buf_printf(&json, "\"cache\":{\"direct\":%s,\"no-flush\":%s},",
			is_direct(v) ? "true" : "false",
			v->cache == DISK_CACHE_UNSAFE ? "true" : "false");
	buf_printf(&json, "\"file\":\"%s\",\"backing\":null}", file);
	assembly_word(a, SECTION_BLOCKDEV, "-blockdev", buf_text(&json));
}

void nodes_add(struct assembly *a, const struct vm_volume *volume, const char *fd_name,
		const char *top, const char *file)
{
	const struct plan_fd *fd = assembly_fd(a, fd_name);
	switch (volume->type->format) {
	case VM_FORMAT_PLAIN:
		add_file(a, volume, fd, top);
		break;
	case VM_FORMAT_RAW:
		add_file(a, volume, fd, file);
		add_raw(a, volume, top, file);
		break;
	case VM_FORMAT_QCOW2:
		add_file(a, volume, fd, file);
		add_qcow2(a, volume, top, file);
		break;
	case VM_FORMAT_VVFAT:
		break;
	}
}

void nodes_add_vvfat(struct assembly *a, const struct vm_volume *volume, const char *top)
{
	CLEANUP(props_done) struct props p = {};
	props_add(&p, "driver", "vvfat");
	props_add(&p, "node-name", top);
	props_add(&p, "read-only", "on");
	props_add(&p, "dir", volume->path);
	assembly_option(a, SECTION_BLOCKDEV, "-blockdev", &p);
}
