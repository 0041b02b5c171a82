/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines are read, refused and completed by the rows of a small program of their own. */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/complete.h"
#include "cli/help.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

struct fly_options {
	bool fast;
	const char *plan;
	struct strv guests;
	int height;
	uint64_t timeout_usec;
	int wing;
	bool json;
};

static const char *const wing_names[] = { "both", "left", "right", NULL };

static const struct option_spec fly_rows[] = {
	{ 'f', "fast", NULL, OPT_FLAG(struct fly_options, fast), "Fly fast" },
	{ 'p', "plan", "FILE", OPT_TEXT(struct fly_options, plan), "Fly by a plan",
			.complete = complete_files },
	{ 0, "guest", "NAME", OPT_LIST(struct fly_options, guests), "Take a guest along" },
	{ 0, "height", "N", OPT_INT(struct fly_options, height, 1, 99), "Fly at this height" },
	{ 0, "timeout", "TIME", OPT_SPAN(struct fly_options, timeout_usec), "Land after this" },
	{ 0, "wing", "WING", OPT_CHOICE(struct fly_options, wing, wing_names), "Look here" },
	OPTION_JSON(struct fly_options, json),
	{},
};

static int no_run(const struct call *call, struct error *err)
{
	(void)call;
	return error_set(err, ENOSYS, "this program is read, not run");
}

static const struct argument fly_arguments[] = {
	{ "FROM", 0, complete_directories },
	{ "TO", ARGUMENT_OPTIONAL },
	{},
};

static const struct command fly = {
	.name = "fly",
	.arguments = fly_arguments,
	.summary = "Fly",
	.description = "First paragraph of many words that do not fit into one line of the help of "
		       "this command.\n\nSecond paragraph.",
	.options = fly_rows,
	.options_size = sizeof(struct fly_options),
	.run = no_run,
};
static const struct command halt = {
	.name = "halt",
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines,
	.summary = "Halt machines",
	.run = no_run,
};
static const struct command show = {
	.name = "show",
	.flags = COMMAND_FILES | COMMAND_SELECTS,
	.arguments = arguments_machines_optional,
	.summary = "Show machines",
	.run = no_run,
};
static const struct command build_nest = {
	.name = "build nest",
	.arguments = arguments_machine,
	.summary = "Build a nest",
	.run = no_run,
};
static const struct command build_wall = {
	.name = "build wall",
	.summary = "Build a wall",
	.run = no_run,
};
static const struct command build = {
	.name = "build",
	.summary = "Build",
	.subcommands = (const struct command *const[]){ &build_nest, &build_wall, NULL },
};
static const struct command secret = {
	.name = "_secret",
	.flags = COMMAND_HIDDEN,
	.summary = "Not shown",
	.run = no_run,
};
const struct command program = {
	.name = "",
	.summary = "A program of tests",
	.subcommands = (const struct command *const[]){ &fly, &halt, &show, &build, &secret, NULL },
};

/* What the line being read is made of: the call borrows from it. */
static struct strv line;

/* @words: NULL-terminated, behind the program's name */
static int parse(struct call *call, const char *const *words, struct error *err)
{
	strv_clear(&line);
	strv_push(&line, PROGRAM_NAME);
	for (; *words; words++)
		strv_push(&line, *words);
	return call_parse(call, (int)line.n, line.items, err);
}

#define PARSE(call, err, ...) parse((call), (const char *const[]){ __VA_ARGS__, NULL }, (err))

/* The words are refused with exactly this text. */
#define CHECK_REFUSED(wanted, ...)                                                                 \
	do {                                                                                       \
		CLEANUP(call_done) struct call refused_ = {};                                      \
		struct error error_ = {};                                                          \
		CHECK_INT(PARSE(&refused_, &error_, __VA_ARGS__), -EINVAL);                        \
		CHECK_STR(error_.text, wanted);                                                    \
	} while (0)

TEST(every_kind_of_option_reaches_its_member)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "-f", "--plan=a b", "--guest", "x", "home", "--guest=y",
				  "--height", "99", "--timeout", "1m30s", "--wing=right"),
			0);
	const struct fly_options *o = call.options;
	CHECK(call.command == &fly);
	CHECK(o->fast);
	CHECK(!o->json);
	CHECK_STR(o->plan, "a b");
	CHECK_INT(o->guests.n, 2);
	CHECK_STR(o->guests.items[1], "y");
	CHECK_INT(o->height, 99);
	CHECK_INT(o->timeout_usec, 90 * 1000000);
	CHECK_INT(o->wing, 2);
	CHECK_INT(call.words.n, 1);
	CHECK_STR(call.words.items[0], "home");
}

