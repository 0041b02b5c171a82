/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The units that a run makes, against those on disk. */
#include "setup/unitset.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "config/forms.h"
#include "unit/network.h"
#include "util/file.h"
#include "util/mem.h"

void unitset_done(struct unitset *set)
{
	file_batch_done(&set->batch);
	for (size_t i = 0; i < set->n; i++) {
		free(set->rows[i].name);
		free(set->rows[i].text);
	}
	free(set->rows);
	strv_done(&set->on_disk);
	for (size_t i = 0; i < ARRAY_SIZE(set->wanted); i++)
		strv_done(&set->wanted[i]);
	buf_done(&set->scratch);
	*set = (struct unitset){};
}

/* A unit of ours that is not QEMU's, which every machine has. */
static bool is_companion(const char *name)
{
	static const char ours[] = "machina-", qemu[] = "machina-qemu-";
	return !strncmp(name, ours, strlen(ours)) && strncmp(name, qemu, strlen(qemu)) != 0;
}

int unitset_init(struct unitset *set, const struct config_paths *paths, unsigned flags,
		struct error *err)
{
	const char *dir = paths->unit_dir;
	*set = (struct unitset){
		.paths = paths,
		.dir = dir,
		.flags = flags,
	};
	int r = dir_list(dir, &set->on_disk, err);
	if (r != 0)
		return r < 0 ? r : 0;
	set->exists = true;
	r = file_batch_init(&set->batch, dir, err);
	if (r == 0)
		r = unitset_list_wanted(set, err);
	for (size_t i = 0; r == 0 && i < set->on_disk.n; i++) {
		const char *name = set->on_disk.items[i];
		set->has_companions |= is_companion(name);
		if (!(flags & UNITSET_DRY) && file_is_stale(name))
			unlinkat(set->batch.dirfd, name, 0);
	}
	return r;
}

/* Read the file into set->scratch. 0: it was made by this program; 1: by others, and *ret_what says
 * what it is. */
static int read_own(struct unitset *set, const char *name, const char **ret_what, struct error *err)
{
	buf_clear(&set->scratch);
	CLEANUP(closep)
	int fd = openat(set->batch.dirfd, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP) {
		*ret_what = "is a symbolic link (a masked unit is one to /dev/null)";
		return 1;
	}
	int r = fd < 0 ? error_errno(err, "cannot open '%s'", name)
		       : file_read_fd(fd, name, UNIT_SIZE_MAX, &set->scratch, err);
	if (r < 0)
		return error_wrap(err, "in '%s'", set->dir);
	*ret_what = "was not made by this program";
	return strncmp(buf_text(&set->scratch), UNIT_MARK, strlen(UNIT_MARK)) != 0;
}

struct unitset_row *unitset_add_row(struct unitset *set, const char *name, enum unit_fate fate)
{
	set->rows = grow_array(set->rows, &set->n_alloc, set->n, sizeof(*set->rows));
	struct unitset_row *row = &set->rows[set->n++];
	*row = (struct unitset_row){ .name = xstrdup(name), .fate = fate };
	return row;
}

/* To a temporary file. */
static int write_row(struct unitset *set, struct unitset_row *row, struct error *err)
{
	CLEANUP(freep) char *text = take_ptr(row->text);
	return file_batch_add(&set->batch, row->name, text, row->len, 0644, err);
}

static void report_foreign(
		struct unitset *set, const char *name, const char *what, struct report *report)
{
	CLEANUP(freep) char *path = path_join(set->dir, name);
	report_add(report, SEVERITY_ERROR, (struct where){ .file = path }, NULL, NULL,
			set->flags & UNITSET_NO_FORCE ? "%s; it is left alone: rename or remove it"
						      : "%s; --force replaces it",
			what);
}

