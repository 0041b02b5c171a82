/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine that was stopped, or begun anew, since what it requires was: by which job of systemd's.
 */
#include "lifecycle/why-required.h"

#include <stdlib.h>
#include <string.h>

#include "host/systemd/journal.h"
#include "lifecycle/why-parts.h"
#include "util/mem.h"

/* Units looked at, so that a unit with half of the host behind it does not hold us. */
#define UNITS_MAX 64

/* The unit whose stop took another one with it. */
struct culprit {
	char *unit;
	char *through; /* a unit between the two; NULL: none */
	struct journal_stop stop;
	bool is_pending; /* it is still to be stopped, or about to start anew */
};

static void culprit_done(struct culprit *culprit)
{
	free(culprit->unit);
	free(culprit->through);
	*culprit = (struct culprit){};
}

/*
 * Was a unit stopped before or with the stop @of, or is it to be? Returns 1 and how, or 0, or a
 * negative errno.
 */
static int look_at_stop(struct bus *bus, const char *unit, const struct journal_stop *of,
		struct journal_stop *ret, bool *ret_is_pending, struct error *err)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	int r = bus_get_unit(bus, unit, &info, err);
	if (r < 0)
		return r;
	*ret_is_pending = info.job_id != 0;
	if (info.job_id) {
		*ret = (struct journal_stop){ of->time_usec, info.job_id, "", false };
		return 1;
	}
	if (unit_is_up(info.active_state) && info.active_enter_usec < of->time_usec)
		return 0;
	return journal_last_stop(unit, of, ret, err);
}

/*
 * systemd stops what requires a unit before the unit itself, by jobs of one transaction, of which
 * the one that was asked for has the smallest number (core/transaction.c). So of all units that
 * this one needs, also through others, it was the one with the smallest; and if this one's own was
 * there first, none.
 *
 * Returns 1 if there is one.
 */
static int find_culprit(struct bus *bus, const char *unit, const struct journal_stop *of,
		struct culprit *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv units = {}, firsts = {};
	uint64_t least = of->job_id;
	int r = bus_get_needs(bus, unit, &units, err);
	for (size_t i = 0; i < units.n; i++)
		strv_push(&firsts, "");
	for (size_t i = 0; r >= 0 && i < units.n && i < UNITS_MAX; i++) {
		struct journal_stop stop = {};
		bool is_pending;
		r = look_at_stop(bus, units.items[i], of, &stop, &is_pending, err);
		if (r <= 0)
			continue;
		if (stop.job_id < least) {
			culprit_done(ret);
			*ret = (struct culprit){ xstrdup(units.items[i]), NULL, stop, is_pending };
			if (*firsts.items[i])
				ret->through = xstrdup(firsts.items[i]);
			least = stop.job_id;
		}
		CLEANUP(strv_done) struct strv more = {};
		const char *first = *firsts.items[i] ? firsts.items[i] : units.items[i];
		r = bus_get_needs(bus, units.items[i], &more, err);
		for (size_t k = 0; r >= 0 && k < more.n; k++) {
			if (strv_contains(&units, more.items[k]))
				continue;
			strv_push(&units, more.items[k]);
			strv_push(&firsts, first);
		}
	}
	return r < 0 ? r : ret->unit != NULL;
}

static void name_unit(const char *unit, bool with_verb, struct buf *text)
{
	CLEANUP(freep) char *machine = why_machine_of_unit(unit);
	if (machine)
		buf_printf(text, "machine '%s'%s", machine, with_verb ? ", which it requires" : "");
	else
		buf_printf(text, "the unit '%s'%s", unit, with_verb ? ", which it needs" : "");
}

/* "failed while it ran: it was killed", or that somebody wanted it. */
static int tell_what_happened(const struct config_paths *paths, struct bus *bus,
		const struct culprit *culprit, struct buf *text, struct error *err)
{
	CLEANUP(unit_info_done) struct unit_info info = {};
	CLEANUP(why_done) struct why past = {};
	struct journal_event failure = {};
	int r = bus_get_unit(bus, culprit->unit, &info, err);
	if (r == 0)
		r = journal_last_failure(culprit->unit, &failure, err);
	if (r < 0)
		return r;
	/* One that goes on has ended the unit's last run, or will. */
	const char *run = culprit->is_pending ? info.invocation_id : culprit->stop.invocation_id;
	const bool is_restart = culprit->stop.is_restart || !strcmp(info.sub_state, "auto-restart");
	if (is_restart && *run && !strcmp(failure.invocation_id, run)) {
		past.machine = why_machine_of_unit(culprit->unit);
		r = why_look_at_past(paths, culprit->unit, &info, &failure, &past, err);
		if (r < 0)
			return r;
		buf_printf(text, " failed %s: %s", past.phase, past.cause.sentence);
		return 0;
	}
	buf_puts(text, culprit->is_pending ? " is being stopped"
			: is_restart	   ? " was restarted"
					   : " was stopped");
	return 0;
}

/* There was nothing for the hooks to do, so that they said nothing. */
static void tell_early_stop(struct cause *cause)
{
	free(cause->sentence);
	cause->id = cause_found_ids[CAUSE_END_STOPPED];
	cause->sentence = xstrdup("its unit was stopped before it had come up, or when its guest "
				  "was down already");
}

int why_find_required(const struct config_paths *paths, struct bus *bus, const char *unit,
		struct why *why, struct error *err)
{
	CLEANUP(culprit_done) struct culprit culprit = {};
	CLEANUP(buf_done) struct buf text = {};
	struct journal_stop stop = {};
	bool host_stops = false;
	int r = journal_last_stop(unit, NULL, &stop, err);
	if (r <= 0)
		return r;
	if (why->outcome == WHY_ENDED && !strcmp(why->cause.id, cause_found_ids[CAUSE_END_GUEST]))
		tell_early_stop(&why->cause);
	if (why->is_leaving)
		r = bus_is_stopping(bus, &host_stops, err);
	if (r >= 0 && host_stops) {
		why->reason = xstrdup("The host is being shut down.");
		return 0;
	}
	if (r >= 0)
		r = find_culprit(bus, unit, &stop, &culprit, err);
	if (r <= 0)
		return r;
	buf_puts(&text, why->is_leaving		    ? "It is stopped since "
			: why->outcome == WHY_ENDED ? "It was stopped since "
						    : "It was restarted since ");
	name_unit(culprit.unit, true, &text);
	if (culprit.through) {
		buf_puts(&text, " through ");
		name_unit(culprit.through, false, &text);
	}
	buf_puts(&text, ",");
	r = tell_what_happened(paths, bus, &culprit, &text, err);
	if (r < 0)
		return r;
	buf_putc(&text, '.');
	why->other = why_machine_of_unit(culprit.unit);
	why->reason = buf_take(&text);
	return 0;
}
