/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The merged machine in the config's own shape, every derived identifier filled in: what
 * "machina cat --json" prints, and what "machina explain" walks.
 */
#pragma once

#include "model/vm.h"

/*
 * A copy of the merged config with volumes[].wwn and .serial, connections[].mac and .link,
 * devices[].id, privileges.filesystem.group and name added where the config did not set them. It
 * loads as a machine's file again, and then describes itself the same.
 *
 * @vm: built from @machine, maybe with findings: what it lacks is not added
 *
 * Returns a new object; the caller releases it with json_object_put().
 */
struct json_object *vm_describe(const struct machine *machine, const struct vm *vm);
