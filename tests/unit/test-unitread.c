/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading unit files back, ours and hostile ones, and the way from text to text and back. */
#include <errno.h>
#include <time.h>

#include "qemu/argv.h"
#include "test.h"
#include "unit/parts.h"
#include "unit/sandbox.h"
#include "unit/service.h"
#include "unit/unitfile.h"
#include "util/mem.h"

static int parse(const char *text, struct unitdoc *ret, struct error *err)
{
	return unitfile_parse("a.service", text, strlen(text), ret, err);
}

/* All assignments as "line:section/key=value;". */
static void check_parse(const char *text, const char *expected)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(buf_done) struct buf got = {};
	struct error err = {};
	if (parse(text, &doc, &err) < 0)
		buf_printf(&got, "%s:%zu: %s", err.at.file ? err.at.file : "?", err.at.line,
				err.text);
	for (size_t i = 0; i < doc.n; i++)
		buf_printf(&got, "%zu:%s/%s=%s;", doc.entries[i].line, doc.entries[i].section,
				doc.entries[i].key, doc.entries[i].value);
	CHECK_STR(buf_text(&got), expected);
}

TEST(assignments_are_read_in_order)
{
	check_parse("# mark\n\n[Unit]\nDescription = a = b \n; note\n[Service]\nA=1\nA=\nB=\"x\"\n",
			"4:Unit/Description=a = b;7:Service/A=1;8:Service/A=;9:Service/B=\"x\";");
	check_parse("", "");
}

TEST(lines_that_end_in_a_backslash_are_joined)
{
	check_parse("[S]\nA=1 \\\n  # not part\n\t2 \\\n;nor this\n3\nB=4\n",
			"2:S/A=1  \t2  3;7:S/B=4;");
	check_parse("[S]\nA=1\\\\\nB=2\\\n\nC=3\n", "2:S/A=1\\\\;3:S/B=2;5:S/C=3;");
	check_parse("[S]\nA=1\\", "2:S/A=1;");
	check_parse("[S]\nA=1\\\n#", "2:S/A=1;");
}

TEST(line_ends_of_other_systems_are_line_ends)
{
	check_parse("[S]\r\nA=1\r\n\r\nB=2\rC=3\n\rD=4", "2:S/A=1;4:S/B=2;5:S/C=3;6:S/D=4;");
	check_parse("\xef\xbb\xbf[S]\nA=1", "2:S/A=1;");
}

TEST(malformed_lines_are_errors_with_their_place)
{
	check_parse("A=1\n", "a.service:1: an assignment before the first section");
	check_parse("[S]\n\nnonsense\n",
			"a.service:3: expected a section, a comment or an assignment 'Key=value'");
	check_parse("[S]\n=1\n",
			"a.service:2: expected a section, a comment or an assignment 'Key=value'");
	check_parse("[S\n", "a.service:1: expected a section such as '[Service]'");
	check_parse("[]\n", "a.service:1: expected a section such as '[Service]'");
	check_parse("[S]\nA=\\\n\\\n\x01\n", "a.service:4: byte 1 is a control character (0x01)");
	check_parse("[S]\nA=\xff\n", "a.service:2: byte 3 (0xff) is not UTF-8 text");
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	struct error err = {};
	CHECK_INT(unitfile_parse("n", "[S]\nA=\0", 7, &doc, &err), -EINVAL);
	CHECK_STR(err.text, "a NUL byte");
	CHECK_INT(err.at.line, 2);
}

TEST(an_empty_assignment_takes_back_those_before_it)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CHECK_INT(parse("[S]\nA=1\nA=2\nA=\nA=3\nB=7\nA=4\n[T]\nA=5\n[S]\nA=6\nB=\n", &doc, NULL),
			0);
	CLEANUP(buf_done) struct buf got = {};
	for (const struct unitdoc_entry *e = NULL; (e = unitdoc_next(&doc, "S", "A", e));)
		buf_puts(&got, e->value);
	CHECK_STR(buf_text(&got), "346");
	CHECK_STR(unitdoc_get(&doc, "S", "A")->value, "6");
	CHECK(!unitdoc_get(&doc, "S", "B"));
	CHECK(!unitdoc_get(&doc, "S", "a"));
	CHECK(!unitdoc_next(&doc, "S", "B", NULL));
	buf_clear(&got);
	for (const struct unitdoc_entry *e = NULL; (e = unitdoc_next(&doc, "S", NULL, e));)
		buf_printf(&got, "%s%s ", e->key, e->value);
	CHECK_STR(buf_text(&got), "A1 A2 A A3 B7 A4 A6 B ");
}

