/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines, by the rows of command.h. */
#include "cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include "cli/suggest.h"
#include "util/mem.h"
#include "util/parse.h"

#define CONFIG_DIR_VARIABLE "MACHINA_CONFIG_DIR"

/* getopt_long(3) over the words behind a command's name, with our rows for its own. */
#define WALK_OPTIONS_MAX 48
#define WALK_LONG_BASE 256 /* getopt's values for long options: this plus the row's number */

struct walk {
	const struct option_spec *rows[WALK_OPTIONS_MAX];
	size_t n_rows;
	struct option longs[WALK_OPTIONS_MAX + 1];
	char shorts[2 + 2 * WALK_OPTIONS_MAX + 1];
	int argc;
	char **argv;
	bool options_ended; /* by "--", or by a word where getopt stops at words */
	bool dashes_seen;   /* it was "--" */
};

enum item_kind {
	ITEM_END,
	ITEM_WORD,
	ITEM_OPTION,
	ITEM_UNKNOWN,	     /* no such option, or a name cut too short */
	ITEM_VALUE_MISSING,  /* it is the last word */
	ITEM_VALUE_UNWANTED, /* "--flag=value" */
};

struct item {
	enum item_kind kind;
	const struct option_spec *option;
	const char *text; /* the word, or the option's value */
};

/* @argv: of the words, behind the command's own name in argv[0] */
static void walk_start(struct walk *w, const struct command *command, int argc, char **argv)
{
	*w = (struct walk){ .argc = argc, .argv = argv };
	const struct option_spec *tables[OPTION_TABLES_MAX];
	size_t n_tables = command_option_tables(command, tables);
	char *shorts = w->shorts;

	/* "+": stop at the first word, the name of a sub-command. "-": words come as they stand. */
	*shorts++ = command->subcommands ? '+' : '-';
	*shorts++ = ':';
	for (size_t i = 0; i < n_tables; i++)
		for (const struct option_spec *o = tables[i]; o->name; o++) {
			assert(w->n_rows < WALK_OPTIONS_MAX);
			w->longs[w->n_rows] = (struct option){
				.name = o->name,
				.has_arg = o->kind == OPTION_FLAG ? no_argument : required_argument,
				.val = WALK_LONG_BASE + (int)w->n_rows,
			};
			w->rows[w->n_rows++] = o;
			if (!o->short_name)
				continue;
			*shorts++ = o->short_name;
			if (o->kind != OPTION_FLAG)
				*shorts++ = ':';
		}
	opterr = 0;
	optind = 0; /* glibc: begin anew, with what the first characters of the list say */
}

static const struct option_spec *walk_row(const struct walk *w, int value)
{
	if (value >= WALK_LONG_BASE)
		return w->rows[value - WALK_LONG_BASE];
	for (size_t i = 0; i < w->n_rows; i++)
		if (w->rows[i]->short_name == value)
			return w->rows[i];
	return NULL;
}

static struct item walk_next(struct walk *w)
{
	int c = w->options_ended ? -1 : getopt_long(w->argc, w->argv, w->shorts, w->longs, NULL);
	if (c == -1 && !w->options_ended) {
		w->options_ended = true;
		w->dashes_seen = optind > 1 && !strcmp(w->argv[optind - 1], "--");
	}
	if (c == -1 && optind >= w->argc)
		return (struct item){ ITEM_END };
	if (c == -1)
		return (struct item){ ITEM_WORD, .text = w->argv[optind++] };
	if (c == 1)
		return (struct item){ ITEM_WORD, .text = optarg };
	if (c == ':')
		return (struct item){ ITEM_VALUE_MISSING, walk_row(w, optopt) };
	if (c != '?')
		return (struct item){ ITEM_OPTION, walk_row(w, c), optarg };
	if (optopt >= WALK_LONG_BASE)
		return (struct item){ ITEM_VALUE_UNWANTED, walk_row(w, optopt) };
	/* The word of a bundle is still the current one unless this was its last letter. */
	return (struct item){ ITEM_UNKNOWN, NULL, optopt ? NULL : w->argv[optind - 1] };
}

static int unknown_option(const struct walk *w, const char *word, struct error *err)
{
	if (!word)
		return error_set(err, EINVAL, "unknown option '-%c'", optopt);

	CLEANUP(freep) char *name = xstrndup(word + 2, strcspn(word + 2, "="));
	struct suggestion s = {};
	suggestion_start(&s, name);
	for (size_t i = 0; i < w->n_rows; i++)
		suggestion_try(&s, w->rows[i]->name);
	if (s.n_continued > 1)
		return error_set(err, EINVAL,
				"option '--%s' could be '--%s', '--%s'%s: write more of it", name,
				s.continued[0], s.continued[1],
				s.n_continued > 2 ? " or others" : "");
	if (s.nearest)
		return error_set(err, EINVAL, "unknown option '--%s'; did you mean '--%s'?", name,
				s.nearest);
	return error_set(err, EINVAL, "unknown option '--%s'", name);
}

