/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's machine protocol without the socket. */
#include "host/qmp/qmp-wire.h"

#include <stdbool.h>
#include <string.h>

#include "host/os/clock.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "util/mem.h"
#include "util/unicode.h"
#include "util/visible.h"

/* How much of a line is quoted when it cannot be understood. */
#define QUOTED_MAX 80
/* Of what a distribution calls its QEMU. */
#define PACKAGE_MAX 512

void qmp_message_done(struct qmp_message *message)
{
	json_object_put(message->root);
	*message = (struct qmp_message){};
}

void qmp_reader_done(struct qmp_reader *reader)
{
	buf_done(&reader->pending);
	if (reader->own)
		json_tokener_free(reader->own);
	*reader = (struct qmp_reader){};
}

void qmp_reader_feed(struct qmp_reader *reader, const void *data, size_t len)
{
	struct buf *pending = &reader->pending;
	/* Drop what was given out once that is most of it, so that moving the rest stays cheap. */
	size_t rest = pending->len - reader->begin;
	if (reader->begin > 0 && reader->begin >= rest) {
		memmove(pending->text, pending->text + reader->begin, rest);
		buf_truncate(pending, rest);
		reader->seen -= reader->begin;
		reader->begin = 0;
	}
	buf_add(pending, data, len);
}

static int not_a_message(const char *line, size_t len, const char *why, struct error *err)
{
	CLEANUP(buf_done) struct buf quoted = {};
	visible_add(&quoted, line, len, QUOTED_MAX);
	return error_set(err, EPROTO, "not a QMP message (%s): '%s'", why, buf_text(&quoted));
}

/* The member of an object if it is a string, else NULL. */
static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value;
	return json_object_object_get_ex(object, key, &value) &&
					       json_object_is_type(value, json_type_string)
			       ? json_object_get_string(value)
			       : NULL;
}

/* {"seconds": 1, "microseconds": 2}; QEMU writes -1 when its clock fails. */
static uint64_t event_time(struct json_object *event)
{
	struct json_object *stamp, *seconds, *usec;
	if (!json_object_object_get_ex(event, "timestamp", &stamp) ||
			!json_object_is_type(stamp, json_type_object) ||
			!json_object_object_get_ex(stamp, "seconds", &seconds) ||
			!json_object_object_get_ex(stamp, "microseconds", &usec) ||
			!json_object_is_type(seconds, json_type_int) ||
			!json_object_is_type(usec, json_type_int))
		return 0;
	int64_t s = json_object_get_int64(seconds), u = json_object_get_int64(usec);
	if (s < 0 || s > INT64_MAX / 2000000 || u < 0 || u >= (int64_t)USEC_PER_SEC)
		return 0;
	return (uint64_t)s * USEC_PER_SEC + (uint64_t)u;
}

/* What a message is, by the one key of these that it has. Returns NULL or what is wrong with it. */
static const char *classify(struct qmp_message *m)
{
	static const char *const keys[] = {
		[QMP_GREETING] = "QMP",
		[QMP_RETURN] = "return",
		[QMP_ERROR] = "error",
		[QMP_EVENT] = "event",
	};
	size_t n_found = 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!json_object_object_get_ex(m->root, keys[i], &m->value))
			continue;
		m->kind = (enum qmp_kind)i;
		n_found++;
	}
	if (n_found != 1)
		return "it is no greeting, reply or event";

	json_object_object_get_ex(m->root, keys[m->kind], &m->value);
	m->id = get_text(m->root, "id");
	switch (m->kind) {
	case QMP_GREETING:
		return json_object_is_type(m->value, json_type_object)
				       ? NULL
				       : "the greeting is no object";
	case QMP_RETURN:
		return NULL;
	case QMP_ERROR:
		if (!json_object_is_type(m->value, json_type_object))
			return "the error is no object";
		m->name = get_text(m->value, "class");
		m->desc = get_text(m->value, "desc");
		m->value = NULL;
		return m->name && m->desc ? NULL : "the error has no class and description";
	case QMP_EVENT:
		m->name = get_text(m->root, "event");
		m->time_usec = event_time(m->root);
		m->value = NULL;
		json_object_object_get_ex(m->root, "data", &m->value);
		return m->name ? NULL : "the event has no name";
	}
	return "";
}

/* With all of its depth it takes 50 KiB. */
struct json_tokener *qmp_tokener_new(void)
{
	struct json_tokener *tokener = json_tokener_new_ex(QMP_DEPTH_MAX);
	if (!tokener)
		out_of_memory();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	return tokener;
}

static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;
	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

/*
 * Write other characters than ASCII as escapes: where json-c 0.18 is strict, it takes their bytes
 * for control characters (its issue 892). False: it is not UTF-8.
 */
static bool escape(const char *line, size_t len, struct buf *ret)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = unicode_decode(line + i, len - i, &n);
		if (c == UNICODE_REPLACEMENT && n == 1)
			return false;
		if (c == '\\' && i + 1 < len)
			n = 2; /* what is escaped has no escape */
		if (c < 0x80)
			buf_add(ret, line + i, n);
		else if (c < 0x10000)
			buf_printf(ret, "\\u%04x", (unsigned)c);
		else
			buf_printf(ret, "\\u%04x\\u%04x",
					(unsigned)(0xd800 + ((c - 0x10000) >> 10)),
					(unsigned)(0xdc00 + (c & 0x3ff)));
	}
	return true;
}

