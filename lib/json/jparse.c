/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text to a json-c tree, strictly. */
#include "json/jparse.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json/jdoc.h"
#include "json/jfound.h"
#include "json/jlocate.h"
#include "json/jscan.h"
#include "json/jtext.h"
#include "json/jtree.h"
#include "util/parse.h"

/* An object or list that was begun. */
struct frame {
	bool is_object;
	size_t start; /* of its "{" or "[" in the text */
	size_t name;  /* OBJECT: the key of the member that is read, in parser.names */
	size_t index; /* LIST: of the entry that is read */
};

struct parser {
	struct where file; /* its name, no position */
	char *text;
	size_t len;
	size_t at;
	struct report *report;
	unsigned n_findings;
	struct frame frames[JDOC_DEPTH_MAX]; /* outermost first */
	unsigned depth;
	struct buf names;   /* the frames' keys, each with a NUL behind it */
	struct buf scratch; /* a string or a number */
};

static bool parse_value(struct parser *p, struct json_object **ret);

/* The innermost open object or list, where one is known to be open. */
static struct frame *inner(struct parser *p)
{
	assert(p->depth > 0);
	return &p->frames[p->depth - 1];
}

/* The same; NULL at the top. */
static struct frame *inner_if_any(struct parser *p)
{
	return p->depth ? inner(p) : NULL;
}

static const char *member_name(const struct parser *p, const struct frame *f)
{
	return p->names.text + f->name;
}

/* The key of the member that is read, as messages show it; until p->scratch is used again. */
static const char *quoted_name(struct parser *p)
{
	buf_clear(&p->scratch);
	text_quoted(&p->scratch, member_name(p, inner(p)));
	return buf_text(&p->scratch);
}

static struct where place(const struct parser *p, size_t offset)
{
	struct where at = p->file;
	jlocate_offset(p->text, offset, &at);
	return at;
}

/* A finding of no value; mostly nothing more can be read after it. Always false. */
static bool PRINTF(3, 4) syntax(struct parser *p, size_t offset, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	report_vadd(p->report, SEVERITY_ERROR, place(p, offset), NULL, NULL, format, ap);
	va_end(ap);
	return false;
}

/* After a finding that is no syntax error. False: there are too many. */
static bool count(struct parser *p, size_t offset)
{
	if (++p->n_findings < JDOC_FINDINGS_MAX)
		return true;
	return syntax(p, offset, "reading stops here: %d mistakes were found in this file",
			JDOC_FINDINGS_MAX);
}

/* A finding about the value that is being read, after which reading goes on. */
static bool PRINTF(3, 4) finding(struct parser *p, size_t offset, const char *format, ...)
{
	CLEANUP(buf_done) struct buf pointer = {};
	for (unsigned i = 0; i < p->depth; i++) {
		if (p->frames[i].is_object)
			jpointer_push(&pointer, member_name(p, &p->frames[i]));
		else
			jpointer_push_index(&pointer, p->frames[i].index);
	}
	va_list ap;
	va_start(ap, format);
	report_vadd(p->report, SEVERITY_ERROR, place(p, offset), buf_text(&pointer), NULL, format,
			ap);
	va_end(ap);
	return count(p, offset);
}

static const char *kind_name(const struct frame *f)
{
	return f->is_object ? "an object" : "a list";
}

/* The finding that something else stands at p->at, or nothing more. Always false. */
static bool PRINTF(3, 4)
		unexpected(struct parser *p, const char *hint, const char *expected_format, ...)
{
	const struct frame *f = inner_if_any(p);
	if (p->at >= p->len && f)
		return syntax(p, p->at, "the file ends inside %s that began at line %zu",
				kind_name(f), place(p, f->start).line);

	CLEANUP(buf_done) struct buf text = {};
	va_list ap;
	va_start(ap, expected_format);
	buf_puts(&text, "expected ");
	buf_vprintf(&text, expected_format, ap);
	va_end(ap);
	buf_puts(&text, ", found ");
	jfound_describe(p->text, p->len, p->at, &text);
	buf_puts(&text, hint);
	char c = p->text[p->at];
	if (f && c == (f->is_object ? ']' : '}'))
		buf_printf(&text, "; %s began at line %zu", kind_name(f), place(p, f->start).line);
	return syntax(p, p->at, "%s", buf_text(&text));
}