/* "prefix|path|argv...|$variable", or the error. */
static void check_split(const char *value, const char *expected)
{
	CLEANUP(unit_exec_done) struct unit_exec exec = {};
	CLEANUP(buf_done) struct buf got = {};
	struct error err = {};
	if (unitfile_split_exec(value, &exec, &err) < 0) {
		buf_puts(&got, err.text);
	} else {
		buf_printf(&got, "%s|%s", exec.prefix, exec.path);
		for (size_t i = 0; i < exec.argv.n; i++)
			buf_printf(&got, "|%s", exec.argv.items[i]);
		if (exec.variable)
			buf_printf(&got, "|$%s", exec.variable);
	}
	CHECK_STR(buf_text(&got), expected);
}

TEST(a_command_line_is_split_as_systemd_does)
{
	check_split("/a b  c\t\"d e\" 'f g' h\\ti \"\" j\"k l\"m",
			"|/a|/a|b|c|d e|f g|h\ti||jk lm");
	check_split("-+/a", "-+|/a|/a");
	check_split("+@/a b c", "+|/a|b|c");
	check_split("\"+/a b\" c", "+|/a b|/a b|c");
	check_split("/a \\x41\\u00e4\\U0001f600\\101\\s\\n\\\\\\\"\\' ",
			"|/a|/a|A\xc3\xa4\xf0\x9f\x98\x80"
			"A \n\\\"'");
	check_split("/a \\xff\\377\\u00ff", "|/a|/a|\xff\xff\xc3\xbf");
	check_split("/a %% %%n 100%% a%", "|/a|/a|%|%n|100%|a%");
	check_split("/a \";\" \\; x;y", "|/a|/a|;|;|x;y");
	check_split("/a $$ $$b c$d e$$f $$$${g} h$ $X", "|/a|/a|$|$b|c$d|e$f|$${g}|h$|$X");
}

TEST(command_lines_that_are_not_ours_are_refused)
{
	static const char *const escapes[] = { "/a \\q", "/a \\x00", "/a \\ud800", "/a \\",
		"/a \\x1g", "/a \\xg1", "/a \\x1", "/a \\418", "/a \\U00110000", "/a \\777" };
	check_split("", "cannot read the command line: it is empty");
	check_split("+", "cannot read the command line: there is no program");
	check_split("|/a", "cannot read the command line: there is no program");
	check_split("@/a", "cannot read the command line: there is no program");
	check_split("/a \"b", "cannot read the command line: a quote (\") that is not closed");
	for (size_t i = 0; i < ARRAY_SIZE(escapes); i++)
		check_split(escapes[i],
				"cannot read the command line: a backslash that begins no known "
				"escape");
	check_split("/a %n",
			"cannot read the command line: '%n' is a specifier, which only systemd can "
			"expand");
	check_split("/a b${1}", "cannot read the command line: '${' begins a variable, which only "
				"systemd can expand");
	check_split("/a b${c", "cannot read the command line: '${' begins a variable, which only "
			       "systemd can expand");
	check_split("/a $B c",
			"cannot read the command line: the variable '$B' is not the last word");
	check_split("/a ; /b", "cannot read the command line: more than one command (';')");
}

TEST(without_expansion_dollars_are_themselves)
{
	check_split(":/a $$ $B ${C} d", ":|/a|/a|$$|$B|${C}|d");
}

/* What systemd puts there is known only when the process starts. */
TEST(variables_within_words_stay)
{
	check_split("/a host=${NIC_0},x=$${NIC_0} ${B}", "|/a|/a|host=${NIC_0},x=${NIC_0}|${B}");
}

TEST(the_property_becomes_the_arguments)
{
	CLEANUP(strv_done) struct strv property = {};
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(freep) char *variable = NULL;
	strv_push(&property, "/a%n");
	strv_push(&property, "$${b}$c");
	strv_push(&property, "$ARGS");
	CHECK_INT(unitfile_final_argv(&property, &argv, &variable, NULL), 0);
	CHECK_INT(argv.n, 2);
	CHECK_STR(argv.items[0], "/a%n");
	CHECK_STR(argv.items[1], "${b}$c");
	CHECK_STR(variable, "ARGS");
}

