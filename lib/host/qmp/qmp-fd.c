/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors for QEMU over its monitor. */
#include "host/qmp/qmp-fd.h"

#include <errno.h>
#include <limits.h>

#include "json/jtree.h"

static int execute(struct qmp *qmp, const struct qmp_command *command, uint64_t deadline_usec,
		struct qmp_reply *ret, struct error *err)
{
	int r = qmp_execute(qmp, command, deadline_usec, ret, err);
	return r == QMP_DONE ? 0 : r < 0 ? r : -err->code;
}

int qmp_add_fd(struct qmp *qmp, int fd, const char *opaque, uint64_t deadline_usec, int *ret_set,
		struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	jtree_set(arguments, "opaque", jtree_string(opaque));
	const struct qmp_command command = { .name = "add-fd", .arguments = arguments, .fd = &fd };
	int r = execute(qmp, &command, deadline_usec, &reply, err);
	if (r < 0)
		return r;
	int64_t set = jtree_get_int(reply.value, "fdset-id", -1);
	if (set < 0 || set > INT_MAX)
		return error_set(err, EPROTO, "QEMU's reply to 'add-fd' has no number of a set");
	*ret_set = (int)set;
	return 0;
}

void qmp_remove_fd(struct qmp *qmp, int set, uint64_t deadline_usec)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	struct error unused = {};
	jtree_set(arguments, "fdset-id", jtree_int(set));
	if (qmp_call(qmp, "remove-fd", arguments, deadline_usec, NULL, &unused) < 0)
		return;
}

int qmp_send_fd(struct qmp *qmp, int fd, const char *name, uint64_t deadline_usec,
		struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	CLEANUP(qmp_reply_done) struct qmp_reply reply = {};
	jtree_set(arguments, "fdname", jtree_string(name));
	const struct qmp_command command = { .name = "getfd", .arguments = arguments, .fd = &fd };
	return execute(qmp, &command, deadline_usec, &reply, err);
}
