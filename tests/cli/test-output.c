/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables align, findings are counted, and no control character reaches the terminal. */
#include "cli/output.h"

#include <fcntl.h>
#include <json-c/json_object.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/table.h"
#include "test.h"
#include "util/mem.h"

/* The framework wants a program; these tests run no command of it. */
const struct command program = { .name = "", .summary = "A program of tests" };

struct capture {
	char *text;
	size_t len;
	FILE *to;
};

static void capture_start(struct capture *c)
{
	c->to = open_memstream(&c->text, &c->len);
}

static void capture_done(struct capture *c)
{
	free(c->text);
}

static const char *captured(struct capture *c)
{
	fclose(c->to);
	return c->text;
}

TEST(columns_align_and_lines_end_without_blanks)
{
	static const struct column columns[] = { { "NAME" }, { "N", .right = true }, { "WHAT" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	CLEANUP(capture_done) struct capture c = {};
	table_add(&t, STYLE_GOOD, "a");
	table_add(&t, STYLE_PLAIN, "%d", 7);
	table_add(&t, STYLE_PLAIN, "x");
	table_add(&t, STYLE_PLAIN, "longer");
	table_add(&t, STYLE_PLAIN, "%d", 1234);
	table_add(&t, STYLE_PLAIN, "%s", "");
	table_add(&t, STYLE_PLAIN, "last");
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c), "NAME       N  WHAT\n"
				"a          7  x\n"
				"longer  1234\n"
				"last\n");
}

TEST(a_column_without_text_is_left_out)
{
	static const struct column columns[] = { { "A" }, { "EMPTY" }, { "B" } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = ARRAY_SIZE(columns) };
	CLEANUP(capture_done) struct capture c = {};
	table_add(&t, STYLE_PLAIN, "1");
	table_add(&t, STYLE_PLAIN, "%s", "");
	table_add(&t, STYLE_PLAIN, "2");
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c), "A  B\n1  2\n");
}

TEST(a_long_cell_moves_its_own_row_only)
{
	static const struct column columns[] = { { "A", .widest = 6 }, { "B" } };
	CLEANUP(table_done) struct table t = { .columns = columns, .n_columns = 2 };
	CLEANUP(capture_done) struct capture c = {};
	table_add(&t, STYLE_PLAIN, "a");
	table_add(&t, STYLE_PLAIN, "1");
	table_add(&t, STYLE_PLAIN, "longer than that");
	table_add(&t, STYLE_PLAIN, "2");
	table_add(&t, STYLE_PLAIN, "abc");
	table_add(&t, STYLE_PLAIN, "3");
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c), "A    B\n"
				"a    1\n"
				"longer than that  2\n"
				"abc  3\n");
}

TEST(a_table_gives_way_to_a_narrow_terminal)
{
	static const struct column columns[] = { { "A" }, { "FIRST", .shrinks = true },
		{ "LAST", .shrinks = true } };
	/* What is free behind a text is used. */
	static const struct {
		size_t width;
		const char *text;
	} cases[] = {
		{ 0, "A                     FIRST                 LAST\n"
		     "a name of some width  what there is of it   and why\n"
		     "b                                           for an even longer reason\n"
		     "c                     with all of the line\n" },
		{ 69, "A                     FIRST                 LAST\n"
		      "a name of some width  what there is of it   and why\n"
		      "b                                           for an even longer reason\n"
		      "c                     with all of the line\n" },
		{ 68, "A                     FIRST                LAST\n"
		      "a name of some width  what there is of it  and why\n"
		      "b                                          for an even longer reason\n"
		      "c                     with all of the line\n" },
		{ 50, "A                     FIRST         LAST\n"
		      "a name of some width  what ther...  and why\n"
		      "b                                   for an even...\n"
		      "c                     with all of the line\n" },
		{ 40, "A                     FIRST         LAST\n"
		      "a name of some width  what ther...  and why\n"
		      "b                                   for an ev...\n"
		      "c                     with all of the...\n" },
		/* The others stay as they are. */
		{ 10, "A                     FIRST         LAST\n"
		      "a name of some width  what ther...  and why\n"
		      "b                                   for an ev...\n"
		      "c                     with all ...\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(table_done)
		struct table t = {
			.columns = columns, .n_columns = 3, .max_width = cases[i].width
		};
		CLEANUP(capture_done) struct capture c = {};
		table_add(&t, STYLE_PLAIN, "a name of some width");
		table_add(&t, STYLE_PLAIN, "what there is of it");
		table_add(&t, STYLE_PLAIN, "and why");
		table_add(&t, STYLE_PLAIN, "b");
		table_add(&t, STYLE_PLAIN, "%s", "");
		table_add(&t, STYLE_PLAIN, "for an even longer reason");
		table_add(&t, STYLE_PLAIN, "c");
		table_add(&t, STYLE_PLAIN, "with all of the line");
		capture_start(&c);
		table_print(&t, c.to);
		CHECK_STR(captured(&c), cases[i].text);
	}
}

TEST(what_is_cut_ends_with_a_whole_character)
{
	static const struct column columns[] = { { NULL, .shrinks = true } };
	CLEANUP(table_done)
	struct table t = { .columns = columns, .n_columns = 1, .max_width = 14 };
	CLEANUP(capture_done) struct capture c = {};
	table_add(&t, STYLE_PLAIN, "gr\xc3\xbc\xc3\x9f dich, Welt, und mehr");
	table_add(&t, STYLE_PLAIN,
			"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad"
			"\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87");
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c),
			"gr\xc3\xbc\xc3\x9f dich, ...\n"
			"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad...\n");
}

