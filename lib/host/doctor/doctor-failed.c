/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines that have failed: what the other checks have found may be why, and may not. */
#include "host/doctor/doctor.h"

void doctor_check_failed(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group failed = {};
	if (!d->bus)
		doctor_leave_out(d, "systemd was not asked");
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].failed)
			doctor_group_add(&failed, &d->machines[i]);
	if (!failed.names.n)
		return;
	doctor_add(d, DOCTOR_FAULT, "%s %s failed", doctor_machines(d, &failed.names),
			failed.names.n == 1 ? "has" : "have");
	doctor_cure(d, "machina why%s", doctor_words(d, &failed.names));
}