TEST(words_of_our_own_section_come_back)
{
	static const char *const words[] = { "disk", "", "a b", "\"'\\", "%n $HOME ${X}", "#;",
		"a\tb", "c\\", "\xc3\xa9" };
	CLEANUP(strv_done) struct strv list = {};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(&list, words[i]);
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(freep) char *text = NULL;
	unitfile_section(&u, "X-Machina");
	unitfile_set_words(&u, "Descriptor", &list);
	unitfile_set(&u, "Empty", "");
	CHECK_INT(unitfile_finish(&u, &text, NULL), 0);

	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(strv_done) struct strv got = {};
	CHECK_INT(parse(text, &doc, NULL), 0);
	CHECK_INT(unitfile_split_words(
				  unitdoc_get(&doc, "X-Machina", "Descriptor")->value, &got, NULL),
			0);
	CHECK_INT(got.n, ARRAY_SIZE(words));
	for (size_t i = 0; i < got.n; i++)
		CHECK_STR(got.items[i], words[i]);
	strv_clear(&got);
	CHECK_INT(unitfile_split_words(unitdoc_get(&doc, "X-Machina", "Empty")->value, &got, NULL),
			0);
	CHECK_INT(got.n, 1);
}

TEST(broken_words_are_errors_and_add_nothing)
{
	CLEANUP(strv_done) struct strv got = {};
	struct error err = {};
	CHECK_INT(unitfile_split_words("a \"b", &got, &err), -EINVAL);
	CHECK_INT(unitfile_split_words("a b\\", &got, &err), -EINVAL);
	CHECK_INT(got.n, 0);
}

/* A random argument from the characters that mean something to somebody. */
static char *random_argument(void)
{
	static const char *const pieces[] = { "a", "-", "$", "$$", "${", "{", "}", "%", "%%", "n",
		"\\", "\\\\", "\"", "'", " ", "\t", ";", "#", ",", "=", ":", "@", "+", "!", "[",
		"*", "/", "\xc3\xa9", "\xf0\x9f\x98\x80", "x41", "~", "0" };
	CLEANUP(buf_done) struct buf b = {};
	for (int n = rand() % 7; n > 0; n--)
		buf_puts(&b, pieces[(size_t)rand() % ARRAY_SIZE(pieces)]);
	return buf_take(&b);
}