TEST(a_table_without_rows_prints_nothing)
{
	static const struct column columns[] = { { "A" } };
	const struct table t = { .columns = columns, .n_columns = 1 };
	CLEANUP(capture_done) struct capture c = {};
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c), "");
}

TEST(width_is_that_of_a_terminal)
{
	CHECK_INT(display_width("abc"), 3);
	CHECK_INT(display_width("gr\xc3\xbc\xc3\x9f"), 4);
	CHECK_INT(display_width("\xe4\xb8\xad\xe6\x96\x87"), 4);
	CHECK_INT(display_width("e\xcc\x81"), 1);
	CHECK_INT(display_width("\xff\xfe"), display_width("??"));
}

TEST(wide_characters_do_not_shift_the_next_column)
{
	static const struct column columns[] = { {}, {} };
	CLEANUP(table_done) struct table t = { .columns = columns, .n_columns = 2 };
	CLEANUP(capture_done) struct capture c = {};
	table_add(&t, STYLE_PLAIN, "\xe4\xb8\xad");
	table_add(&t, STYLE_PLAIN, "1");
	table_add(&t, STYLE_PLAIN, "abc");
	table_add(&t, STYLE_PLAIN, "2");
	capture_start(&c);
	table_print(&t, c.to);
	CHECK_STR(captured(&c), "\xe4\xb8\xad   1\nabc  2\n");
}

TEST(control_characters_and_broken_utf8_are_not_printed)
{
	CLEANUP(capture_done) struct capture c = {};
	capture_start(&c);
	put_text(c.to, "a\033[31mb\x7f\xc2\x9b"
		       "31m\n\xc3\xbc\xff");
	const char *text = captured(&c);
	CHECK(!strpbrk(text, "\033\x7f\n"));
	CHECK(!strstr(text, "\xc2\x9b"));
	CHECK(!strchr(text, '\xff'));
	CHECK(strstr(text, "\xc3\xbc") != NULL);
}

static void add(struct report *r, enum severity severity, const char *file, size_t line,
		const char *text)
{
	report_add(r, severity, (struct where){ file, line, 3 }, "/attrs", NULL, "%s", text);
}

TEST(findings_are_sorted_and_counted)
{
	CLEANUP(report_done) struct report r = {};
	CLEANUP(capture_done) struct capture c = {};
	add(&r, SEVERITY_ERROR, "b.json", 2, "second");
	add(&r, SEVERITY_ERROR, "a.json", 9, "first");
	add(&r, SEVERITY_ERROR, "b.json", 10, "third");
	capture_start(&c);
	print_report(c.to, &r);
	CHECK_STR(captured(&c), "a.json:9:3: /attrs: first\n"
				"b.json:2:3: /attrs: second\n"
				"b.json:10:3: /attrs: third\n"
				"3 errors in 2 files\n");
}

TEST(advice_is_told_from_errors)
{
	CLEANUP(report_done) struct report r = {};
	CLEANUP(capture_done) struct capture c = {};
	add(&r, SEVERITY_ERROR, "a.json", 1, "wrong");
	add(&r, SEVERITY_ADVICE, "a.json", 2, "better so");
	capture_start(&c);
	print_report(c.to, &r);
	CHECK_STR(captured(&c), "a.json:1:3: /attrs: wrong\n"
				"a.json:2:3: /attrs: advice: better so\n"
				"1 error and 1 piece of advice in 1 file\n");
}

