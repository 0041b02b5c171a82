/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing the text of a systemd unit file. */
#include "unit/unitfile.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "unit/quote.h"
#include "unit/setting.h"
#include "util/mem.h"

/* LONG_LINE_MAX of systemd's src/basic/fileio.h: a line, joined or not, must be shorter. */
#define LINE_MAX_BYTES ((size_t)1024 * 1024)
#define PREFIXES "-@:+!|" /* '|' since systemd 258 */
#define NEXT_LINE " \\\n\t"

void unitfile_done(struct unitfile *u)
{
	buf_done(&u->text);
	*u = (struct unitfile){};
}

static bool failed(const struct unitfile *u)
{
	return u->error.code != 0;
}

/* Put what the failure is about in front of it. */
static void wrap(struct unitfile *u, const char *what)
{
	error_wrap(&u->error, "cannot write '%s' into a unit", what);
}

/* Keep a failure, if it is the first. */
#define FAIL(u, what, code, ...)                                                                   \
	do {                                                                                       \
		if (failed(u))                                                                     \
			break;                                                                     \
		error_set(&(u)->error, code, __VA_ARGS__);                                         \
		wrap(u, what);                                                                     \
	} while (0)
#define REFUSE(u, what, ...) FAIL(u, what, EINVAL, __VA_ARGS__)

/* May this text be written at all? Keeps the failure if not. */
static bool is_text(struct unitfile *u, const char *what, const char *text)
{
	if (failed(u))
		return false;
	if (quote_check(text, &u->error) == 0)
		return true;
	wrap(u, what);
	return false;
}

/* Letters, digits and @others, of which there is at least one. */
static bool is_name(const char *text, const char *others)
{
	const char *at = text;
	while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			(*at >= '0' && *at <= '9') || (*at && strchr(others, *at)))
		at++;
	return at != text && !*at;
}

void unitfile_comment(struct unitfile *u, const char *text)
{
	if (is_text(u, "#", text))
		buf_printf(&u->text, "# %s\n", text);
}

void unitfile_section(struct unitfile *u, const char *name)
{
	if (failed(u))
		return;
	if (!is_name(name, "-")) {
		REFUSE(u, "[]", "'%.100s' is not the name of a section", name);
		return;
	}
	buf_printf(&u->text, "%s[%s]\n", u->text.len ? "\n" : "", name);
	u->is_extension = !strncmp(name, "X-", 2);
}

/*
 * Begin an assignment: all that follows goes to its value, until end(). After a failure the text
 * is never seen, so that what was written of the value does no harm.
 *
 * Returns where the line begins.
 */
static size_t begin(struct unitfile *u, const char *key)
{
	size_t start = u->text.len;
	buf_puts(&u->text, key);
	buf_putc(&u->text, '=');
	return start;
}

static void end(struct unitfile *u, const char *key, size_t start)
{
	/* Elsewhere only known settings get this far. */
	if (u->is_extension && !is_name(key, "")) {
		REFUSE(u, key, "it is not the name of a setting");
		return;
	}
	if (u->text.len - start >= LINE_MAX_BYTES)
		FAIL(u, key, E2BIG, "the line would be longer than systemd reads (%zu bytes)",
				LINE_MAX_BYTES);
	buf_putc(&u->text, '\n');
}

/* Text that is not unquoted must not hold what would end it, join lines or be taken away. */
static void put_text(struct unitfile *u, const char *key, const char *value,
		void (*quote)(struct buf *b, const char *text))
{
	char first = value[0], last = value[strlen(value) - 1];
	if (first == ' ' || first == '\t' || last == ' ' || last == '\t') {
		REFUSE(u, key, "white space at either end would be lost");
		return;
	}
	quote(&u->text, value);
	/* A line that ends in a backslash goes on; a space after it is dropped by the reader. */
	if (last == '\\')
		buf_putc(&u->text, ' ');
}

