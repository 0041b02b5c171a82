/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities for files. */
#include "host/os/guise.h"

#include <grp.h>
#include <sys/fsuid.h>

#include "util/mem.h"

void guise_put_on(struct guise *guise, const struct account *user, const char *group)
{
	const struct group *more = group ? getgrnam(group) : NULL;
	if (geteuid() != 0)
		return;
	int n = getgroups(0, NULL);
	*guise = (struct guise){ .is_on = true, .groups = xcalloc((size_t)n + 1, sizeof(gid_t)) };
	n = getgroups(n, guise->groups);
	guise->has_left = n >= 0 && setgroups(more ? 1 : 0, more ? &more->gr_gid : NULL) == 0;
	guise->n_groups = guise->has_left ? (size_t)n : 0;
	setfsgid(user->gid);
	setfsuid(user->uid);
}

void guise_done(struct guise *guise)
{
	if (!guise->is_on)
		return;
	setfsuid(geteuid());
	setfsgid(getegid());
	/* Who was allowed to leave them may have them again. */
	if (guise->has_left)
		(void)!setgroups(guise->n_groups, guise->groups);
	free(guise->groups);
	*guise = (struct guise){};
}
