/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to machines, as it happens. */
#include "observe/observe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/unix-peer.h"
#include "host/qmp/event-text.h"
#include "host/qmp/qmp.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/bus-watch.h"
#include "json/jtree.h"
#include "lifecycle/monitor.h"
#include "model/plan.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

/* Between looks for the monitor of a machine that comes, and of one that does not seem to. */
#define SOON_USEC (50 * USEC_PER_MSEC)
#define LATER_USEC USEC_PER_SEC

const char *const observed_own[N_OBSERVED_OWN] = { "HELD", "OBSERVED", "UNIT_ACTIVE", "UNIT_FAILED",
	"UNIT_INACTIVE", "UNIT_STARTING", "UNIT_STOPPING", "UNOBSERVED" };

struct watched {
	char *name;
	char *unit;
	char *path; /* of the monitor's socket */
	struct qmp *qmp;
	bool connected;	     /* QEMU has greeted */
	bool has_more;	     /* events may have arrived that were not taken yet */
	bool complained;     /* of who has the monitor */
	uint64_t since_usec; /* of the connection */
	uint64_t next_usec;  /* of the next attempt to connect */
	char *active, *sub;  /* of the unit; NULL: not known */
	bool changed;	     /* not yet told */
};

struct loop {
	const struct observe *observe;
	struct watched **items;
	size_t n;
	struct bus *bus; /* NULL: there is none at the moment */
	uint64_t bus_next_usec;
	int signal_fd;
	bool enough;
};

static void watched_free(struct watched *w)
{
	qmp_free(w->qmp);
	free(w->name);
	free(w->unit);
	free(w->path);
	free(w->active);
	free(w->sub);
	free(w);
}

static void loop_done(struct loop *loop)
{
	for (size_t i = 0; i < loop->n; i++)
		watched_free(loop->items[i]);
	free(loop->items);
	bus_free(loop->bus);
	closep(&loop->signal_fd);
}

static struct watched *add_machine(struct loop *loop, const char *name)
{
	struct watched *w = xcalloc(1, sizeof(*w));
	w->name = xstrdup(name);
	w->unit = unit_name(UNIT_QEMU, name);
	w->path = plan_qmp_path(loop->observe->paths->run_dir, name, MONITOR_EVENTS);
	loop->items = xreallocarray(loop->items, loop->n + 1, sizeof(struct watched *));
	return loop->items[loop->n++] = w;
}

static void tell(struct loop *loop, const struct watched *w, const char *event,
		struct json_object *data, const char *text, uint64_t time_usec)
{
	const struct observed observed = {
		.machine = w->name,
		.event = event,
		.data = data,
		.text = text,
		.time_usec = time_usec ? time_usec : clock_real_usec(),
	};
	if (!loop->enough)
		loop->enough = !loop->observe->fn(loop->observe->data, &observed);
}

/* ---- QEMU ---- */

static void disconnect(struct loop *loop, struct watched *w)
{
	bool was = w->connected;
	qmp_free(w->qmp);
	w->qmp = NULL;
	w->connected = w->has_more = false;
	w->next_usec = clock_deadline_usec(SOON_USEC);
	if (was)
		tell(loop, w, "UNOBSERVED", NULL, "QEMU has closed its monitor", 0);
}

static void greet(struct loop *loop, struct watched *w)
{
	CLEANUP(freep) char *text = xasprintf("QEMU %s is observed", qmp_version(w->qmp));
	w->connected = true;
	w->complained = false;
	struct json_object *data = jtree_object();
	jtree_set(data, "qemu", jtree_string(qmp_version(w->qmp)));
	tell(loop, w, "OBSERVED", data, text, 0);
	json_object_put(data);
}

/* Some at a time: one that does not stop must not keep us from the others, and from signals. */
static void take_events(struct loop *loop, struct watched *w)
{
	w->has_more = true;
	for (size_t i = 0; i < QMP_EVENTS_MAX; i++) {
		struct qmp_event event = {};
		CLEANUP(buf_done) struct buf text = {};
		struct error unused = {};
		int r = qmp_next_event(w->qmp, 0, &event, &unused);
		if (r == QMP_LATE) {
			w->has_more = false;
			return;
		}
		if (r != QMP_DONE) {
			disconnect(loop, w);
			return;
		}
		event_text(event.name, event.data, &text);
		tell(loop, w, event.name, event.data, buf_text(&text), event.time_usec);
		qmp_event_done(&event);
	}
}

