/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the host drained? Then machines are off that somebody may miss. */
#include "host/doctor/doctor.h"
#include "host/machine/drained.h"

void doctor_check_drained(struct doctor *d)
{
	CLEANUP(drained_done) struct drained record = {};
	struct error err = {};
	int r = drained_load(d->state_dir, &record, &err);
	if (r == 1) {
		doctor_note(d, "the host is not drained");
		return;
	}
	if (r < 0) {
		doctor_add(d, DOCTOR_FAULT, "%s", err.text);
		doctor_why(d, "which machines a drain has stopped is not known: they stay off");
		doctor_cure(d, "# mend or remove the file, and start what is missing");
		return;
	}
	doctor_add(d, DOCTOR_WARNING, "this host is drained since %s", record.since);
	if (record.machines.n)
		doctor_why(d, "what ran before is off: %s", doctor_machines(d, &record.machines));
	doctor_cure(d, "machina undrain");
}
