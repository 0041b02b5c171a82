/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single words of a systemd unit file, written and read back. */
#include "unit/quote.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "util/parse.h"
#include "util/unicode.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WHITE_SPACE " \t\n\r"

/* What a byte of text may be taken for. */
enum {
	PRINTABLE = 1, /* of ASCII: nothing to check */
	BARE = 2,      /* needs no quotes in any setting; ':' needs none but in lists of pairs */
	PLAIN = 4,     /* stands for itself in any setting */
};
static const unsigned char classes[256] = {
	[' '] = PRINTABLE,
	['!'] = PRINTABLE | BARE | PLAIN,
	['"' ... '#'] = PRINTABLE,
	['$' ... '%'] = PRINTABLE | BARE,
	['&' ... '*'] = PRINTABLE,
	['+' ... '9'] = PRINTABLE | BARE | PLAIN,
	[':'] = PRINTABLE | BARE,
	[';' ... '<'] = PRINTABLE,
	['='] = PRINTABLE | BARE | PLAIN,
	['>' ... '?'] = PRINTABLE,
	['@' ... 'Z'] = PRINTABLE | BARE | PLAIN,
	['[' ... '^'] = PRINTABLE,
	['_'] = PRINTABLE | BARE | PLAIN,
	['`'] = PRINTABLE,
	['a' ... 'z'] = PRINTABLE | BARE | PLAIN,
	['{' ... '~'] = PRINTABLE,
};

/* How many bytes at the start are of that class. */
static size_t span(const char *text, unsigned class)
{
	size_t n = 0;
	while (classes[(unsigned char)text[n]] & class)
		n++;
	return n;
}

size_t quote_plain(const char *word)
{
	size_t len = span(word, PLAIN);
	return word[len] ? 0 : len;
}

int quote_check(const char *text, struct error *err)
{
	size_t i = span(text, PRINTABLE), len = text[i] ? strlen(text) : i;
	while (i < len) {
		unsigned char c = (unsigned char)text[i];
		size_t n;
		uint32_t decoded = unicode_decode(text + i, len - i, &n);
		bool is_text = decoded != UNICODE_REPLACEMENT || n > 1;
		if (!is_text || unicode_noncharacter(decoded))
			return error_set(err, EINVAL, "byte %zu (0x%02x) is not UTF-8 text", i + 1,
					c);
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return error_set(err, EINVAL, "byte %zu is a control character (0x%02x)",
					i + 1, c);
		i += n;
		i += span(text + i, PRINTABLE);
	}
	return 0;
}

static bool dollar_is_special(const char *word, const char *at)
{
	return at == word || at[1] == '{' || at[1] == '$';
}

bool quote_needs_dollars(const char *word)
{
	for (const char *at = strchr(word, '$'); at; at = strchr(at + 1, '$'))
		if (dollar_is_special(word, at))
			return true;
	return false;
}

static bool is_bare(const char *word, unsigned flags)
{
	return *word && !word[span(word, BARE)] && !(flags & QUOTE_COLON && strchr(word, ':'));
}

/* The length of "${NAME}" at @at, if it is one of @variables (NULL: any name); else 0. */
static size_t variable_length(const char *at, const struct strv *variables)
{
	if (at[0] != '$' || at[1] != '{')
		return 0;
	size_t len = strspn(at + 2, LETTERS DIGITS "_");
	if (at[2 + len] != '}' || !len || strchr(DIGITS, at[2]))
		return 0;
	for (size_t i = 0; variables && i < variables->n; i++)
		if (!strncmp(variables->items[i], at + 2, len) && !variables->items[i][len])
			return len + 3;
	return variables ? 0 : len + 3;
}

static void put_word(struct buf *b, const char *word, unsigned flags, const struct strv *variables)
{
	bool quoted = !is_bare(word, flags);
	const char *at = word;

	if (quoted)
		buf_putc(b, '"');
	for (;;) {
		/* Runs go at once. */
		size_t run = strcspn(at, "\"\\%$");
		buf_add(b, at, run);
		at += run;
		if (!*at)
			break;
		size_t variable = variables ? variable_length(at, variables) : 0;
		if (variable) {
			buf_add(b, at, variable);
			at += variable;
			continue;
		}
		if (*at == '"' || *at == '\\')
			buf_putc(b, '\\');
		else if (*at == '%' && flags & QUOTE_PERCENT)
			buf_putc(b, '%');
		else if (*at == '$' && flags & QUOTE_DOLLAR && dollar_is_special(word, at))
			buf_putc(b, '$');
		buf_putc(b, *at++);
	}
	if (quoted)
		buf_putc(b, '"');
}

void quote_word(struct buf *b, const char *word, unsigned flags)
{
	put_word(b, word, flags, NULL);
}