/* Its socket can be read. */
static void read_qemu(struct loop *loop, struct watched *w)
{
	struct error unused = {};
	if (!w->connected) {
		int r = qmp_proceed(w->qmp, &unused);
		if (r == QMP_LATE)
			return;
		if (r != QMP_DONE) {
			disconnect(loop, w);
			return;
		}
		greet(loop, w);
	}
	take_events(loop, w);
}

/* A machine that is down has no socket, or one at which nobody listens; it may come. */
static void try_to_connect(struct watched *w)
{
	struct error unused = {};
	bool comes = w->active && !unit_is_down(w->active);
	w->next_usec = clock_deadline_usec(comes ? SOON_USEC : LATER_USEC);
	if (qmp_begin(w->path, &w->qmp, &unused) == QMP_DONE)
		w->since_usec = clock_now_usec();
}

/* The connection waits in the socket's queue, and its turn comes when the other client goes. */
static void complain_of_holder(struct loop *loop, struct watched *w)
{
	CLEANUP(buf_done) struct buf who = {};
	w->complained = true;
	unix_peer_text(w->path, &who);
	CLEANUP(freep)
	char *text = who.len ? xasprintf("its monitor is held by %s; waiting", buf_text(&who))
			     : xstrdup("QEMU does not answer; waiting");
	tell(loop, w, "HELD", NULL, text, 0);
}

/* What is due by time. Returns when to come again. */
static uint64_t do_what_is_due(struct loop *loop, struct watched *w)
{
	uint64_t now = clock_now_usec();
	if (!w->qmp && w->next_usec <= now)
		try_to_connect(w);
	if (!w->qmp)
		return w->next_usec;
	if (w->has_more)
		return now;
	if (w->connected || w->complained)
		return DEADLINE_NEVER;
	uint64_t due = clock_add_usec(w->since_usec, QMP_HELD_USEC);
	if (due <= now)
		complain_of_holder(loop, w);
	return due <= now ? DEADLINE_NEVER : due;
}

/* ---- units ---- */

static struct watched *find_unit(struct loop *loop, const char *unit)
{
	for (size_t i = 0; i < loop->n; i++)
		if (!strcmp(loop->items[i]->unit, unit))
			return loop->items[i];
	CLEANUP(freep)
	char *machine = loop->observe->others ? unit_name_subject(UNIT_QEMU, unit) : NULL;
	return machine ? add_machine(loop, machine) : NULL;
}

static void set_state(struct watched *w, const char *active, const char *sub)
{
	w->changed |= !w->active || strcmp(w->active, active) != 0;
	free(w->active);
	free(w->sub);
	w->active = xstrdup(active);
	w->sub = xstrdup(sub);
	if (w->changed && !unit_is_down(active))
		w->next_usec = 0;
}

/* @ask: systemd may be asked for more */
static void tell_unit(struct loop *loop, struct watched *w, bool ask)
{
	static const struct {
		const char *active, *event, *text;
	} rows[] = {
		{ "activating", "UNIT_STARTING", "is being started" },
		{ "active", "UNIT_ACTIVE", "is up" },
		{ "deactivating", "UNIT_STOPPING", "goes down" },
		{ "inactive", "UNIT_INACTIVE", "is down" },
		{ "failed", "UNIT_FAILED", "has failed" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].active, w->active) != 0)
			continue;
		CLEANUP(unit_info_done) struct unit_info info = {};
		CLEANUP(buf_done) struct buf text = {};
		struct error unused = {};
		struct json_object *data = jtree_object();
		jtree_set(data, "active", jtree_string(w->active));
		jtree_set(data, "sub", jtree_string(w->sub));
		buf_puts(&text, rows[i].text);
		if (ask && !strcmp(w->active, "failed") && loop->bus &&
				bus_get_unit(loop->bus, w->unit, &info, &unused) == 0) {
			jtree_set(data, "result", jtree_string(info.result));
			buf_printf(&text, " (%s): 'machina why %s' says why", info.result, w->name);
		}
		if (!strcmp(w->sub, "auto-restart"))
			buf_puts(&text, " again after a failure");
		tell(loop, w, rows[i].event, data, buf_text(&text), 0);
		json_object_put(data);
	}
}

