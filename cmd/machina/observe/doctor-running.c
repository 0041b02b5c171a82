/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor looks over: the guests of machines that run, and their connections. */
#include "observe/doctor-config.h"

#include <net/if.h>
#include <string.h>

#include "cli/command.h"
#include "host/prepare/connect.h"
#include "observe/state.h"
#include "setup/hookplan.h"
#include "util/mem.h"

/* Connections that have lost their bridge, and the bridge of each; those without an interface. */
struct lost {
	struct strv connections; /* "web.lan" */
	struct strv machines;	 /* of each */
	struct strv bridges;
	struct strv gone;
	struct strv gone_machines;
};

static void lost_done(struct lost *lost)
{
	strv_done(&lost->connections);
	strv_done(&lost->machines);
	strv_done(&lost->bridges);
	strv_done(&lost->gone);
	strv_done(&lost->gone_machines);
}

/* That a network has lost its bridge is told of the network. */
static bool misses_own_bridge(const struct plan_fd *tap)
{
	return tap->own && !if_nametoindex(tap->bridge);
}

/* Returns whether this process may look. */
static bool look(struct doctor *d, const struct plan *plan, size_t i, struct lost *lost)
{
	static const struct prepare_options options = {};
	const struct plan_connection connection = plan_connection(plan, i);
	struct error err = {};
	int r = connect_look(plan, i, &options, &err);
	CLEANUP(freep) char *name = xasprintf("%s.%s", plan->machine, connection.name);
	if (r == CONNECT_GONE) {
		strv_push(&lost->gone, name);
		if (!strv_contains(&lost->gone_machines, plan->machine))
			strv_push(&lost->gone_machines, plan->machine);
	} else if (r == CONNECT_LOST && !misses_own_bridge(connection.tap)) {
		strv_push(&lost->connections, name);
		strv_push(&lost->machines, plan->machine);
		strv_push(&lost->bridges, connection.tap->bridge);
	} else if (r < 0 && r != -EACCES) {
		doctor_leave_out(d, "%s", err.text);
	}
	return r != -EACCES;
}

static void find_lost(struct examination *x, struct lost *lost)
{
	struct doctor *d = &x->doctor;
	for (size_t i = 0; i < x->n_machines; i++) {
		CLEANUP(plan_done) struct plan plan = {};
		struct error err = {};
		bool changed;
		/* One that has stopped meanwhile has none. */
		if (!x->machines[i].pid ||
				hookplan_running(&x->call->paths, x->machines[i].vm->name, &plan,
						&changed, &err) < 0)
			continue;
		for (size_t k = 0; k < plan_n_connections(&plan); k++)
			if (!look(d, &plan, k, lost)) {
				doctor_leave_out(d, "only root and operators may look at them");
				return;
			}
	}
}

static void tell_gone(struct doctor *d, const struct lost *lost)
{
	bool one = lost->gone.n == 1;
	if (!lost->gone.n)
		return;
	doctor_add(d, DOCTOR_FAULT, "connection%s whose interface%s ha%s gone: %s", one ? "" : "s",
			one ? "" : "s", one ? "s" : "ve", doctor_names(d, &lost->gone));
	doctor_why(d, "guests reach nobody there: the card below it was taken away, or something "
		      "else has deleted it; only a start makes another one");
	for (size_t i = 0; i < lost->gone_machines.n; i++)
		doctor_about(d, lost->gone_machines.items[i]);
	doctor_cure_restart(d, &lost->gone_machines);
}

/* A host's network that is restarted takes all machines' interfaces out of a bridge. */
void examine_connections(struct examination *x)
{
	struct doctor *d = &x->doctor;
	CLEANUP(lost_done) struct lost lost = {};
	CLEANUP(strv_done) struct strv told = {};
	find_lost(x, &lost);
	for (size_t i = 0; i < lost.bridges.n; i++) {
		CLEANUP(strv_done) struct strv names = {};
		const char *bridge = lost.bridges.items[i];
		if (strv_contains(&told, bridge))
			continue;
		strv_push(&told, bridge);
		for (size_t k = i; k < lost.bridges.n; k++)
			if (!strcmp(lost.bridges.items[k], bridge))
				strv_push(&names, lost.connections.items[k]);
		doctor_add(d, DOCTOR_FAULT, "connection%s that %s no port%s of bridge '%s': %s",
				names.n == 1 ? "" : "s", names.n == 1 ? "is" : "are",
				names.n == 1 ? "" : "s", bridge, doctor_names(d, &names));
		for (size_t k = i; k < lost.bridges.n; k++)
			if (!strcmp(lost.bridges.items[k], bridge))
				doctor_about(d, lost.machines.items[k]);
		doctor_why(d, "guests reach nobody there: something else has taken the interfaces "
			      "out, or the bridge was made anew");
		doctor_cure(d, "machina connect%s", doctor_words(d, &names));
	}
	tell_gone(d, &lost);
}

static void tell_guest(struct doctor *d, const struct machine_state *state)
{
	const char *word = doctor_quote(d, state->machine);
	/* That somebody has paused it is no fault. */
	if (state->in_qemu && state->in_qemu->kind == RUN_CRASHED) {
		doctor_add(d, DOCTOR_FAULT, "machine '%s': %s", state->machine,
				state->in_qemu->meaning);
		doctor_about(d, state->machine);
		doctor_why(d, "it stands still until somebody does something about it");
		doctor_cure(d, "machina why %s", word);
	} else if (state->is_stranded) {
		doctor_add(d, DOCTOR_FAULT, "machine '%s': %s", state->machine, state->reason);
		doctor_about(d, state->machine);
		doctor_why(d, "its guest stands still, and nobody is at it any more");
	} else if (!strcmp(state->word, "?")) {
		doctor_add(d, DOCTOR_FAULT, "machine '%s': %s", state->machine, state->reason);
		doctor_about(d, state->machine);
		doctor_why(d, "if its QEMU hangs, its guest can't be shut down");
		doctor_cure(d, "machina why %s", word);
		doctor_cure(d, "# if it stays so: machina kill %s", word);
	}
}

/* All are asked at once. Who may not ask is told nothing. */
void examine_guests(struct examination *x)
{
	CLEANUP(freep)
	struct machine_state *states = xcalloc(x->n_machines + 1, sizeof(*states));
	size_t n = 0;
	for (size_t i = 0; i < x->n_machines; i++)
		if (x->machines[i].pid)
			states[n++] = (struct machine_state){
				.machine = x->machines[i].vm->name,
				.active = "active",
				.sub = "running",
			};
	states_find(&x->call->paths, NULL, states, n);
	for (size_t i = 0; i < n; i++)
		tell_guest(&x->doctor, &states[i]);
	doctor_note(&x->doctor, "%zu run", n);
	states_done(states, n);
}
