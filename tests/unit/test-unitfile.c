/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing unit files: every value is spelled so that systemd reads back what was meant. */
#include "unit/unitfile.h"

#include "qemu/argv.h"
#include "test.h"
#include "util/mem.h"

/* The text of a unit that was written without a failure. */
static char *finished(struct unitfile *u)
{
	struct error err = {};
	char *text = NULL;
	int r = unitfile_finish(u, &text, &err);
	if (r < 0)
		TEST_FAIL("unexpected failure: %s", err.text);
	unitfile_done(u);
	return text ? text : xstrdup("(failed)");
}

static void check_set(const char *key, const char *value, const char *expected)
{
	struct unitfile u = {};
	unitfile_set(&u, key, value);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, expected);
}

static void check_refused(struct unitfile *u, const char *part_of_message)
{
	struct error err = {};
	char *text = NULL;
	CHECK_INT(unitfile_finish(u, &text, &err), -EINVAL);
	CHECK(text == NULL);
	if (!strstr(err.text, part_of_message))
		TEST_FAIL("expected \"...%s...\", got \"%s\"", part_of_message, err.text);
	unitfile_done(u);
}

static void check_set_refused(const char *key, const char *value, const char *part_of_message)
{
	struct unitfile u = {};
	unitfile_set(&u, key, value);
	check_refused(&u, part_of_message);
}

static void check_exec(const char *prefix, const char *const *args, const char *variable,
		const char *expected)
{
	CLEANUP(strv_done) struct strv argv = {};
	for (; *args; args++)
		strv_push(&argv, *args);
	struct unitfile u = {};
	if (variable)
		unitfile_exec_inside(
				&u, "ExecStart", prefix, &argv, qemu_option_length, variable, NULL);
	else
		unitfile_exec(&u, "ExecStart", prefix, &argv);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, expected);
}

static void check_exec_refused(const char *prefix, const char *first, const char *second,
		const char *variable, const char *part_of_message)
{
	CLEANUP(strv_done) struct strv argv = {};
	if (first)
		strv_push(&argv, first);
	if (second)
		strv_push(&argv, second);
	struct unitfile u = {};
	unitfile_exec_inside(&u, "ExecStart", prefix, &argv, qemu_option_length, variable, NULL);
	check_refused(&u, part_of_message);
}

TEST(sections_are_apart_and_in_order)
{
	struct unitfile u = {};
	unitfile_comment(&u, "Generated from web.conf.json");
	unitfile_section(&u, "Unit");
	unitfile_set(&u, "After", "network.target");
	unitfile_comment(&u, "devices");
	unitfile_set(&u, "After", "a.service b.service");
	unitfile_section(&u, "X-Machina");
	unitfile_setf(&u, "Layout", "%d", 1);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, "# Generated from web.conf.json\n"
			"\n[Unit]\nAfter=network.target\n# devices\nAfter=a.service b.service\n"
			"\n[X-Machina]\nLayout=1\n");
}

TEST(a_single_text_is_written_as_it_is_but_for_percent)
{
	check_set("Description", "web: \"a\" 'b' $HOME %n 100%",
			"Description=web: \"a\" 'b' $HOME %%n 100%%\n");
	check_set("Description", "a\\b", "Description=a\\b\n");
}

TEST(a_backslash_at_the_end_does_not_join_the_next_line)
{
	check_set("Description", "a\\", "Description=a\\ \n");
	check_set("Description", "a\\\\", "Description=a\\\\ \n");
}

TEST(numbers_keep_their_percent_sign)
{
	check_set("CPUQuota", "150%", "CPUQuota=150%\n");
	check_set("SystemCallFilter", "~@raw-io @swap", "SystemCallFilter=~@raw-io @swap\n");
}

TEST(an_empty_value_takes_back_the_list)
{
	check_set("CapabilityBoundingSet", "", "CapabilityBoundingSet=\n");
	check_set("InaccessiblePaths", "", "InaccessiblePaths=\n");
	check_set("ExecStart", "", "ExecStart=\n");
}

TEST(words_are_quoted_when_they_must_be)
{
	check_set("InaccessiblePaths", "-/var/lib/vm", "InaccessiblePaths=-/var/lib/vm\n");
	check_set("InaccessiblePaths", "/a b\\c\"d'e%f:g",
			"InaccessiblePaths=\"/a b\\\\c\\\"d'e%%f:g\"\n");
	CLEANUP(strv_done) struct strv words = {};
	strv_push(&words, "/a");
	strv_push(&words, "/b c");
	struct unitfile u = {};
	unitfile_set_words(&u, "RequiresMountsFor", &words);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, "RequiresMountsFor=/a \"/b c\"\n");
}

