/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that were saved and that no start goes on from: nothing else tells of them. */
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/machine/saved.h"
#include "util/file.h"
#include "util/mem.h"

static bool is_configured(const struct doctor *d, const char *machine)
{
	for (size_t i = 0; i < d->n_machines; i++)
		if (!strcmp(d->machines[i].vm->name, machine))
			return true;
	return false;
}

void doctor_check_saved(struct doctor *d)
{
	CLEANUP(freep) char *dir = path_join(d->state_dir, "saved");
	CLEANUP(strv_done) struct strv saved = {}, lost = {};
	struct error err = {};
	if (saved_list(dir, &saved, &err) < 0) {
		doctor_leave_out(d, "%s", err.text);
		return;
	}
	for (size_t i = 0; i < saved.n; i++)
		if (!is_configured(d, saved.items[i]))
			strv_push(&lost, saved.items[i]);
	if (!lost.n)
		return;
	doctor_add(d, DOCTOR_WARNING,
			"guests were saved whose machines have no config, or one with faults: %s",
			doctor_names(d, &lost));
	doctor_why(d,
			"their memory stays in '%s', with what was secret in it, and no start goes "
			"on from it",
			dir);
	doctor_cure(d, "# put their configs back, 'machina generate' and 'machina start' them; or");
	for (size_t i = 0; i < lost.n; i++) {
		const char *machine = lost.items[i];
		CLEANUP(freep)
		char *path = saved_path(dir, machine, saved_look(dir, machine));
		doctor_cure(d, "# rm -r %s", doctor_quote(d, path));
	}
}
