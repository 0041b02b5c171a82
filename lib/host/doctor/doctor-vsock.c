/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can guests have sockets to the host? */
#include <unistd.h>

#include "host/doctor/doctor.h"
#include "util/file.h"
#include "util/mem.h"

void doctor_check_vsock(struct doctor *d)
{
	CLEANUP(doctor_group_done) struct doctor_group users = {};
	CLEANUP(freep) char *path = path_join(d->dev, "vhost-vsock");
	for (size_t i = 0; i < d->n_machines; i++)
		if (d->machines[i].vm->vsock.enabled)
			doctor_group_add(&users, &d->machines[i]);
	if (!users.names.n) {
		doctor_note(d, "no machine has a vsock device");
		return;
	}
	if (access(path, F_OK) == 0)
		return;
	doctor_add(d, doctor_level_of(users.urgent), "'%s' does not exist", path);
	doctor_why(d, "attrs.vsock needs it: %s cannot start", doctor_machines(d, &users.names));
	doctor_cure(d, "modprobe vhost_vsock");
	doctor_cure(d, "# if that fails, this kernel was built without CONFIG_VHOST_VSOCK");
}
