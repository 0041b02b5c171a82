/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of finding out why: how a run ended, a guest that stands still, and the words for it all.
 */
#include "lifecycle/why-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "host/qmp/qmp-many.h"
#include "host/qmp/run-state.h"
#include "json/jtree.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "setup/machines.h"
#include "unit/service.h"
#include "util/mem.h"

/* ---- how it ended ---- */

static bool is_ours(const struct journal_words *words)
{
	return words->speaker_len == strlen(PROGRAM_NAME) &&
	       !strncmp(words->speaker, PROGRAM_NAME, words->speaker_len);
}

void why_find_end(const struct strv *lines, struct cause *ret)
{
	/* Of what the hooks and QEMU say; the first row that is found counts. */
	static const struct {
		enum cause_found id;
		const char *words, *sentence; /* NULL: what was said */
	} ends[] = {
		{ CAUSE_KILLED, WHY_KILLED, NULL },
		{ CAUSE_END_FORCED, "telling QEMU to quit",
				"its unit was stopped, and QEMU was told to quit since no guest "
				"shut down" },
		{ CAUSE_END_STOPPED, "pressed the power button",
				"its unit was stopped, and the guest shut down in good order" },
		{ CAUSE_END_STOPPED, "guest is shutting down",
				"its unit was stopped, and the guest shut down in good order" },
		{ CAUSE_END_FORCED, WHY_BY_SHUTDOWN " --force'", NULL },
		{ CAUSE_END_ASKED, WHY_BY_SHUTDOWN, NULL },
		{ CAUSE_END_SIGNAL, "terminating on signal", "QEMU was told to end by a signal" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		for (size_t k = 0; k < lines->n; k++) {
			struct journal_words words;
			journal_split(lines->items[k], &words);
			if (!strstr(words.message, ends[i].words) ||
					cause_is_of_guest(words.message) ||
					(!ends[i].sentence && !is_ours(&words)))
				continue;
			ret->id = cause_found_ids[ends[i].id];
			ret->sentence = xstrdup(
					ends[i].sentence ? ends[i].sentence : words.message);
			ret->message = xstrdup(words.message);
			return;
		}
	ret->id = cause_found_ids[CAUSE_END_GUEST];
	ret->sentence = xstrdup("its unit was not stopped: the guest shut down by itself or was "
				"asked to, or QEMU was told to quit");
	ret->message = xstrdup("");
}

/* ---- a guest that stands still ---- */

/* "a disk": which one, and of what (query-block, BlockDeviceIoStatus). */
static void tell_disks(const struct config_paths *paths, struct why *why)
{
	CLEANUP(monitor_done) struct monitor monitor = {};
	const uint64_t deadline = clock_deadline_usec(QMP_MANY_USEC);
	struct json_object *list = NULL;
	struct error unused = {};
	CLEANUP(buf_done) struct buf text = {};
	bool full = false;
	if (monitor_open(paths, why->machine, deadline, &monitor, &unused) < 0 ||
			qmp_call(monitor.qmp, "query-block", NULL, deadline, &list, &unused) < 0)
		return;
	for (size_t i = 0; i < jtree_length(list); i++) {
		struct json_object *disk = jtree_at(list, i);
		const char *status = jtree_get_text(disk, "io-status");
		if (!*status || !strcmp(status, "ok"))
			continue;
		const char *name = jtree_get_text(disk, "device");
		const char *qdev = jtree_get_text(disk, "qdev");
		bool no_space = !strcmp(status, "nospace");
		full |= no_space;
		buf_printf(&text, "; disk '%s': %s", *name ? name : qdev,
				no_space ? "no space is left where its image is"
					 : "reading or writing its image failed");
	}
	json_object_put(list);
	if (!text.len)
		return;
	char *longer = xasprintf("%s%s", why->cause.sentence, buf_text(&text));
	free(why->cause.sentence);
	why->cause.sentence = longer;
	free(why->cause.advice);
	why->cause.id = cause_found_ids[full ? CAUSE_DISK_FULL : CAUSE_DISK_IO];
	why->cause.advice = xstrdup(
			full ? "make room there, and let the guest run on ('machina resume')"
			     : "look for the device's errors in the kernel's log (journalctl -k), "
			       "and let the guest run on ('machina resume')");
}

void why_ask_guests(const struct config_paths *paths, const struct strv *machines,
		struct why_guests *ret)
{
	static const char *const commands[] = { "query-status", NULL };
	*ret = (struct why_guests){ .items = xcalloc(machines->n + 1, sizeof(*ret->items)) };
	for (size_t i = 0; i < machines->n; i++)
		strv_push_take(&ret->sockets, plan_qmp_path(paths->run_dir, machines->items[i],
							      MONITOR_COMMANDS));
	for (size_t i = 0; i < machines->n; i++)
		ret->items[i] = (struct qmp_many){
			.path = ret->sockets.items[i],
			.occupied = saved_occupied(paths->saved_dir, machines->items[i]),
		};
	qmp_many_ask(ret->items, machines->n, commands, clock_deadline_usec(QMP_MANY_USEC));
}

void why_guests_done(struct why_guests *guests)
{
	qmp_many_done(guests->items, guests->sockets.n);
	free(guests->items);
	strv_done(&guests->sockets);
}

/* NULL: it could not be asked. One that has gone may be back by now. */
static const struct run_state *get_state(const struct config_paths *paths, const char *machine,
		const struct qmp_many *guest, struct error *err)
{
	CLEANUP(monitor_done) struct monitor monitor = {};
	const struct run_state *state = NULL;
	const uint64_t deadline = clock_deadline_usec(QMP_MANY_USEC);
	if (guest && guest->is_answered)
		state = run_state_read(guest->replies[0]);
	if (state)
		return state;
	if (guest && guest->is_late) {
		error_set(err, ETIMEDOUT, "%s", guest->reason);
		return NULL;
	}
	if (monitor_open(paths, machine, deadline, &monitor, err) < 0 ||
			run_state_query(monitor.qmp, deadline, &state, err) != QMP_DONE)
		return NULL;
	return state;
}

bool why_look_at_guest(
		const struct config_paths *paths, const struct qmp_many *guest, struct why *why)
{
	static const struct {
		enum cause_found state; /* QEMU's word for it */
		const char *advice;
	} rows[] = {
		{ CAUSE_GUEST_PANICKED, "the guest's console and its log tell more" },
		{ CAUSE_INTERNAL_ERROR, "the journal of the unit has what QEMU said of it" },
		{ CAUSE_IO_ERROR, "" },
		{ CAUSE_PAUSED, "'machina resume' lets it run on" },
		{ CAUSE_PRELAUNCH, "its \"qemu-args\" have -S: QEMU waits for 'cont'" },
		{ CAUSE_WATCHDOG, "" },
	};
	struct error local = {};
	const struct run_state *state = get_state(paths, why->machine, guest, &local);
	/* One that can't be asked is told as systemd knows it, with the reason. */
	if (!state) {
		why->cause.id = cause_found_ids[CAUSE_MONITOR];
		why->cause.sentence = xasprintf("QEMU could not be asked: %s", local.text);
		return local.code != EHOSTDOWN;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(cause_found_ids[rows[i].state], state->name) != 0)
			continue;
		why->outcome = WHY_STANDS;
		why->cause.id = cause_found_ids[rows[i].state];
		why->cause.sentence = xstrdup(state->meaning);
		why->cause.advice = xstrdup(rows[i].advice);
		if (rows[i].state == CAUSE_IO_ERROR)
			tell_disks(paths, why);
	}
	return true;
}

/* ---- no unit, or nobody to blame ---- */

void why_find_config(const struct config_paths *paths, struct why *why)
{
	if (!machine_is_configured(paths, why->machine)) {
		why->cause.id = cause_found_ids[CAUSE_NO_MACHINE];
		why->cause.sentence = xstrdup(
				"there is no such machine: it has neither a config nor a unit");
		why->cause.advice = xstrdup("'machina list' shows those that there are");
		return;
	}
	why->cause.id = cause_found_ids[CAUSE_NO_UNIT];
	why->cause.sentence = xstrdup("it has a config, but no unit that systemd knows");
	why->cause.advice = xasprintf("'machina generate %s' makes it", why->machine);
}

void why_tell_held(const struct journal_event *failure, const char *unit, struct why *why)
{
	why->outcome = WHY_FAILED;
	why->time_usec = failure->time_usec;
	why->unit = xstrdup(unit);
	why->phase = xstrdup("when it was started");
	why->result = xstrdup("dependency");
	why->cause.id = cause_found_ids[CAUSE_DEPENDENCY];
	why->cause.sentence = xstrdup("a unit that it needs did not come up, and none of them is "
				      "in the state failed any more");
	why->cause.advice = xasprintf(
			"start it again; 'systemctl list-dependencies %s' shows what it needs",
			unit);
	why->cause.message = xstrdup("");
}

void why_tell_unmet(const struct journal_event *held, const char *unit, struct why *why)
{
	const char *kind = held->is_assert ? "an Assert" : "a Condition";
	why->outcome = WHY_NEVER;
	why->time_usec = held->time_usec;
	why->cause.id = cause_found_ids[CAUSE_CONDITION];
	why->cause.sentence = xasprintf("%s setting of its unit does not hold%s%s", kind,
			held->unmet[0] ? ": " : "", held->unmet);
	why->cause.advice = xasprintf("make it true, or take it out: 'systemctl cat %s' shows the "
				      "drop-in that it is from",
			unit);
	why->cause.message = xstrdup("");
}

/* ---- words ---- */

static void add_time(const char *before, uint64_t usec, struct buf *text)
{
	char when[64];
	struct tm tm;
	struct timespec now;
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	if (!usec)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t now_usec = (uint64_t)now.tv_sec * USEC_PER_SEC;
	CLEANUP(freep) char *span = format_span(now_usec > usec ? now_usec - usec : 0);
	if (localtime_r(&seconds, &tm) &&
			strftime(when, sizeof(when), "%a %Y-%m-%d %H:%M:%S", &tm) > 0)
		buf_printf(text, " %s %s (%s ago)", before, when, span);
}

static void add_sentence(const char *before, const char *sentence, struct buf *text)
{
	if (!sentence || !*sentence)
		return;
	buf_printf(text, "%s%s", before, sentence);
	if (!strchr(".?!", sentence[strlen(sentence) - 1]))
		buf_putc(text, '.');
}

static void tell_failure(const struct why *why, struct buf *text)
{
	CLEANUP(freep) char *own = unit_name(UNIT_QEMU, why->machine);
	if (why->other) {
		buf_puts(text, " was not started");
		add_time("on", why->time_usec, text);
		buf_printf(text, ", since machine '%s', which it requires, failed %s", why->other,
				why->phase);
	} else {
		buf_puts(text, " failed");
		add_time("on", why->time_usec, text);
		if (why->unit && strcmp(why->unit, own) != 0)
			buf_printf(text, ", since the unit '%s', which it needs, failed",
					why->unit);
		else if (why->phase && *why->phase)
			buf_printf(text, " %s", why->phase);
	}
	add_sentence(": ", why->cause.sentence, text);
	add_sentence(" What to do: ", why->cause.advice, text);
	if (why->is_retried)
		buf_puts(text, " systemd will try again.");
	if (why->is_given_up)
		buf_puts(text, " It failed so often in a short time that systemd has given up; "
			       "'machina start' begins anew.");
}

/* Nothing has failed, but for the guest it was a power cut. */
static bool was_cut_off(const struct why *why)
{
	return why->cause.id &&
	       (!strcmp(why->cause.id, cause_found_ids[CAUSE_KILLED]) ||
			       !strcmp(why->cause.id, cause_found_ids[CAUSE_END_FORCED]));
}

void why_tell(const struct why *why, struct buf *text)
{
	const char *const words[] = {
		[WHY_RUNS] = "runs",
		[WHY_STANDS] = "runs",
		[WHY_COMES] = "is being started,",
		[WHY_ENDED] = "ended in good order",
		[WHY_NEVER] = why->cause.sentence ? "was not started"
						  : "was not started since the host was, and has "
						    "not failed.",
		[WHY_NO_MACHINE] = "can't be started",
	};
	buf_puts(text, why->machine);
	if (why->outcome == WHY_FAILED) {
		tell_failure(why, text);
	} else {
		buf_printf(text, " %s",
				why->is_leaving	   ? "is being shut down,"
				: was_cut_off(why) ? "ended"
						   : words[why->outcome]);
		add_time(why->outcome == WHY_ENDED || why->outcome == WHY_NEVER ? "on" : "since",
				why->time_usec, text);
		if (why->outcome == WHY_STANDS)
			buf_puts(text, ", but its guest does not");
		if (why->cause.sentence)
			add_sentence(": ", why->cause.sentence, text);
		else if (text->text[text->len - 1] != '.')
			buf_putc(text, '.');
		add_sentence(" What to do: ", why->cause.advice, text);
	}
	if (why->reason)
		buf_printf(text, " %s", why->reason);
	if (why->before) {
		buf_puts(text, " Before that it had failed");
		add_time("on", why->before->time_usec, text);
		buf_printf(text, " %s", why->before->phase);
		add_sentence(": ", why->before->cause.sentence, text);
		add_sentence(" What to do: ", why->before->cause.advice, text);
	}
}