/* Comments become spaces, so that nobody else has to know about them. */
static bool blank(struct parser *p, size_t from, size_t to)
{
	size_t fault_at = to;
	for (size_t i = from, n; i < to; i += n) {
		n = utf8_length(p->text + i, to - i);
		if (!n && fault_at == to) {
			fault_at = i;
			syntax(p, i, "the byte 0x%02x in this comment is not UTF-8",
					(unsigned char)p->text[i]);
		}
		n = n ? n : 1;
		if (p->text[i] != '\n')
			memset(p->text + i, ' ', n);
	}
	p->at = to;
	return fault_at == to || count(p, fault_at);
}

/* The comment at p->at. */
static bool comment(struct parser *p)
{
	const char *start = p->text + p->at, *limit = p->text + p->len, *end;
	if (start[1] == '/') {
		end = memchr(start, '\n', (size_t)(limit - start));
		return blank(p, p->at, end ? (size_t)(end - p->text) : p->len);
	}
	end = memmem(start + 2, (size_t)(limit - start - 2), "*/", 2);
	if (end)
		return blank(p, p->at, (size_t)(end + 2 - p->text));
	return syntax(p, p->at, "this comment has no end \"*/\"");
}

/* Over white space and comments. */
static bool skip(struct parser *p)
{
	for (;;) {
		p->at = jscan_space(p->text, p->len, p->at);
		if (p->len - p->at < 2 || p->text[p->at] != '/' ||
				(p->text[p->at + 1] != '/' && p->text[p->at + 1] != '*'))
			return true;
		if (!comment(p))
			return false;
	}
}

/* What is wrong at @fault_at in the string that begins at @start. */
static bool string_fault(struct parser *p, enum jscan_fault fault, size_t start, size_t fault_at)
{
	unsigned char c = fault_at < p->len ? (unsigned char)p->text[fault_at] : '\0';
	CLEANUP(buf_done) struct buf found = {};
	switch ((int)fault) {
	case JSCAN_END:
		return syntax(p, fault_at, "the file ends inside the string that began at line %zu",
				place(p, start).line);
	case JSCAN_LINE_BREAK:
		return syntax(p, fault_at,
				"expected '\"' at the end of the string that began in column %zu, "
				"found the end of the line",
				place(p, start).column);
	case JSCAN_CONTROL:
		return finding(p, fault_at, "a string must not contain %s; it is written %s",
				c == '\t' ? "a tab" : "a control character",
				c == '\t'   ? "\\t"
				: c == '\r' ? "\\r"
					    : "\\u00 and two hex digits");
	case JSCAN_UTF8:
		return finding(p, fault_at, "the byte 0x%02x is not UTF-8", c);
	case JSCAN_ESCAPE:
		if (fault_at + 1 < p->len)
			jfound_describe(p->text, p->len, fault_at + 1, &found);
		return finding(p, fault_at,
				"expected one of \" \\ / b f n r t u after '\\', found %s; a "
				"backslash is written \\\\",
				buf_text(&found));
	case JSCAN_HEX:
		return finding(p, fault_at, "expected four hex digits after \\u");
	case JSCAN_SURROGATE:
		return finding(p, fault_at,
				"%.6s is half of a surrogate pair; the other half is missing",
				p->text + fault_at);
	default:
		return finding(p, fault_at, "a string must not contain \\u0000");
	}
}

static bool parse_string(struct parser *p, struct json_object **ret)
{
	size_t start = p->at, fault_at;
	buf_clear(&p->scratch);
	enum jscan_fault fault = jscan_string(p->text, p->len, &p->at, &p->scratch, &fault_at);
	if (fault && !string_fault(p, fault, start, fault_at))
		return false;
	*ret = jtree_string_len(buf_text(&p->scratch), p->scratch.len);
	return true;
}

static bool number_fault(struct parser *p, enum jscan_fault fault, size_t end, size_t fault_at)
{
	CLEANUP(buf_done) struct buf word = {};
	jfound_word(&word, p->text + p->at, end - p->at);
	const char *reason = fault == JSCAN_NUMBER_START ? ": it must begin with a digit or '-'"
			     : fault == JSCAN_NUMBER_ZERO
					     ? ": a 0 must not stand in front of other digits"
			     : fault == JSCAN_NUMBER_DIGIT ? ": there must be a digit here"
							   : "";
	return syntax(p, p->at + fault_at, "%s is not a number%s", buf_text(&word), reason);
}

