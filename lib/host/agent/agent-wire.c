/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU's guest agent says, without the socket. */
#include "host/agent/agent-wire.h"

#include <string.h>

void agent_reader_done(struct agent_reader *reader)
{
	qmp_reader_done(&reader->lines);
	*reader = (struct agent_reader){};
}

void agent_reader_seek(struct agent_reader *reader)
{
	agent_reader_done(reader);
	reader->seeks = true;
}

void agent_reader_settle(struct agent_reader *reader)
{
	reader->seeks = false;
}

void agent_reader_feed(struct agent_reader *reader, const void *data, size_t len)
{
	const char *rest = data;
	const char *last = reader->seeks ? memrchr(data, AGENT_DELIMITER, len) : NULL;
	if (last) {
		qmp_reader_done(&reader->lines);
		reader->is_found = true;
		len -= (size_t)(last + 1 - rest);
		rest = last + 1;
	}
	if (!reader->seeks || reader->is_found)
		qmp_reader_feed(&reader->lines, rest, len);
}

int agent_reader_next(struct agent_reader *reader, size_t line_max, struct qmp_message *ret,
		struct error *err)
{
	struct qmp_message message = {};
	reader->lines.line_max = line_max;
	reader->lines.values_max = AGENT_VALUES_MAX;
	int r = qmp_reader_next(&reader->lines, &message, err);
	if (r > 0 && message.kind != QMP_RETURN && message.kind != QMP_ERROR) {
		qmp_message_done(&message);
		return error_set(err, EPROTO, "a message that only QEMU itself sends");
	}
	if (r > 0)
		*ret = message;
	return r;
}