int command_unknown(const struct command *parent, const char *word, struct error *err)
{
	struct suggestion s = {};
	if (!parent->subcommands)
		return error_set(err, EINVAL, "'%s' has no sub-commands", parent->name);
	/* The Go program's way into its place, which scripts may still go. */
	if (!parent->name[0] && !strcmp(word, "install"))
		return error_set(err, EINVAL,
				"unknown command 'install': a package or 'meson install' installs "
				"this program, and '" PROGRAM_NAME
				" init' makes the directories of the config");
	suggestion_start(&s, word);
	for (const struct command *const *c = parent->subcommands; *c; c++)
		if (!((*c)->flags & COMMAND_HIDDEN))
			suggestion_try(&s, command_word(*c));
	const char *nearest = s.nearest;
	return error_set(err, EINVAL, "unknown command '%s%s%s'%s%s%s", parent->name,
			parent->name[0] ? " " : "", word, nearest ? "; did you mean '" : "",
			nearest ? nearest : "", nearest ? "'?" : "");
}

static int bad_value(const struct option_spec *o, const char *value, const char *expected,
		struct error *err)
{
	return error_set(err, EINVAL, "option '--%s' takes %s, not '%s'", o->name, expected, value);
}

static int store_choice(const struct option_spec *o, const char *value, int *ret, struct error *err)
{
	CLEANUP(buf_done) struct buf expected = {};
	for (int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], value)) {
			*ret = i;
			return 0;
		}
		buf_printf(&expected, "%s'%s'",
				!i		    ? ""
				: o->choices[i + 1] ? ", "
						    : " or ",
				o->choices[i]);
	}
	return bad_value(o, value, buf_text(&expected), err);
}

static int store(const struct option_spec *o, const char *value, void *target, struct error *err)
{
	void *member = (char *)target + o->offset;
	CLEANUP(freep) char *range = NULL;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TEXT:
		/* An empty value is a variable that was not set; "--root ''" would mean "/". */
		if (!value[0])
			return error_set(err, EINVAL, "the value of option '--%s' is empty",
					o->name);
		*(const char **)member = value;
		return 0;
	case OPTION_LIST:
		strv_push(member, value);
		return 0;
	case OPTION_INT:
		if (parse_int(value, o->min, o->max, member) == 0)
			return 0;
		range = xasprintf("a whole number from %d to %d", o->min, o->max);
		return bad_value(o, value, range, err);
	case OPTION_SPAN:
		/* 0 stands for an option that was not given. */
		if (parse_span(value, member) == 0 && *(const uint64_t *)member)
			return 0;
		return bad_value(o, value, "a time above 0 such as \"90s\" or \"1m30s\"", err);
	case OPTION_CHOICE:
		return store_choice(o, value, member, err);
	default:
		assert(false && "an option of no kind");
		return -EINVAL;
	}
}

static int item_error(const struct walk *w, const struct item *item, struct error *err)
{
	const struct option_spec *o = item->option;
	if (item->kind == ITEM_VALUE_MISSING) {
		assert(o);
		return error_set(err, EINVAL, "option '--%s' needs a value: %s", o->name, o->value);
	}
	if (item->kind == ITEM_VALUE_UNWANTED) {
		assert(o);
		return error_set(err, EINVAL, "option '--%s' takes no value", o->name);
	}
	return unknown_option(w, item->text, err);
}

/*
 * The words of one command. Returns 0; 1 at the name of a sub-command, with @ret_word.
 *
 * @end: NULL to stop at the first fault; else faults are passed over
 */
static int read_words(struct call *call, struct walk *w, struct line_end *end,
		const char **ret_word, struct error *err)
{
	for (;;) {
		int r = 0;
		struct item item = walk_next(w);
		switch (item.kind) {
		case ITEM_END:
			return 0;
		case ITEM_WORD:
			if (call->command->subcommands) {
				*ret_word = item.text;
				return 1;
			}
			strv_push(&call->words, item.text);
			break;
		case ITEM_OPTION:
			assert(item.option);
			if (end)
				strv_push(&end->given, item.option->name);
			r = store(item.option, item.text, option_target(call, item.option), err);
			break;
		case ITEM_VALUE_MISSING:
			if (end)
				end->awaits_value = item.option;
			r = item_error(w, &item, err);
			break;
		case ITEM_UNKNOWN:
		case ITEM_VALUE_UNWANTED:
			r = item_error(w, &item, err);
			break;
		}
		if (r < 0 && !end)
			return r;
	}
}