static bool lacks(struct unitfile *u, const char *key, const char *value, const char *refused)
{
	size_t at = strcspn(value, refused);
	if (!value[at])
		return true;
	REFUSE(u, key, "'%c' cannot stand in its value '%.200s'", value[at], value);
	return false;
}

/* "PATH VALUE" */
static void put_device(struct unitfile *u, const char *key, const char *value)
{
	const char *space = strrchr(value, ' ');
	if (!space || space == value) {
		REFUSE(u, key, "expected a path, a space and a value, found '%.200s'", value);
		return;
	}
	CLEANUP(freep) char *path = xstrndup(value, (size_t)(space - value));
	if (!lacks(u, key, space + 1, "\"'\\%\t"))
		return;
	quote_word(&u->text, path, QUOTE_PERCENT);
	buf_puts(&u->text, space);
}

/* How the value of a setting is written here: in an extension section always as words. */
static enum setting_syntax syntax_of(const struct unitfile *u, const char *key)
{
	return u->is_extension ? SETTING_UNKNOWN : setting_find(key);
}

/* A word in its usual spelling. */
static void put_word(struct unitfile *u, const char *key, const char *word, unsigned flags)
{
	size_t plain = quote_plain(word);
	if (plain)
		buf_add(&u->text, word, plain);
	else if (is_text(u, key, word))
		quote_word(&u->text, word, flags);
}

static void put_value(
		struct unitfile *u, const char *key, const char *value, enum setting_syntax syntax)
{
	/* Most values stand for themselves. These do nowhere: */
	bool is_special = syntax == SETTING_EXEC || syntax == SETTING_DEVICE ||
			  (syntax == SETTING_UNKNOWN && !u->is_extension);
	size_t plain = is_special ? 0 : quote_plain(value);
	if (plain) {
		buf_add(&u->text, value, plain);
		return;
	}
	if (!is_text(u, key, value))
		return;
	struct buf *to = &u->text;
	switch (syntax) {
	case SETTING_UNKNOWN:
		if (u->is_extension)
			quote_word(to, value, 0);
		else
			REFUSE(u, key, "it is not known how systemd reads this setting");
		break;
	case SETTING_PLAIN:
		if (lacks(u, key, value, "\"'\\"))
			put_text(u, key, value, buf_puts);
		break;
	case SETTING_TEXT:
		put_text(u, key, value, quote_percent);
		break;
	case SETTING_NAMES:
		if (lacks(u, key, value, "\"'\\"))
			put_text(u, key, value, quote_percent);
		break;
	case SETTING_UNITS:
		if (lacks(u, key, value, "\"'"))
			put_text(u, key, value, quote_percent);
		break;
	case SETTING_WORDS:
		quote_word(to, value, QUOTE_PERCENT);
		break;
	case SETTING_BIND:
		quote_word(to, value, QUOTE_PERCENT | QUOTE_COLON);
		break;
	case SETTING_DIRECTORIES:
		quote_directory(to, value);
		break;
	case SETTING_DEVICE:
		put_device(u, key, value);
		break;
	case SETTING_GLOB:
		put_text(u, key, value, quote_glob);
		break;
	case SETTING_EXEC:
		REFUSE(u, key, "it is a command line");
		break;
	}
}

void unitfile_set(struct unitfile *u, const char *key, const char *value)
{
	enum setting_syntax syntax = syntax_of(u, key);
	size_t start = begin(u, key);
	/* An unknown setting is refused there, without a value too. */
	if (*value || syntax == SETTING_UNKNOWN)
		put_value(u, key, value, syntax);
	end(u, key, start);
}

void unitfile_setf(struct unitfile *u, const char *key, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *value = xvasprintf(format, ap);
	va_end(ap);
	unitfile_set(u, key, value);
}

void unitfile_bind(struct unitfile *u, const char *key, const char *path, const char *place)
{
	size_t start = begin(u, key);
	if (syntax_of(u, key) != SETTING_BIND)
		REFUSE(u, key, "it does not take a path and its place");
	else if (is_text(u, key, path) && is_text(u, key, place)) {
		quote_word(&u->text, path, QUOTE_PERCENT | QUOTE_COLON);
		buf_putc(&u->text, ':');
		quote_word(&u->text, place, QUOTE_PERCENT | QUOTE_COLON);
	}
	end(u, key, start);
}

