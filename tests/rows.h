/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows as model/words.h writes them, for tests to look at and to read back. */
#pragma once

#include <string.h>

#include "util/buf.h"
#include "util/strv.h"

/* A line for each row, blanks between its words. The caller frees it. */
static inline char *rows_text(const struct buf *rows)
{
	CLEANUP(buf_done) struct buf text = {};
	for (const char *at = buf_text(rows), *past = at + rows->len; at < past; at++) {
		for (const char *first = at; *at; at += strlen(at) + 1)
			buf_printf(&text, "%s%s", at == first ? "" : " ", at);
		buf_putc(&text, '\n');
	}
	return buf_take(&text);
}

/* The words of the row at *at, which is moved to the next. Returns false at the end. */
static inline bool rows_next(const struct buf *rows, const char **at, struct strv *ret_words)
{
	if (!*at)
		*at = buf_text(rows);
	if (*at == buf_text(rows) + rows->len)
		return false;
	strv_clear(ret_words);
	for (; **at; *at += strlen(*at) + 1)
		strv_push(ret_words, *at);
	++*at;
	return true;
}