static int add_unit(
		struct unitset *set, struct unit *unit, struct report *report, struct error *err)
{
	if (strv_contains_sorted(&set->on_disk, unit->name)) {
		const char *what = NULL;
		int r = read_own(set, unit->name, &what, err);
		if (r < 0)
			return r;
		if (r > 0 && !(set->flags & UNITSET_FORCE)) {
			report_foreign(set, unit->name, what, report);
			return 0;
		}
		if (r == 0 && set->scratch.len == unit->len &&
				!memcmp(set->scratch.text, unit->text, unit->len)) {
			unitset_add_row(set, unit->name, UNIT_UNCHANGED);
			return 0;
		}
	}
	struct unitset_row *row = unitset_add_row(set, unit->name, UNIT_WRITTEN);
	if (set->flags & UNITSET_DRY || report->n_errors)
		return 0;
	row->text = take_ptr(unit->text);
	row->len = unit->len;
	return set->flags & UNITSET_EAGER ? write_row(set, row, err) : 0;
}

int unitset_remove(struct unitset *set, const char *name, struct error *err)
{
	const char *what = NULL;
	int r = read_own(set, name, &what, err);
	if (r == 0)
		unitset_add_row(set, name, UNIT_REMOVED);
	return r < 0 ? r : r == 0;
}

int unitset_read(struct unitset *set, const char *name, struct buf *ret, struct error *err)
{
	const char *what = NULL;
	int r = read_own(set, name, &what, err);
	buf_clear(ret);
	if (r == 0)
		buf_add(ret, set->scratch.text, set->scratch.len);
	return r;
}

/* Of units that a machine has several of: "MACHINE@WHICH". */
static const char *const instance_patterns[] = { UNIT_SHARE, UNIT_PASST };

/* One of a machine's that is not made any more. */
static int remove_unwanted(
		struct unitset *set, const struct units *units, const char *name, struct error *err)
{
	for (size_t k = 0; k < units->n; k++)
		if (!strcmp(units->items[k].name, name))
			return 0;
	return unitset_remove(set, name, err);
}

