/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of host/qmp/qmp-wire.h: the bytes as they come from a monitor, at once and in pieces
 * of every small size, give the same messages.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "host/qmp/event-text.h"
#include "host/qmp/qmp-wire.h"
#include "util/buf.h"

/* For people, on one line of a terminal. */
static void check_event(const struct qmp_message *m)
{
	CLEANUP(buf_done) struct buf text = {};
	event_text(m->name, m->value, &text);
	for (size_t i = 0; i < text.len; i++)
		FUZZ_CHECK((unsigned char)text.text[i] >= ' ' && text.text[i] != 0x7f);
}

/* What a message has to be, whatever came. */
static void check_message(const struct qmp_message *m)
{
	FUZZ_CHECK(json_object_is_type(m->root, json_type_object));
	switch (m->kind) {
	case QMP_GREETING:
		FUZZ_CHECK(json_object_is_type(m->value, json_type_object));
		break;
	case QMP_RETURN:
		FUZZ_CHECK(!m->name && !m->desc);
		break;
	case QMP_ERROR:
		FUZZ_CHECK(m->name && m->desc && !m->value);
		break;
	case QMP_EVENT:
		FUZZ_CHECK(m->name && !m->desc);
		check_event(m);
		break;
	default:
		FUZZ_CHECK(false);
	}
}

/* All messages as text, and how it ended. */
static void read_all(const uint8_t *data, size_t size, size_t piece, struct buf *ret)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	struct error err = {};
	int r = 0;
	for (size_t at = 0; at < size && r >= 0; at += piece) {
		struct qmp_message m = {};
		qmp_reader_feed(&reader, data + at, piece < size - at ? piece : size - at);
		while ((r = qmp_reader_next(&reader, &m, &err)) > 0) {
			check_message(&m);
			buf_printf(ret, "%d %s %s %s\n", (int)m.kind, m.name ? m.name : "-",
					m.id ? m.id : "-",
					json_object_to_json_string_ext(
							m.root, JSON_C_TO_STRING_PLAIN));
			qmp_message_done(&m);
		}
	}
	if (r < 0) {
		struct qmp_message m = {};
		FUZZ_CHECK((r == -EPROTO || r == -EMSGSIZE) && err.code == -r && *err.text);
		/* A fault stays, whatever follows. */
		qmp_reader_feed(&reader, "{\"return\":1}\n", 13);
		FUZZ_CHECK(qmp_reader_next(&reader, &m, NULL) == r);
		buf_puts(ret, err.text);
	}
}

/* What was understood is a line that is understood in the same way when it is written again. */
static void check_command(const uint8_t *data, size_t size)
{
	CLEANUP(buf_done) struct buf line = {};
	struct json_object *text = json_object_new_string_len((const char *)data, (int)size);
	struct json_object *arguments = json_object_new_object();
	json_object_object_add(arguments, "text", text);
	qmp_format_command(&line, "execute", "x", arguments, "1");
	json_object_put(arguments);
	FUZZ_CHECK(memchr(line.text, '\n', line.len) == line.text + line.len - 1);

	struct json_object *back = json_tokener_parse(line.text), *value;
	FUZZ_CHECK(json_object_object_get_ex(back, "arguments", &value));
	FUZZ_CHECK(json_object_object_get_ex(value, "text", &value));
	FUZZ_CHECK((size_t)json_object_get_string_len(value) == size);
	FUZZ_CHECK(!size || memcmp(json_object_get_string(value), data, size) == 0);
	json_object_put(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 61 };
	CLEANUP(buf_done) struct buf whole = {};
	if (size > 0)
		read_all(data, size, size, &whole);
	for (size_t i = 0; i < ARRAY_SIZE(pieces) && pieces[i] < size; i++) {
		CLEANUP(buf_done) struct buf parts = {};
		read_all(data, size, pieces[i], &parts);
		FUZZ_CHECK(strcmp(buf_text(&whole), buf_text(&parts)) == 0);
	}
	check_command(data, size);
	return 0;
}
