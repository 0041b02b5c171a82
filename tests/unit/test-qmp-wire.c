/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's machine protocol without the socket: hostile and split input, and the form of commands. */
#include <errno.h>
#include <string.h>

#include "host/qmp/qmp-wire.h"
#include "test.h"
#include "util/mem.h"

static void feed(struct qmp_reader *reader, const char *text)
{
	qmp_reader_feed(reader, text, strlen(text));
}

/* One line: 1, 0 or the negative errno, with the message or the error's text. */
static int read_one(const char *line, struct qmp_message *ret, struct error *err)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	feed(&reader, line);
	feed(&reader, "\n");
	return qmp_reader_next(&reader, ret, err);
}

TEST(greeting_is_read)
{
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	CHECK_INT(read_one("{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r", &m, NULL),
			1);
	CHECK_INT(m.kind, QMP_GREETING);
	CHECK(json_object_is_type(m.value, json_type_object));
}

TEST(reply_has_value_and_id)
{
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	CHECK_INT(read_one("{\"return\": {\"status\": \"running\"}, \"id\": \"a.1\"}", &m, NULL),
			1);
	CHECK_INT(m.kind, QMP_RETURN);
	CHECK_STR(m.id, "a.1");
	CHECK_STR(json_object_to_json_string_ext(m.value, JSON_C_TO_STRING_PLAIN),
			"{\"status\":\"running\"}");
}

TEST(reply_may_hold_any_value)
{
	static const char *const lines[] = { "{\"return\":null}", "{\"return\":[]}",
		"{\"return\":1,\"id\":7}", "{\"return\":\"x\",\"id\":null}" };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		CLEANUP(qmp_message_done) struct qmp_message m = {};
		CHECK_INT(read_one(lines[i], &m, NULL), 1);
		CHECK_INT(m.kind, QMP_RETURN);
		CHECK_STR(m.id, NULL);
	}
}

TEST(error_has_class_and_description)
{
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	CHECK_INT(read_one("{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not "
			   "found\"}, \"id\": \"9\"}",
				  &m, NULL),
			1);
	CHECK_INT(m.kind, QMP_ERROR);
	CHECK_STR(m.name, "DeviceNotFound");
	CHECK_STR(m.desc, "Device 'x' not found");
	CHECK_STR(m.id, "9");
}

TEST(event_has_name_data_and_time)
{
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	CHECK_INT(read_one("{\"timestamp\": {\"seconds\": 12, \"microseconds\": 34}, \"event\": "
			   "\"SHUTDOWN\", \"data\": {\"guest\": true}}",
				  &m, NULL),
			1);
	CHECK_INT(m.kind, QMP_EVENT);
	CHECK_STR(m.name, "SHUTDOWN");
	CHECK_INT(m.time_usec, 12000034);
	CHECK(json_object_is_type(m.value, json_type_object));
}

TEST(event_time_that_makes_no_sense_is_unknown)
{
	static const char *const stamps[] = { "{\"seconds\":-1,\"microseconds\":-1}",
		"{\"seconds\":1e3,\"microseconds\":0}", "{\"seconds\":1}", "[]", "null",
		"{\"seconds\":9223372036854775807,\"microseconds\":0}",
		"{\"seconds\":1,\"microseconds\":1000000}" };
	for (size_t i = 0; i < ARRAY_SIZE(stamps); i++) {
		CLEANUP(qmp_message_done) struct qmp_message m = {};
		CLEANUP(freep)
		char *line = xasprintf("{\"event\":\"STOP\",\"timestamp\":%s}", stamps[i]);
		CHECK_INT(read_one(line, &m, NULL), 1);
		CHECK_INT(m.time_usec, 0);
		CHECK(!m.value);
	}
}

TEST(message_may_arrive_in_any_pieces)
{
	static const char text[] = "{\"return\": {\"a\": \"\xc3\xbc\"}, \"id\": \"1\"}\r\n"
				   "\r\n \n"
				   "{\"event\": \"STOP\"}\n{\"return\": 2}\n";
	for (size_t step = 1; step < sizeof(text); step++) {
		CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
		CLEANUP(buf_done) struct buf kinds = {};
		for (size_t i = 0; i < sizeof(text) - 1; i += step) {
			size_t left = sizeof(text) - 1 - i;
			qmp_reader_feed(&reader, text + i, step < left ? step : left);
			struct qmp_message m = {};
			int r;
			while ((r = qmp_reader_next(&reader, &m, NULL)) > 0) {
				buf_printf(&kinds, "%d", (int)m.kind);
				qmp_message_done(&m);
			}
			CHECK_INT(r, 0);
		}
		CHECK_STR(buf_text(&kinds), "131");
	}
}

