/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways into a machine: QMP, the guest's agent, screens, the console. Members of struct
 * attrs_conf.
 */
#pragma once

#include "json/jbind.h"

extern const struct field qmp_fields[];
extern const struct field agent_fields[];
extern const struct field spice_fields[];
extern const struct field vnc_fields[];
extern const struct field serial_fields[];
