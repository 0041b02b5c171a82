/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests have printed at their consoles: it is in memory. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "util/mem.h"

/* machina-console-logs.timer cuts a log of some megabytes every five minutes; a guest prints less
 * than that meanwhile. */
#define LARGE_BYTES ((uint64_t)64 << 20)

static uint64_t size_of_log(const struct doctor *d, const char *machine)
{
	CLEANUP(freep) char *path = xasprintf("%s/%s/console.log", d->run_dir, machine);
	struct stat st;
	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

void doctor_check_consoles(struct doctor *d)
{
	for (size_t i = 0; d->run_dir && i < d->n_machines; i++) {
		const struct doctor_machine *machine = &d->machines[i];
		uint64_t bytes = machine->running ? size_of_log(d, machine->vm->name) : 0;
		if (bytes < LARGE_BYTES)
			continue;
		doctor_add(d, DOCTOR_WARNING,
				"the console log of machine '%s' takes %llu MiB of memory",
				machine->vm->name, (unsigned long long)(bytes >> 20));
		doctor_about(d, machine->vm->name);
		doctor_why(d,
				"'%s' is full some day, and systemd needs it; logrotate should cut "
				"this log every five minutes",
				d->run_dir);
		doctor_cure(d, "apt-get install logrotate");
		doctor_cure(d, "systemctl start machina-console-logs.timer "
			       "machina-console-logs.service");
	}
}