/* The value that is @text; NULL is also that of null. @ret_wrong: why there is none, else NULL. */
static struct json_object *parse_ascii(
		struct json_tokener *tokener, const char *text, size_t len, const char **ret_wrong)
{
	json_tokener_reset(tokener);
	struct json_object *value = json_tokener_parse_ex(tokener, text, (int)len);
	enum json_tokener_error status = json_tokener_get_error(tokener);
	*ret_wrong = NULL;
	if (status == json_tokener_continue)
		*ret_wrong = "it ends too early";
	else if (status != json_tokener_success)
		*ret_wrong = json_tokener_error_desc(status);
	else if (json_tokener_get_parse_end(tokener) != len)
		*ret_wrong = "text follows the object";
	return value;
}

static struct json_object *parse(
		struct json_tokener *tokener, const char *line, size_t len, const char **ret_wrong)
{
	if (is_ascii(line, len))
		return parse_ascii(tokener, line, len, ret_wrong);
	CLEANUP(buf_done) struct buf text = {};
	if (escape(line, len, &text))
		return parse_ascii(tokener, buf_text(&text), text.len, ret_wrong);
	*ret_wrong = "it is not UTF-8";
	return NULL;
}

static int parse_line(struct qmp_reader *reader, const char *line, size_t len,
		struct qmp_message *ret, struct error *err)
{
	if (!reader->lent && !reader->own)
		reader->own = qmp_tokener_new();
	struct json_tokener *tokener = reader->lent ? reader->lent : reader->own;
	const char *wrong;
	struct qmp_message m = { .root = parse(tokener, line, len, &wrong), .len = len };
	if (!wrong)
		wrong = json_object_is_type(m.root, json_type_object) ? classify(&m)
								      : "it is no object";
	if (wrong) {
		qmp_message_done(&m);
		return not_a_message(line, len, wrong, err);
	}
	*ret = m;
	return 1;
}

/* At least as many as the values in a line: each but the first follows one of these. */
static size_t count_values(const char *line, size_t len)
{
	size_t n = 1;
	bool in_string = false;
	for (size_t i = 0; i < len; i++) {
		if (in_string && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			in_string = !in_string;
		else if (!in_string)
			n += line[i] == ',' || line[i] == '[' || line[i] == ':';
	}
	return n;
}

int qmp_reader_next(struct qmp_reader *reader, struct qmp_message *ret, struct error *err)
{
	struct buf *pending = &reader->pending;
	while (reader->seen < pending->len) {
		const char *line = pending->text + reader->begin;
		const char *end = memchr(
				pending->text + reader->seen, '\n', pending->len - reader->seen);
		size_t len = end ? (size_t)(end - line) : pending->len - reader->begin;
		const size_t max = reader->line_max ? reader->line_max : QMP_LINE_MAX;
		if (len > max)
			return error_set(err, EMSGSIZE, "a QMP message is longer than %zu %s",
					max >> 20 ? max >> 20 : max >> 10,
					max >> 20 ? "MiB" : "KiB");
		if (!end) {
			reader->seen = pending->len;
			return 0;
		}

		size_t text_len = len;
		while (text_len > 0 && strchr(" \t\r", line[text_len - 1]) && line[text_len - 1])
			text_len--;
		const size_t n_max = reader->values_max ? reader->values_max : QMP_VALUES_MAX;
		if (count_values(line, text_len) > n_max)
			return error_set(err, EMSGSIZE, "a QMP message has more than %zu values",
					n_max);
		int r = text_len > 0 ? parse_line(reader, line, text_len, ret, err) : 0;
		if (r < 0)
			return r;
		reader->begin += len + 1;
		reader->seen = reader->begin;
		if (r > 0)
			return r;
	}
	return 0;
}

void qmp_format_command(struct buf *buf, const char *execute, const char *name,
		struct json_object *arguments, const char *id)
{
	struct json_object *command = jtree_object();
	jtree_set(command, execute, jtree_string(name));
	if (arguments)
		jtree_set(command, "arguments", json_object_get(arguments));
	jtree_set_text(command, "id", id);
	jwrite(buf, command, JWRITE_LINE);
	buf_putc(buf, '\n');
	json_object_put(command);
}

char *qmp_greeting_version(struct json_object *greeting)
{
	static const char *const parts[] = { "major", "minor", "micro" };
	struct json_object *version, *qemu, *value;
	CLEANUP(buf_done) struct buf text = {};

	if (!json_object_object_get_ex(greeting, "version", &version) ||
			!json_object_object_get_ex(version, "qemu", &qemu))
		return xstrdup("");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (json_object_object_get_ex(qemu, parts[i], &value))
			buf_printf(&text, "%s%lld", i > 0 ? "." : "",
					(long long)json_object_get_int64(value));
	if (json_object_object_get_ex(version, "package", &value) &&
			json_object_get_string_len(value) > 0) {
		buf_puts(&text, " (");
		visible_add(&text, json_object_get_string(value),
				(size_t)json_object_get_string_len(value), PACKAGE_MAX);
		buf_putc(&text, ')');
	}
	return buf_take(&text);
}
