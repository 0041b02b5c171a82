/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting and stopping units, many at a time on one connection. */
#include "host/systemd/bus-job.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/systemd/bus-call.h"
#include "host/systemd/bus-unit.h"
#include "util/buf.h"
#include "util/mem.h"

/* How long systemd may take to execute itself anew, and how often to look. */
#define CUT_USEC (30 * USEC_PER_SEC)
#define CUT_RETRY_USEC (50 * USEC_PER_MSEC)

const char *const bus_verb_names[] = {
	[BUS_START] = "start",
	[BUS_STOP] = "stop",
	[BUS_RESTART] = "restart",
	[BUS_RELOAD] = "reload",
	[BUS_STOP_ALONE] = "stop",
};

static const struct {
	const char *name, *mode;
} methods[] = {
	[BUS_START] = { "StartUnit", "replace" },
	[BUS_STOP] = { "StopUnit", "replace" },
	[BUS_RESTART] = { "RestartUnit", "replace" },
	[BUS_RELOAD] = { "ReloadUnit", "replace" },
	[BUS_STOP_ALONE] = { "StopUnit", "ignore-dependencies" },
};

static const struct {
	const char *name; /* in JobRemoved */
	const char *text;
} results[JOB_RESULT_N] = {
	[JOB_DONE] = { "done", "" },
	[JOB_CANCELED] = { "canceled", "the job was canceled" },
	[JOB_TIMEOUT] = { "timeout", "the job took too long" },
	[JOB_FAILED] = { "failed", "the unit has failed" },
	[JOB_DEPENDENCY] = { "dependency", "a unit that it needs has failed" },
	[JOB_SKIPPED] = { "skipped", "the unit is not in a state for that" },
	[JOB_INVALID] = { "invalid", "the unit is not in a state for that" },
	[JOB_ASSERT] = { "assert", "an Assert setting of the unit does not hold" },
	[JOB_UNSUPPORTED] = { "unsupported", "this system has no support for the unit" },
	[JOB_COLLECTED] = { "collected", "the unit is gone" },
	[JOB_ONCE] = { "once", "the unit was started before and is started only once" },
	[JOB_OTHER] = { NULL, "the job has ended in a way that is not known here" },
};

struct batch;

struct job {
	struct batch *batch;
	size_t index;
	sd_bus_slot *slot; /* of the call; NULL before and after */
	char *path;	   /* of the job; NULL before the reply */
	bool over;
};

struct batch {
	struct bus *bus;
	enum bus_verb verb;
	struct job *jobs;
	const struct strv *units;
	size_t n_sent, n_calls /* that are on their way */, n_over, n_bad;
	sd_bus_slot *removed; /* the match of JobRemoved */
	uint64_t cut_usec;    /* until when a connection may be cut again; 0: it works */
	void (*done)(void *data, size_t i, const struct bus_job *job);
	void *data;
};

/* After that, nothing calls back into the batch. */
static void forget_calls(struct batch *b)
{
	b->removed = sd_bus_slot_unref(b->removed);
	for (size_t i = 0; i < b->units->n; i++)
		b->jobs[i].slot = sd_bus_slot_unref(b->jobs[i].slot);
	b->n_sent = b->n_calls = 0;
}

static void batch_done(struct batch *b)
{
	forget_calls(b);
	for (size_t i = 0; i < b->units->n; i++)
		free(b->jobs[i].path);
	free(b->jobs);
}

static void finish(struct job *job, enum job_result result, const char *text)
{
	struct batch *b = job->batch;
	job->over = true;
	b->n_over++;
	b->n_bad += result != JOB_DONE;
	if (b->done)
		b->done(b->data, job->index,
				&(struct bus_job){
						.unit = b->units->items[job->index],
						.result = result,
						.text = text,
				});
}

static int take_reply(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	(void)unused;
	struct job *job = userdata;
	job->slot = sd_bus_slot_unref(job->slot);
	job->batch->n_calls--;
	const sd_bus_error *refusal = sd_bus_message_get_error(m);
	const char *path;
	/* libsystemd's own answer to what was on its way when the connection was cut. */
	if (refusal && sd_bus_is_open(job->batch->bus->sd) <= 0)
		return 0;
	job->batch->cut_usec = 0;
	if (refusal) {
		CLEANUP(buf_done) struct buf text = {};
		bus_refusal(refusal, &text);
		finish(job, JOB_REFUSED, buf_text(&text));
	} else if (sd_bus_message_read(m, "o", &path) >= 0) {
		job->path = xstrdup(path);
	} else {
		finish(job, JOB_OTHER, results[JOB_OTHER].text);
	}
	return 0;
}

/* The reply to a call comes before the end of its job: systemd runs jobs from its main loop. */
static int take_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused)
{
	(void)unused;
	struct batch *b = userdata;
	uint32_t id;
	const char *path, *unit, *name;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &name) < 0)
		return 0;

	enum job_result result = JOB_OTHER;
	for (size_t i = 0; i < JOB_OTHER; i++)
		if (strcmp(results[i].name, name) == 0)
			result = (enum job_result)i;
	/* Two names may be of one unit, and then of one job. */
	for (size_t i = 0; i < b->units->n; i++)
		if (!b->jobs[i].over && b->jobs[i].path && strcmp(b->jobs[i].path, path) == 0)
			finish(&b->jobs[i], result, results[result].text);
	return 0;
}