TEST(text_may_have_any_characters)
{
	static const char *const rows[] = { "\xc3\xbc", "a\u00fc\u20ac\U0001f600b", "\xc2\x80",
		"\U0010ffff", "\x7f\\\\\u00fc", "\u00fc\\\"\u00fc", "\U00010000\u2028" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
		struct qmp_message m = {};
		CLEANUP(buf_done) struct buf line = {}, expected = {};
		buf_printf(&line, "{\"return\": \"%s\"}\n", rows[i]);
		qmp_reader_feed(&reader, line.text, line.len);
		CHECK_INT(qmp_reader_next(&reader, &m, NULL), 1);
		struct json_object *value = json_object_object_get(m.root, "return");
		for (const char *p = rows[i]; *p; p++)
			buf_putc(&expected, *p == '\\' ? *++p : *p);
		CHECK_STR(json_object_get_string(value), buf_text(&expected));
		qmp_message_done(&m);
	}
}

TEST(what_is_no_message_is_an_error_that_quotes_it)
{
	static const struct {
		const char *line, *part;
	} rows[] = {
		{ "SSH-2.0-OpenSSH_9.2", "'SSH-2.0-OpenSSH_9.2'" },
		{ "\x01\x02\xff", "'\\x01\\x02\\xff'" },
		{ "{", "ends too early" },
		{ "{\"return\": 1", "ends too early" },
		{ "12", "" },
		{ "[]", "no object" },
		{ "null", "" },
		{ "\"return\"", "no object" },
		{ "{}", "no greeting, reply or event" },
		{ "{\"id\": \"1\"}", "no greeting, reply or event" },
		{ "{\"return\": 1, \"event\": \"X\"}", "no greeting, reply or event" },
		{ "{\"return\": 1} {\"return\": 1}", "" },
		{ "{\"return\": 1} x", "" },
		{ "{\"return\": \"\xff\"}", "not UTF-8" },
		{ "{\"return\": \"\xed\xa0\x80\"}", "not UTF-8" },
		{ "{\"return\": \"\\\xc3\xbc\"}", "" },
		{ "{\"return\": \xc3\xbc}", "" },
		{ "{\"QMP\": []}", "greeting" },
		{ "{\"QMP\": null}", "greeting" },
		{ "{\"event\": 1}", "event" },
		{ "{\"event\": null}", "event" },
		{ "{\"error\": null}", "error" },
		{ "{\"error\": \"x\"}", "error" },
		{ "{\"error\": {}}", "error" },
		{ "{\"error\": {\"class\": \"x\"}}", "error" },
		{ "{\"error\": {\"class\": 1, \"desc\": \"x\"}}", "error" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = {};
		struct qmp_message m = {};
		int r = read_one(rows[i].line, &m, &err);
		if (r != -EPROTO)
			test_note("row %zu: %s", i, rows[i].line);
		CHECK_INT(r, -EPROTO);
		if (!strstr(err.text, rows[i].part))
			TEST_FAIL("'%s' does not say '%s'", err.text, rows[i].part);
	}
}

TEST(nul_byte_is_an_error)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	static const char line[] = "{\"return\": 1}\0 \n";
	qmp_reader_feed(&reader, line, sizeof(line) - 1);
	struct qmp_message m = {};
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), -EPROTO);
}

TEST(error_stays)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	struct qmp_message m = {};
	feed(&reader, "{\"return\": 1}\nnonsense\n{\"return\": 2}\n");
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), 1);
	qmp_message_done(&m);
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), -EPROTO);
	feed(&reader, "{\"return\": 3}\n");
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), -EPROTO);
}

static int nested(unsigned depth)
{
	CLEANUP(buf_done) struct buf b = {};
	buf_puts(&b, "{\"return\":");
	for (unsigned i = 0; i < depth; i++)
		buf_putc(&b, '[');
	for (unsigned i = 0; i < depth; i++)
		buf_putc(&b, ']');
	buf_putc(&b, '}');
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	return read_one(buf_text(&b), &m, NULL);
}

