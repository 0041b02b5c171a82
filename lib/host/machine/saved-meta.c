/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written beside the memory of a saved machine, as JSON. */
#include "host/machine/saved-meta.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "json/jtree.h"
#include "json/jwrite.h"
#include "util/file.h"
#include "util/mem.h"

static const struct field disk_fields[] = {
	FIELD_STRING(struct saved_disk, name, "name", NULL, FIELD_REQUIRED, NULL, ""),
	FIELD_STRING(struct saved_disk, path, "path", NULL, FIELD_REQUIRED, NULL, ""),
	FIELD_BOOL(struct saved_disk, writable, "writable", false, ""),
	FIELD_INT(struct saved_disk, size_bytes, "size", 0, INT64_MAX, FIELD_REQUIRED, NULL, ""),
	FIELD_STRING(struct saved_disk, changed, "changed", NULL, 0, NULL, ""),
	FIELD_STRING(struct saved_disk, digest, "digest", NULL, FIELD_REQUIRED, NULL, ""),
	{},
};

static const struct field medium_fields[] = {
	FIELD_STRING(struct saved_medium, drive, "drive", NULL, FIELD_REQUIRED, NULL, ""),
	FIELD_STRING(struct saved_medium, path, "path", NULL, 0, NULL, ""),
	{},
};

static const struct field meta_fields[] = {
	FIELD_INT(struct saved_meta, format, "format", 1, INT64_MAX, FIELD_REQUIRED, NULL, ""),
	FIELD_BOOL(struct saved_meta, was_running, "was-running", false, ""),
	FIELD_INT(struct saved_meta, time_usec, "time-usec", 0, INT64_MAX, 0, NULL, ""),
	FIELD_STRING(struct saved_meta, boot, "boot", NULL, 0, NULL, ""),
	FIELD_STRING(struct saved_meta, qemu_version, "qemu-version", NULL, 0, NULL, ""),
	FIELD_STRING(struct saved_meta, machine_type, "machine-type", NULL, 0, NULL, ""),
	FIELD_STRINGS(struct saved_meta, argv, "argv", MERGE_FIRST, NULL, ""),
	FIELD_LIST(struct saved_meta, disks, struct saved_disk, "disks", MERGE_WHOLE, disk_fields,
			""),
	FIELD_LIST(struct saved_meta, media, struct saved_medium, "media", MERGE_WHOLE,
			medium_fields, ""),
	FIELD_STRINGS(struct saved_meta, taken, "taken", MERGE_FIRST, NULL, ""),
	{},
};

void saved_meta_done(struct saved_meta *meta)
{
	jdoc_done(&meta->doc);
	arena_done(&meta->arena);
	*meta = (struct saved_meta){};
}

static struct json_object *disk_json(const struct saved_disk *disk)
{
	struct json_object *object = jtree_object();
	jtree_set_text(object, "name", disk->name);
	jtree_set_text(object, "path", disk->path);
	jtree_set(object, "writable", jtree_bool(disk->writable));
	jtree_set(object, "size", jtree_int(disk->size_bytes));
	jtree_set_text(object, "changed", disk->changed);
	jtree_set_text(object, "digest", disk->digest);
	return object;
}

static struct json_object *media_json(const struct saved_meta *meta)
{
	struct json_object *list = jtree_list();
	const struct saved_medium *media = meta->media.items;
	for (size_t i = 0; i < meta->media.n; i++) {
		struct json_object *object = jtree_object();
		jtree_set(object, "drive", jtree_string(media[i].drive));
		jtree_set(object, "path", jtree_string(media[i].path));
		jtree_push(list, object);
	}
	return list;
}

static struct json_object *strings_json(const struct jstrings *strings)
{
	struct json_object *list = jtree_list();
	for (size_t i = 0; i < strings->n; i++)
		jtree_push(list, jtree_string(strings->items[i]));
	return list;
}

int saved_meta_write(const char *path, const struct saved_meta *meta, struct error *err)
{
	CLEANUP(freep) char *file = path_join(path, SAVED_META);
	CLEANUP(buf_done) struct buf text = {};
	const struct saved_disk *disks = meta->disks.items;
	struct json_object *root = jtree_object(), *list = jtree_list();
	jtree_set(root, "format", jtree_int(SAVED_FORMAT));
	jtree_set(root, "was-running", jtree_bool(meta->was_running));
	jtree_set(root, "time-usec", jtree_int(meta->time_usec));
	jtree_set_text(root, "boot", meta->boot);
	jtree_set_text(root, "qemu-version", meta->qemu_version);
	jtree_set_text(root, "machine-type", meta->machine_type);
	for (size_t i = 0; i < meta->disks.n; i++)
		jtree_push(list, disk_json(&disks[i]));
	jtree_set(root, "argv", strings_json(&meta->argv));
	jtree_set(root, "disks", list);
	jtree_set(root, "media", media_json(meta));
	jtree_set(root, "taken", strings_json(&meta->taken));
	jwrite(&text, root, JWRITE_PRETTY);
	buf_putc(&text, '\n');
	json_object_put(root);
	return file_replace(file, buf_text(&text), text.len, 0600, err);
}