TEST(what_is_not_given_is_zero)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "home"), 0);
	const struct fly_options *o = call.options;
	CHECK(!o->fast && !o->plan && !o->guests.n && !o->height && !o->timeout_usec && !o->wing);
}

TEST(short_options_may_be_bundled_and_hold_their_value)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "home", "-fjpx"), 0);
	const struct fly_options *o = call.options;
	CHECK(o->fast && o->json);
	CHECK_STR(o->plan, "x");
}

TEST(a_long_name_may_be_cut_where_it_stays_unique)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "home", "--fa", "--he=3"), -EINVAL);
	CHECK_STR(err.text, "option '--he' could be '--height', '--help': write more of it");
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "fly", "home", "--fa", "--hei=3"), 0);
	const struct fly_options *o = call.options;
	CHECK(o->fast);
	CHECK_INT(o->height, 3);
}

TEST(two_dashes_end_the_options)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "--", "--fast", "-j"), 0);
	const struct fly_options *o = call.options;
	CHECK(!o->fast && !o->json);
	CHECK_INT(call.words.n, 2);
	CHECK_STR(call.words.items[0], "--fast");
}

TEST(a_lone_dash_and_an_empty_word_are_words)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "fly", "-", ""), 0);
	CHECK_INT(call.words.n, 2);
}

TEST(posixly_correct_changes_nothing)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	setenv("POSIXLY_CORRECT", "1", 1);
	CHECK_INT(PARSE(&call, &err, "fly", "home", "--fast"), 0);
	unsetenv("POSIXLY_CORRECT");
	CHECK(((const struct fly_options *)call.options)->fast);
}

TEST(wrong_options_are_named)
{
	CHECK_REFUSED("unknown option '--fsat'; did you mean '--fast'?", "fly", "home", "--fsat");
	CHECK_REFUSED("unknown option '--nothing-like-it'", "fly", "home", "--nothing-like-it=3");
	CHECK_REFUSED("unknown option '-x'", "fly", "home", "-fx");
	CHECK_REFUSED("option '--plan' needs a value: FILE", "fly", "home", "--plan");
	CHECK_REFUSED("option '--plan' needs a value: FILE", "fly", "home", "-p");
	CHECK_REFUSED("option '--fast' takes no value", "fly", "home", "--fast=yes");
	CHECK_REFUSED("the value of option '--plan' is empty", "fly", "home", "--plan=");
}

TEST(wrong_values_are_shown_with_what_was_expected)
{
	CHECK_REFUSED("option '--height' takes a whole number from 1 to 99, not '100'", "fly", "h",
			"--height=100");
	CHECK_REFUSED("option '--height' takes a whole number from 1 to 99, not '1x'", "fly", "h",
			"--height=1x");
	CHECK_REFUSED("option '--timeout' takes a time above 0 such as \"90s\" or \"1m30s\", not "
		      "'soon'",
			"fly", "h", "--timeout", "soon");
	CHECK_REFUSED("option '--timeout' takes a time above 0 such as \"90s\" or \"1m30s\", not "
		      "'0s'",
			"fly", "h", "--timeout", "0s");
	CHECK_REFUSED("option '--wing' takes 'both', 'left' or 'right', not 'Left'", "fly", "h",
			"--wing", "Left");
}

TEST(wrong_numbers_of_words_are_refused)
{
	CHECK_REFUSED("'fly' needs FROM", "fly");
	CHECK_REFUSED("'fly' takes no argument 'c'", "fly", "a", "b", "c");
	CHECK_REFUSED("'build wall' takes no argument 'x'", "build", "wall", "x");
	CHECK_REFUSED("'build nest' needs MACHINE", "build", "nest");
	CHECK_REFUSED("'halt' needs MACHINE, --all or --tag", "halt");
}

TEST(wrong_commands_are_named)
{
	CHECK_REFUSED("unknown command 'hlat'; did you mean 'halt'?", "hlat");
	CHECK_REFUSED("unknown command 'sho'; did you mean 'show'?", "sho");
	CHECK_REFUSED("unknown command 'quux'", "quux");
	CHECK_REFUSED("unknown command ''", "");
	CHECK_REFUSED("unknown command 'secret'", "secret");
	CHECK_REFUSED("unknown command 'build tent'", "build", "tent");
	CHECK_REFUSED("'build' needs one of 'nest', 'wall'", "build");
	CHECK_REFUSED("a command is missing", "--no-color");
}