void unitfile_set_words(struct unitfile *u, const char *key, const struct strv *words)
{
	enum setting_syntax syntax = syntax_of(u, key);
	bool names = syntax == SETTING_NAMES || syntax == SETTING_UNITS;
	bool list = names || syntax == SETTING_WORDS || syntax == SETTING_DIRECTORIES;

	if (words->n == 0 || (!list && !u->is_extension))
		REFUSE(u, key, words->n ? "it does not take a list of words" : "no words");
	size_t start = begin(u, key);
	for (size_t i = 0; i < words->n && !failed(u); i++) {
		if (i)
			buf_putc(&u->text, ' ');
		if (names && !lacks(u, key, words->items[i], " \t"))
			break;
		if (*words->items[i] || u->is_extension)
			put_value(u, key, words->items[i], syntax);
		else
			REFUSE(u, key, "an empty word");
	}
	end(u, key, start);
}

void unitfile_set_rows(struct unitfile *u, const char *key, const struct buf *rows)
{
	const char *at = buf_text(rows), *past = at + rows->len;
	if (!u->is_extension)
		REFUSE(u, key, "rows stand in sections of our own alone");
	/* Behind the words of each there is one more NUL. */
	for (; at < past && !failed(u); at++) {
		size_t start = begin(u, key);
		for (const char *first = at; *at; at += strlen(at) + 1) {
			if (at != first)
				buf_putc(&u->text, ' ');
			put_word(u, key, at, 0);
		}
		end(u, key, start);
	}
}

void unitfile_add_lines(struct unitfile *u, const char *lines)
{
	buf_puts(&u->text, lines);
}

/* Names no file, whatever is there: path_implies_directory() of later versions. */
static bool is_directory_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	return !*last || !strcmp(last, ".") || !strcmp(last, "..");
}

/* The conditions of config_parse_exec() in systemd's src/core/load-fragment.c. */
static bool is_program(struct unitfile *u, const char *key, const char *path)
{
	size_t len = strlen(path);
	if (!lacks(u, key, path, "\"'\\\t"))
		return false;
	bool good = path[0] == '/' ? len < PATH_MAX
				   : len <= NAME_MAX && !strchr(path, '/') &&
						     !strchr(PREFIXES ";", path[0]);
	if (good && !is_directory_path(path))
		return true;
	REFUSE(u, key, "'%.200s' is neither an absolute path nor the name of a program", path);
	return false;
}

static bool is_variable(const char *name)
{
	return is_name(name, "_") && !strchr("0123456789", *name);
}

struct command {
	const char *prefix;
	const struct strv *argv;
	const char *variable;
	const struct strv *inside;    /* variables within arguments; NULL: none */
	option_length *option_length; /* NULL: all in one line */
};

/* One that may have a variable in it. */
static void put_argument(
		struct unitfile *u, const char *key, const struct command *c, const char *word)
{
	if (is_text(u, key, word))
		quote_word_around(&u->text, word, c->inside);
}

