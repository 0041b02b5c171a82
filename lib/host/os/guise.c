/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities for files. */
#include "host/os/guise.h"

#include <grp.h>
#include <sys/fsuid.h>

#include "util/mem.h"

void guise_put_on(struct guise *guise, const struct account *user)
{
	if (geteuid() != 0)
		return;
	int n = getgroups(0, NULL);
	*guise = (struct guise){ .is_on = true, .groups = xcalloc((size_t)n + 1, sizeof(gid_t)) };
	n = getgroups(n, guise->groups);
	if (n > 0 && setgroups(0, NULL) == 0)
		guise->n_groups = (size_t)n;
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
	if (guise->n_groups)
		(void)!setgroups(guise->n_groups, guise->groups);
	free(guise->groups);
	*guise = (struct guise){};
}