TEST(random_arguments_come_back)
{
	const char *given = getenv("TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	test_note("TEST_SEED=%u", seed);
	srand(seed);
	for (int round = 0; round < 3000; round++) {
		CLEANUP(strv_done) struct strv argv = {};
		CLEANUP(unitfile_done) struct unitfile u = {};
		CLEANUP(unitdoc_done) struct unitdoc doc = {};
		CLEANUP(unit_exec_done) struct unit_exec exec = {};
		CLEANUP(freep) char *text = NULL;
		const char *variable = rand() % 2 ? "ARGS" : NULL;
		struct error err = {};

		strv_push(&argv, rand() % 9 ? "/bin/program" : "/bin/${p}$$ %n");
		for (int n = rand() % 5; n > 0; n--)
			strv_push_take(&argv, random_argument());
		unitfile_section(&u, "Service");
		if (rand() % 2 || variable)
			unitfile_exec_inside(&u, "ExecStart", "+", &argv, qemu_option_length,
					variable, NULL);
		else
			unitfile_exec(&u, "ExecStart", "+", &argv);
		unitfile_set(&u, "Type", "exec");
		if (unitfile_finish(&u, &text, &err) < 0 || parse(text, &doc, &err) < 0 ||
				unitfile_split_exec(
						unitdoc_get(&doc, "Service", "ExecStart")->value,
						&exec, &err) < 0) {
			TEST_FAIL("%s in: %s", err.text, text ? text : "");
			return;
		}
		CHECK_INT(doc.n, 2);
		CHECK_STR(exec.path, argv.items[0]);
		CHECK_STR(exec.variable, variable);
		CHECK_INT(exec.argv.n, argv.n);
		for (size_t i = 0; i < exec.argv.n && i < argv.n; i++)
			CHECK_STR(exec.argv.items[i], argv.items[i]);
		if (test_failures) {
			test_note("%s", text);
			return;
		}
	}
}

/* The lines that are the same in all units stand in the source as in the file. */
TEST(the_lines_of_the_sandbox_are_spelled_right)
{
	CLEANUP(strv_done) struct strv paths = {};
	strv_push(&paths, "/usr/lib");
	struct unitfile u = {}, again = {};
	unitfile_section(&u, "Service");
	unitfile_section(&again, "Service");
	sandbox_add(&u, &(struct sandbox){
					.address_families = "none",
					.leaves_profile = true,
					.exec_paths = &paths,
			});

	struct error err = {};
	CLEANUP(freep) char *text = NULL, *text_again = NULL;
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CHECK_INT(unitfile_finish(&u, &text, &err), 0);
	CHECK_INT(unitfile_parse("sandbox", text, strlen(text), &doc, &err), 0);
	CHECK(doc.n > 30);
	for (size_t i = 0; i < doc.n; i++)
		unitfile_set(&again, doc.entries[i].key, doc.entries[i].value);
	CHECK_INT(unitfile_finish(&again, &text_again, &err), 0);
	CHECK_STR(text_again, text);
}

TEST(libraries_beside_a_program_may_be_loaded)
{
	static const char system[] = " /usr/lib -/usr/lib64 -/lib -/lib64";
	static const struct {
		const char *program, *own;
	} rows[] = {
		{ "/usr/bin/qemu", "" },
		{ "/usr/local/bin/qemu", " -/usr/local/lib" },
		{ "/opt/bin/qemu-9.0/bin/qemu", " -/opt/bin/qemu-9.0/lib" },
		{ "/lib/systemd/systemd-socket-proxyd", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(strv_done) struct strv paths = {};
		CLEANUP(buf_done) struct buf got = {};
		CLEANUP(freep)
		char *expected = xasprintf(" -%s%s%s", rows[i].program, system, rows[i].own);
		unit_exec_paths(&paths, rows[i].program);
		for (size_t k = 0; k < paths.n; k++)
			buf_printf(&got, " %s", paths.items[k]);
		CHECK_STR(buf_text(&got), expected);
	}
}

static bool needs_restart(const char *started, const char *now)
{
	CLEANUP(unitdoc_done) struct unitdoc old = {}, new = {};
	struct error err = {};
	if (parse(started, &old, &err) < 0 || parse(now, &new, &err) < 0)
		TEST_FAIL("%s", err.text);
	return unit_needs_restart(&old, &new);
}

TEST(what_a_process_was_started_with_needs_a_restart)
{
	static const char started[] =
			"[Unit]\nDescription=a\n[Service]\nExecStart=/q -m 1 \\\n\t-s\n"
			"Nice=1\nCPUWeight=10\nExecStop=+/m stop\n"
			"[X-Machina]\nPlan=machine a stop-sec=95 u\nPlan=file b\n";
	static const struct {
		const char *from, *to;
		bool restart;
	} rows[] = {
		{ "Description=a", "Description=b", false },
		{ "CPUWeight=10", "CPUWeight=20", false },
		{ "CPUWeight=10\n", "", false },
		{ "ExecStop=+/m stop", "ExecStop=+/m end", false },
		{ "[X-Machina]", "# A comment.\n[X-Machina]", false },
		{ "stop-sec=95", "stop-sec=310", false },
		{ "stop-sec=95 u", "stop-sec=95 v", true },
		{ "machine a", "machine b", true },
		{ "stop-sec=95 ", "", true },
		{ "-m 1", "-m 2", true },
		{ "Nice=1", "Nice=2", true },
		{ "Nice=1\n", "", true },
		{ "Plan=file b\n", "", true },
		{ "Plan=file b", "Plan=file c", true },
		{ "Plan=file b", "Plan=file b\nPlan=file c", true },
	};
	CHECK(!needs_restart(started, started));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *at = strstr(started, rows[i].from);
		CLEANUP(freep)
		char *now = xasprintf("%.*s%s%s", (int)(at - started), started, rows[i].to,
				at + strlen(rows[i].from));
		if (needs_restart(started, now) != rows[i].restart ||
				needs_restart(now, started) != rows[i].restart)
			TEST_FAIL("from '%s' to '%s'", rows[i].from, rows[i].to);
	}
}

TEST(another_plan_takes_the_place_of_the_last_section)
{
	struct error err = {};
	const struct plan plan = {
		.machine = "web", .user = "u", .run_dir = "/r", .socket_dir = "/s"
	};
	CLEANUP(freep) char *alone = NULL, *again = NULL, *changed = NULL;
	CHECK_INT(unit_plan_text(&plan, &alone, &err), 0);
	CHECK_INT(unit_put_plan(alone, &plan, &again, &err), 0);
	CHECK_STR(again, alone);
	CHECK_INT(unit_put_plan("[Service]\nExecStart=/x [X-Machina]\n\n[X-Machina]\nPlan=old "
				"a=b\n",
				  &plan, &changed, &err),
			0);
	CLEANUP(freep)
	char *expected = xasprintf("[Service]\nExecStart=/x [X-Machina]\n\n%s", alone);
	CHECK_STR(changed, expected);
}

TEST_MAIN()
