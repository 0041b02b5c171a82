/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands at a place in JSON text, in words for the user. */
#include "json/jfound.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "json/jscan.h"
#include "util/parse.h"

void jfound_word(struct buf *out, const char *word, size_t len)
{
	size_t shown = len < 40 ? len : 40;
	buf_printf(out, "'%.*s%s'", (int)shown, word, shown < len ? "..." : "");
}

void jfound_describe(const char *text, size_t len, size_t at, struct buf *out)
{
	unsigned char c = (unsigned char)text[at];
	size_t word_end = jscan_word_end(text, len, at);
	size_t n = utf8_length(text + at, len - at);
	if (word_end > at)
		jfound_word(out, text + at, word_end - at);
	else if (c < 0x20 || c == 0x7f || !n)
		buf_printf(out, "the byte 0x%02x", c);
	else
		buf_printf(out, "'%.*s'", (int)n, text + at);
}

const char *jfound_advice(const char *text, size_t len, size_t at)
{
	static const char *const quotes[] = { "'", "`", "\u2018", "\u2019", "\u201a", "\u201b",
		"\u201c", "\u201d", "\u201e", "\u201f", "\u00ab", "\u00bb" };
	static const char *const spaces[] = { "\u00a0", "\u200b", "\u202f", "\ufeff", "\u3000" };
	static const char *const words[] = { "true", "false", "null" };
	static const char *const numbers[] = { "nan", "inf", "infinity" };
	size_t rest = len - at, word = jscan_word_end(text, len, at) - at;
	text += at;

	for (size_t i = 0; i < ARRAY_SIZE(quotes); i++)
		if (rest >= strlen(quotes[i]) && !memcmp(text, quotes[i], strlen(quotes[i])))
			return "; text is written in plain double quotes: \"...\"";
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (rest >= strlen(spaces[i]) && !memcmp(text, spaces[i], strlen(spaces[i])))
			return ", an invisible character that is no space in JSON";
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (word == strlen(words[i]) && !strncasecmp(text, words[i], word))
			return "; it is written in small letters";
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (word == strlen(numbers[i]) && !strncasecmp(text, numbers[i], word))
			return ", which is no number in JSON";
	return word ? "; text is written in double quotes: \"...\"" : "";
}
