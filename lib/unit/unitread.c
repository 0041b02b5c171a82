/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the text of a systemd unit file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/quote.h"
#include "unit/unitfile.h"
#include "util/mem.h"

#define WHITE_SPACE " \t\n\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What is known while going through the text. */
struct reader {
	struct unitdoc *doc;
	const char *name;
	const char *section; /* NULL before the first header */
	size_t line;	     /* of the physical line that was read last */
	size_t first_line;   /* where the line that is being joined began */
	struct buf joined;
	bool is_continued;
};

static void reader_done(struct reader *r)
{
	buf_done(&r->joined);
}

static int at_line(const struct reader *r, size_t line, struct error *err)
{
	error_at(err, (struct where){ .file = r->name, .line = line, .column = 1 });
	return -EINVAL;
}

static int malformed(const struct reader *r, size_t line, const char *what, struct error *err)
{
	error_set(err, EINVAL, "%s", what);
	return at_line(r, line, err);
}

/* In place: the start of @text without white space at either end. */
static char *strip(char *text)
{
	text += strspn(text, WHITE_SPACE);
	size_t len = strlen(text);
	while (len > 0 && strchr(WHITE_SPACE, text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

static void add_entry(struct reader *r, const char *key, const char *value)
{
	struct unitdoc *doc = r->doc;
	doc->entries = grow_array(doc->entries, &doc->n_alloc, doc->n, sizeof(*doc->entries));
	doc->entries[doc->n++] = (struct unitdoc_entry){
		.section = r->section,
		.key = arena_strdup(&doc->memory, key),
		.value = arena_strdup(&doc->memory, value),
		.line = r->first_line,
	};
}

/* One line, joined. Changes @line. */
static int read_logical_line(struct reader *r, char *line, struct error *err)
{
	line = strip(line);
	size_t len = strlen(line);
	if (len == 0)
		return 0;
	if (line[0] == '[') {
		if (len < 3 || line[len - 1] != ']')
			return malformed(r, r->first_line, "expected a section such as '[Service]'",
					err);
		r->section = arena_strndup(&r->doc->memory, line + 1, len - 2);
		return 0;
	}
	char *equals = strchr(line, '=');
	if (!equals || equals == line)
		return malformed(r, r->first_line,
				"expected a section, a comment or an assignment 'Key=value'", err);
	if (!r->section)
		return malformed(r, r->first_line, "an assignment before the first section", err);
	*equals = '\0';
	add_entry(r, strip(line), strip(equals + 1));
	return 0;
}

/*
 * Does an odd number of backslashes end the line? Lines joined before it do not matter, since their
 * last backslash has become a space.
 */
static bool ends_in_backslash(const char *line, size_t len)
{
	size_t n = 0;
	while (n < len && line[len - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

static int end_logical_line(struct reader *r, struct error *err)
{
	/* buf_reserve() makes the text exist, also that of an empty line. */
	int result = read_logical_line(r, buf_reserve(&r->joined, 1) - r->joined.len, err);
	buf_clear(&r->joined);
	r->is_continued = false;
	return result;
}

/* One line as it stands in the file, without its end. */
static int read_physical_line(struct reader *r, const char *text, size_t len, struct error *err)
{
	r->line++;
	if (memchr(text, '\0', len))
		return malformed(r, r->line, "a NUL byte", err);
	size_t before = r->joined.len;
	buf_add(&r->joined, text, len);
	const char *line = buf_text(&r->joined) + before;
	const char *start = line + strspn(line, WHITE_SPACE);
	if (*start == '#' || *start == ';') {
		buf_truncate(&r->joined, before);
		return 0;
	}

	/* A tab may stand anywhere; other control characters come from no editor. */
	if (quote_check(line, err) < 0)
		return at_line(r, r->line, err);
	if (!r->is_continued)
		r->first_line = r->line;
	if (!ends_in_backslash(line, len))
		return end_logical_line(r, err);
	r->joined.text[r->joined.len - 1] = ' ';
	r->is_continued = true;
	return 0;
}

static const char *line_end(const char *at, const char *end)
{
	const char *feed = memchr(at, '\n', (size_t)(end - at));
	if (!feed)
		feed = end;
	const char *carriage_return = memchr(at, '\r', (size_t)(feed - at));
	return carriage_return ? carriage_return : feed;
}

int unitfile_parse(const char *name, const char *text, size_t len, struct unitdoc *ret,
		struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(reader_done) struct reader r = { .doc = &doc, .name = name };
	const char *at = text, *end = text + len;

	if (len >= 3 && !memcmp(at, BYTE_ORDER_MARK, 3))
		at += 3;
	while (at < end) {
		const char *stop = line_end(at, end);
		int result = read_physical_line(&r, at, (size_t)(stop - at), err);
		if (result < 0)
			return result;
		/* CR LF and LF CR are one end of line, two of a kind are two. */
		if (end - stop > 1 && (stop[1] == '\n' || stop[1] == '\r') && stop[1] != stop[0])
			stop++;
		at = stop < end ? stop + 1 : end;
	}
	if (r.is_continued) {
		int result = end_logical_line(&r, err);
		if (result < 0)
			return result;
	}
	*ret = doc;
	doc = (struct unitdoc){};
	return 0;
}

void unitdoc_done(struct unitdoc *doc)
{
	free(doc->entries);
	arena_done(&doc->memory);
	*doc = (struct unitdoc){};
}

static bool matches(const struct unitdoc_entry *entry, const char *section, const char *key)
{
	return !strcmp(entry->section, section) && (!key || !strcmp(entry->key, key));
}

const struct unitdoc_entry *unitdoc_next(const struct unitdoc *doc, const char *section,
		const char *key, const struct unitdoc_entry *last)
{
	size_t first = last ? (size_t)(last - doc->entries) + 1 : 0;
	if (key && !last)
		for (size_t i = 0; i < doc->n; i++)
			if (matches(&doc->entries[i], section, key) && !*doc->entries[i].value)
				first = i + 1;
	for (size_t i = first; i < doc->n; i++)
		if (matches(&doc->entries[i], section, key))
			return &doc->entries[i];
	return NULL;
}

const struct unitdoc_entry *unitdoc_get(
		const struct unitdoc *doc, const char *section, const char *key)
{
	for (size_t i = doc->n; i-- > 0;)
		if (matches(&doc->entries[i], section, key))
			return *doc->entries[i].value ? &doc->entries[i] : NULL;
	return NULL;
}

int unitfile_split_words(const char *value, struct strv *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv words = {};
	for (;;) {
		CLEANUP(buf_done) struct buf word = {};
		int r = quote_next_word(&value, false, &word, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		strv_push_take(&words, buf_take(&word));
	}
	strv_extend(ret, &words);
	return 0;
}

void unit_exec_done(struct unit_exec *exec)
{
	free(exec->prefix);
	free(exec->path);
	free(exec->variable);
	strv_done(&exec->argv);
	*exec = (struct unit_exec){};
}

int unitfile_final_argv(const struct strv *property, struct strv *ret, char **ret_variable,
		struct error *err)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(freep) char *variable = NULL;

	for (size_t i = 0; i < property->n; i++) {
		CLEANUP(freep) char *word = xstrdup(property->items[i]);
		int r = quote_undo_dollars(word, err);
		if (r < 0)
			return r;
		if (r == 0)
			strv_push_take(&argv, take_ptr(word));
		else if (i == 0 || i + 1 < property->n)
			return error_set(err, EINVAL, "the variable '%.100s' is not the last word",
					word);
		else
			variable = xstrdup(word + 1);
	}
	strv_extend(ret, &argv);
	if (ret_variable)
		*ret_variable = take_ptr(variable);
	return 0;
}

/* Is the next word an unquoted ';', which begins another command? */
static bool at_separator(const char *value)
{
	return value[0] == ';' && (!value[1] || strchr(WHITE_SPACE, value[1]));
}

/* Words of a command line, quotes and '%' undone. The first still has its prefix. */
static int command_words(const char *value, struct strv *words, struct error *err)
{
	value += strspn(value, WHITE_SPACE);
	while (*value) {
		CLEANUP(buf_done) struct buf word = {};
		if (at_separator(value))
			return error_set(err, EINVAL, "more than one command (';')");
		/* "\;" is no escape of C's, but is read as ';' where it is a word of its own. */
		if (value[0] == '\\' && at_separator(value + 1)) {
			buf_putc(&word, ';');
			value += 2 + strspn(value + 2, WHITE_SPACE);
		} else {
			int r = quote_next_word(&value, true, &word, err);
			if (r < 0)
				return r;
		}
		CLEANUP(freep) char *text = buf_take(&word);
		int r = quote_undo_percent(text, err);
		if (r < 0)
			return r;
		strv_push_take(words, take_ptr(text));
	}
	return 0;
}

static int split_exec(const char *value, struct unit_exec *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(strv_done) struct strv raw = {};
	CLEANUP(buf_done) struct buf prefix = {};
	int r = command_words(value, &words, err);
	if (r < 0)
		return r;
	if (words.n == 0)
		return error_set(err, EINVAL, "it is empty");

	bool apart = false;
	const char *path = words.items[0];
	for (; *path && strchr("-@:+!", *path); path++)
		if (*path == '@')
			apart = true;
		else
			buf_putc(&prefix, *path);
	/* '|' gives the command to a shell, since systemd 258. */
	if (!*path || *path == '|' || (apart && words.n < 2))
		return error_set(err, EINVAL, "there is no program");
	ret->path = xstrdup(path);
	ret->prefix = buf_take(&prefix);

	if (!apart)
		strv_push(&raw, path);
	for (size_t i = 1; i < words.n; i++)
		strv_push(&raw, words.items[i]);
	if (!strchr(ret->prefix, ':'))
		return unitfile_final_argv(&raw, &ret->argv, &ret->variable, err);
	strv_extend(&ret->argv, &raw);
	return 0;
}

int unitfile_split_exec(const char *value, struct unit_exec *ret, struct error *err)
{
	CLEANUP(unit_exec_done) struct unit_exec exec = {};
	int r = split_exec(value, &exec, err);
	if (r < 0) {
		error_wrap(err, "cannot read the command line");
		return r;
	}
	*ret = exec;
	exec = (struct unit_exec){};
	return 0;
}
