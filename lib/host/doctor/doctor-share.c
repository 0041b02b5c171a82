/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that machines share with the host: the program that serves them, they themselves, and
 * whose they are. */
#include <errno.h>

#include "host/doctor/doctor.h"

static void tell_program(struct doctor *d, const struct doctor_lack *l)
{
	if (l->code) {
		doctor_cure(d, "ls -l %s", doctor_quote(d, l->subject));
		return;
	}
	doctor_cure(d, "apt-get install virtiofsd");
	doctor_cure(d, "# in Debian 12: apt-get install qemu-system-common");
}

static void tell_path(struct doctor *d, const struct doctor_lack *l)
{
	const char *path = doctor_quote(d, l->subject);
	if (l->code != ENOENT) {
		doctor_cure(d, "ls -ld %s", path);
		return;
	}
	doctor_cure(d, "mkdir -p %s", path);
	doctor_cure(d, "# it is to be the share's \"user\"'s, if it has one");
}

static void tell_user(struct doctor *d, const struct doctor_lack *l)
{
	doctor_cure(d, "useradd --system %s", doctor_quote(d, l->subject));
}

void doctor_check_shares(struct doctor *d)
{
	static const struct {
		enum lack_kind kind;
		void (*tell)(struct doctor *d, const struct doctor_lack *l);
	} kinds[] = {
		{ LACK_SHARE_PROGRAM, tell_program },
		{ LACK_SHARE_PATH, tell_path },
		{ LACK_SHARE_USER, tell_user },
	};
	bool any = false;
	for (size_t i = 0; i < d->n_machines; i++)
		any |= d->machines[i].vm->n_shares > 0;
	if (!any) {
		doctor_note(d, "no machine has one");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t at = 0;
		for (const struct doctor_lack *l; (l = doctor_lacks(d, kinds[i].kind, &at));) {
			if (l->code == EACCES && !d->is_root) {
				doctor_leave_out(d, "only root may look into some directories");
				continue;
			}
			doctor_add_lack(d, l);
			kinds[i].tell(d, l);
		}
	}
}
