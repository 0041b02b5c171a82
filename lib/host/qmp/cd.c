/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CD drives of a guest that runs. */
#include "host/qmp/cd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/qmp/qmp-fd.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "model/plan.h"
#include "util/mem.h"
#include "util/parse.h"

#define CALL_USEC (20 * USEC_PER_SEC)
/* Of nodes that volumes are attached by (qemu/nodes.h). */
#define VOLUME_NODE "disk-"
#define SET_PATH "/dev/fdset/"

static int call(struct qmp *qmp, const char *name, struct json_object *arguments, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *owned = arguments;
	return qmp_call(qmp, name, arguments, clock_deadline_usec(CALL_USEC), NULL, err);
}

/* {"KEY": "TEXT"} */
static struct json_object *one_text(const char *key, const char *text)
{
	struct json_object *o = jtree_object();
	jtree_set(o, key, jtree_string(text));
	return o;
}

/* ---- what there is ---- */

void cd_drives_done(struct cd_drives *drives)
{
	for (size_t i = 0; i < drives->n; i++) {
		free(drives->items[i].id);
		free(drives->items[i].name);
		free(drives->items[i].node);
	}
	free(drives->items);
	*drives = (struct cd_drives){};
}

/* The value of a key in "scsi-cd,key=value,...", or NULL. No name of ours has a comma. */
static char *get_property(const char *words, const char *key)
{
	size_t len = strlen(key);
	for (const char *at = strchr(words, ','); at; at = strchr(at + 1, ','))
		if (!strncmp(at + 1, key, len) && at[1 + len] == '=')
			return xstrndup(at + len + 2, strcspn(at + len + 2, ","));
	return NULL;
}

static char *name_of_node(const char *node)
{
	size_t len = strlen(VOLUME_NODE);
	return node && !strncmp(node, VOLUME_NODE, len) && node[len] ? xstrdup(node + len) : NULL;
}

/* The node that a device was started with, or NULL. */
static char *find_node(const struct strv *argv, const char *id)
{
	for (size_t i = 0; i + 1 < argv->n; i++) {
		if (strcmp(argv->items[i], "-device") != 0)
			continue;
		CLEANUP(freep) char *own = get_property(argv->items[i + 1], "id");
		if (own && !strcmp(own, id))
			return get_property(argv->items[i + 1], "drive");
	}
	return NULL;
}

int cd_find_set(struct json_object *inserted)
{
	const char *path = jtree_get_text(inserted, "file");
	int set;
	if (strncmp(path, SET_PATH, strlen(SET_PATH)) != 0 ||
			parse_int(path + strlen(SET_PATH), 0, INT32_MAX, &set) < 0)
		return -1;
	return set;
}

/* Returns false for a drive that is not the user's: its CD is made by prepare. */
static bool take_drive(struct json_object *block, const struct strv *argv, struct cd_drive *ret)
{
	struct json_object *inserted = jtree_get(block, "inserted");
	const char *node = jtree_get_text(inserted, "node-name");
	CLEANUP(freep) char *first = find_node(argv, jtree_get_text(block, "qdev"));
	if (!strcmp(first ? first : node, PLAN_SEED))
		return false;
	*ret = (struct cd_drive){
		.id = xstrdup(jtree_get_text(block, "qdev")),
		.node = node[0] ? xstrdup(node) : NULL,
		.set = cd_find_set(inserted),
		.has_tray = jtree_get(block, "tray_open") != NULL,
		.is_open = jtree_get_bool(block, "tray_open"),
		.is_locked = jtree_get_bool(block, "locked"),
	};
	ret->name = name_of_node(first);
	if (!ret->name)
		ret->name = name_of_node(ret->node);
	return true;
}

int cd_list(struct qmp *qmp, const struct strv *argv, struct cd_drives *ret, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *blocks = NULL;
	int r = qmp_call(qmp, "query-block", NULL, clock_deadline_usec(CALL_USEC), &blocks, err);
	if (r < 0)
		return r;
	*ret = (struct cd_drives){ .items = xcalloc(
						   jtree_length(blocks) + 1, sizeof(*ret->items)) };
	for (size_t i = 0; i < jtree_length(blocks); i++) {
		struct json_object *block = jtree_at(blocks, i);
		if (jtree_get_bool(block, "removable") && jtree_get_text(block, "qdev")[0])
			ret->n += take_drive(block, argv, &ret->items[ret->n]);
	}
	return 0;
}

static const char *shown_name(const struct cd_drive *drive)
{
	return drive->name ? drive->name : drive->id;
}

const struct cd_drive *cd_find(const struct cd_drives *drives, const char *name, struct error *err)
{
	CLEANUP(freep) const char **names = xcalloc(drives->n + 1, sizeof(*names));
	CLEANUP(buf_done) struct buf text = {};
	if (!drives->n) {
		error_set(err, ENODEV,
				"it has no CD drive: a volume of a pool of type \"iso-scsi\" or "
				"\"iso-ahci\" makes one");
		return NULL;
	}
	for (size_t i = 0; i < drives->n; i++) {
		const struct cd_drive *drive = &drives->items[i];
		names[i] = shown_name(drive);
		if (name && (!strcmp(names[i], name) || !strcmp(drive->id, name)))
			return drive;
	}
	if (!name && drives->n == 1)
		return drives->items;
	if (name) {
		jnames_hint(&text, name, names, drives->n);
		error_set(err, ENOENT, "it has no CD drive '%s'%s", name, buf_text(&text));
	} else {
		jnames_list(&text, '\'', names, drives->n);
		error_set(err, EINVAL, "it has several CD drives, and one has to be named: %s",
				buf_text(&text));
	}
	return NULL;
}