TEST(a_report_without_findings_prints_nothing)
{
	CLEANUP(report_done) struct report r = {};
	CLEANUP(capture_done) struct capture c = {};
	capture_start(&c);
	print_report(c.to, &r);
	CHECK_STR(captured(&c), "");
}

TEST(a_report_as_json_keeps_the_order_of_its_keys)
{
	CLEANUP(report_done) struct report r = {};
	add(&r, SEVERITY_ERROR, "a.json", 1, "wrong");
	report_add(&r, SEVERITY_ADVICE, (struct where){}, NULL, "machine web, tag desk", "%s", "x");
	struct json_object *list = report_json(&r);
	CHECK_STR(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN),
			"[{\"severity\":\"advice\",\"text\":\"x\",\"chain\":\"machine web, tag "
			"desk\"},"
			"{\"severity\":\"error\",\"file\":\"a.json\",\"line\":1,\"column\":3,"
			"\"pointer\":\"\\/attrs\",\"text\":\"wrong\"}]");
	json_object_put(list);
}

/* A terminal of 20 columns: what is written to its @to can be read from @fd. */
struct terminal {
	int fd;
	FILE *to;
};

static void terminal_open(struct terminal *t)
{
	const struct winsize size = { .ws_row = 5, .ws_col = 20 };
	struct termios mode;
	t->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(t->fd >= 0 && grantpt(t->fd) == 0 && unlockpt(t->fd) == 0);
	t->to = fopen(ptsname(t->fd), "we");
	CHECK(t->to != NULL);
	CHECK_INT(tcgetattr(fileno(t->to), &mode), 0);
	cfmakeraw(&mode);
	CHECK_INT(tcsetattr(fileno(t->to), TCSANOW, &mode), 0);
	CHECK_INT(ioctl(fileno(t->to), TIOCSWINSZ, &size), 0);
}

/* What was written, which must be something: the call waits for it. */
static char *terminal_read(struct terminal *t)
{
	char text[512];
	fflush(t->to);
	ssize_t n = read(t->fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n > 0 ? n : 0] = '\0';
	return xstrdup(text);
}

static void terminal_close(struct terminal *t)
{
	fclose(t->to);
	close(t->fd);
}

static char *styled(struct terminal *t)
{
	style_begin(t->to, STYLE_BAD);
	fputs("x", t->to);
	style_end(t->to, STYLE_BAD);
	return terminal_read(t);
}

TEST(colors_are_for_terminals_whose_user_wants_them)
{
	struct terminal t;
	terminal_open(&t);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	output_init(false);
	CLEANUP(freep) char *color = styled(&t);
	CHECK_STR(color, "\033[31mx\033[0m");

	output_init(true);
	CLEANUP(freep) char *refused = styled(&t);
	CHECK_STR(refused, "x");
	setenv("NO_COLOR", "1", 1);
	output_init(false);
	CLEANUP(freep) char *variable = styled(&t);
	CHECK_STR(variable, "x");
	setenv("NO_COLOR", "", 1);
	setenv("TERM", "dumb", 1);
	output_init(false);
	CLEANUP(freep) char *dumb = styled(&t);
	CHECK_STR(dumb, "x");
	terminal_close(&t);
}

TEST(progress_is_one_line_that_an_error_takes_away)
{
	struct terminal t;
	terminal_open(&t);
	fflush(stderr);
	int saved = dup(STDERR_FILENO);
	CHECK_INT(dup2(fileno(t.to), STDERR_FILENO), STDERR_FILENO);
	output_init(true);
	progress_show("starting %s (%d of %d)", "a-long-name", 1, 2);
	CLEANUP(freep) char *shown = terminal_read(&t);
	complain("no");
	CLEANUP(freep) char *error = terminal_read(&t);
	CHECK_INT(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	terminal_close(&t);
	CHECK_STR(shown, "\r\033[Kstarting a-long-nam");
	CHECK(strstr(error, "\r\033[K") == error);
}

TEST(sizes_are_rounded_to_the_unit_that_they_reach)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 10239, "10 KiB" },
		{ 1047552, "1023 KiB" },
		{ 1048063, "1023 KiB" },
		{ 1048064, "1.0 MiB" },
		{ 1048575, "1.0 MiB" },
		{ 1048576, "1.0 MiB" },
		{ UINT64_C(1) << 40, "1.0 TiB" },
		{ (UINT64_C(1) << 50) - 1, "1.0 PiB" },
		{ UINT64_MAX, "16384 PiB" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *text = format_size(rows[i].bytes);
		CHECK_STR(text, rows[i].text);
	}
}

TEST_MAIN()