static void put_command(struct unitfile *u, const char *key, const struct command *c)
{
	const struct strv *argv = c->argv;
	struct buf *to = &u->text;
	bool special = false, expands = !strchr(c->prefix, ':');

	if (argv->n == 0 || c->prefix[strspn(c->prefix, "-+!:")])
		REFUSE(u, key, "a command needs a program and a prefix of systemd's");
	for (size_t i = 0; c->inside && i < c->inside->n; i++)
		if (!is_variable(c->inside->items[i]) || !c->variable)
			REFUSE(u, key, "'${%.100s}' would not be expanded", c->inside->items[i]);
	if (c->variable && (!is_variable(c->variable) || !expands))
		REFUSE(u, key, "'$%.100s' would not be expanded", c->variable);
	for (size_t i = 0; i < argv->n && !c->variable; i++)
		special = special || quote_needs_dollars(argv->items[i]);
	if (failed(u) || !is_program(u, key, argv->items[0]))
		return;

	bool stop_expansion = special && expands;
	unsigned flags = QUOTE_PERCENT | (expands && c->variable ? QUOTE_DOLLAR : 0);
	/* The path is never expanded but argv[0] is, so the two are spelled apart with '@'. */
	bool apart = flags & QUOTE_DOLLAR && quote_needs_dollars(argv->items[0]);

	CLEANUP(buf_done) struct buf first = {};
	char room[100]; /* for nearly all */
	buf_borrow(&first, room, sizeof(room));
	buf_puts(&first, c->prefix);
	buf_puts(&first, stop_expansion ? ":" : "");
	buf_puts(&first, apart ? "@" : "");
	buf_puts(&first, argv->items[0]);
	put_word(u, key, buf_text(&first), QUOTE_PERCENT);
	if (apart) {
		buf_putc(to, ' ');
		put_word(u, key, argv->items[0], flags);
	}
	size_t option = 1;
	for (size_t i = 1; i < argv->n; i++) {
		bool begins = c->option_length && i == option;
		if (begins)
			option += c->option_length(argv, i);
		/* A continued line begins with '-' or '$', so it is never taken for a comment. */
		if (begins && argv->items[i][0] == '-')
			buf_puts(to, NEXT_LINE);
		else
			buf_putc(to, ' ');
		if (c->inside && strstr(argv->items[i], "${"))
			put_argument(u, key, c, argv->items[i]);
		else
			put_word(u, key, argv->items[i], flags);
	}
	if (c->variable)
		buf_printf(to, "%s$%s", c->option_length ? NEXT_LINE : " ", c->variable);
}

static void set_command(struct unitfile *u, const char *key, const struct command *c)
{
	if (setting_find(key) != SETTING_EXEC)
		REFUSE(u, key, "it does not take a command line");
	size_t start = begin(u, key);
	put_command(u, key, c);
	end(u, key, start);
}

void unitfile_exec(struct unitfile *u, const char *key, const char *prefix, const struct strv *argv)
{
	set_command(u, key, &(struct command){ .prefix = prefix, .argv = argv });
}

void unitfile_exec_long(
		struct unitfile *u, const char *key, const struct strv *argv, option_length *length)
{
	unitfile_exec_inside(u, key, "", argv, length, NULL, NULL);
}

void unitfile_exec_inside(struct unitfile *u, const char *key, const char *prefix,
		const struct strv *argv, option_length *length, const char *variable,
		const struct strv *inside)
{
	set_command(u, key,
			&(struct command){ .prefix = prefix,
					.argv = argv,
					.variable = variable,
					.inside = inside,
					.option_length = length });
}

int unitfile_finish(struct unitfile *u, char **ret_text, struct error *err)
{
	if (failed(u)) {
		if (err)
			*err = u->error;
		return -u->error.code;
	}
	*ret_text = buf_take(&u->text);
	unitfile_done(u);
	return 0;
}

/* The value is read twice: load_env_file() takes the outer quotes, replace_env_argv() the words. */
int unitfile_environment(
		struct buf *b, const char *name, const struct strv *words, struct error *err)
{
	CLEANUP(buf_done) struct buf value = {};
	if (!is_variable(name))
		return error_set(err, EINVAL, "'%.100s' is not the name of a variable", name);
	for (size_t i = 0; i < words->n; i++) {
		int r = quote_check(words->items[i], err);
		if (r < 0) {
			error_wrap(err, "cannot put a word into the variable '%s'", name);
			return r;
		}
		if (i)
			buf_putc(&value, ' ');
		quote_word(&value, words->items[i], 0);
	}
	buf_printf(b, "%s=\"", name);
	for (const char *at = buf_text(&value); *at; at++) {
		if (strchr("\"\\`$", *at))
			buf_putc(b, '\\');
		buf_putc(b, *at);
	}
	buf_puts(b, "\"\n");
	return 0;
}
