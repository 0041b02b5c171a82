/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command is. One struct with its tables states everything about it: the parser
 * (options.h), --help (help.h), the man page (manpage.h) and the completion of the shells
 * (complete.h) read the same rows.
 *
 *	struct generate_options {
 *		bool preview;
 *	};
 *
 *	static const struct option_spec options[] = {
 *		{ 0, "preview", NULL, OPT_FLAG(struct generate_options, preview),
 *				"Show the units instead of writing them" },
 *		{},
 *	};
 *
 *	static int generate_run(const struct call *call, struct error *err)
 *	{
 *		const struct generate_options *options = call->options;
 *		...
 *	}
 *
 *	const struct command cmd_generate = {
 *		.name = "generate",
 *		.group = GROUP_CONFIGURE,
 *		.flags = COMMAND_FILES | COMMAND_SELECTS,
 *		.arguments = arguments_machines_optional,
 *		.summary = "Write systemd units for machines",
 *		.options = options,
 *		.options_size = sizeof(struct generate_options),
 *		.run = generate_run,
 *	};
 *
 * Each command lives in cmd-NAME.c; main.c lists them in the order that help shows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/load.h"
#include "util/error.h"
#include "util/strv.h"

#define PROGRAM_NAME "machina"

/* Exit statuses; "status" and the comparisons have more (see their descriptions). */
enum { STATUS_DONE = 0, STATUS_FAILURE = 1, STATUS_USAGE = 2 };

struct completion;
/* Offers what may stand in a place of the command line; see complete.h. */
typedef void complete_fn(struct completion *c);

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *, borrowed from the command line; may not be empty */
	OPTION_LIST,   /* struct strv: the option may be given several times */
	OPTION_INT,    /* int between min and max */
	OPTION_SPAN,   /* uint64_t, microseconds */
	OPTION_CHOICE, /* int, index in choices; the first one is the default */
};

struct option_spec {
	char short_name;   /* 0: none */
	const char *name;  /* without "--"; NULL ends a table */
	const char *value; /* what --help calls the value, "DIR"; NULL for a flag */
	enum option_kind kind;
	int min, max;
	const char *const *choices; /* NULL-terminated */
	size_t offset;		    /* in the struct that the table fills */
	const char *help;	    /* one line without a full stop */
	complete_fn *complete;	    /* of the value; NULL: nothing is offered, or the choices */
};

/* The member's type is compared with the kind's at compile time. */
#define OPT_AT_(type, member, wanted)                                                              \
	__builtin_offsetof(type, member) +                                                         \
			0 * sizeof(char[__builtin_types_compatible_p(                              \
							__typeof__(((type *)0)->member), wanted)   \
							    ? 1                                    \
							    : -1])

#define OPT_FLAG(type, member) .kind = OPTION_FLAG, .offset = OPT_AT_(type, member, bool)
#define OPT_TEXT(type, member) .kind = OPTION_TEXT, .offset = OPT_AT_(type, member, const char *)
#define OPT_LIST(type, member) .kind = OPTION_LIST, .offset = OPT_AT_(type, member, struct strv)
#define OPT_INT(type, member, lowest, highest)                                                     \
	.kind = OPTION_INT, .min = lowest, .max = highest, .offset = OPT_AT_(type, member, int)
#define OPT_SPAN(type, member) .kind = OPTION_SPAN, .offset = OPT_AT_(type, member, uint64_t)
#define OPT_CHOICE(type, member, names)                                                            \
	.kind = OPTION_CHOICE, .choices = names, .offset = OPT_AT_(type, member, int)

/* Options that mean the same wherever they stand. */
#define OPTION_DRY_RUN(type, member)                                                               \
	{                                                                                          \
		'n', "dry-run", NULL, OPT_FLAG(type, member),                                      \
				"Change nothing, show what would be done"                          \
	}
#define OPTION_JSON(type, member)                                                                  \
	{                                                                                          \
		'j', "json", NULL, OPT_FLAG(type, member), "Write JSON: machina-json(5)"           \
	}

/* A word that is not an option. */
struct argument {
	const char *name; /* "MACHINE"; NULL ends a table */
	unsigned flags;
	complete_fn *complete; /* NULL: nothing is offered */
};

enum argument_flags {
	ARGUMENT_OPTIONAL = 1 << 0, /* as all that follow */
	ARGUMENT_MANY = 1 << 1,	    /* one or more; the last row only */
};

/* For commands that work on several machines (COMMAND_SELECTS), on one, and on one at most. */
extern const struct argument arguments_machines[];
extern const struct argument arguments_machines_up[]; /* those that run are offered */
extern const struct argument arguments_machines_optional[];
extern const struct argument arguments_machine[];

/* The headings of --help, in its order. */
enum command_group {
	GROUP_CONFIGURE,
	GROUP_RUN,
	GROUP_LOOK,
	GROUP_GUEST,
	GROUP_HOOKS,
	GROUP_TOOLS,
	N_COMMAND_GROUPS,
};
extern const char *const command_group_titles[N_COMMAND_GROUPS];

enum command_flags {
	COMMAND_FILES = 1 << 0,	   /* takes --config-dir and --root, has call->paths */
	COMMAND_SELECTS = 1 << 1,  /* words, --all and --tag select machines: call->machines */
	COMMAND_HIDDEN = 1 << 2,   /* for the program itself and its build */
	COMMAND_LIVE = 1 << 3,	   /* works on what runs, of which there is none below --root */
	COMMAND_OUTLIVES = 1 << 4, /* begins with SIGTERM blocked, as all of its sub-commands */
};

struct example {
	const char *line; /* "machina generate --preview web"; NULL ends a table */
	const char *text; /* what it does, one sentence */
};

struct call;

struct command {
	const char *name; /* all of it: "start", "prepare qemu"; "" is the program */
	enum command_group group;
	unsigned flags;
	const struct argument *arguments; /* NULL: none */
	const char *summary;		  /* one line without a full stop */
	const char *description;	  /* paragraphs with an empty line between; may be NULL */
	const struct option_spec *options;
	size_t options_size; /* of the struct that @options fill */
	const struct example *examples;
	const struct command *const *subcommands; /* NULL-terminated; then no arguments, no run */

	/*
	 * Returns an exit status, or a negative errno with @err filled: it is printed and the
	 * status is a failure. Wrong usage that the tables can't state: return misuse() (output.h).
	 */
	int (*run)(const struct call *call, struct error *err);
};

/* The program itself; its sub-commands are all commands, in the order --help shows them. */
extern const struct command program;

struct machine_selection {
	struct strv patterns; /* names and shell globs, as written */
	bool all;
	struct strv tags;
};

struct common_options {
	bool help;
	bool version;
	bool no_color;
	const char *root;	/* NULL: not given */
	const char *config_dir; /* NULL: not given */
};

/* A command line that has been read. */
struct call {
	const struct command *command;
	void *options;	   /* of the command's own type, or NULL; zero where none was given */
	struct strv words; /* the arguments; empty with COMMAND_SELECTS */
	struct machine_selection machines;
	struct config_paths paths; /* with COMMAND_FILES */
	struct common_options common;
};