/* While systemd's messages are read, no other can be sent. */
static void note_unit(void *data, const char *unit, const char *active, const char *sub)
{
	struct watched *w = find_unit(data, unit);
	if (!w)
		return;
	/* Two changes in one read: the one before must not be lost. */
	if (w->changed && strcmp(w->active, active) != 0)
		tell_unit(data, w, false);
	set_state(w, active, sub);
}

static void tell_units(struct loop *loop)
{
	for (size_t i = 0; i < loop->n; i++)
		if (loop->items[i]->changed) {
			loop->items[i]->changed = false;
			tell_unit(loop, loop->items[i], true);
		}
}

/* The states of now; those of the first time are no news. */
static int read_states(struct loop *loop, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	for (size_t i = 0; i < loop->n; i++)
		strv_push(&units, loop->items[i]->unit);
	int r = bus_list_units(loop->bus, &units, &list, err);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		struct watched *w = loop->items[i];
		bool first = !w->active;
		set_state(w, list.rows[i].active_state, list.rows[i].sub_state);
		if (first)
			w->changed = false;
	}
	return r;
}

/* systemd goes away when it executes itself anew, and comes back. */
static void try_bus(struct loop *loop)
{
	struct error unused = {};
	loop->bus_next_usec = clock_deadline_usec(LATER_USEC);
	if (bus_open(&loop->bus, &unused) < 0)
		return;
	if (bus_watch_units(loop->bus, note_unit, loop, &unused) < 0 ||
			read_states(loop, &unused) < 0) {
		bus_free(loop->bus);
		loop->bus = NULL;
	}
}

/* ---- the loop ---- */

static int open_signals(struct error *err)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_errno(err, "cannot wait for signals") : fd;
}

/* One round. Returns as observe_run(), or 3 to go on. */
static int turn(struct loop *loop, struct error *err)
{
	uint64_t deadline = loop->observe->deadline_usec;
	if (!loop->bus && loop->bus_next_usec <= clock_now_usec())
		try_bus(loop);
	if (!loop->bus && loop->bus_next_usec < deadline)
		deadline = loop->bus_next_usec;
	tell_units(loop);
	for (size_t i = 0; i < loop->n; i++) {
		uint64_t due = do_what_is_due(loop, loop->items[i]);
		deadline = due < deadline ? due : deadline;
	}
	if (loop->enough)
		return 1;

	/* The list may grow while systemd is read, which is done last. */
	const size_t n = loop->n;
	CLEANUP(freep) struct pollfd *fds = xcalloc(n + 2, sizeof(*fds));
	fds[0] = (struct pollfd){ .fd = loop->signal_fd, .events = POLLIN };
	fds[1].fd = -1;
	if (loop->bus)
		bus_watch_poll(loop->bus, &fds[1], &deadline);
	for (size_t i = 0; i < n; i++)
		fds[2 + i] = (struct pollfd){
			.fd = loop->items[i]->qmp ? qmp_fd(loop->items[i]->qmp) : -1,
			.events = POLLIN,
		};
	if (clock_poll(fds, n + 2, deadline) < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for events");
	if (fds[0].revents)
		return 2;
	for (size_t i = 0; i < n; i++)
		if (fds[2 + i].revents || loop->items[i]->has_more)
			read_qemu(loop, loop->items[i]);
	struct error unused = {};
	if (loop->bus && bus_watch_read(loop->bus, &unused) < 0) {
		bus_free(loop->bus);
		loop->bus = NULL;
		loop->bus_next_usec = 0;
	}
	tell_units(loop);
	return loop->enough ? 1 : clock_now_usec() >= loop->observe->deadline_usec ? 0 : 3;
}

int observe_run(const struct observe *observe, struct error *err)
{
	CLEANUP(loop_done) struct loop loop = { .observe = observe, .signal_fd = -1 };
	int r = open_signals(err);
	if (r < 0)
		return r;
	loop.signal_fd = r;
	file_allow_many();
	for (size_t i = 0; i < observe->machines->n; i++)
		add_machine(&loop, observe->machines->items[i]);
	do
		r = turn(&loop, err);
	while (r == 3);
	return r;
}