/* Where names that begin with @prefix would be in the sorted list. */
static size_t first_with(const struct strv *names, const char *prefix)
{
	size_t low = 0, high = names->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(names->items[middle], prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A machine may have had shares of any name, and connections in any number. */
static int remove_instances(struct unitset *set, const char *pattern, const char *machine,
		const struct units *units, struct error *err)
{
	CLEANUP(freep) char *instance = xasprintf("%s@", machine);
	CLEANUP(freep) char *prefix = unit_name(pattern, instance);
	size_t len = strlen(prefix) - strlen(".service");
	prefix[len] = '\0';
	for (size_t i = first_with(&set->on_disk, prefix); i < set->on_disk.n; i++) {
		const char *name = set->on_disk.items[i];
		if (strncmp(name, prefix, len) != 0)
			break;
		/* A directory of drop-ins begins as the unit that it is for. */
		CLEANUP(freep) char *found = unit_name_subject(pattern, name);
		int r = found ? remove_unwanted(set, units, name, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int unitset_add_others(
		struct unitset *set, struct units *units, struct report *report, struct error *err)
{
	for (size_t i = 0; i < units->n; i++) {
		int r = add_unit(set, &units->items[i], report, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int unitset_add(struct unitset *set, const char *machine, struct units *units,
		struct report *report, struct error *err)
{
	int first = unitset_add_others(set, units, report, err);
	if (first < 0)
		return first;
	/* Looking for what is not wanted any more costs more than all else here. */
	if (!set->has_companions)
		return 0;
	for (size_t i = 0; unit_name_patterns[i]; i++) {
		CLEANUP(freep) char *name = unit_name(unit_name_patterns[i], machine);
		if (!strv_contains_sorted(&set->on_disk, name))
			continue;
		int r = remove_unwanted(set, units, name, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(instance_patterns); i++) {
		int r = remove_instances(set, instance_patterns[i], machine, units, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "web" of "machina-virtiofsd-web@data.service". */
static char *machine_of_instance(const char *name, const char *pattern)
{
	char *instance = unit_name_subject(pattern, name);
	char *at = instance ? strchr(instance, '@') : NULL;
	if (at) {
		*at = '\0';
		if (machine_name_valid(instance))
			return instance;
	}
	free(instance);
	return NULL;
}

/* The machine that a unit's name speaks of. */
static char *machine_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(instance_patterns); i++) {
		char *machine = machine_of_instance(name, instance_patterns[i]);
		if (machine)
			return machine;
	}
	for (size_t i = 0; unit_name_patterns[i]; i++) {
		char *machine = unit_name_subject(unit_name_patterns[i], name);
		if (machine && machine_name_valid(machine))
			return machine;
		free(machine);
	}
	return NULL;
}

static char *network_of(const char *name)
{
	const char *expected;
	char *network = unit_name_subject(UNIT_NETWORK, name);
	if (network && form_firewall_name(network, &expected))
		return network;
	free(network);
	return NULL;
}

bool unitset_is_network(const char *name)
{
	CLEANUP(freep) char *network = network_of(name);
	return network != NULL;
}

/* The first line of what read_own() has read names the files that the unit was made from. */
static bool is_made_from(const struct unitset *set, const char *source)
{
	const char *text = buf_text(&set->scratch), *found = strstr(text, source);
	return found && found < text + strcspn(text, "\n");
}

/* Of a unit that belongs to nothing that is configured, the file that would have it; else NULL. The
 * caller frees it. */
static char *missing_source(
		const struct unitset *set, const char *name, const struct unitset_known *known)
{
	char *machine = machine_of(name);
	char *network = machine ? NULL : network_of(name);
	char *source = NULL;
	if (machine && !strv_contains_sorted(known->machines, machine))
		source = xasprintf(" %s/%s.conf.json;", set->paths->known_machine_dir, machine);
	else if (network && !strv_contains_sorted(known->networks, network))
		source = xasprintf(" %s/machina.conf.json", set->paths->known_config_dir);
	free(machine);
	free(network);
	return source;
}

int unitset_remove_others(struct unitset *set, const struct unitset_known *known, struct error *err)
{
	for (size_t i = 0; i < set->on_disk.n; i++) {
		const char *name = set->on_disk.items[i], *what = NULL;
		CLEANUP(freep) char *source = missing_source(set, name, known);
		if (!source)
			continue;
		int r = read_own(set, name, &what, err);
		if (r < 0)
			return r;
		if (r == 0 && is_made_from(set, source))
			unitset_add_row(set, name, UNIT_REMOVED);
	}
	return 0;
}

/* "machine 'web'": whose a unit of ours is. */
static char *owner_of(const char *name)
{
	CLEANUP(freep) char *machine = machine_of(name);
	CLEANUP(freep) char *network = machine ? NULL : network_of(name);
	return xasprintf("%s '%s'", machine ? "machine" : "network", machine ? machine : network);
}

/* The command that stops it. */
static char *stop_of(const char *name)
{
	CLEANUP(freep) char *machine = machine_of(name);
	return machine ? xasprintf("machina stop %s", machine)
		       : xasprintf("systemctl stop %s", name);
}

void unitset_list_removed(const struct unitset *set, struct strv *ret)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->rows[i].fate == UNIT_REMOVED && !set->rows[i].is_link)
			strv_push(ret, set->rows[i].name);
}

void unitset_list_qemu(const struct strv *units, struct strv *ret)
{
	for (size_t i = 0; i < units->n; i++) {
		CLEANUP(freep) char *machine = machine_of(units->items[i]);
		CLEANUP(freep) char *unit = machine ? unit_name(UNIT_QEMU, machine) : NULL;
		if (unit && !strv_contains(ret, unit))
			strv_push(ret, unit);
	}
}

/* systemd stops what no unit wants any more as soon as it has read that (StopWhenUnneeded=). */
static void hold_qemu(struct unitset *set, const struct strv *up)
{
	for (size_t i = 0; i < set->n; i++) {
		struct unitset_row *row = &set->rows[i];
		if (row->fate != UNIT_WRITTEN || !strv_contains(up, row->name))
			continue;
		file_batch_drop(&set->batch, row->name);
		free(row->text);
		row->text = NULL;
		row->fate = UNIT_UNCHANGED;
	}
}

void unitset_keep(struct unitset *set, const struct strv *running, const struct strv *up,
		struct report *report)
{
	CLEANUP(strv_done) struct strv owners = {};
	for (size_t i = 0; i < running->n; i++)
		strv_push_take(&owners, owner_of(running->items[i]));
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++) {
		struct unitset_row *row = &set->rows[i];
		CLEANUP(freep)
		char *owner = row->fate == UNIT_REMOVED && !row->is_link ? owner_of(row->name)
									 : NULL;
		if (!owner || !strv_contains(&owners, owner)) {
			set->rows[n++] = *row;
			continue;
		}
		CLEANUP(freep) char *path = path_join(set->dir, row->name);
		CLEANUP(freep) char *stop = stop_of(row->name);
		report_add(report, SEVERITY_ADVICE, (struct where){ .file = path }, NULL, NULL,
				"not needed any more, but in use: %s keeps its units until it has "
				"been stopped ('%s'); then run generate again",
				owner, stop);
		free(row->name);
		free(row->text);
	}
	set->n = n;
	hold_qemu(set, up);
}

bool unitset_changes(const struct unitset *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->rows[i].fate != UNIT_UNCHANGED)
			return true;
	return false;
}

/* A unit that starts with the host has a link in the target that wants it, which would dangle. */
static int unlink_unit(struct unitset *set, const char *name, struct error *err)
{
	CLEANUP(freep) char *enabled = xasprintf(UNIT_ENABLED_TARGET ".wants/%s", name);
	CLEANUP(freep) char *wanted = xasprintf(UNIT_GUESTS_TARGET ".wants/%s", name);
	int r = unitset_remove_link(set, enabled, err);
	if (r == 0)
		r = unitset_remove_link(set, wanted, err);
	if (r == 0 && unlinkat(set->batch.dirfd, name, 0) < 0 && errno != ENOENT)
		r = error_errno(err, "cannot remove '%s/%s'", set->dir, name);
	return r;
}

int unitset_commit(struct unitset *set, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < set->n; i++)
		if (set->rows[i].text)
			r = write_row(set, &set->rows[i], err);
	if (r == 0)
		r = file_batch_commit(&set->batch, err);
	for (size_t i = 0; r == 0 && i < set->n; i++)
		if (set->rows[i].is_link)
			r = unitset_commit_link(set, &set->rows[i], err);
		else if (set->rows[i].fate == UNIT_REMOVED)
			r = unlink_unit(set, set->rows[i].name, err);
	return r;
}

/* Rows as "NAME\0FATE", then the batch as "NAME\0TEMPORARY\0"; an empty name ends each list. */
void unitset_pack(const struct unitset *set, struct buf *to)
{
	for (size_t i = 0; i < set->n; i++) {
		buf_add(to, set->rows[i].name, strlen(set->rows[i].name) + 1);
		buf_putc(to, (char)set->rows[i].fate);
	}
	buf_putc(to, '\0');
	const struct file_batch *batch = &set->batch;
	for (size_t i = 0; i < batch->names.n; i++) {
		buf_add(to, batch->names.items[i], strlen(batch->names.items[i]) + 1);
		buf_add(to, batch->temporaries.items[i], strlen(batch->temporaries.items[i]) + 1);
	}
	buf_putc(to, '\0');
}

const char *unitset_unpack(struct unitset *set, const char *from)
{
	for (; *from; from += strlen(from) + 2)
		unitset_add_row(set, from, (enum unit_fate)from[strlen(from) + 1]);
	for (from++; *from; from += strlen(from) + 1) {
		const char *name = from;
		from += strlen(from) + 1;
		file_batch_adopt(&set->batch, name, from);
	}
	return from + 1;
}
