/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "machina doctor" looks over: the machines of the config, their units, and the host
 * (host/doctor/doctor.h).
 */
#pragma once

#include "hook/firewall-prepared.h"
#include "host/doctor/doctor.h"
#include "model/leases.h"
#include "setup/built.h"
#include "setup/unitset.h"

struct examination {
	const struct call *call;
	struct config config;
	struct strv names;    /* every configured machine, sorted */
	struct strv selected; /* those that are looked over, sorted */
	struct leases leases; /* of all machines, sorted: networks need them */
	struct built **built; /* those that are looked over, without faults */
	struct doctor_machine *machines;
	size_t n_machines;
	struct unitset units;
	struct strv refused;	  /* units of machines that systemd does not take */
	struct prepared prepared; /* of the machines that are looked over */
	bool is_partial;	  /* machines were selected */
	bool has_config;	  /* the host's is without faults */
	struct doctor doctor;
};

void examination_done(struct examination *x);

/* Read the config and ask systemd. Errors: the config can't be read. */
MUST_CHECK int examination_begin(struct examination *x, const struct call *call, struct error *err);

/* Is the config without faults? */
void examine_config(struct examination *x);
/* Are units as the config says, machines as their units say, and does systemd take them?
 * (doctor-units.c) */
void examine_units(struct examination *x);
/* Are the interfaces of machines that run ports of their bridges? (doctor-running.c) */
void examine_connections(struct examination *x);
/* Do their QEMUs answer, and do their guests run? (doctor-running.c) */
void examine_guests(struct examination *x);