TEST(rows_are_lines_of_words)
{
	static const char two[] = "disk\0path=/a b\0\0tap\0name=net.0\0mtu=9000\0";
	CLEANUP(buf_done) struct buf rows = {};
	struct unitfile u = {};
	buf_add(&rows, two, sizeof(two));
	unitfile_section(&u, "X-A");
	unitfile_set_rows(&u, "Plan", &rows);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, "[X-A]\nPlan=disk \"path=/a b\"\nPlan=tap name=net.0 mtu=9000\n");
	unitfile_section(&u, "Service");
	unitfile_set_rows(&u, "Plan", &rows);
	check_refused(&u, "sections of our own");
	static const char bad[] = "disk\0path=\n\0";
	buf_clear(&rows);
	buf_add(&rows, bad, sizeof(bad));
	unitfile_section(&u, "X-A");
	unitfile_set_rows(&u, "Plan", &rows);
	check_refused(&u, "control character");
}

TEST(names_are_listed_with_spaces)
{
	CLEANUP(strv_done) struct strv words = {};
	strv_push(&words, "dev-disk-by\\x2did-a.device");
	strv_push(&words, "b%c.service");
	struct unitfile u = {};
	unitfile_set_words(&u, "After", &words);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, "After=dev-disk-by\\x2did-a.device b%%c.service\n");
}

TEST(a_colon_within_a_bound_path_is_quoted)
{
	check_set("BindPaths", "-/dev/kvm", "BindPaths=-/dev/kvm\n");
	check_set("BindPaths", "-/a:b", "BindPaths=\"-/a:b\"\n");
}

static void check_bind(const char *path, const char *place, const char *expected)
{
	struct unitfile u = {};
	unitfile_bind(&u, "BindPaths", path, place);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, expected);
}

TEST(a_bound_path_has_its_place_behind_a_colon)
{
	check_bind("/run/a@0", "/tmp", "BindPaths=/run/a@0:/tmp\n");
	check_bind("/a b:c%", "/d:e", "BindPaths=\"/a b:c%%\":\"/d:e\"\n");
	struct unitfile u = {};
	unitfile_bind(&u, "InaccessiblePaths", "/a", "/b");
	check_refused(&u, "does not take a path and its place");
	unitfile_bind(&u, "BindPaths", "/a", "/b\nUser=root");
	check_refused(&u, "control character");
}

TEST(a_device_has_a_quoted_path_and_a_plain_value)
{
	check_set("DeviceAllow", "/dev/net/tun rw", "DeviceAllow=/dev/net/tun rw\n");
	check_set("IOReadBandwidthMax", "/dev/my disk 10M",
			"IOReadBandwidthMax=\"/dev/my disk\" 10M\n");
	check_set("DeviceAllow", "/dev/a%b r", "DeviceAllow=/dev/a%%b r\n");
	check_set_refused("DeviceAllow", "/dev/kvm", "expected a path, a space and a value");
}

TEST(directories_and_patterns_have_their_own_escapes)
{
	check_set("RuntimeDirectory", "machina/a:b c\"d\\e%f",
			"RuntimeDirectory=machina/a\\x3ab\\x20c\\x22d\\x5ce%%f\n");
	check_set("EnvironmentFile", "-/run/a*b[c?d\\e%f",
			"EnvironmentFile=-/run/a\\*b\\[c\\?d\\\\e%%f\n");
}

TEST(what_cannot_be_written_is_refused)
{
	check_set_refused("Description", "a\nExecStart=/bin/sh",
			"byte 2 is a control character (0x0a)");
	check_set_refused("Description", "a\rb", "control character (0x0d)");
	check_set_refused("Description", "a\x7f", "control character (0x7f)");
	check_set_refused("Description", "\xff", "byte 1 (0xff) is not UTF-8");
	check_set_refused("Description", "a\xef\xbf\xbf", "byte 2 (0xef) is not UTF-8");
	check_set_refused("Description", "\xef\xb7\x90", "not UTF-8");
	check_set_refused("Description", "\xf0\x9f\xbf\xbe", "not UTF-8");
	check_set_refused("Description", " a", "white space at either end");
	check_set_refused("Description", "a\t", "white space at either end");
	check_set_refused("CPUQuota", "\t", "white space at either end");
	check_set_refused("WantedBy", " ", "white space at either end");
	check_set_refused("EnvironmentFile", "/a ", "white space at either end");
	check_set_refused("CPUQuota", "1\"", "'\"' cannot stand in its value");
	check_set_refused("CPUQuota", "1\\", "'\\' cannot stand in its value");
	check_set_refused("WantedBy", "a\\x2db.target", "'\\' cannot stand in its value");
	check_set_refused("After", "a'b", "''' cannot stand in its value");
	check_set_refused("Descripton", "a", "it is not known how systemd reads this setting");
	check_set_refused("Descripton", "", "it is not known how systemd reads this setting");
	check_set_refused("ExecStart", "/bin/true", "it is a command line");
}

