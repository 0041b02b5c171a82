/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's migration to a descriptor and from one. */
#include "host/qmp/migration.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/qmp/qmp-fd.h"
#include "json/jtree.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/visible.h"

/* Between two looks, while no event comes. */
#define LOOK_USEC (100 * USEC_PER_MSEC)
/* Without progress. A disk that has to write gigabytes from its cache is slow. */
#define STALL_USEC (180 * USEC_PER_SEC)
/* Of all that there is to do, what has to be done in that time. */
#define PACE_PARTS 256
/* What QEMU says of a reason; real ones have less. */
#define REASON_MAX 500
/* The name of the descriptor: in this connection, where the command uses it up, or of its set. */
#define FD_NAME "machina-memory"
/* "max-bandwidth" is a size_t; all numbers below 2^53 survive everybody's JSON. */
#define UNLIMITED (INT64_C(1) << 52)

struct look {
	const char *status; /* borrowed from value; "none" */
	uint64_t done, total;
	struct json_object *value;
};

static void look_done(struct look *look)
{
	json_object_put(look->value);
}

static uint64_t member(struct json_object *object, const char *key)
{
	int64_t number = jtree_get_int(object, key, 0);
	return number > 0 ? (uint64_t)number : 0;
}

static uint64_t deadline(void)
{
	return clock_deadline_usec(MIGRATION_CALL_USEC);
}

static int take_look(struct qmp *qmp, struct look *ret, struct error *err)
{
	int r = qmp_call(qmp, "query-migrate", NULL, deadline(), &ret->value, err);
	if (r < 0)
		return r;
	const char *status = jtree_get_text(ret->value, "status");
	ret->status = *status ? status : "none";
	struct json_object *ram = jtree_get(ret->value, "ram");
	uint64_t left = member(ram, "remaining");
	ret->total = member(ram, "total");
	ret->done = left < ret->total ? ret->total - left : 0;
	return 0;
}

static void put_text(struct buf *text, struct json_object *value)
{
	if (json_object_is_type(value, json_type_string))
		visible_add(text, json_object_get_string(value),
				(size_t)json_object_get_string_len(value), REASON_MAX);
}

int migration_check(struct qmp *qmp, struct error *err)
{
	CLEANUP(look_done) struct look look = {};
	CLEANUP(buf_done) struct buf text = {};
	int r = take_look(qmp, &look, err);
	if (r < 0)
		return r;
	struct json_object *reasons = jtree_get(look.value, "blocked-reasons");
	for (size_t i = 0; i < jtree_length(reasons); i++) {
		buf_puts(&text, i ? "; " : "");
		put_text(&text, jtree_at(reasons, i));
	}
	return text.len ? error_set(err, ENOTSUP, "QEMU cannot save it: %s", buf_text(&text)) : 0;
}

static int failed(const struct look *look, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	put_text(&text, jtree_get(look->value, "error-desc"));
	return error_set(err, EREMOTEIO, "QEMU's migration has %s%s%s", look->status,
			text.len ? ": " : "", buf_text(&text));
}

/*
 * Wait a moment, or for an event. Returns 0, -ECANCELED when the guest runs on, or what the
 * connection says.
 */
static int wait_moment(struct qmp *qmp, struct error *err)
{
	uint64_t until = clock_deadline_usec(LOOK_USEC);
	for (unsigned n = 0;; n++) {
		CLEANUP(qmp_event_done) struct qmp_event event = {};
		int r = qmp_next_event(qmp, until, &event, err);
		if (r == QMP_LATE || qmp_is_flood(n, until))
			return 0;
		if (r != QMP_DONE)
			return r < 0 ? r : -err->code;
		if (!strcmp(event.name, "RESUME"))
			return error_set(err, ECANCELED, "somebody has let the guest run on");
		if (!strcmp(event.name, "MIGRATION"))
			return 0;
	}
}

static bool has_ended(const char *status)
{
	static const char *const ends[] = { "none", "completed", "failed", "cancelled" };
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (!strcmp(status, ends[i]))
			return true;
	return false;
}

/*
 * Of what comes in QEMU does not tell how far it is (fill_destination_migration_info() in
 * migration/migration.c), but it reads with the position that its descriptor shares with ours.
 */
static void measure(int fd, struct look *look)
{
	struct stat st;
	off_t at = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : -1;
	if (at < 0 || fstat(fd, &st) < 0)
		return;
	look->done = (uint64_t)at;
	look->total = (uint64_t)st.st_size;
}

bool migration_goes_on(
		struct migration_pace *pace, uint64_t now_usec, uint64_t done, uint64_t total)
{
	const uint64_t left = done < total ? total - done : 0;
	if (!pace->until_usec)
		pace->until_usec = clock_add_usec(now_usec, STALL_USEC);
	if (!pace->part && total) {
		pace->part = total / PACE_PARTS + 1;
		pace->left = left;
	}
	if (pace->part && left < pace->left && pace->left - left >= pace->part) {
		pace->left = left;
		pace->until_usec = clock_add_usec(now_usec, STALL_USEC);
	}
	return now_usec < pace->until_usec;
}