void quote_word_around(struct buf *b, const char *word, const struct strv *variables)
{
	put_word(b, word, QUOTE_PERCENT | QUOTE_DOLLAR, variables);
}

void quote_percent(struct buf *b, const char *text)
{
	for (const char *percent; (percent = strchr(text, '%')); text = percent + 1) {
		buf_add(b, text, (size_t)(percent - text));
		buf_puts(b, "%%");
	}
	buf_puts(b, text);
}

void quote_directory(struct buf *b, const char *word)
{
	for (const char *at = word; *at; at++)
		if (strchr("\\:\"' \t", *at))
			buf_printf(b, "\\x%02x", (unsigned char)*at);
		else if (*at == '%')
			buf_puts(b, "%%");
		else
			buf_putc(b, *at);
}

void quote_glob(struct buf *b, const char *path)
{
	for (const char *at = path; *at; at++) {
		if (strchr("*?[\\", *at))
			buf_putc(b, '\\');
		else if (*at == '%')
			buf_putc(b, '%');
		buf_putc(b, *at);
	}
}

static const struct numeric_escape {
	char letter;
	int base, n_digits;
	uint32_t max;
	bool is_byte;
} numeric_escapes[] = {
	{ 'x', 16, 2, 0xff, true },
	{ 'u', 16, 4, 0xffff, false },
	{ 'U', 16, 8, UNICODE_MAX, false },
};
static const struct numeric_escape octal_escape = { 0, 8, 3, 0xff, true };

/* @at: the first digit. Returns how many characters were used, or -EINVAL. */
static int read_number(const char *at, const struct numeric_escape *form, struct buf *ret)
{
	uint32_t c = 0;
	for (int i = 0; i < form->n_digits; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0 || digit >= form->base)
			return -EINVAL;
		c = c * (uint32_t)form->base + (uint32_t)digit;
	}
	if (c == 0 || c > form->max || (!form->is_byte && c >= 0xd800 && c <= 0xdfff))
		return -EINVAL;
	if (form->is_byte)
		buf_putc(ret, (char)c);
	else
		unicode_append(ret, c);
	return form->n_digits;
}

/* cunescape_one() of systemd. @at: behind the backslash. Returns characters used, or -EINVAL. */
static int read_escape(const char *at, struct buf *ret)
{
	static const char letters[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";

	if (!*at)
		return -EINVAL;
	const char *known = strchr(letters, *at);
	if (known) {
		buf_putc(ret, values[known - letters]);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(numeric_escapes); i++)
		if (*at == numeric_escapes[i].letter) {
			int n = read_number(at + 1, &numeric_escapes[i], ret);
			return n < 0 ? n : n + 1;
		}
	return read_number(at, &octal_escape, ret);
}

int quote_next_word(const char **p, bool c_escapes, struct buf *ret, struct error *err)
{
	const char *at = *p + strspn(*p, WHITE_SPACE);
	char quote = 0;

	if (!*at) {
		*p = at;
		return 0;
	}
	for (; *at && (quote || !strchr(WHITE_SPACE, *at)); at++) {
		if (quote && *at == quote) {
			quote = 0;
		} else if (!quote && (*at == '"' || *at == '\'')) {
			quote = *at;
		} else if (*at != '\\') {
			buf_putc(ret, *at);
		} else if (c_escapes) {
			int n = read_escape(at + 1, ret);
			if (n < 0)
				return error_set(err, EINVAL,
						"a backslash that begins no known escape");
			at += n;
		} else if (at[1]) {
			buf_putc(ret, *++at);
		} else {
			return error_set(err, EINVAL, "a backslash at the end of the value");
		}
	}
	if (quote)
		return error_set(err, EINVAL, "a quote (%c) that is not closed", quote);
	*p = at + strspn(at, WHITE_SPACE);
	return 1;
}

int quote_undo_percent(char *text, struct error *err)
{
	char *to = text;
	for (const char *at = text; *at; at++) {
		if (*at == '%' && at[1] && strchr(LETTERS DIGITS, at[1]))
			return error_set(err, EINVAL,
					"'%%%c' is a specifier, which only systemd can expand",
					at[1]);
		if (*at == '%' && at[1] == '%')
			at++;
		*to++ = *at;
	}
	*to = '\0';
	return 0;
}

int quote_undo_dollars(char *word, struct error *err)
{
	if (word[0] == '$' && word[1] != '{' && word[1] != '$')
		return 1;
	char *to = word;
	for (const char *at = word; *at; at++) {
		if (*at == '$' && at[1] == '{' && !variable_length(at, NULL))
			return error_set(err, EINVAL,
					"'${' begins a variable, which only systemd can expand");
		if (*at == '$' && at[1] == '$')
			at++;
		*to++ = *at;
	}
	*to = '\0';
	return 0;
}