/* The number between p->at and @end. One that does not fit is null, so that checking goes on. */
static bool parse_number(struct parser *p, size_t end, struct json_object **ret)
{
	bool is_integer;
	size_t start = p->at, fault_at;
	enum jscan_fault fault = jscan_number(p->text + start, end - start, &is_integer, &fault_at);
	if (fault)
		return number_fault(p, fault, end, fault_at);
	p->at = end;
	buf_clear(&p->scratch);
	buf_add(&p->scratch, p->text + start, end - start);
	const char *word = buf_text(&p->scratch);

	/* The form is known to be good, so that only the value can be. */
	int64_t integer;
	if (is_integer && parse_i64(word, &integer) == 0) {
		*ret = jtree_int(integer);
		return true;
	}
	/* The decimal point is that of the C locale, as long as main() sets no LC_NUMERIC. */
	double number = is_integer ? HUGE_VAL : strtod(word, NULL);
	if (!isinf(number)) {
		*ret = jtree_double(number, word);
		return true;
	}
	CLEANUP(buf_done) struct buf shown = {};
	jfound_word(&shown, word, end - start);
	*ret = jtree_flaw();
	return finding(p, start,
			is_integer ? "the number %s does not fit in 64 bits"
				   : "the number %s is too large",
			buf_text(&shown));
}

/* The finding that there is no value at p->at. Always false. */
static bool no_value(struct parser *p)
{
	const struct frame *f = inner_if_any(p);
	const char *hint = jfound_advice(p->text, p->len, p->at);
	if (!f && p->at >= p->len)
		return syntax(p, p->len,
				p->len ? "the file holds only white space and comments"
				       : "the file is empty");
	if (!f || !f->is_object)
		return unexpected(p, hint, "%s", f ? "a value or ']'" : "'{'");
	return unexpected(p, hint, "a value for %s", quoted_name(p));
}

static bool parse_word(struct parser *p, struct json_object **ret)
{
	const char *word = p->text + p->at;
	size_t end = jscan_word_end(p->text, p->len, p->at), len = end - p->at;
	if (len && (strchr("+-.", *word) || (*word >= '0' && *word <= '9')))
		return parse_number(p, end, ret);
	if (len == 4 && !memcmp(word, "true", 4))
		*ret = jtree_bool(true);
	else if (len == 5 && !memcmp(word, "false", 5))
		*ret = jtree_bool(false);
	else if (len != 4 || memcmp(word, "null", 4) != 0)
		return no_value(p);
	p->at = end;
	return true;
}

/* Begin the object or list at p->at. */
static bool enter(struct parser *p, bool is_object)
{
	if (p->depth == JDOC_DEPTH_MAX)
		return syntax(p, p->at, "this is nested deeper than %d levels", JDOC_DEPTH_MAX);
	p->frames[p->depth++] = (struct frame){
		.is_object = is_object, .start = p->at, .name = p->names.len
	};
	p->at++;
	return skip(p);
}

static bool leave(struct parser *p)
{
	buf_truncate(&p->names, inner(p)->name);
	p->depth--;
	p->at++;
	return true;
}

/*
 * Behind a member: to the next one, or to the end of the object or list. False: a syntax error.
 *
 * @ret_end: is it the end?
 */
static bool separator(struct parser *p, char end, bool *ret_end)
{
	if (!skip(p))
		return false;
	char c = p->at < p->len ? p->text[p->at] : '\0';
	*ret_end = c == end;
	if (c == end)
		return true;
	const struct frame *f = inner(p);
	if (c != ',' && f->is_object)
		return unexpected(p, "", "',' or '}' after the value of %s", quoted_name(p));
	if (c != ',')
		return unexpected(p, "", "',' or ']' after entry %zu of the list", f->index + 1);
	size_t comma = p->at++;
	if (!skip(p))
		return false;
	if (p->at < p->len && p->text[p->at] == end)
		return syntax(p, comma, "no ',' may stand between the last %s and '%c'",
				f->is_object ? "value" : "entry", end);
	return true;
}

static bool parse_list(struct parser *p, struct json_object **ret)
{
	*ret = jtree_list();
	if (!enter(p, false))
		return false;
	bool end = p->at < p->len && p->text[p->at] == ']';
	while (!end) {
		struct json_object *value = NULL;
		if (!parse_value(p, &value)) {
			json_object_put(value);
			return false;
		}
		jtree_push(*ret, value);
		if (!separator(p, ']', &end))
			return false;
		inner(p)->index++;
	}
	return leave(p);
}

