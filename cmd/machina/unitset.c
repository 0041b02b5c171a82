/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The units that a run makes, against those on disk. */
#include "unitset.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "config/forms.h"
#include "util/file.h"
#include "util/mem.h"

#define UNIT_SIZE_MAX ((size_t)4 << 20)

void unitset_done(struct unitset *set)
{
	for (size_t i = 0; i < set->n; i++)
		free(set->rows[i].name);
	free(set->rows);
	strv_done(&set->on_disk);
	buf_done(&set->scratch);
	closep(&set->dirfd);
	closep(&set->spoolfd);
	*set = (struct unitset){ .dirfd = -1, .spoolfd = -1 };
}

int unitset_init(struct unitset *set, const struct config_paths *paths, bool force,
		struct error *err)
{
	const char *dir = paths->unit_dir;
	*set = (struct unitset){ .dir = dir,
		.machine_dir = paths->machine_dir + paths->root_len,
		.dirfd = -1,
		.spoolfd = -1,
		.force = force };
	set->spoolfd = memfd_create("machina-units", MFD_CLOEXEC);
	if (set->spoolfd < 0)
		return error_errno(err, "cannot make a file in memory");
	set->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (set->dirfd < 0 && errno != ENOENT)
		return error_errno(err, "cannot open '%s'", dir);
	int r = dir_list(dir, &set->on_disk, err);
	return r < 0 ? r : 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool contains(const struct strv *sorted, const char *name)
{
	return sorted->n &&
	       bsearch(&name, sorted->items, sorted->n, sizeof(*sorted->items), compare_names);
}

/* Read the file into set->scratch. 0: it was made by this program; 1: by others, and *ret_what says
 * what it is. */
static int read_own(struct unitset *set, const char *name, const char **ret_what, struct error *err)
{
	struct stat st;
	buf_clear(&set->scratch);
	if (fstatat(set->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot look at '%s/%s'", set->dir, name);
	if (S_ISLNK(st.st_mode)) {
		*ret_what = "is a symbolic link (a masked unit is one to /dev/null)";
		return 1;
	}
	int r = file_read_at(set->dirfd, name, UNIT_SIZE_MAX, &set->scratch, err);
	if (r < 0)
		return error_wrap(err, "in '%s'", set->dir);
	*ret_what = "was not made by this program";
	return strncmp(buf_text(&set->scratch), UNIT_MARK, strlen(UNIT_MARK)) != 0;
}

static void add_row(struct unitset *set, const char *name, enum unit_fate fate, off_t offset,
		size_t len)
{
	set->rows = grow_array(set->rows, &set->n_alloc, set->n, sizeof(*set->rows));
	set->rows[set->n++] = (struct unitset_row){
		.name = xstrdup(name), .fate = fate, .offset = offset, .len = len
	};
}

static void report_foreign(
		struct unitset *set, const char *name, const char *what, struct report *report)
{
	CLEANUP(freep) char *path = path_join(set->dir, name);
	report_add(report, SEVERITY_ERROR, (struct where){ .file = path }, NULL, NULL,
			"%s; --force replaces it", what);
}

static int add_unit(struct unitset *set, const struct unit *unit, struct report *report,
		struct error *err)
{
	if (contains(&set->on_disk, unit->name)) {
		const char *what = NULL;
		int r = read_own(set, unit->name, &what, err);
		if (r < 0)
			return r;
		if (r > 0 && !set->force) {
			report_foreign(set, unit->name, what, report);
			return 0;
		}
		if (r == 0 && set->scratch.len == unit->len &&
				!memcmp(set->scratch.text, unit->text, unit->len)) {
			add_row(set, unit->name, UNIT_UNCHANGED, 0, 0);
			return 0;
		}
	}
	int r = write_all(set->spoolfd, unit->text, unit->len);
	if (r < 0)
		return error_code(err, r, "cannot keep the unit '%s' in memory", unit->name);
	add_row(set, unit->name, UNIT_WRITTEN, set->spool_len, unit->len);
	set->spool_len += (off_t)unit->len;
	return 0;
}

static int remove_unit(struct unitset *set, const char *name, struct error *err)
{
	const char *what = NULL;
	int r = read_own(set, name, &what, err);
	if (r == 0)
		add_row(set, name, UNIT_REMOVED, 0, 0);
	return r < 0 ? r : 0;
}

int unitset_add(struct unitset *set, const char *machine, const struct units *units,
		struct report *report, struct error *err)
{
	for (size_t i = 0; i < units->n; i++) {
		int r = add_unit(set, &units->items[i], report, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; unit_name_patterns[i]; i++) {
		CLEANUP(freep) char *name = unit_name(unit_name_patterns[i], machine);
		bool wanted = false;
		for (size_t k = 0; k < units->n; k++)
			wanted |= !strcmp(units->items[k].name, name);
		if (wanted || !contains(&set->on_disk, name))
			continue;
		int r = remove_unit(set, name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The machine that a unit's name speaks of; NULL if it is no name of ours. The caller frees it. */
static char *machine_of(const char *name)
{
	for (size_t i = 0; unit_name_patterns[i]; i++) {
		const char *pattern = unit_name_patterns[i];
		size_t before = (size_t)(strstr(pattern, "%s") - pattern);
		const char *after = pattern + before + 2;
		size_t len = strlen(name);
		if (len <= before + strlen(after) || strncmp(name, pattern, before) != 0 ||
				strcmp(name + len - strlen(after), after) != 0)
			continue;
		char *machine = xstrndup(name + before, len - before - strlen(after));
		if (machine_name_valid(machine))
			return machine;
		free(machine);
	}
	return NULL;
}

/* The first line of what read_own() has read names the files that the unit was made from. */
static bool is_of_this_config(const struct unitset *set, const char *machine)
{
	CLEANUP(freep) char *source = xasprintf("%s/%s.conf.json;", set->machine_dir, machine);
	const char *text = buf_text(&set->scratch), *found = strstr(text, source);
	return found && found < text + strcspn(text, "\n");
}

int unitset_list_others(struct unitset *set, const struct strv *machines, struct strv *ret,
		struct error *err)
{
	for (size_t i = 0; i < set->on_disk.n; i++) {
		const char *name = set->on_disk.items[i], *what = NULL;
		CLEANUP(freep) char *machine = machine_of(name);
		if (!machine || contains(machines, machine))
			continue;
		int r = read_own(set, name, &what, err);
		if (r < 0)
			return r;
		if (r == 0 && is_of_this_config(set, machine))
			strv_push(ret, name);
	}
	return 0;
}

int unitset_remove_others(struct unitset *set, const struct strv *machines, const struct strv *keep,
		struct report *report, struct error *err)
{
	CLEANUP(strv_done) struct strv others = {};
	int r = unitset_list_others(set, machines, &others, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < others.n; i++) {
		if (!strv_contains(keep, others.items[i])) {
			add_row(set, others.items[i], UNIT_REMOVED, 0, 0);
			continue;
		}
		CLEANUP(freep) char *path = path_join(set->dir, others.items[i]);
		report_add(report, SEVERITY_ADVICE, (struct where){ .file = path }, NULL, NULL,
				"its machine is not configured any more, but it runs: the unit "
				"stays");
	}
	return 0;
}

bool unitset_changes(const struct unitset *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->rows[i].fate != UNIT_UNCHANGED)
			return true;
	return false;
}

static int read_spool(struct unitset *set, const struct unitset_row *row, struct error *err)
{
	buf_clear(&set->scratch);
	char *to = buf_reserve(&set->scratch, row->len);
	for (size_t done = 0; done < row->len;) {
		ssize_t n = pread(set->spoolfd, to + done, row->len - done,
				row->offset + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, "cannot read back the unit '%s'", row->name);
		done += (size_t)n;
	}
	return 0;
}

/* An enabled unit has a link in the target that wants it, which would dangle. */
static int unlink_unit(struct unitset *set, const char *name, struct error *err)
{
	CLEANUP(freep) char *wanted = xasprintf("multi-user.target.wants/%s", name);
	const char *const paths[] = { wanted, name };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (unlinkat(set->dirfd, paths[i], 0) < 0 && errno != ENOENT && errno != ENOTDIR)
			return error_errno(err, "cannot remove '%s/%s'", set->dir, paths[i]);
	return 0;
}

int unitset_commit(struct unitset *set, struct error *err)
{
	CLEANUP(file_batch_done) struct file_batch batch = {};
	bool open = false;
	for (size_t i = 0; i < set->n; i++) {
		const struct unitset_row *row = &set->rows[i];
		if (row->fate != UNIT_WRITTEN)
			continue;
		int r = open ? 0 : file_batch_init(&batch, set->dir, err);
		open = true;
		if (r == 0)
			r = read_spool(set, row, err);
		if (r == 0)
			r = file_batch_add(
					&batch, row->name, set->scratch.text, row->len, 0644, err);
		if (r < 0)
			return r;
	}
	int r = open ? file_batch_commit(&batch, err) : 0;
	for (size_t i = 0; r == 0 && i < set->n; i++)
		if (set->rows[i].fate == UNIT_REMOVED)
			r = unlink_unit(set, set->rows[i].name, err);
	return r;
}