static void free_options(struct call *call)
{
	if (!call->options)
		return;
	for (const struct option_spec *o = call->command->options; o->name; o++)
		if (o->kind == OPTION_LIST)
			strv_done((struct strv *)((char *)call->options + o->offset));
	free(call->options);
}

static void enter(struct call *call, const struct command *command)
{
	free_options(call);
	call->command = command;
	call->options = command->options ? xcalloc(1, command->options_size) : NULL;
}

/* @end: as for read_words() */
static int call_read(
		struct call *call, int argc, char **argv, struct line_end *end, struct error *err)
{
	enter(call, &program);
	for (;;) {
		struct walk w;
		const char *word = NULL;
		walk_start(&w, call->command, argc, argv);
		int r = read_words(call, &w, end, &word, err);
		if (r <= 0) {
			if (end)
				end->only_words = w.dashes_seen;
			return r;
		}
		const struct command *next = command_find(call->command, word);
		if (!next) {
			if (end)
				end->lost = true;
			return command_unknown(call->command, word, err);
		}
		enter(call, next);
		argc -= optind - 1;
		argv += optind - 1;
	}
}

static int check_subcommand(const struct command *command, struct error *err)
{
	if (command == &program)
		return error_set(err, EINVAL, "a command is missing");

	CLEANUP(buf_done) struct buf names = {};
	for (const struct command *const *c = command->subcommands; *c; c++)
		buf_printf(&names, "%s'%s'", c == command->subcommands ? "" : ", ",
				command_word(*c));
	return error_set(err, EINVAL, "'%s' needs one of %s", command->name, buf_text(&names));
}

static int check_words(const struct call *call, struct error *err)
{
	const struct command *c = call->command;
	size_t i = 0;

	for (const struct argument *a = c->arguments; a && a->name; a++, i++) {
		if (a->flags & ARGUMENT_MANY && i < call->words.n)
			return 0;
		if (i < call->words.n || a->flags & ARGUMENT_OPTIONAL)
			continue;
		if (!(c->flags & COMMAND_SELECTS))
			return error_set(err, EINVAL, "'%s' needs %s", c->name, a->name);
		if (!call->machines.all && !call->machines.tags.n)
			return error_set(err, EINVAL, "'%s' needs %s, --all or --tag", c->name,
					a->name);
	}
	if (i < call->words.n)
		return error_set(err, EINVAL, "'%s' takes no argument '%s'", c->name,
				call->words.items[i]);
	return 0;
}

static int call_check(const struct call *call, struct error *err)
{
	const struct command *c = call->command;
	const struct common_options *common = &call->common;

	if (common->help || common->version)
		return 0;
	if (c->subcommands)
		return check_subcommand(c, err);
	if (common->root && !command_takes_root(c))
		return error_set(err, EINVAL, "'%s' takes no option '--root'", c->name);
	if (common->config_dir && !(c->flags & COMMAND_FILES))
		return error_set(err, EINVAL, "'%s' takes no option '--config-dir'", c->name);
	return check_words(call, err);
}

static void call_finish(struct call *call)
{
	const struct common_options *common = &call->common;

	if (call->command->flags & COMMAND_SELECTS) {
		call->machines.patterns = call->words;
		call->words = (struct strv){};
	}
	if (call->command->flags & COMMAND_FILES)
		config_paths_init(&call->paths, common->root,
				common->config_dir ? common->config_dir
						   : getenv(CONFIG_DIR_VARIABLE));
}

int call_parse(struct call *ret, int argc, char **argv, struct error *err)
{
	*ret = (struct call){};
	int r = call_read(ret, argc, argv, NULL, err);
	if (r == 0)
		r = call_check(ret, err);
	if (r == 0)
		call_finish(ret);
	return r;
}

void call_read_unfinished(struct call *ret, int argc, char **argv, struct line_end *ret_end)
{
	*ret = (struct call){};
	*ret_end = (struct line_end){};
	struct error unused;
	if (call_read(ret, argc, argv, ret_end, &unused) < 0)
		return;
	call_finish(ret);
	if (config_paths_follow(&ret->paths, &unused) < 0)
		config_paths_done(&ret->paths);
}

void call_done(struct call *call)
{
	free_options(call);
	strv_done(&call->words);
	strv_done(&call->machines.patterns);
	strv_done(&call->machines.tags);
	config_paths_done(&call->paths);
	*call = (struct call){};
}

void line_end_done(struct line_end *end)
{
	strv_done(&end->given);
	*end = (struct line_end){};
}