TEST(the_first_failure_is_the_one_reported)
{
	struct unitfile u = {};
	unitfile_set(&u, "User", "a\1");
	unitfile_set(&u, "Nonsense", "b");
	unitfile_section(&u, "Unit");
	check_refused(&u, "cannot write 'User' into a unit: byte 2");
}

TEST(a_section_or_key_cannot_smuggle_in_lines)
{
	struct unitfile u = {};
	unitfile_section(&u, "X-a]\n[Service");
	check_refused(&u, "not the name of a section");
	unitfile_section(&u, "X-A");
	unitfile_set(&u, "a=b", "c");
	check_refused(&u, "not the name of a setting");
	unitfile_section(&u, "X-A");
	unitfile_comment(&u, "a\nb");
	check_refused(&u, "control character");
}

TEST(a_list_is_refused_where_none_is_read)
{
	CLEANUP(strv_done) struct strv words = {};
	struct unitfile u = {};
	unitfile_set_words(&u, "After", &words);
	check_refused(&u, "no words");
	strv_push(&words, "a b");
	unitfile_set_words(&u, "After", &words);
	check_refused(&u, "cannot stand in its value");
	unitfile_set_words(&u, "Description", &words);
	check_refused(&u, "does not take a list");
	strv_push(&words, "");
	unitfile_set_words(&u, "InaccessiblePaths", &words);
	check_refused(&u, "an empty word");
}

TEST(plain_arguments_stay_bare)
{
	check_exec("+", (const char *const[]){ "/usr/bin/machina", "prepare", "qemu", "web", NULL },
			NULL, "ExecStart=+/usr/bin/machina prepare qemu web\n");
	check_exec("", (const char *const[]){ "qemu", "a=b,c:d/e@f+g_h-i.j!", NULL }, NULL,
			"ExecStart=qemu a=b,c:d/e@f+g_h-i.j!\n");
}

TEST(arguments_are_quoted_when_they_must_be)
{
	check_exec("",
			(const char *const[]){ "/b c/d%e", "", " ", ";", "#", "a\tb", "a\\", "it's",
					"\"", "%n", "\xc3\xa9", "{a,b}", NULL },
			NULL,
			"ExecStart=\"/b c/d%%e\" \"\" \" \" \";\" \"#\" \"a\tb\" \"a\\\\\" "
			"\"it's\" "
			"\"\\\"\" %%n \"\xc3\xa9\" \"{a,b}\"\n");
}

TEST(a_dollar_that_would_be_expanded_turns_expansion_off)
{
	check_exec("+", (const char *const[]){ "/b", "a$HOME", "a$", NULL }, NULL,
			"ExecStart=+/b a$HOME a$\n");
	check_exec("+", (const char *const[]){ "/b", "$HOME", NULL }, NULL,
			"ExecStart=+:/b $HOME\n");
	check_exec("+", (const char *const[]){ "/b", "${HOME}", NULL }, NULL,
			"ExecStart=+:/b \"${HOME}\"\n");
	check_exec(":", (const char *const[]){ "/b", "a$$b", NULL }, NULL, "ExecStart=:/b a$$b\n");
}

TEST(with_a_variable_such_a_dollar_is_doubled)
{
	check_exec("",
			(const char *const[]){
					"/b", "-a", "x", "-$HOME", "$", "${A}", "a$$b", NULL },
			"ARGS",
			"ExecStart=/b \\\n\t-a x \\\n\t-$HOME $$ \"$${A}\" a$$$b \\\n\t$ARGS\n");
}

TEST(each_option_has_a_line_with_its_value)
{
	check_exec("",
			(const char *const[]){ "/b", "-nodefaults", "-append", "-x", "-m", "1",
					"--", "word", NULL },
			"ARGS",
			"ExecStart=/b \\\n\t-nodefaults \\\n\t-append -x \\\n\t-m 1 \\\n\t-- word "
			"\\\n\t$ARGS\n");
	/* What is no option does not begin a line, where '#' would begin a comment. */
	check_exec("", (const char *const[]){ "/b", "#", "-m", "1", "#", "-s", NULL }, "ARGS",
			"ExecStart=/b \"#\" \\\n\t-m 1 \"#\" \\\n\t-s \\\n\t$ARGS\n");
}