/* ---- the tray ---- */

/* The state of one drive now. ENODEV: it has gone. */
static int look(struct qmp *qmp, const char *id, bool *ret_open, struct error *err)
{
	CLEANUP(cd_drives_done) struct cd_drives drives = {};
	static const struct strv none = {};
	int r = cd_list(qmp, &none, &drives, err);
	for (size_t i = 0; r == 0 && i < drives.n; i++) {
		if (strcmp(drives.items[i].id, id) != 0)
			continue;
		*ret_open = drives.items[i].is_open || !drives.items[i].has_tray;
		return 0;
	}
	return r < 0 ? r : error_set(err, ENODEV, "the CD drive '%s' has gone", id);
}

/* Until the guest has moved a tray, whichever, or the deadline. */
static int wait_moved(struct qmp *qmp, uint64_t deadline_usec, struct error *err)
{
	int r = qmp_await_event(qmp, "DEVICE_TRAY_MOVED", deadline_usec, NULL, err);
	if (r == QMP_DONE || r == QMP_LATE)
		return 0;
	return r < 0 ? r : -err->code;
}

/*
 * QEMU answers at once also where the guest has locked the drive, and asks the guest then
 * (blockdev-open-tray, do_open_tray() in block/qapi-sysemu.c).
 */
static int open_tray(struct qmp *qmp, const struct cd_request *request, struct error *err)
{
	const uint64_t deadline = clock_deadline_usec(request->wait_usec);
	const char *id = request->drive->id;
	struct json_object *arguments = one_text("id", id);
	bool is_open = false, is_late;
	jtree_set(arguments, "force", jtree_bool(request->force));
	int r = call(qmp, "blockdev-open-tray", arguments, err);
	do {
		is_late = clock_now_usec() >= deadline;
		if (r == 0)
			r = look(qmp, id, &is_open, err);
		if (r < 0 || is_open)
			return r;
		r = wait_moved(qmp, deadline, err);
	} while (!is_late);
	return error_set(err, EBUSY,
			"the guest has locked the CD drive '%s' and does not open it; it may have "
			"mounted the CD; --force takes the CD away all the same",
			shown_name(request->drive));
}

/* The node may have been added by somebody who still uses it, and a node that has gone is gone. */
static void forget_medium(struct qmp *qmp, const char *node, int set)
{
	struct error unused = {};
	int r = call(qmp, "blockdev-del", one_text("node-name", node), &unused);
	if (r == 0 && set >= 0)
		qmp_remove_fd(qmp, set, clock_deadline_usec(CALL_USEC));
}

static int take_out(struct qmp *qmp, const struct cd_request *request, struct error *err)
{
	const struct cd_drive *drive = request->drive;
	int r = open_tray(qmp, request, err);
	if (r < 0 || !drive->node)
		return r;
	r = call(qmp, "blockdev-remove-medium", one_text("id", drive->id), err);
	if (r == 0)
		forget_medium(qmp, drive->node, drive->set);
	return r;
}

int cd_eject(struct qmp *qmp, const struct cd_request *request, struct error *err)
{
	if (!request->drive->node)
		return 1;
	return take_out(qmp, request, err);
}

/* ---- putting something in ---- */

/* A node by the number of its set, which nobody else has: names of volumes may be in use. */
static int add_medium(struct qmp *qmp, const struct cd_file *file, int *ret_set, char **ret_node,
		struct error *err)
{
	int r = qmp_add_fd(qmp, file->fd, file->path, clock_deadline_usec(CALL_USEC), ret_set, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *node = xasprintf("medium.%d", *ret_set);
	CLEANUP(freep) char *path = xasprintf(SET_PATH "%d", *ret_set);
	struct json_object *arguments =
			one_text("driver", file->is_device ? "host_device" : "file");
	jtree_set(arguments, "node-name", jtree_string(node));
	jtree_set(arguments, "filename", jtree_string(path));
	jtree_set(arguments, "read-only", jtree_bool(true));
	r = call(qmp, "blockdev-add", arguments, err);
	if (r < 0)
		qmp_remove_fd(qmp, *ret_set, clock_deadline_usec(CALL_USEC));
	else
		*ret_node = take_ptr(node);
	return r;
}

int cd_insert(struct qmp *qmp, const struct cd_request *request, const struct cd_file *file,
		struct error *err)
{
	CLEANUP(freep) char *node = NULL;
	int set;
	const char *id = request->drive->id;
	int r = add_medium(qmp, file, &set, &node, err);
	if (r < 0)
		return r;
	r = take_out(qmp, request, err);
	if (r == 0) {
		struct json_object *arguments = one_text("id", id);
		jtree_set(arguments, "node-name", jtree_string(node));
		r = call(qmp, "blockdev-insert-medium", arguments, err);
	}
	if (r < 0) {
		forget_medium(qmp, node, set);
		return r;
	}
	return call(qmp, "blockdev-close-tray", one_text("id", id), err);
}
