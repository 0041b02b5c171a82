/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a guest, in a file. */
#include "host/qmp/dump.h"

#include <errno.h>
#include <string.h>

#include "host/os/clock.h"
#include "host/qmp/migration.h"
#include "host/qmp/qmp-fd.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "util/mem.h"
#include "util/visible.h"

/* Beginning can take its time: QEMU looks at the guest's page tables under its big lock. */
#define CALL_USEC (60 * USEC_PER_SEC)
#define LOOK_USEC (200 * USEC_PER_MSEC)
#define NAMES_MAX 16
#define FD_NAME "machina-dump"

const char *const dump_format_names[] = {
	[DUMP_ELF] = "elf",
	[DUMP_KDUMP_ZLIB] = "kdump-zlib",
	[DUMP_KDUMP_LZO] = "kdump-lzo",
	[DUMP_KDUMP_SNAPPY] = "kdump-snappy",
	[DUMP_WIN] = "win-dmp",
	NULL,
};

static int check_format(struct qmp *qmp, enum dump_format format, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *value = NULL;
	CLEANUP(buf_done) struct buf list = {};
	const char *names[NAMES_MAX] = {};
	size_t n = 0;
	int r = qmp_call(qmp, "query-dump-guest-memory-capability", NULL,
			clock_deadline_usec(CALL_USEC), &value, err);
	if (r < 0)
		return r;
	struct json_object *formats = jtree_get(value, "formats");
	for (size_t i = 0; i < jtree_length(formats) && n < NAMES_MAX; i++) {
		struct json_object *name = jtree_at(formats, i);
		if (!json_object_is_type(name, json_type_string))
			continue;
		names[n++] = json_object_get_string(name);
		if (!strcmp(names[n - 1], dump_format_names[format]))
			return 0;
	}
	jnames_list(&list, '\'', names, n);
	return error_set(err, ENOTSUP, "this QEMU can't write the format '%s'%s%s",
			dump_format_names[format], list.len ? ", but " : "", buf_text(&list));
}

/* One look at how far it is. Returns 1 when it has ended, 0 while it goes on. */
static int look(struct qmp *qmp, uint64_t *ret_done, uint64_t *ret_total, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *value = NULL;
	int r = qmp_call(qmp, "query-dump", NULL, clock_deadline_usec(CALL_USEC), &value, err);
	if (r < 0)
		return r;
	*ret_done = (uint64_t)jtree_get_int(value, "completed", 0);
	*ret_total = (uint64_t)jtree_get_int(value, "total", 0);
	return strcmp(jtree_get_text(value, "status"), "active") != 0;
}

int dump_check(struct qmp *qmp, enum dump_format format, struct error *err)
{
	uint64_t done, total;
	int r = check_format(qmp, format, err);
	if (r == 0)
		r = look(qmp, &done, &total, err);
	if (r < 0)
		return r;
	return r ? 0 : error_set(err, EBUSY, "a dump of it is being written already");
}

static int begin(struct qmp *qmp, const struct dump_request *request, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	uint64_t deadline = clock_deadline_usec(CALL_USEC);
	int r = qmp_send_fd(qmp, request->fd, FD_NAME, deadline, err);
	if (r < 0)
		return r;
	/* Not by the guest's page tables ("paging"): a guest could make that endless. */
	jtree_set(arguments, "paging", jtree_bool(false));
	jtree_set(arguments, "protocol", jtree_string("fd:" FD_NAME));
	jtree_set(arguments, "format", jtree_string(dump_format_names[request->format]));
	jtree_set(arguments, "detach", jtree_bool(true));
	return qmp_call(qmp, "dump-guest-memory", arguments, deadline, NULL, err);
}

/* DUMP_COMPLETED says how it ended. */
static int take_end(const struct qmp_event *event, struct error *err)
{
	const char *text = jtree_get_text(event->data, "error");
	CLEANUP(buf_done) struct buf why = {};
	if (!strcmp(jtree_get_text(jtree_get(event->data, "result"), "status"), "completed"))
		return 0;
	visible_add(&why, text, strlen(text), 400);
	return error_set(err, EREMOTEIO, "QEMU could not write the dump%s%s", why.len ? ": " : "",
			buf_text(&why));
}

/* Until the deadline. Returns 1 when it has ended well, 0 to look again, or a negative errno. */
static int wait_end(struct qmp *qmp, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(qmp_event_done) struct qmp_event event = {};
	int r = qmp_await_event(qmp, "DUMP_COMPLETED", deadline_usec, &event, err);
	if (r == QMP_LATE)
		return 0;
	if (r == QMP_DONE)
		r = take_end(&event, err);
	else if (r > 0)
		r = -err->code;
	return r < 0 ? r : 1;
}

static int follow(struct qmp *qmp, const struct dump_request *request, struct error *err)
{
	struct migration_pace pace = {};
	uint64_t done = 0, total = 0;
	for (;;) {
		int r = wait_end(qmp, clock_deadline_usec(LOOK_USEC), err);
		if (r != 0)
			return r < 0 ? r : 0;
		/* After the end, too, what counts is the event. */
		r = look(qmp, &done, &total, err);
		if (r < 0)
			return r;
		if (request->progress)
			request->progress(request->data, done, total);
		if (request->is_canceled && request->is_canceled(request->data))
			return error_set(err, ECANCELED,
					"interrupted; QEMU writes the dump to its end, into a file "
					"that is gone");
		if (!migration_goes_on(&pace, clock_now_usec(), done, total))
			return error_set(err, ETIMEDOUT, "the dump makes no progress");
	}
}

int dump_guest(struct qmp *qmp, const struct dump_request *request, struct error *err)
{
	int r = dump_check(qmp, request->format, err);
	if (r == 0)
		r = begin(qmp, request, err);
	return r < 0 ? r : follow(qmp, request, err);
}