TEST(a_program_whose_name_would_be_expanded_is_spelled_apart)
{
	check_exec("+", (const char *const[]){ "/a${b}%", "-c", NULL }, "ARGS",
			"ExecStart=\"+@/a${b}%%\" \"/a$${b}%%\" \\\n\t-c \\\n\t$ARGS\n");
}

TEST(commands_that_systemd_would_refuse_are_refused)
{
	check_exec_refused("", NULL, NULL, NULL, "a command needs a program");
	check_exec_refused("", "", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "a/b", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "/a/", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "-a", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "@a", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", ";", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "|a", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "/a/..", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "..", NULL, NULL, "neither an absolute path nor the name");
	check_exec_refused("", "/a\"b", NULL, NULL, "cannot stand in its value");
	check_exec_refused("", "/a\\b", NULL, NULL, "cannot stand in its value");
	check_exec_refused("", "/a", "b\nc", NULL, "byte 2 is a control character");
	check_exec_refused("@", "/a", NULL, NULL, "a prefix of systemd's");
	check_exec_refused("", "/a", NULL, "A B", "'$A B' would not be expanded");
	check_exec_refused("", "/a", NULL, "1A", "'$1A' would not be expanded");
	check_exec_refused(":", "/a", NULL, "ARGS", "'$ARGS' would not be expanded");
}

TEST(a_line_longer_than_systemd_reads_is_refused)
{
	CLEANUP(freep) char *path = xcalloc(1, 1024 * 1024 + 1);
	size_t fits = 1024 * 1024 - 1 - strlen("Description=");
	memset(path, 'a', 1024 * 1024);
	path[fits] = '\0';
	struct unitfile u = {};
	unitfile_set(&u, "Description", path);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_INT(strlen(text), 1024 * 1024);
	path[fits] = 'a';
	path[fits + 1] = '\0';
	unitfile_set(&u, "Description", path);
	struct error err = {};
	CHECK_INT(unitfile_finish(&u, &text, &err), -E2BIG);
	unitfile_done(&u);
}

TEST(an_environment_line_is_quoted_twice)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(buf_done) struct buf b = {};
	CHECK_INT(unitfile_environment(&b, "ARGS", &words, NULL), 0);
	strv_push(&words, "-incoming");
	strv_push(&words, "a b\"\\$c`");
	CHECK_INT(unitfile_environment(&b, "ARGS", &words, NULL), 0);
	CHECK_STR(buf_text(&b),
			"ARGS=\"\"\nARGS=\"-incoming \\\"a b\\\\\\\"\\\\\\\\\\$c\\`\\\"\"\n");
	strv_push(&words, "a\nb");
	CHECK_INT(unitfile_environment(&b, "ARGS", &words, NULL), -EINVAL);
	CHECK_INT(unitfile_environment(&b, "A-B", &words, NULL), -EINVAL);
}

TEST(variables_of_ours_stand_within_arguments)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(strv_done) struct strv inside = {};
	strv_push(&argv, "/bin/qemu");
	strv_push(&argv, "-device");
	strv_push(&argv, "host=${NIC_0},serial=${NIC},a=${NIC_01},b=$NIC_0 \"${NIC_0}\" 50%NIC_0}");
	strv_push(&argv, "${NIC_0}");
	strv_push(&inside, "GPU");
	strv_push(&inside, "NIC_0");
	struct unitfile u = {};
	unitfile_exec_inside(&u, "ExecStart", "", &argv, NULL, "ARGS", &inside);
	CLEANUP(freep) char *text = finished(&u);
	CHECK_STR(text, "ExecStart=/bin/qemu -device \"host=${NIC_0},serial=$${NIC},a=$${NIC_01},"
			"b=$NIC_0 \\\"${NIC_0}\\\" 50%%NIC_0}\" \"${NIC_0}\" $ARGS\n");

	/* What is not expanded cannot be asked for. */
	unitfile_exec_inside(&u, "ExecStart", "", &argv, NULL, NULL, &inside);
	check_refused(&u, "'${GPU}' would not be expanded");
	strv_push(&inside, "a b");
	unitfile_exec_inside(&u, "ExecStart", "", &argv, NULL, "ARGS", &inside);
	check_refused(&u, "'${a b}' would not be expanded");
}

TEST_MAIN()