TEST(depth_has_a_limit)
{
	CHECK_INT(nested(500), 1);
	CHECK_INT(nested(QMP_DEPTH_MAX + 1), -EPROTO);
	CHECK_INT(nested(QMP_VALUES_MAX - 2), -EPROTO);
}

TEST(line_has_a_limit)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	CLEANUP(freep) char *block = xmalloc(1 << 20);
	memset(block, ' ', 1 << 20);
	struct qmp_message m = {};
	int r = 0;
	unsigned n = 0;
	for (; r == 0 && n < 100; n++) {
		qmp_reader_feed(&reader, block, 1 << 20);
		r = qmp_reader_next(&reader, &m, NULL);
	}
	CHECK_INT(r, -EMSGSIZE);
	CHECK_INT(n, (QMP_LINE_MAX >> 20) + 1);
}

TEST(line_of_the_greatest_length_is_read)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	CLEANUP(freep) char *line = xmalloc(QMP_LINE_MAX + 2);
	memset(line, ' ', QMP_LINE_MAX);
	memcpy(line, "{\"return\":1}", 12);
	line[QMP_LINE_MAX] = '\n';
	CLEANUP(qmp_message_done) struct qmp_message m = {};
	qmp_reader_feed(&reader, line, QMP_LINE_MAX + 1);
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), 1);

	line[QMP_LINE_MAX] = ' ';
	line[QMP_LINE_MAX + 1] = '\n';
	qmp_reader_feed(&reader, line, QMP_LINE_MAX + 2);
	CHECK_INT(qmp_reader_next(&reader, &m, NULL), -EMSGSIZE);
}

TEST(a_reader_may_have_narrower_limits)
{
	static const struct {
		const char *line;
		int r;
	} rows[] = {
		{ "{\"return\": [1, 2, 3]}\n", 1 },
		{ "{\"return\": [1, 2, 3, 4]}\n", -EMSGSIZE },
		{ "{\"return\": [[[[]]]]}\n", -EMSGSIZE },
		{ "{\"return\": \"[[[[,,,,\\\",,::\"}\n", 1 },
		{ "{\"return\": \""
		  "0123456789012345678901234567890123456789\"}\n",
				-EMSGSIZE },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(qmp_reader_done)
		struct qmp_reader reader = { .line_max = 40, .values_max = 5 };
		struct qmp_message m = {};
		feed(&reader, rows[i].line);
		if (qmp_reader_next(&reader, &m, NULL) != rows[i].r)
			TEST_FAIL("row %zu", i);
		qmp_message_done(&m);
	}
}

TEST(memory_stays_bounded_while_a_piece_is_always_left)
{
	CLEANUP(qmp_reader_done) struct qmp_reader reader = {};
	struct qmp_message m = {};
	feed(&reader, "{\"event\":");
	for (unsigned i = 0; i < 100000; i++) {
		feed(&reader, "\"STOP\"}\n{\"event\":");
		CHECK_INT(qmp_reader_next(&reader, &m, NULL), 1);
		qmp_message_done(&m);
		CHECK_INT(qmp_reader_next(&reader, &m, NULL), 0);
	}
	CHECK(reader.pending.n_alloc < 4096);
}

TEST(command_is_one_line)
{
	CLEANUP(buf_done) struct buf b = {};
	qmp_format_command(&b, "execute", "query-status", NULL, "a.1");
	CHECK_STR(buf_text(&b), "{\"execute\":\"query-status\",\"id\":\"a.1\"}\n");

	buf_clear(&b);
	qmp_format_command(&b, "execute", "guest-ping", NULL, NULL);
	CHECK_STR(buf_text(&b), "{\"execute\":\"guest-ping\"}\n");

	buf_clear(&b);
	struct json_object *arguments = json_object_new_object();
	json_object_object_add(arguments, "path", json_object_new_string("/a\n\"b\"\xc3\xbc"));
	qmp_format_command(&b, "exec-oob", "x", arguments, "a.2");
	CHECK_STR(buf_text(&b),
			"{\"exec-oob\":\"x\",\"arguments\":{\"path\":\"/a\\n\\\"b\\\"\xc3\xbc"
			"\"},\"id\":\"a.2\"}\n");
	/* Still the caller's. */
	CHECK_INT(json_object_put(arguments), 1);
}

TEST_MAIN()
