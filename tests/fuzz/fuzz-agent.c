/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of host/agent/agent-wire.h: the bytes as they come from a guest, at once and in
 * pieces of every small size. Before the way into the stream is found the pieces decide which
 * delimiters are seen together, so only the last line counts; afterwards all messages are the same.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

#include "host/agent/agent-wire.h"

#define LINE_MAX_FUZZ 512

/* What comes after the last delimiter, or everything, as text. */
static void read_all(const uint8_t *data, size_t size, size_t piece, bool seeks, struct buf *ret)
{
	CLEANUP(agent_reader_done) struct agent_reader reader = {};
	struct error err = {};
	int r = 0;
	if (seeks)
		agent_reader_seek(&reader);
	for (size_t at = 0; at < size; at += piece) {
		const size_t len = piece < size - at ? piece : size - at;
		struct qmp_message m = {};
		agent_reader_feed(&reader, data + at, len);
		if (seeks && memchr(data + at, AGENT_DELIMITER, len))
			buf_clear(ret);
		while ((r = agent_reader_next(&reader, LINE_MAX_FUZZ, &m, &err)) > 0) {
			FUZZ_CHECK(m.kind == QMP_RETURN ||
					(m.kind == QMP_ERROR && m.name && m.desc));
			FUZZ_CHECK(!seeks || reader.is_found);
			buf_printf(ret, "%d %s\n", (int)m.kind,
					json_object_to_json_string_ext(
							m.root, JSON_C_TO_STRING_PLAIN));
			qmp_message_done(&m);
		}
		if (r < 0) {
			FUZZ_CHECK((r == -EPROTO || r == -EMSGSIZE) && err.code == -r && *err.text);
			/* A fault is final, unless a delimiter follows. */
			if (!seeks)
				break;
		}
		/* Nothing is kept but the line that is being read. */
		FUZZ_CHECK(r < 0 || reader.lines.pending.len - reader.lines.begin <= LINE_MAX_FUZZ);
	}
	if (r < 0)
		buf_puts(ret, err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 61 };
	for (int seeks = 0; seeks <= 1 && size > 0; seeks++) {
		CLEANUP(buf_done) struct buf whole = {};
		read_all(data, size, size, seeks, &whole);
		for (size_t i = 0; i < ARRAY_SIZE(pieces) && pieces[i] < size; i++) {
			CLEANUP(buf_done) struct buf parts = {};
			read_all(data, size, pieces[i], seeks, &parts);
			FUZZ_CHECK(strcmp(buf_text(&whole), buf_text(&parts)) == 0);
		}
	}
	return 0;
}