TEST(a_command_line_without_even_a_name_is_refused)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	char *argv[] = { NULL };
	CHECK_INT(call_parse(&call, 0, argv, &err), -EINVAL);
	CHECK_STR(err.text, "a command is missing");
}

TEST(sub_commands_are_found_behind_options)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "--no-color", "build", "--no-color", "nest", "web"), 0);
	CHECK(call.command == &build_nest);
	CHECK(call.common.no_color);
	CHECK_STR(call.words.items[0], "web");
}

TEST(help_is_given_whatever_is_missing)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "halt", "--help"), 0);
	CHECK(call.common.help && call.command == &halt);
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "build", "-h"), 0);
	CHECK(call.common.help && call.command == &build);
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "--version"), 0);
	CHECK(call.common.version && call.command == &program);
}

TEST(machines_are_selected_by_words_all_and_tags)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	CHECK_INT(PARSE(&call, &err, "halt", "web*", "--tag", "lab", "db", "--tag=desk"), 0);
	CHECK_INT(call.words.n, 0);
	CHECK_INT(call.machines.patterns.n, 2);
	CHECK_STR(call.machines.patterns.items[1], "db");
	CHECK_INT(call.machines.tags.n, 2);
	CHECK(!call.machines.all);
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "halt", "--all"), 0);
	CHECK(call.machines.all);
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "show"), 0);
}

TEST(the_config_directory_comes_from_option_then_environment_then_etc)
{
	CLEANUP(call_done) struct call call = {};
	struct error err = {};
	unsetenv("MACHINA_CONFIG_DIR");
	CHECK_INT(PARSE(&call, &err, "show"), 0);
	CHECK_STR(call.paths.config_dir, "/etc/machina");
	CHECK(!call.paths.offline);
	call_done(&call);

	setenv("MACHINA_CONFIG_DIR", "/env", 1);
	CHECK_INT(PARSE(&call, &err, "show"), 0);
	CHECK_STR(call.paths.config_dir, "/env");
	call_done(&call);
	CHECK_INT(PARSE(&call, &err, "show", "--config-dir", "/opt"), 0);
	CHECK_STR(call.paths.config_dir, "/opt");
	call_done(&call);

	setenv("MACHINA_CONFIG_DIR", "", 1);
	CHECK_INT(PARSE(&call, &err, "--root", "/mnt", "show"), 0);
	CHECK_STR(call.paths.machine_dir, "/mnt/etc/machina/machine.conf.d");
	CHECK(call.paths.offline);
	unsetenv("MACHINA_CONFIG_DIR");
}

TEST(places_are_refused_by_commands_that_read_no_files)
{
	CHECK_REFUSED("'fly' takes no option '--root'", "--root=/", "fly", "home");
	CHECK_REFUSED("'fly' takes no option '--config-dir'", "--config-dir=/", "fly", "home");
	CHECK_REFUSED("unknown option '--root'", "fly", "home", "--root=/");
	CHECK_REFUSED("the value of option '--root' is empty", "show", "--root=");
}

/* What is offered for the last word, one a line; the caller frees it. */
static char *offers(const char *const *words)
{
	char *text = NULL;
	size_t len;
	CLEANUP(strv_done) struct strv typed = {};
	for (; *words; words++)
		strv_push(&typed, *words);
	FILE *to = open_memstream(&text, &len);
	complete(to, typed.items, typed.n);
	fclose(to);
	return text;
}

#define CHECK_OFFERS(wanted, ...)                                                                  \
	do {                                                                                       \
		CLEANUP(freep)                                                                     \
		char *offered_ = offers((const char *const[]){ __VA_ARGS__, NULL });               \
		CHECK_STR(offered_, wanted);                                                       \
	} while (0)

TEST(commands_and_options_are_offered_with_what_they_do)
{
	CHECK_OFFERS("halt\tHalt machines\n", "h");
	CHECK_OFFERS("nest\tBuild a nest\nwall\tBuild a wall\n", "build", "");
	CHECK_OFFERS("--no-color\tNo colors on a terminal\n--help\tShow this help\n", "build",
			"wall", "-");
	CHECK_OFFERS("--fast\tFly fast\n", "fly", "--fa");
}

TEST(hidden_commands_are_not_offered)
{
	CHECK_OFFERS("", "_");
}

TEST(nothing_is_offered_behind_what_is_not_understood)
{
	CHECK_OFFERS("", "quux", "");
	CHECK_OFFERS("", "quux", "--");
	CHECK_OFFERS("", "build", "tent", "");
	CHECK_OFFERS("", "fly", "a", "b", "");
}

TEST(faults_further_left_do_not_matter)
{
	CHECK_OFFERS("--fast\tFly fast\n", "fly", "--bogus", "--height=0", "--fa");
}

