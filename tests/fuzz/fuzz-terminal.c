/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of util/terminal.h and util/visible.h: what a guest writes steers no terminal but in
 * the ways that are let through, in whatever pieces it comes, and what was made fit stays as it is.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "util/terminal.h"
#include "util/visible.h"

/* "\xNN" for a byte, and "..." at the end. */
#define GROWTH 4
#define CUT_MARK 3

static void check_plain(const struct buf *text, const char *let_through)
{
	for (size_t i = 0; i < text->len; i++) {
		const unsigned char c = (unsigned char)text->text[i];
		FUZZ_CHECK((c >= ' ' && c != 0x7f) || (c && strchr(let_through, c)));
		/* U+0080 to U+009F, which are control characters as well. */
		FUZZ_CHECK(c != 0xc2 || (unsigned char)text->text[i + 1] >= 0xa0);
	}
}

static void filter(enum terminal_mode mode, const char *data, size_t len, size_t piece,
		struct buf *ret)
{
	struct terminal_filter f = { .mode = mode };
	for (size_t at = 0; at < len; at += piece)
		terminal_filter_add(&f, ret, data + at, piece < len - at ? piece : len - at);
}

static void check_mode(enum terminal_mode mode, const char *data, size_t len)
{
	static const size_t pieces[] = { 1, 2, 7, 61 };
	CLEANUP(buf_done) struct buf whole = {}, again = {};
	filter(mode, data, len, len, &whole);
	for (size_t i = 0; i < ARRAY_SIZE(pieces) && pieces[i] < len; i++) {
		CLEANUP(buf_done) struct buf parts = {};
		filter(mode, data, len, pieces[i], &parts);
		FUZZ_CHECK(parts.len == whole.len);
		FUZZ_CHECK(!whole.len || memcmp(parts.text, whole.text, whole.len) == 0);
	}
	if (mode == TERMINAL_TEXT)
		check_plain(&whole, "\n\t");
	/* Strings: the clipboard, titles, keys that are set (ECMA-48, 8.3.89 and its like). */
	for (size_t i = 0; i + 1 < whole.len; i++)
		FUZZ_CHECK(whole.text[i] != '\x1b' || !strchr("]P^_X", whole.text[i + 1]));
	if (whole.len)
		filter(mode, whole.text, whole.len, whole.len, &again);
	FUZZ_CHECK(again.len == whole.len);
	FUZZ_CHECK(!whole.len || memcmp(again.text, whole.text, whole.len) == 0);
}

static void check_visible(const char *data, size_t len, size_t max)
{
	CLEANUP(buf_done) struct buf shown = {}, again = {};
	visible_add(&shown, data, len, max);
	check_plain(&shown, "");
	FUZZ_CHECK(!strstr(buf_text(&shown), "\u202e"));
	FUZZ_CHECK(shown.len <= (len < max ? len : max) * GROWTH + CUT_MARK);
	visible_add(&again, buf_text(&shown), shown.len, SIZE_MAX);
	FUZZ_CHECK(strcmp(buf_text(&again), buf_text(&shown)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size ? (const char *)data : "";
	if (size) {
		check_mode(TERMINAL_TEXT, text, size);
		check_mode(TERMINAL_SCREEN, text, size);
	}
	check_visible(text, size, SIZE_MAX);
	check_visible(text, size, size / 2);
	return 0;
}
