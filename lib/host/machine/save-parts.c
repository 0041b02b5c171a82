/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices and media of a machine that runs, against those of its arguments. */
#include "host/machine/save-parts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/process-file.h"
#include "host/qmp/cd.h"
#include "host/qmp/migration.h"
#include "json/jtree.h"
#include "model/plan.h"
#include "util/buf.h"
#include "util/mem.h"

static uint64_t deadline(void)
{
	return clock_deadline_usec(SAVE_CALL_USEC);
}

/* Is "KEY=NAME", or "KEY": "NAME" of an argument in JSON, a part of @word? */
static bool has_value(const char *word, const char *key, const char *name)
{
	CLEANUP(freep) char *plain = xasprintf("%s=%s", key, name);
	CLEANUP(freep) char *quoted = xasprintf("\"%s\"", name);
	size_t len = strlen(plain);
	for (const char *at = word; (at = strstr(at, plain)); at++)
		if ((at == word || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return word[0] == '{' && strstr(word, quoted);
}

/* The value of an option @name ("-device") that has it; NULL: none has. */
static const char *find(
		const struct strv *argv, const char *option, const char *key, const char *name)
{
	for (size_t i = 0; i + 1 < argv->n; i++)
		if (!strcmp(argv->items[i], option) && has_value(argv->items[i + 1], key, name))
			return argv->items[i + 1];
	return NULL;
}

/* QEMU's list of devices that have names. */
static int list_devices(struct qmp *qmp, struct strv *ret, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object(), *list = NULL;
	jtree_set(arguments, "path", jtree_string("/machine/peripheral"));
	int r = qmp_call(qmp, "qom-list", arguments, deadline(), &list, err);
	for (size_t i = 0; r == 0 && i < jtree_length(list); i++) {
		struct json_object *row = jtree_at(list, i);
		if (!strncmp(jtree_get_text(row, "type"), "child<", strlen("child<")))
			strv_push(ret, jtree_get_text(row, "name"));
	}
	return r;
}

static int check_devices(struct qmp *qmp, const struct strv *argv, struct error *err)
{
	CLEANUP(strv_done) struct strv devices = {};
	int r = list_devices(qmp, &devices, err);
	for (size_t i = 0; r == 0 && i < devices.n; i++)
		if (!find(argv, "-device", "id", devices.items[i]))
			r = error_set(err, ENOTSUP,
					"it cannot be saved: device '%s' was plugged in after its "
					"start; unplug it first",
					devices.items[i]);
	for (size_t i = 0; r == 0 && i + 1 < argv->n; i++) {
		const char *id = strstr(argv->items[i + 1], ",id=");
		if (strcmp(argv->items[i], "-device") != 0 || !id)
			continue;
		id += strlen(",id=");
		CLEANUP(freep) char *name = xstrndup(id, strcspn(id, ","));
		if (!strv_contains(&devices, name))
			r = error_set(err, ENOTSUP,
					"it cannot be saved: its device '%s' was unplugged after "
					"its start; plug it in again, or shut the machine down",
					name);
	}
	return r;
}

/* "scsi.0.0", also where QEMU tells "/machine/peripheral/scsi.0.0/virtio-backend". */
static char *device_id(struct json_object *drive)
{
	static const char parent[] = "/machine/peripheral/";
	const char *qdev = jtree_get_text(drive, "qdev");
	if (!strncmp(qdev, parent, strlen(parent)))
		qdev += strlen(parent);
	return xstrndup(qdev, strcspn(qdev, "/"));
}

struct drives {
	pid_t pid; /* of QEMU */
	const struct strv *argv;
	struct json_object *sets; /* query-fdsets */
	struct arena *arena;
	struct saved_medium *media;
	size_t n;
};

/* The file that a drive has in it by what cd_insert() has told QEMU; NULL: of somebody else. */
static const char *path_of(const struct drives *d, struct json_object *inserted)
{
	int set = cd_find_set(inserted);
	for (size_t i = 0; set >= 0 && i < jtree_length(d->sets); i++) {
		struct json_object *row = jtree_at(d->sets, i);
		const char *path = jtree_get_text(jtree_at(jtree_get(row, "fds"), 0), "opaque");
		if (jtree_get_int(row, "fdset-id", -1) == set && path[0] == '/')
			return path;
	}
	return NULL;
}

static int add_medium(struct drives *d, const char *id, const char *path)
{
	d->media[d->n++] = (struct saved_medium){
		.drive = arena_strdup(d->arena, id),
		.path = arena_strdup(d->arena, path),
	};
	return 0;
}

/*
 * The next start opens the file as root, for a QEMU that has told its name: it may have been taken
 * over by its guest. It gets no more than what it has already.
 */
static int check_medium(const struct drives *d, const char *id, const char *path, struct error *err)
{
	if (access(path, R_OK) < 0)
		return error_errno(err,
				"it cannot be saved: a start could not put '%s' into '%s' again",
				path, id);
	int r = process_has_file(d->pid, path, err);
	if (r < 0)
		return error_wrap(err, "it cannot be saved: what is in '%s' is not known", id);
	return r > 0 ? 0
		     : error_set(err, ENOTSUP,
				       "it cannot be saved: QEMU says that '%s' is in '%s', and "
				       "has no such file open; 'machina eject' takes it out",
				       path, id);
}

/*
 * One drive of query-block. One without a medium is as it was, or its medium was taken out. With
 * CDs the next start can do as much.
 */
static int check_drive(struct drives *d, struct json_object *drive, struct error *err)
{
	CLEANUP(freep) char *id = device_id(drive);
	struct json_object *inserted = jtree_get(drive, "inserted");
	bool has_tray = jtree_get(drive, "tray_open") != NULL;
	if (!inserted) {
		const char *device = find(d->argv, "-device", "id", id);
		if (!device || !strstr(device, "drive="))
			return 0;
		if (has_tray)
			return add_medium(d, id, "");
		return error_set(err, ENOTSUP,
				"it cannot be saved: the medium in '%s' was taken out after its "
				"start; insert it again",
				id);
	}
	const char *node = jtree_get_text(inserted, "node-name");
	/* Names of QEMU's own are of drives that the arguments made in an older form. */
	if (!node[0] || node[0] == '#' || find(d->argv, "-blockdev", "node-name", node))
		return 0;
	const char *path = has_tray ? path_of(d, inserted) : NULL;
	if (path) {
		int r = check_medium(d, id, path, err);
		return r < 0 ? r : add_medium(d, id, path);
	}
	return error_set(err, ENOTSUP,
			"it cannot be saved: '%s' has another medium or image than at its start, "
			"and not by 'machina insert'; %s",
			id,
			has_tray ? "'machina eject' takes it out"
				 : "go back to the one that the config names, or shut it down");
}

static int check_drives(struct qmp *qmp, pid_t pid, const struct strv *argv, struct arena *arena,
		struct jlist *ret_media, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *list = NULL, *sets = NULL;
	int r = qmp_call(qmp, "query-block", NULL, deadline(), &list, err);
	if (r == 0)
		r = qmp_call(qmp, "query-fdsets", NULL, deadline(), &sets, err);
	struct drives d = { .pid = pid, .argv = argv, .sets = sets, .arena = arena };
	d.media = (struct saved_medium *)arena_array(
			arena, jtree_length(list) + 1, sizeof(*d.media));
	for (size_t i = 0; r == 0 && i < jtree_length(list); i++)
		r = check_drive(&d, jtree_at(list, i), err);
	if (r == 0)
		*ret_media = (struct jlist){ .items = d.media, .n = d.n };
	return r;
}

/* QEMU asks swtpm for the TPM's state, and says nothing but "failed" where there is none. */
int save_check_tpm(struct qmp *qmp, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *list = NULL;
	int r = qmp_call(qmp, "query-chardev", NULL, deadline(), &list, err);
	for (size_t i = 0; r == 0 && i < jtree_length(list); i++) {
		struct json_object *row = jtree_at(list, i);
		const char *name = jtree_get_text(row, "filename");
		if (!strcmp(jtree_get_text(row, "label"), "tpm.0.socket") &&
				!strncmp(name, "disconnected:", strlen("disconnected:")))
			r = error_set(err, ENOTSUP,
					"it cannot be saved: its TPM (swtpm) has ended, and a "
					"restart of the machine brings it back");
	}
	return r;
}

int save_check_parts(struct qmp *qmp, pid_t pid, const struct strv *argv, struct arena *arena,
		struct jlist *ret_media, struct error *err)
{
	int r = check_devices(qmp, argv, err);
	if (r == 0)
		r = check_drives(qmp, pid, argv, arena, ret_media, err);
	return r < 0 ? r : save_check_tpm(qmp, err);
}

/* QEMU tells of a share where it is plugged in, and not which it is. */
int save_check_migration(struct qmp *qmp, const struct plan *plan, struct error *err)
{
	CLEANUP(buf_done) struct buf shares = {};
	int r = migration_check(qmp, err);
	if (r >= 0 || !err || !strstr(err->text, "vhost-user-fs"))
		return r;
	for (size_t i = 0; i < plan->n_fds; i++) {
		const char *share = plan_share_of(&plan->fds[i]);
		if (share)
			buf_printf(&shares, "%s'%s'", shares.len ? ", " : "", share);
	}
	return error_wrap(err, "its shared directories are in the way (%s)", buf_text(&shares));
}
