/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that the DHCP servers of networks give away. Private to doctor-own-network.c. */
#pragma once

#include "config/network.h"
#include "host/doctor/doctor.h"

/* Has one an address left? @conf: a network that is up, with a bridge of its own */
void doctor_check_leases(struct doctor *d, const struct network_conf *conf);
/* Do its forwarded ports lead to addresses of machines? */
void doctor_check_targets(struct doctor *d, const struct network_conf *conf);
