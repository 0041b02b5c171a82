/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much memory a guest has. */
#include "host/qmp/balloon.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "host/os/clock.h"
#include "json/jtree.h"

#define CALL_USEC (10 * USEC_PER_SEC)
/* QEMU tells changes once a second (BALLOON_CHANGE), so it is asked. */
#define LOOK_USEC (100 * USEC_PER_MSEC)
/* The balloon's pages. */
#define PAGE_BYTES 4096

static int get_actual(struct qmp *qmp, uint64_t *ret, struct error *err)
{
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	int r = qmp_execute(qmp, &(struct qmp_command){ .name = "query-balloon" },
			clock_deadline_usec(CALL_USEC), &reply, err);
	if (r == QMP_REFUSED && !strcmp(reply.error_class, "DeviceNotActive"))
		return error_set(err, ENODEV,
				"it has no memory balloon: \"balloon\": { \"enabled\": true } in "
				"its \"attrs\" gives it one when it starts the next time");
	if (r != QMP_DONE)
		return r < 0 ? r : -err->code;
	*ret = (uint64_t)jtree_get_int(reply.value, "actual", 0);
	return *ret && *ret <= INT64_MAX
			       ? 0
			       : error_set(err, EPROTO,
						 "QEMU's reply to 'query-balloon' has no size");
}

static int get_max(struct qmp *qmp, uint64_t *ret, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *value = NULL;
	int r = qmp_call(qmp, "query-memory-size-summary", NULL, clock_deadline_usec(CALL_USEC),
			&value, err);
	if (r == 0)
		*ret = (uint64_t)jtree_get_int(value, "base-memory", 0) +
		       (uint64_t)jtree_get_int(value, "plugged-memory", 0);
	return r;
}

int balloon_look(struct qmp *qmp, uint64_t bytes, struct balloon_size *ret, struct error *err)
{
	*ret = (struct balloon_size){};
	int r = get_actual(qmp, &ret->before_bytes, err);
	if (r == 0)
		r = get_max(qmp, &ret->max_bytes, err);
	if (r < 0)
		return r;
	ret->now_bytes = ret->before_bytes;
	ret->wanted_bytes = bytes == BALLOON_ALL ? ret->max_bytes : bytes - bytes % PAGE_BYTES;
	if (ret->wanted_bytes > ret->max_bytes)
		return error_set(err, ERANGE,
				"it was started with %" PRIu64
				" MiB, and a balloon only takes away: more needs another \"ram\" "
				"and a restart",
				ret->max_bytes >> 20);
	if (ret->wanted_bytes < BALLOON_MIN_BYTES)
		return error_set(err, ERANGE,
				"%" PRIu64 " bytes are too little (a size is written as in 512MiB)",
				bytes);
	return 0;
}

static int follow(struct qmp *qmp, const struct balloon_request *request, struct balloon_size *size,
		struct error *err)
{
	uint64_t last = clock_now_usec();
	for (;;) {
		uint64_t actual = 0;
		int r = get_actual(qmp, &actual, err);
		if (r < 0)
			return r;
		if (actual != size->now_bytes)
			last = clock_now_usec();
		size->now_bytes = actual;
		if (request->progress)
			request->progress(request->data, actual, size->wanted_bytes);
		if (actual == size->wanted_bytes)
			return 0;
		if (clock_now_usec() >= clock_add_usec(last, request->patience_usec))
			return 1;
		r = qmp_pass_time(qmp, clock_deadline_usec(LOOK_USEC), err);
		if (r < 0)
			return r;
	}
}

int balloon_set(struct qmp *qmp, const struct balloon_request *request, struct balloon_size *ret,
		struct error *err)
{
	int r = balloon_look(qmp, request->bytes, ret, err);
	if (r < 0)
		return r;
	/* Also where it is so already: it may be on its way elsewhere. */
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	jtree_set(arguments, "value", jtree_int((int64_t)ret->wanted_bytes));
	r = qmp_call(qmp, "balloon", arguments, clock_deadline_usec(CALL_USEC), NULL, err);
	return r < 0 ? r : follow(qmp, request, ret, err);
}