/* The member's key stands at @key_at a second time in the object that is being read. */
static bool duplicate(struct parser *p, size_t key_at)
{
	const struct frame *f = inner(p);
	size_t at = f->start + 1, first, fault_at;
	for (;;) {
		first = at = jscan_space(p->text, p->len, at);
		buf_clear(&p->scratch);
		jscan_string(p->text, p->len, &at, &p->scratch, &fault_at);
		if (!strcmp(buf_text(&p->scratch), member_name(p, f)))
			break;
		at = jscan_space(p->text, p->len, at) + 1; /* the ":" */
		at = jscan_skip_value(p->text, p->len, jscan_space(p->text, p->len, at));
		at = jscan_space(p->text, p->len, at) + 1; /* the "," */
	}
	struct where where = place(p, first);
	return finding(p, key_at, "%s is given twice; first at %zu:%zu", quoted_name(p), where.line,
			where.column);
}

/* The key at p->at, the ":" and the white space around it. @ret_new: is it there once so far? */
static bool parse_key(struct parser *p, struct json_object *object, bool *ret_new)
{
	struct frame *f = inner(p);
	size_t key_at = p->at, fault_at;
	if (p->at >= p->len || p->text[p->at] != '"') {
		bool first = json_object_object_length(object) == 0;
		return unexpected(p, jfound_advice(p->text, p->len, p->at), "%s",
				first ? "a key in double quotes or '}'" : "a key in double quotes");
	}
	buf_truncate(&p->names, f->name);
	enum jscan_fault fault = jscan_string(p->text, p->len, &p->at, &p->names, &fault_at);
	buf_putc(&p->names, '\0');
	if ((fault && !string_fault(p, fault, key_at, fault_at)) || !skip(p))
		return false;
	if (p->at >= p->len || p->text[p->at] != ':')
		return unexpected(p, "", "':' after the key %s", quoted_name(p));
	p->at++;
	if (!skip(p))
		return false;
	*ret_new = !json_object_object_get_ex(object, member_name(p, f), NULL);
	return *ret_new || duplicate(p, key_at);
}

static bool parse_object(struct parser *p, struct json_object **ret)
{
	*ret = jtree_object();
	if (!enter(p, true))
		return false;
	bool end = p->at < p->len && p->text[p->at] == '}';
	while (!end) {
		struct json_object *value = NULL;
		bool is_new = true;
		if (!parse_key(p, *ret, &is_new))
			return false;
		if (!parse_value(p, &value)) {
			json_object_put(value);
			return false;
		}
		if (is_new)
			jtree_add(*ret, member_name(p, inner(p)), value);
		else
			jtree_set(*ret, member_name(p, inner(p)), jtree_doubt(value));
		if (!separator(p, '}', &end))
			return false;
	}
	return leave(p);
}

static bool parse_value(struct parser *p, struct json_object **ret)
{
	switch (p->at < p->len ? p->text[p->at] : '\0') {
	case '{':
		return parse_object(p, ret);
	case '[':
		return parse_list(p, ret);
	case '"':
		return parse_string(p, ret);
	default:
		return parse_word(p, ret);
	}
}

/* Marks of other encodings at the beginning of the file. */
static bool parse_mark(struct parser *p)
{
	if (p->len >= 2 && (!memcmp(p->text, "\xff\xfe", 2) || !memcmp(p->text, "\xfe\xff", 2)))
		return syntax(p, 0, "this file is UTF-16; save it as UTF-8");
	if (p->len < 3 || memcmp(p->text, "\xef\xbb\xbf", 3) != 0)
		return true;
	memset(p->text, ' ', 3);
	return finding(p, 0,
			"the file begins with a byte-order mark (BOM); save it as UTF-8 without "
			"one");
}

static bool parse_document(struct parser *p, struct json_object **ret)
{
	if (!parse_mark(p) || !skip(p) || !parse_value(p, ret) || !skip(p))
		return false;
	if (p->at < p->len)
		return unexpected(p, "", "nothing after the end of the document");
	return true;
}

int jparse(const char *name, char *text, size_t len, struct json_object **ret,
		struct report *report)
{
	struct parser p = { .file.file = name, .text = text, .len = len, .report = report };
	*ret = NULL;
	bool good = parse_document(&p, ret);
	buf_done(&p.names);
	buf_done(&p.scratch);
	if (good)
		return p.n_findings > 0;
	json_object_put(take_ptr(*ret));
	return -EBADMSG;
}