int saved_meta_read(const char *path, struct saved_meta *ret, struct error *err)
{
	CLEANUP(freep) char *file = path_join(path, SAVED_META);
	CLEANUP(report_done) struct report report = {};
	*ret = (struct saved_meta){};
	int r = jdoc_load_at(AT_FDCWD, file, file, &ret->doc, &report, err);
	if (r < 0)
		return r;
	if (jtree_get_int(ret->doc.root, "format", 0) > SAVED_FORMAT)
		return error_set(err, EINVAL, "'%s' is of a newer version of this program", file);
	jcheck(meta_fields, &ret->doc, ret->doc.root, "", &report);
	if (report.n_errors || !ret->doc.root)
		return error_set(err, EINVAL, "'%s' is damaged: %s", file,
				report.n ? report.items[0].text : "it is empty");
	jbind(meta_fields, ret->doc.root, ret, &ret->arena);
	return 0;
}

/* The words of an option, for a message. The caller frees them; NULL: the list has ended. */
static char *option_at(const char *const *items, size_t n, size_t i)
{
	if (i >= n)
		return NULL;
	if (i > 0 && items[i - 1][0] == '-' && items[i][0] != '-')
		return xasprintf("%s %s", items[i - 1], items[i]);
	return xstrdup(items[i]);
}

/*
 * Earlier units left it to QEMU 7.2 to make a SCSI disk's designator of its serial number; later
 * ones have to be told (qemu/storage.c). The guest's hardware is the same.
 */
static bool same_argument(const char *was, const char *is)
{
	static const char key[] = ",device_id=", next[] = ",serial=";
	if (!strcmp(was, is))
		return true;
	const char *at = strstr(is, key);
	if (!at || strncmp(is, "scsi-hd,", strlen("scsi-hd,")) != 0)
		return false;
	/* A comma of the text itself is a double one. */
	const char *id = at + strlen(key), *rest = strstr(id, next);
	return rest && !strncmp(was, is, (size_t)(at - is)) && !strcmp(was + (at - is), rest) &&
	       !strncmp(rest + strlen(next), id, (size_t)(rest - id));
}

#define CHANGED "its unit has changed since it was saved: QEMU "

int saved_check_argv(const struct saved_meta *meta, const struct strv *argv, struct error *err)
{
	const char *const *now = (const char *const *)argv->items;
	size_t i = 0;
	while (i < argv->n && i < meta->argv.n && same_argument(meta->argv.items[i], now[i]))
		i++;
	CLEANUP(freep) char *was = option_at(meta->argv.items, meta->argv.n, i);
	CLEANUP(freep) char *is = option_at(now, argv->n, i);
	if (!was && !is)
		return 0;
	if (!was)
		return error_set(err, EINVAL, CHANGED "did not have the argument '%s'", is);
	if (!is)
		return error_set(err, EINVAL, CHANGED "had the argument '%s', now it has not", was);
	return error_set(err, EINVAL, CHANGED "had the argument '%s', now it is '%s'", was, is);
}

static const struct saved_disk *find(const struct saved_meta *meta, const char *name)
{
	const struct saved_disk *disks = meta->disks.items;
	for (size_t i = 0; i < meta->disks.n; i++)
		if (!strcmp(disks[i].name, name))
			return &disks[i];
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* What is different; NULL: nothing. */
static const char *difference(const struct saved_disk *was, const struct saved_disk *is)
{
	if (was->size_bytes != is->size_bytes)
		return "has another size";
	if (!same_text(was->changed, is->changed))
		return "was written to";
	return same_text(was->digest, is->digest) ? NULL : "has another content";
}

static enum saved_disks check_disk(const struct saved_meta *meta, const struct plan_fd *fd,
		const struct saved_disk *is, struct error *why)
{
	const struct saved_disk *was = find(meta, fd->name);
	if (!was || strcmp(was->path, fd->path) != 0) {
		error_set(why, EINVAL, "'%s' is not the file that the machine had as '%s'",
				fd->path, fd->name);
		return SAVED_DISKS_CHANGED;
	}
	const char *text = difference(was, is);
	if (!text)
		return fd->writable && plan_is_device(fd->path) ? SAVED_DISKS_INDISTINCT
								: SAVED_DISKS_SAME;
	error_set(why, EINVAL, "'%s' %s since the machine was saved", fd->path, text);
	return fd->writable ? SAVED_DISKS_WRITTEN : SAVED_DISKS_CHANGED;
}

int saved_check_disks(const struct saved_meta *meta, const struct saved_machine *machine,
		enum saved_disks *ret, struct error *why, struct error *err)
{
	CLEANUP(arena_done) struct arena arena = {};
	struct plan_fd *files;
	size_t n;
	saved_files(machine, meta, &arena, &files, &n);
	*ret = SAVED_DISKS_SAME;
	for (size_t i = 0; i < n; i++) {
		struct saved_disk is;
		struct error text = {};
		int r = saved_stamp(&files[i], false, &arena, &is, err);
		if (r < 0)
			return r;
		enum saved_disks one = check_disk(meta, &files[i], &is, &text);
		if (one <= *ret)
			continue;
		*ret = one;
		*why = text;
	}
	return 0;
}

int saved_check_medium(const struct saved_meta *meta, const struct saved_medium *medium, int fd,
		struct error *err)
{
	CLEANUP(arena_done) struct arena arena = {};
	CLEANUP(freep) char *own = xasprintf("/proc/self/fd/%d", fd);
	const struct plan_fd file = { .kind = PLAN_FD_FILE, .name = medium->drive, .path = own };
	const struct saved_disk *was = find(meta, medium->drive);
	struct saved_disk is;
	int r = saved_stamp(&file, false, &arena, &is, err);
	if (r < 0)
		return r;
	const char *text = was ? difference(was, &is) : "is not known";
	return text ? error_set(err, EINVAL, "'%s' %s since the machine was saved", medium->path,
				      text)
		    : 0;
}
