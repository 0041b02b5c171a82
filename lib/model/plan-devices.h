/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's devices in a plan: their rows, and back. Private to lib/model.
 *
 *	mdev name=vgpu class=cad uuid=3e2cee4d-1002-4989-af98-3e03b8ad3197
 *	parent address=0000:41:00.0 type=nvidia-563 placement=0
 *	pci name=gpu class=gpu function=1
 *	candidate address=0000:01:00.0
 *	vf connection=lan network=fast mac=52:54:00:26:77:fa vlan=20 spoof-check=yes
 *	candidate interface=enp65s0f0 virtual-functions=8
 *	usb name=dongle class=license
 *	plug id=0529:0001 port=1-2.3
 *
 * Each device is followed by those that say where it may come from.
 */
#pragma once

#include "model/plan.h"
#include "model/words.h"

extern const struct row_kind plan_device_kinds[];
/* Is each followed by what it needs? */
MUST_CHECK int plan_check_device_rows(const struct plan *plan, struct error *err);