TEST(values_are_offered_behind_their_option)
{
	CHECK_OFFERS(":files\n", "fly", "-p", "");
	CHECK_OFFERS(":files\n", "fly", "--plan", "x");
	CHECK_OFFERS(":files\n", "fly", "--plan=x");
	CHECK_OFFERS("left\n", "fly", "--wing", "l");
	CHECK_OFFERS("--wing=left\n", "fly", "--wing=l");
	CHECK_OFFERS("", "fly", "--fast=");
	CHECK_OFFERS("", "fly", "--height", "");
	CHECK_OFFERS(":directories\n", "--root", "");
}

TEST(words_are_offered_by_their_place)
{
	CHECK_OFFERS(":directories\n", "fly", "");
	CHECK_OFFERS(":directories\n", "fly", "--plan", "x", "-f", "");
	CHECK_OFFERS("", "fly", "home", "");
	CHECK_OFFERS(":directories\n", "fly", "--", "-");
}

TEST(an_option_is_offered_once_unless_it_repeats)
{
	CHECK_OFFERS("", "fly", "--fast", "--fa");
	CHECK_OFFERS("--guest\tTake a guest along\n", "fly", "--guest", "x", "--gu");
}

/* A config directory with two machines and two tags; the caller frees the path and removes it. */
static char *config_new(void)
{
	char *dir = test_directory();
	CLEANUP(freep)
	char *script = xasprintf("cd %s && mkdir machine.conf.d && cd machine.conf.d && "
				 "touch web.conf.json wiki.conf.json notes.txt 'a b.conf.json' && "
				 "echo '{\"tag\": {\"desk\": {}, \"lab\": {}}}' "
				 ">../machina.conf.json",
			dir);
	CHECK_INT(system(script), 0);
	return dir;
}

static void config_remove(const char *dir)
{
	struct error err = {};
	CHECK_INT(remove_tree(dir, &err), 0);
}

TEST(machines_are_offered_from_the_directory_the_line_leads_to)
{
	CLEANUP(freep) char *dir = config_new();
	CHECK_OFFERS("web\nwiki\n", "show", "--config-dir", dir, "");
	CHECK_OFFERS("wiki\n", "show", "--config-dir", dir, "web", "w");
	setenv("MACHINA_CONFIG_DIR", dir, 1);
	CHECK_OFFERS("web\n", "halt", "--all", "we");
	unsetenv("MACHINA_CONFIG_DIR");
	config_remove(dir);
	CHECK_OFFERS("", "show", "--config-dir", dir, "");
}

TEST(tags_are_offered_from_the_config_the_line_leads_to)
{
	CLEANUP(freep) char *dir = config_new();
	CHECK_OFFERS("desk\nlab\n", "show", "--config-dir", dir, "--tag", "");
	CHECK_OFFERS("--tag=lab\n", "show", "--config-dir", dir, "--tag=l");
	CHECK_OFFERS("lab\n", "show", "--config-dir", dir, "--tag", "desk", "--tag", "");
	config_remove(dir);
	CHECK_OFFERS("", "show", "--config-dir", dir, "--tag", "");
}

static char *help_of(const struct command *command)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);
	print_help(to, command);
	fclose(to);
	return text;
}

TEST(help_is_wrapped_and_complete)
{
	CLEANUP(freep) char *text = help_of(&fly);
	CHECK_STR(text, "Usage: machina fly [OPTION...] FROM [TO]\n\n"
			"Fly.\n\n"
			"First paragraph of many words that do not fit into one line of the help "
			"of this\n"
			"command.\n\n"
			"Second paragraph.\n\n"
			"Options:\n"
			"  -f, --fast          Fly fast\n"
			"  -p, --plan FILE     Fly by a plan\n"
			"      --guest NAME    Take a guest along\n"
			"      --height N      Fly at this height\n"
			"      --timeout TIME  Land after this\n"
			"      --wing WING     Look here: both (default), left or right\n"
			"  -j, --json          Write JSON: machina-json(5)\n"
			"      --no-color      No colors on a terminal\n"
			"  -h, --help          Show this help\n\n"
			"The manual page machina(8) has more.\n");
}

TEST(help_of_the_program_hides_what_is_hidden)
{
	CLEANUP(freep) char *text = help_of(&program);
	CHECK(strstr(text, "\n  halt   Halt machines\n") != NULL);
	CHECK(strstr(text, "secret") == NULL);
	CHECK(strstr(text, "\n  build  Build\n") != NULL);
}

TEST_MAIN()
