/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of machines in a person's words. */
#include "observe/state.h"

#include <stdlib.h>
#include <string.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "host/systemd/bus-unit.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "util/mem.h"

static void set(struct machine_state *s, const char *word, enum style style)
{
	s->word = word;
	s->style = style;
}

/*
 * What machines have left in the file system, of all of them in one look: one for each would take
 * longer where there are hundreds.
 */
struct traces {
	struct strv saved;    /* those with a saved state that is whole */
	struct strv prepared; /* those that were prepared and not cleaned up */
};

static void traces_done(struct traces *traces)
{
	strv_done(&traces->saved);
	strv_done(&traces->prepared);
}

/* What can't be looked at is not there for this user. */
static void find_prepared(const struct config_paths *paths, struct strv *ret)
{
	struct error unused;
	if (!paths->offline && hookplan_list(paths, ret, &unused) < 0)
		strv_clear(ret);
}

static void find_traces(const struct config_paths *paths, struct traces *ret)
{
	struct error unused;
	if (saved_list(paths->saved_dir, &ret->saved, &unused) < 0)
		strv_clear(&ret->saved);
	find_prepared(paths, &ret->prepared);
}

bool state_leaves_foreground(const char *active, const char *sub)
{
	return !active[0] || unit_is_down(active) || !strcmp(sub, "auto-restart");
}

/* What the unit's state alone says. Returns whether QEMU has more to say. */
static bool look_at_unit(const struct traces *traces, struct machine_state *s)
{
	s->is_foreground = state_leaves_foreground(s->active, s->sub) &&
			   strv_contains_sorted(&traces->prepared, s->machine);
	if (!strcmp(s->active, "failed")) {
		set(s, "failed", STYLE_BAD);
		return s->is_foreground;
	}
	if (!strcmp(s->active, "deactivating")) {
		set(s, "shutting down", STYLE_WARN);
		return false;
	}
	if (!strcmp(s->sub, "auto-restart")) {
		set(s, "failed", STYLE_BAD);
		s->reason = xstrdup("systemd is about to start it again");
		return s->is_foreground;
	}
	if (!strcmp(s->active, "activating")) {
		/* QEMU is there from the moment on when its start is waited for. */
		set(s, !strcmp(s->sub, "start-post") ? "booting" : "starting", STYLE_WARN);
		return false;
	}
	if (unit_is_up(s->active))
		return true;
	bool is_saved = strv_contains_sorted(&traces->saved, s->machine);
	set(s, is_saved ? "saved" : s->active[0] ? "off" : "", STYLE_PLAIN);
	if (s->refusal && !s->is_foreground) {
		set(s, "refused", STYLE_BAD);
		s->reason = s->refusal[0] ? xstrdup(s->refusal) : NULL;
	}
	return s->is_foreground;
}

static enum style style_of(const struct run_state *state)
{
	switch (state->kind) {
	case RUN_ON:
		return STYLE_GOOD;
	case RUN_CRASHED:
		return STYLE_BAD;
	case RUN_PAUSED:
	case RUN_ASLEEP:
	case RUN_ENDED:
	case RUN_BUSY:
		break;
	}
	return STYLE_WARN;
}

static void take_answer(struct machine_state *s, struct qmp_many *item)
{
	if (item->is_answered)
		s->in_qemu = run_state_read(item->replies[0]);
	if (s->in_qemu) {
		set(s, s->in_qemu->label, style_of(s->in_qemu));
		free(take_ptr(s->reason));
		/* Of a guest that runs or was paused there is nothing to explain. */
		if (s->in_qemu->kind == RUN_CRASHED || !strcmp(s->in_qemu->name, "prelaunch"))
			s->reason = xstrdup(s->in_qemu->meaning);
	} else if (s->is_foreground && (item->is_absent || item->is_forbidden)) {
		s->is_foreground = false;
	} else if (item->is_forbidden) {
		set(s, "up", STYLE_GOOD);
	} else if (item->occupied) {
		set(s, "saving", STYLE_WARN);
	} else {
		set(s, "?", STYLE_WARN);
		s->reason = item->reason ? take_ptr(item->reason)
					 : xstrdup("QEMU does not tell its state");
	}
}