/* Before the first call: a job may end before the call returns. */
static int listen(struct batch *b, struct error *err)
{
	struct bus *bus = b->bus;
	int r = sd_bus_match_signal_async(bus->sd, &b->removed, bus->direct ? NULL : BUS_NAME,
			BUS_PATH, BUS_MANAGER, "JobRemoved", take_removed, NULL, b);
	/* Without a message bus between, systemd tells everything without being asked. */
	if (r >= 0 && !bus->direct)
		r = sd_bus_call_method_async(bus->sd, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER,
				"Subscribe", NULL, NULL, NULL);
	return r < 0 ? bus_broken(err, r) : 0;
}

static int send_more(struct batch *b, struct error *err)
{
	for (; b->n_sent < b->units->n && b->n_calls < BUS_IN_FLIGHT_MAX; b->n_sent++) {
		struct job *job = &b->jobs[b->n_sent];
		/* Of a connection that was cut. */
		if (job->over || job->path)
			continue;
		job->batch = b;
		job->index = b->n_sent;
		int r = sd_bus_call_method_async(b->bus->sd, &job->slot, BUS_NAME, BUS_PATH,
				BUS_MANAGER, methods[b->verb].name, take_reply, job, "ss",
				b->units->items[b->n_sent], methods[b->verb].mode);
		if (r < 0)
			return bus_broken(err, r);
		b->n_calls++;
	}
	return 0;
}

/* What has become of a job that was made on a connection that was cut; JOB_RESULT_N: it is there.
 */
static enum job_result look_at(const struct job *job, const struct unit_info *info)
{
	CLEANUP(freep) char *path = xasprintf(BUS_PATH "/job/%" PRIu32, info->job_id);
	bool stops = job->batch->verb == BUS_STOP || job->batch->verb == BUS_STOP_ALONE;
	bool is_done = stops ? unit_is_down(info->active_state) : unit_is_up(info->active_state);
	if (!info->job_id)
		return is_done ? JOB_DONE : JOB_FAILED;
	return strcmp(path, job->path) != 0 ? JOB_CANCELED : JOB_RESULT_N;
}

/* The end of those that are there will be told. Returns 1 if systemd has answered. */
static int take_ended(struct batch *b, struct error *err)
{
	int r = 0;
	for (size_t i = 0; i < b->units->n; i++) {
		struct job *job = &b->jobs[i];
		CLEANUP(unit_info_done) struct unit_info info = {};
		if (job->over || !job->path)
			continue;
		r = bus_get_unit(b->bus, b->units->items[i], &info, err);
		if (r < 0)
			return r;
		enum job_result result = look_at(job, &info);
		if (result != JOB_RESULT_N)
			finish(job, result, results[result].text);
		r = 1;
	}
	return r;
}

/*
 * systemd ends its connections when it executes itself anew, and keeps its jobs. Calls that were on
 * their way are made again. @r: what the connection has failed with; returned if it stays so.
 */
static int begin_anew(struct batch *b, int r, struct error *err)
{
	/* Against what has failed otherwise another one is no help. */
	if (sd_bus_is_open(b->bus->sd) > 0)
		return r;
	if (!b->cut_usec)
		b->cut_usec = clock_deadline_usec(CUT_USEC);
	while (r < 0 && clock_now_usec() < b->cut_usec) {
		forget_calls(b);
		clock_pause(CUT_RETRY_USEC);
		if (bus_reopen(b->bus) < 0)
			continue;
		r = listen(b, err);
		if (r == 0)
			r = take_ended(b, err);
	}
	/* Where nothing was asked, the next reply tells that it works. */
	if (r > 0)
		b->cut_usec = 0;
	return r;
}

int bus_run_jobs(struct bus *bus, enum bus_verb verb, const struct strv *units,
		void (*done)(void *data, size_t i, const struct bus_job *job), void *data,
		uint64_t deadline_usec, struct error *err)
{
	CLEANUP(batch_done)
	struct batch b = {
		.bus = bus,
		.verb = verb,
		.jobs = xcalloc(units->n + 1, sizeof(*b.jobs)),
		.units = units,
		.done = done,
		.data = data,
	};
	int r = listen(&b, err);
	while (r >= 0 && b.n_over < units->n) {
		r = send_more(&b, err);
		if (r >= 0)
			r = bus_process(bus, deadline_usec, err);
		if (r < 0)
			r = begin_anew(&b, r, err);
		else if (r == 0)
			return error_set(err, ETIMEDOUT, "%zu of %zu units are not done in time",
					units->n - b.n_over, units->n);
	}
	return r < 0 ? r : (int)b.n_bad;
}

int bus_queue_job(struct bus *bus, enum bus_verb verb, const char *unit, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *m = NULL;
	CLEANUP(freep) char *what = xasprintf("%s '%s'", bus_verb_names[verb], unit);
	int r = bus_new_call(bus, methods[verb].name, &m, err);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "ss", unit, methods[verb].mode);
	return r < 0 ? bus_broken(err, r) : bus_call(bus, m, what, NULL, err);
}

int bus_kill_main(struct bus *bus, const char *unit, struct error *err)
{
	CLEANUP(bus_message_unrefp) sd_bus_message *m = NULL;
	CLEANUP(freep) char *what = xasprintf("kill '%s'", unit);
	int r = bus_new_call(bus, "KillUnit", &m, err);
	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "ssi", unit, "main", SIGKILL);
	return r < 0 ? bus_broken(err, r) : bus_call(bus, m, what, NULL, err);
}

int bus_reset_failed(struct bus *bus, const struct strv *units, struct error *err)
{
	/* Nobody waits for the replies: the start that follows on this connection comes later. */
	for (size_t i = 0; i < units->n; i++) {
		int r = sd_bus_call_method_async(bus->sd, NULL, BUS_NAME, BUS_PATH, BUS_MANAGER,
				"ResetFailedUnit", NULL, NULL, "s", units->items[i]);
		if (r < 0)
			return bus_broken(err, r);
	}
	return 0;
}
