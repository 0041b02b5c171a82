/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Manual pages from hand-written parts and tables. */
#include "cli/manpage.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/formats.h"
#include "cli/help.h"
#include "cli/manpage-fields.h"
#include "cli/options.h"
#include "cli/roff.h"
#include "config/network.h"
#include "host/machine/cause.h"
#include "model/filter-read.h"
#include "model/vm.h"
#include "util/mem.h"

static void put_option(FILE *to, const struct option_spec *o)
{
	fputs(".TP\n", to);
	if (o->short_name)
		fprintf(to, "\\fB\\-%c\\fR, ", o->short_name);
	fputs("\\fB\\-\\-", to);
	roff_word(to, o->name);
	fputs("\\fR", to);
	if (o->value)
		fprintf(to, " \\fI%s\\fR", o->value);
	fputs("\n", to);
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, o->help);
	if (o->choices) {
		buf_puts(&text, ": ");
		option_choices(o, &text);
	}
	buf_putc(&text, '.');
	roff_text(to, buf_text(&text));
}

static void put_command(FILE *to, const struct command *c)
{
	CLEANUP(freep) char *synopsis = command_synopsis(c);
	fputs(".SS ", to);
	roff_word(to, c->name);
	fputs("\n", to);
	roff_synopsis(to, synopsis);
	fputs("\n.PP\n", to);
	roff_word(to, c->summary);
	fputs(".\n", to);
	if (c->description) {
		fputs(".PP\n", to);
		roff_text(to, c->description);
	}
	for (const struct option_spec *o = c->options; o && o->name; o++)
		put_option(to, o);
	for (const struct example *e = c->examples; e && e->line; e++) {
		fputs(".PP\n", to);
		fputs("Example: \\fB", to);
		roff_word(to, e->line);
		fputs("\\fR\n.br\n", to);
		roff_text(to, e->text);
	}
}

static void put_commands(FILE *to, const struct command *parent)
{
	for (const struct command *const *c = parent->subcommands; *c; c++) {
		if ((*c)->flags & COMMAND_HIDDEN)
			continue;
		put_command(to, *c);
		if ((*c)->subcommands)
			put_commands(to, *c);
	}
}

/* What there is, by the groups of --help. */
static void put_command_index(FILE *to)
{
	for (int group = 0; group < N_COMMAND_GROUPS; group++) {
		CLEANUP(buf_done) struct buf names = {};
		for (const struct command *const *c = program.subcommands; *c; c++)
			if ((int)(*c)->group == group && !((*c)->flags & COMMAND_HIDDEN))
				buf_printf(&names, "%s%s", names.len ? ", " : "", (*c)->name);
		fprintf(to, ".TP\n%s\n", command_group_titles[group]);
		roff_text(to, buf_text(&names));
	}
}

/* What no command shows as its own: the tables that several share. */
static void put_common_options(FILE *to)
{
	static const struct command selecting = { .name = "", .flags = COMMAND_SELECTS };
	const struct option_spec *tables[OPTION_TABLES_MAX];
	const struct command *const sources[] = { &selecting, &program };

	for (size_t s = 0; s < ARRAY_SIZE(sources); s++) {
		size_t n = command_option_tables(sources[s], tables);
		/* The last table is the one that all have: only once. */
		for (size_t i = 0; i < n - (s == 0); i++)
			for (const struct option_spec *o = tables[i]; o->name; o++)
				put_option(to, o);
	}
}

static bool line_is(const char *line, size_t len, const char *wanted)
{
	return len == strlen(wanted) && !memcmp(line, wanted, len);
}

static int put_fields(FILE *to, const char *name, size_t len, struct error *err)
{
	const struct format *format = format_find(name, len);
	/* A part of the host's format that has a page of its own. */
	if (line_is(name, len, "network")) {
		print_fields(to, network_fields, false);
		return 0;
	}
	if (!format)
		return error_set(err, EINVAL, "there is no table '%.*s'", (int)len, name);
	print_fields(to, format->fields, format->with_merge);
	return 0;
}

static void put_storage_types(FILE *to)
{
	for (const struct vm_storage_type *t = vm_storage_types; t->name; t++) {
		fputs(".TP\n\\fB", to);
		roff_word(to, t->name);
		fputs("\\fR\n", to);
		roff_text(to, t->doc);
	}
}

static void put_icmp_types(FILE *to)
{
	static const int protocols[] = { IPPROTO_ICMP, IPPROTO_ICMPV6 };
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		CLEANUP(buf_done) struct buf name = {}, types = {};
		fw_protocol_put(&name, protocols[i]);
		for (const struct fw_icmp_type *t = fw_icmp_types_of(protocols[i]); t->name; t++)
			buf_printf(&types, "%s%s (%u)", types.len ? ", " : "", t->name, t->number);
		buf_putc(&types, '.');
		fprintf(to, ".TP\n.B %s\n", buf_text(&name));
		roff_text(to, buf_text(&types));
	}
}

static void put_causes(FILE *to)
{
	CLEANUP(strv_done) struct strv ids = {};
	CLEANUP(buf_done) struct buf text = {};
	cause_list_ids(&ids);
	for (size_t i = 0; i < ids.n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", ids.items[i]);
	buf_putc(&text, '.');
	roff_text(to, buf_text(&text));
}

static int put_directive(FILE *to, const char *line, size_t len, struct error *err)
{
	static const char fields[] = "@FIELDS ";
	if (line_is(line, len, "@COMMAND-INDEX@"))
		put_command_index(to);
	else if (line_is(line, len, "@COMMANDS@"))
		put_commands(to, &program);
	else if (line_is(line, len, "@COMMON-OPTIONS@"))
		put_common_options(to);
	else if (line_is(line, len, "@STORAGE-TYPES@"))
		put_storage_types(to);
	else if (line_is(line, len, "@ICMP-TYPES@"))
		put_icmp_types(to);
	else if (line_is(line, len, "@CAUSES@"))
		put_causes(to);
	else if (len > strlen(fields) && !memcmp(line, fields, strlen(fields)))
		return put_fields(to, line + strlen(fields), len - strlen(fields) - 1, err);
	else
		return error_set(err, EINVAL, "nothing is known for the line '%.*s'", (int)len,
				line);
	return 0;
}

/* A line as it stands, but for the version. */
static void put_line(FILE *to, const char *line, size_t len)
{
	static const char version[] = "@VERSION@";
	const char *end = line + len;
	const char *at;
	while ((at = memmem(line, (size_t)(end - line), version, strlen(version)))) {
		fwrite(line, 1, (size_t)(at - line), to);
		fputs(PROGRAM_VERSION, to);
		line = at + strlen(version);
	}
	fwrite(line, 1, (size_t)(end - line), to);
	fputc('\n', to);
}

int print_manpage(FILE *to, const char *page, struct error *err)
{
	size_t number = 1;
	for (const char *line = page; *line; number++) {
		size_t len = strcspn(line, "\n");
		if (line[0] == '@' && line[len - 1] == '@') {
			int r = put_directive(to, line, len, err);
			if (r < 0)
				return error_wrap(err, "line %zu", number);
		} else {
			put_line(to, line, len);
		}
		line += len + (line[len] == '\n');
	}
	return 0;
}