/* A guest that was being saved when that broke off stands still, and does not say why. */
static void explain_saved(const struct config_paths *paths, struct machine_state *s)
{
	if (!s->in_qemu || s->in_qemu->kind == RUN_ON || s->reason ||
			!strcmp(s->in_qemu->name, "inmigrate"))
		return;
	enum saved_state saved = saved_look(paths->saved_dir, s->machine);
	if (saved != SAVED_NONE && saved_occupied(paths->saved_dir, s->machine)) {
		set(s, "saving", STYLE_WARN);
		return;
	}
	s->is_stranded = saved == SAVED_WHOLE || saved == SAVED_UNFINISHED;
	if (saved == SAVED_WHOLE)
		s->reason = xstrdup("it is saved, and its QEMU has not ended: 'machina stop' does "
				    "that");
	else if (saved == SAVED_UNFINISHED)
		s->reason = xstrdup("its save broke off: 'machina resume' lets it run on");
}

/* QEMUs that are asked: one for each machine; an item without a path is left out. */
struct states_asked {
	uint64_t usec; /* when; CLOCK_REALTIME */
	struct strv sockets;
	struct qmp_many *items;
	size_t n;
	struct qmp_round *round;
};

static void asked_free(struct states_asked *asked)
{
	qmp_many_done(asked->items, asked->n);
	free(asked->items);
	strv_done(&asked->sockets);
	free(asked);
}

static struct states_asked *ask(const struct config_paths *paths, const struct strv *machines,
		const bool *is_wanted)
{
	static const char *const commands[] = { "query-status", NULL };
	struct states_asked *asked = xcalloc(1, sizeof(*asked));
	*asked = (struct states_asked){ .usec = clock_real_usec(), .n = machines->n };
	asked->items = xcalloc(machines->n + 1, sizeof(*asked->items));
	for (size_t i = 0; i < machines->n; i++)
		if (is_wanted[i])
			strv_push_take(&asked->sockets,
					plan_qmp_path(paths->run_dir, machines->items[i],
							MONITOR_COMMANDS));
	for (size_t i = 0, k = 0; i < machines->n; i++)
		if (is_wanted[i])
			asked->items[i] = (struct qmp_many){
				.path = asked->sockets.items[k++],
				.occupied = saved_occupied(paths->saved_dir, machines->items[i]),
			};
	asked->round = qmp_many_begin(asked->items, asked->n, commands);
	return asked;
}

struct states_asked *states_ask(const struct config_paths *paths, const struct strv *machines)
{
	CLEANUP(freep) bool *is_prepared = xcalloc(machines->n + 1, sizeof(*is_prepared));
	CLEANUP(strv_done) struct strv prepared = {};
	find_prepared(paths, &prepared);
	for (size_t i = 0; i < machines->n; i++)
		is_prepared[i] = strv_contains_sorted(&prepared, machines->items[i]);
	return ask(paths, machines, is_prepared);
}

/*
 * What was asked before a unit has come into its state says nothing of it: another QEMU may have
 * answered, or this one before the machine was ready.
 */
static void drop_unwanted(struct states_asked *asked, const struct machine_state *states,
		const bool *is_wanted)
{
	for (size_t i = 0; i < asked->n; i++) {
		const struct machine_state *s = &states[i];
		bool since = s->is_foreground || (s->since_usec && s->since_usec < asked->usec);
		if (is_wanted[i] && since)
			continue;
		qmp_many_drop(asked->round, i);
		asked->items[i].path = NULL;
	}
}

/* Those of whom an answer is there are wanted no more. Releases @asked. */
static void take_answers(struct states_asked *asked, const struct config_paths *paths,
		struct machine_state *states, bool *is_wanted)
{
	qmp_many_end(asked->round, clock_deadline_usec(QMP_MANY_USEC));
	for (size_t i = 0; i < asked->n; i++) {
		if (!asked->items[i].path)
			continue;
		take_answer(&states[i], &asked->items[i]);
		explain_saved(paths, &states[i]);
		is_wanted[i] = false;
	}
	asked_free(asked);
}

void states_find(const struct config_paths *paths, struct states_asked *asked,
		struct machine_state *states, size_t n)
{
	CLEANUP(freep) bool *is_wanted = xcalloc(n + 1, sizeof(*is_wanted));
	CLEANUP(traces_done) struct traces traces = {};
	find_traces(paths, &traces);
	for (size_t i = 0; i < n; i++)
		is_wanted[i] = look_at_unit(&traces, &states[i]);
	if (asked) {
		drop_unwanted(asked, states, is_wanted);
		take_answers(asked, paths, states, is_wanted);
	}
	bool is_any = false;
	for (size_t i = 0; i < n; i++)
		is_any |= is_wanted[i];
	if (!is_any)
		return;
	CLEANUP(strv_done) struct strv machines = {};
	for (size_t i = 0; i < n; i++)
		strv_push(&machines, states[i].machine);
	take_answers(ask(paths, &machines, is_wanted), paths, states, is_wanted);
}

void states_done(struct machine_state *states, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(states[i].reason);
}