/* @fd: what QEMU reads; -1: it writes */
static int watch_it(struct qmp *qmp, int fd, const struct migration_watch *watch, struct error *err)
{
	struct migration_pace pace = {};
	for (;;) {
		CLEANUP(look_done) struct look look = {};
		int r = take_look(qmp, &look, err);
		if (r < 0)
			return r;
		if (!strcmp(look.status, "completed"))
			return 0;
		if (!strcmp(look.status, "failed") || !strcmp(look.status, "cancelled"))
			return failed(&look, err);
		if (watch->is_canceled && watch->is_canceled(watch->data))
			return error_set(err, ECANCELED, "it was called off");
		measure(fd, &look);
		if (!migration_goes_on(&pace, clock_now_usec(), look.done, look.total))
			return error_set(err, ETIMEDOUT, "QEMU's migration does not go on");
		if (watch->progress)
			watch->progress(watch->data, look.done, look.total);
		r = wait_moment(qmp, err);
		if (r < 0)
			return r;
	}
}

/* Takes @arguments over. */
static int call(struct qmp *qmp, const char *command, struct json_object *arguments,
		struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *owned = arguments;
	return qmp_call(qmp, command, owned, deadline(), NULL, err);
}

static int set_capabilities(struct qmp *qmp, const char *const *names, struct error *err)
{
	struct json_object *arguments = jtree_object(), *list = jtree_list();
	for (; *names; names++) {
		struct json_object *row = jtree_object();
		jtree_set(row, "capability", jtree_string(*names));
		jtree_set(row, "state", jtree_bool(true));
		jtree_push(list, row);
	}
	jtree_set(arguments, "capabilities", list);
	return call(qmp, "migrate-set-capabilities", arguments, err);
}

static int set_speed(struct qmp *qmp, struct error *err)
{
	struct json_object *arguments = jtree_object();
	jtree_set(arguments, "max-bandwidth", jtree_int(UNLIMITED));
	return call(qmp, "migrate-set-parameters", arguments, err);
}

static int call_with(struct qmp *qmp, const char *command, const char *uri, uint64_t until,
		struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	jtree_set(arguments, "uri", jtree_string(uri));
	return qmp_call(qmp, command, arguments, until, NULL, err);
}

/*
 * A file by "fd:" is deprecated since 9.1 (docs/about/deprecated.rst). From then on "file:" takes a
 * set as it is: from its position on, without cutting it.
 */
static bool takes_sets(const struct qmp *qmp)
{
	return qmp_is_at_least(qmp, 9, 1);
}

/*
 * QEMU has opened it when the command returns, and what it opened is a copy: so the set is of no
 * use then, whether it goes on or not.
 */
static int begin_by_set(struct qmp *qmp, const char *command, int fd, struct error *err)
{
	const uint64_t until = deadline();
	int set;
	int r = qmp_add_fd(qmp, fd, FD_NAME, until, &set, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *uri = xasprintf("file:/dev/fdset/%d", set);
	r = call_with(qmp, command, uri, until, err);
	qmp_remove_fd(qmp, set, until);
	return r;
}

static int begin(struct qmp *qmp, const char *command, int fd, struct error *err)
{
	if (takes_sets(qmp))
		return begin_by_set(qmp, command, fd, err);
	const uint64_t until = deadline();
	int r = qmp_send_fd(qmp, fd, FD_NAME, until, err);
	return r < 0 ? r : call_with(qmp, command, "fd:" FD_NAME, until, err);
}

int migration_send(struct qmp *qmp, int fd, const struct migration_watch *watch, struct error *err)
{
	static const char *const capabilities[] = { "events", NULL };
	int r = set_capabilities(qmp, capabilities, err);
	if (r == 0)
		r = set_speed(qmp, err);
	if (r == 0)
		r = qmp_pass_time(qmp, 0, err); /* what happened before is no news */
	if (r == 0)
		r = begin(qmp, "migrate", fd, err);
	return r < 0 ? r : watch_it(qmp, -1, watch, err);
}

/* Of one that was killed before it could remove its set, which keeps the file. */
static int forget_sets(struct qmp *qmp, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *sets = NULL;
	const uint64_t until = deadline();
	int r = takes_sets(qmp) ? qmp_call(qmp, "query-fdsets", NULL, until, &sets, err) : 0;
	for (size_t i = 0; i < jtree_length(sets); i++) {
		struct json_object *row = jtree_at(sets, i);
		const char *name = jtree_get_text(jtree_at(jtree_get(row, "fds"), 0), "opaque");
		const int64_t set = jtree_get_int(row, "fdset-id", -1);
		if (!strcmp(name, FD_NAME) && set >= 0 && set <= INT_MAX)
			qmp_remove_fd(qmp, (int)set, until);
	}
	return r;
}

int migration_cancel(struct qmp *qmp, struct error *err)
{
	uint64_t until = clock_deadline_usec(STALL_USEC);
	bool told = false;
	for (;;) {
		CLEANUP(look_done) struct look look = {};
		int r = take_look(qmp, &look, err);
		if (r < 0 || has_ended(look.status))
			return r < 0 ? r : forget_sets(qmp, err);
		if (clock_now_usec() >= until)
			return error_set(err, ETIMEDOUT, "QEMU's migration does not end");
		if (!told)
			r = qmp_call(qmp, "migrate_cancel", NULL, deadline(), NULL, err);
		told = true;
		if (r == 0)
			r = wait_moment(qmp, err);
		if (r < 0 && r != -ECANCELED)
			return r;
	}
}

int migration_receive(struct qmp *qmp, int fd, bool late, const struct migration_watch *watch,
		struct error *err)
{
	const char *const capabilities[] = { "events", late ? "late-block-activate" : NULL, NULL };
	int r = set_capabilities(qmp, capabilities, err);
	if (r == 0)
		r = begin(qmp, "migrate-incoming", fd, err);
	return r < 0 ? r : watch_it(qmp, fd, watch, err);
}
