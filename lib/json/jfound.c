/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands at a place in JSON text, in words for the user. */
#include "json/jfound.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "json/jscan.h"
#include "json/jtext.h"
#include "json/jtree.h"
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

#define QUOTES_ADVICE "; text is written in plain double quotes: \"...\""
#define SPACE_ADVICE ", an invisible character that is no space in JSON"
#define CASE_ADVICE "; it is written in small letters"
#define NUMBER_ADVICE ", which is no number in JSON"

static const struct {
	const char *text;
	bool is_word; /* the whole word, in any letter case; else what stands at the place */
	const char *advice;
} advices[] = {
	{ "'", false, QUOTES_ADVICE },
	{ "`", false, QUOTES_ADVICE },
	{ "\u2018", false, QUOTES_ADVICE },
	{ "\u2019", false, QUOTES_ADVICE },
	{ "\u201a", false, QUOTES_ADVICE },
	{ "\u201b", false, QUOTES_ADVICE },
	{ "\u201c", false, QUOTES_ADVICE },
	{ "\u201d", false, QUOTES_ADVICE },
	{ "\u201e", false, QUOTES_ADVICE },
	{ "\u201f", false, QUOTES_ADVICE },
	{ "\u00ab", false, QUOTES_ADVICE },
	{ "\u00bb", false, QUOTES_ADVICE },
	{ "\u00a0", false, SPACE_ADVICE },
	{ "\u200b", false, SPACE_ADVICE },
	{ "\u202f", false, SPACE_ADVICE },
	{ "\ufeff", false, SPACE_ADVICE },
	{ "\u3000", false, SPACE_ADVICE },
	{ "#", false, "; a comment begins with //" },
	{ "true", true, CASE_ADVICE },
	{ "false", true, CASE_ADVICE },
	{ "null", true, CASE_ADVICE },
	{ "yes", true, "; it is written true" },
	{ "on", true, "; it is written true" },
	{ "no", true, "; it is written false" },
	{ "off", true, "; it is written false" },
	{ "nan", true, NUMBER_ADVICE },
	{ "inf", true, NUMBER_ADVICE },
	{ "infinity", true, NUMBER_ADVICE },
};

const char *jfound_advice(const char *text, size_t len, size_t at)
{
	size_t rest = len - at, word = jscan_word_end(text, len, at) - at;
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		size_t n = strlen(advices[i].text);
		if (advices[i].is_word ? word == n && !strncasecmp(text + at, advices[i].text, n)
				       : rest >= n && !memcmp(text + at, advices[i].text, n))
			return advices[i].advice;
	}
	return word ? "; text is written in double quotes: \"...\"" : "";
}

void jfound_value(struct buf *out, struct json_object *value, bool with_type)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		text_quoted(out, jtree_text(value));
		buf_puts(out, with_type ? " (a string)" : "");
		break;
	case json_type_array:
		buf_puts(out, "a list");
		break;
	case json_type_object:
		buf_puts(out, "an object");
		break;
	case json_type_null:
		buf_puts(out, "null");
		break;
	case json_type_boolean:
		buf_puts(out, json_object_get_boolean(value) ? "true" : "false");
		break;
	case json_type_int:
	case json_type_double:
		buf_printf(out, "%.40s", jtree_text(value));
		break;
	}
}
