/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links by which targets want the units of machines, as "autostart" asks for them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/unitset.h"
#include "util/mem.h"

static const char *const targets[N_UNITSET_TARGETS] = {
	[UNITSET_GUESTS] = UNIT_GUESTS_TARGET,
	[UNITSET_ENABLED] = UNIT_ENABLED_TARGET,
};

/* The directory of "TARGET.wants/UNIT", or of "TARGET.wants/", for the system below the root. */
static int find_dir(const struct unitset *set, const char *name, char **ret, struct error *err)
{
	CLEANUP(freep)
	char *dir = xasprintf("%s/%.*s", set->dir, (int)strcspn(name, "/"), name);
	return config_follow(set->paths, dir, ret, err);
}

int unitset_list_wanted(struct unitset *set, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(targets); i++) {
		CLEANUP(freep) char *name = xasprintf("%s.wants/", targets[i]), *dir = NULL;
		r = find_dir(set, name, &dir, err);
		if (r == 0)
			r = dir_list(dir, &set->wanted[i], err);
	}
	return r < 0 ? r : 0;
}

static void want(struct unitset *set, size_t target, const char *unit, bool wanted)
{
	if (strv_contains_sorted(&set->wanted[target], unit) == wanted)
		return;
	CLEANUP(freep) char *name = xasprintf("%s.wants/%s", targets[target], unit);
	struct unitset_row *row = unitset_add_row(set, name, wanted ? UNIT_WRITTEN : UNIT_REMOVED);
	row->is_link = true;
}

void unitset_want(struct unitset *set, const char *machine, enum vm_autostart autostart)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	want(set, UNITSET_GUESTS, unit, autostart == VM_AUTOSTART_YES);
	/* One that was enabled by hand before its config spoke of it. */
	if (autostart != VM_AUTOSTART_OPEN)
		want(set, UNITSET_ENABLED, unit, false);
}

int unitset_remove_link(struct unitset *set, const char *name, struct error *err)
{
	const char *slash = strchr(name, '/');
	CLEANUP(freep) char *dir = xstrndup(name, (size_t)(slash - name)), *found = NULL;
	int r = find_dir(set, name, &found, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *link = path_join(found, slash);
	if (unlink(link) < 0)
		return errno == ENOENT || errno == ENOTDIR
				       ? 0
				       : error_errno(err, "cannot remove '%s'", link);
	/* One that is not empty stays, and so does a link in its place. */
	(void)unlinkat(set->batch.dirfd, dir, AT_REMOVEDIR);
	return 0;
}

int unitset_commit_link(struct unitset *set, const struct unitset_row *row, struct error *err)
{
	const char *slash = strchr(row->name, '/');
	CLEANUP(freep) char *target = xasprintf("/etc/systemd/system%s", slash), *dir = NULL;
	if (row->fate == UNIT_REMOVED)
		return unitset_remove_link(set, row->name, err);
	int r = find_dir(set, row->name, &dir, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *link = path_join(dir, slash);
	if ((mkdir(dir, 0755) < 0 && errno != EEXIST) ||
			(symlink(target, link) < 0 && errno != EEXIST))
		return error_errno(err, "cannot make the link '%s'", link);
	return 0;
}
