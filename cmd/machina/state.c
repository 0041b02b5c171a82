/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of machines in a person's words. */
#include "state.h"

#include <string.h>

#include "hookplan.h"
#include "host/bus-unit.h"
#include "host/clock.h"
#include "host/qmp-many.h"
#include "host/saved.h"
#include "monitor.h"
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
static void find_traces(const struct config_paths *paths, struct traces *ret)
{
	struct error unused;
	if (saved_list(paths->saved_dir, &ret->saved, &unused) < 0)
		strv_clear(&ret->saved);
	if (!paths->offline && hookplan_list(paths, &ret->prepared, &unused) < 0)
		strv_clear(&ret->prepared);
}

/* What the unit's state alone says. Returns whether QEMU has more to say. */
static bool look_at_unit(const struct traces *traces, struct machine_state *s)
{
	if (!strcmp(s->active, "failed")) {
		set(s, "failed", STYLE_BAD);
		return false;
	}
	if (!strcmp(s->active, "deactivating")) {
		set(s, "shutting down", STYLE_WARN);
		return false;
	}
	if (!strcmp(s->sub, "auto-restart")) {
		set(s, "failed", STYLE_BAD);
		s->reason = xstrdup("systemd is about to start it again");
		return false;
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
	/* What was prepared by no unit is one in the foreground, or what is left of one. */
	s->is_foreground = strv_contains_sorted(&traces->prepared, s->machine);
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
		/* Of a guest that runs or was paused there is nothing to explain. */
		if (s->in_qemu->kind == RUN_CRASHED || !strcmp(s->in_qemu->name, "prelaunch"))
			s->reason = xstrdup(s->in_qemu->meaning);
	} else if (s->is_foreground && (item->is_absent || item->is_forbidden)) {
		s->is_foreground = false;
	} else if (item->is_forbidden) {
		set(s, "up", STYLE_GOOD);
	} else {
		set(s, "?", STYLE_WARN);
		s->reason = item->reason ? take_ptr(item->reason)
					 : xstrdup("QEMU does not tell its state");
	}
}

/* A guest that was being saved when that broke off stands still, and does not say why. */
static void explain_saved(const struct config_paths *paths, struct machine_state *s)
{
	if (!s->in_qemu || s->in_qemu->kind == RUN_ON || s->reason)
		return;
	enum saved_state saved = saved_look(paths->saved_dir, s->machine, NULL);
	if (saved == SAVED_WHOLE)
		s->reason = xstrdup("it is saved, and its QEMU has not ended: 'machina stop' does "
				    "that");
	else if (saved == SAVED_UNFINISHED)
		s->reason = xstrdup("it is being saved, or that broke off: 'machina resume' lets "
				    "it run on");
}

void states_find(const struct config_paths *paths, struct machine_state *states, size_t n)
{
	static const char *const commands[] = { "query-status", NULL };
	CLEANUP(freep) struct qmp_many *items = xcalloc(n + 1, sizeof(*items));
	CLEANUP(strv_done) struct strv sockets = {};
	CLEANUP(freep) struct machine_state **asked = xcalloc(n + 1, sizeof(*asked));
	CLEANUP(traces_done) struct traces traces = {};
	find_traces(paths, &traces);
	for (size_t i = 0; i < n; i++)
		if (look_at_unit(&traces, &states[i])) {
			asked[sockets.n] = &states[i];
			strv_push_take(&sockets, plan_qmp_path(paths->run_dir, states[i].machine,
								 MONITOR_COMMANDS));
		}
	for (size_t i = 0; i < sockets.n; i++)
		items[i].path = sockets.items[i];
	qmp_many_ask(items, sockets.n, commands, clock_deadline_usec(QMP_MANY_USEC));
	for (size_t i = 0; i < sockets.n; i++) {
		take_answer(asked[i], &items[i]);
		explain_saved(paths, asked[i]);
	}
	qmp_many_done(items, sockets.n);
}

void states_done(struct machine_state *states, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(states[i].reason);
}
