/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Units that have changed on disk since systemd has read them. */
#include "host/doctor/doctor.h"

void doctor_check_reload(struct doctor *d)
{
	if (!d->bus)
		doctor_leave_out(d, "systemd was not asked");
	if (!d->outdated.n)
		return;
	doctor_add(d, DOCTOR_WARNING, "unit%s changed on disk since systemd has read %s: %s",
			d->outdated.n == 1 ? "" : "s", d->outdated.n == 1 ? "it" : "them",
			doctor_names(d, &d->outdated));
	doctor_why(d, "the next start or stop still follows what systemd has read");
	doctor_cure(d, "systemctl daemon-reload");
}
