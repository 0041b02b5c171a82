/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lib/unit/unitfile writes, as the systemd that runs here reads and executes it. Started by
 * test-unit-syntax in a system of its own: it writes units and starts them.
 */
#include "unit/unitfile.h"

#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "bus-text.h"
#include "qemu/argv.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

#define SERVICE "org.freedesktop.systemd1.Service"
#define UNIT "org.freedesktop.systemd1.Unit"
#define DIR "/run/unit-syntax"
#define DUMP DIR "/dump"
/* Whatever a path may hold, in one path. */
#define NASTY "a b:c%n$HOME${USER}\"d'e\\f*[g]?h,=;#\t~\xc3\xa9"
/* The same without what systemd 257 loses on the way to the process that makes a directory. */
#define NAME "a b%n$HOME${USER}\"d'e*[g]?h,=;#~\xc3\xa9"
#define ENVIRONMENT_FILE DIR "/" NASTY

#define VARIABLE "UNIT_SYNTAX_ARGS"

static const char *const nasty_words[] = { "", " ", "a b", " a", "a ", "a  b", "\t", "a\tb", "\"",
	"'", "''", "\"\"", "a\"b", "a'b", "'a b'", "\"a b\"", "\\", "\\\\", "a\\", "a\\\\", "\\n",
	"\\x41", "\\$", "\\;", "a\\ b", ";", ";;", "a;b", "; ", "#", "#a", "-", "--", "-@", "+",
	"@", "!", ":", "|", "&", ">", "<", "%", "%%", "%n", "%i", "%H", "a%", "100%", "%%n", "$",
	"$$", "$$$", "$HOME", "${HOME}", "$$HOME", "$${HOME}", "a$HOME", "a${HOME}", "a${HOME",
	"a${HOME:-b}", "a$", "a$$", "a$$b", "a$${b}", "$%n", "$ ", "$" VARIABLE, "a$" VARIABLE,
	"-append", "console=ttyS0 a=\"b c\"", "~", "*", "[a]", "{a,b}", "`id`", "$(id)", "\xc3\xa9",
	"\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xc2\xa0", "[Service]",
	"Environment=A=B", "driver=file,filename=/vm/a,,b $x ${y} %n \"q\" 'r' \\s.raw" };

static sd_bus *bus;

static void push_words(struct strv *argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(nasty_words); i++)
		strv_push(argv, nasty_words[i]);
}

static unsigned seed(void)
{
	static unsigned value;
	if (value == 0) {
		const char *given = getenv("TEST_SEED");
		value = given && *given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
		test_note("TEST_SEED=%u", value);
	}
	return value;
}

/* Arguments of random characters, most of which mean something to somebody. */
static void push_random(struct strv *argv, size_t n)
{
	static const char alphabet[] = "ab$$${}%%\\\\\"\"'' \t;#,=:@+!-[]*?/~x0nu\xc3";
	while (n--) {
		CLEANUP(buf_done) struct buf word = {};
		for (int len = rand() % 9; len > 0; len--) {
			char c = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
			buf_putc(&word, c);
			if (c == '\xc3')
				buf_putc(&word, '\xa4');
		}
		strv_push_take(argv, buf_take(&word));
	}
}

/* Write the unit, in a file that systemd reads. Returns false after a failed check. */
static bool install(const char *name, struct unitfile *u)
{
	struct error err = {};
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *path = xasprintf("/run/systemd/system/%s", name);
	int r = unitfile_finish(u, &text, &err);
	if (r >= 0)
		r = file_replace(path, text, strlen(text), 0644, &err);
	unitfile_done(u);
	if (r < 0)
		TEST_FAIL("%s: %s", name, err.text);
	return r >= 0;
}

static void remove_unit(const char *name)
{
	CLEANUP(freep)
	char *command = xasprintf("rm -f '/run/systemd/system/%s'; systemctl daemon-reload", name);
	CHECK_INT(system(command), 0);
}

static void property(const char *unit, const char *interface, const char *name, char separator,
		struct buf *ret)
{
	if (bus_text_property(bus, unit, interface, name, separator, ret) < 0)
		TEST_FAIL("%s", buf_text(ret));
}

static void check_property(
		const char *unit, const char *interface, const char *name, const char *expected)
{
	CLEANUP(buf_done) struct buf got = {};
	property(unit, interface, name, '|', &got);
	if (strcmp(buf_text(&got), expected) != 0)
		TEST_FAIL("%s: expected \"%s\", got \"%s\"", name, expected, buf_text(&got));
}

/* Is it among the members of a property, which systemd shows in an order of its own? */
static bool has_member(const struct buf *members, const char *member)
{
	CLEANUP(freep) char *wanted = xasprintf("\1%s\1", member);
	return strstr(buf_text(members), wanted) != NULL;
}

static void get_members(const char *unit, const char *interface, const char *name, struct buf *ret)
{
	buf_putc(ret, '\1');
	property(unit, interface, name, '\1', ret);
}

/* @expected: each with '\1' between its parts, if it has several. */
static void check_members(const char *unit, const char *interface, const char *name,
		const struct strv *expected)
{
	CLEANUP(buf_done) struct buf got = {};
	size_t len = 1;
	get_members(unit, interface, name, &got);
	for (size_t i = 0; i < expected->n; i++) {
		len += strlen(expected->items[i]) + 1;
		if (!has_member(&got, expected->items[i]))
			TEST_FAIL("%s: no \"%s\" in \"%s\"", name, expected->items[i], got.text);
	}
	CHECK_INT(got.len, len);
}

/*
 * The arguments of the only ExecStart command, without its path and what follows them.
 *
 * The property is an array of path, arguments, a boolean, four times, a PID and two numbers.
 */
static void exec_property(const char *unit, char **ret_path, struct strv *ret)
{
	CLEANUP(buf_done) struct buf text = {};
	property(unit, SERVICE, "ExecStart", '\0', &text);
	for (size_t at = 0; at < text.len; at += strlen(text.text + at) + 1)
		strv_push(ret, text.text + at);
	if (ret->n < 9) {
		TEST_FAIL("%s has no command", unit);
		*ret_path = NULL;
		return;
	}
	*ret_path = xstrdup(ret->items[0]);
	ret->n -= 8;
	memmove(ret->items, ret->items + 1, --ret->n * sizeof(*ret->items));
	ret->items[ret->n] = NULL;
}

/* What argv-dump was started with. */
static void started_with(struct strv *ret)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (file_read(DUMP, 8 << 20, &text, &err) < 0 || text.len == 0) {
		TEST_FAIL("nothing was started: %s", err.text);
		return;
	}
	for (size_t at = strlen(text.text) + 1; at < text.len; at += strlen(text.text + at) + 1)
		strv_push(ret, text.text + at);
	CHECK_INT(ret->n, atoi(text.text));
}

static void check_same(const char *what, const struct strv *got, const struct strv *expected)
{
	CHECK_INT(got->n, expected->n);
	for (size_t i = 0; i < got->n && i < expected->n; i++)
		if (strcmp(got->items[i], expected->items[i]) != 0)
			TEST_FAIL("%s, argument %zu: expected \"%s\", got \"%s\"", what, i,
					expected->items[i], got->items[i]);
}

static bool start(const char *unit)
{
	CLEANUP(freep) char *command = xasprintf("systemctl start '%s' >&2", unit);
	CHECK_INT(file_replace(DUMP, "", 0, 0666, NULL), 0);
	int status = system(command);
	CHECK_INT(status, 0);
	if (status != 0)
		CHECK_INT(system("journalctl -b -n 20 --no-pager | sed 's/^/# /'"), 0);
	return status == 0;
}

/* A service that runs the command once; @runtime: the variable's words in a file, NULL for none. */
static bool install_command(const char *name, const struct strv *argv, const char *variable,
		const struct strv *runtime)
{
	struct unitfile u = {};
	unitfile_comment(&u, "A test of quoting.");
	unitfile_section(&u, "Service");
	unitfile_set(&u, "Type", "oneshot");
	unitfile_set(&u, "Environment", "ARGV_DUMP=" DUMP);
	unitfile_set(&u, "Environment", "HOME=wrong");
	/* As in the units of machines: set to nothing, and by a file that is rarely there. */
	if (variable)
		unitfile_set(&u, "Environment", VARIABLE "=");
	if (runtime) {
		CLEANUP(buf_done) struct buf text = {};
		CHECK_INT(unitfile_environment(&text, VARIABLE, runtime, NULL), 0);
		CHECK_INT(file_replace(ENVIRONMENT_FILE, text.text, text.len, 0644, NULL), 0);
		unitfile_set(&u, "EnvironmentFile", "-" ENVIRONMENT_FILE);
	}
	if (variable)
		unitfile_exec_inside(&u, "ExecStart", "", argv, qemu_option_length, variable, NULL);
	else
		unitfile_exec(&u, "ExecStart", "", argv);
	unitfile_section(&u, "X-Machina");
	unitfile_set_words(&u, "Words", argv);
	return install(name, &u);
}

/* Property and process of a command without a variable. */
static void check_command(const char *name, const struct strv *argv)
{
	CLEANUP(strv_done) struct strv shown = {};
	CLEANUP(strv_done) struct strv received = {};
	CLEANUP(freep) char *path = NULL;
	if (!install_command(name, argv, NULL, NULL))
		return;
	exec_property(name, &path, &shown);
	CHECK_STR(path, argv->items[0]);
	check_same("ExecStart property", &shown, argv);
	if (start(name))
		started_with(&received);
	check_same("process", &received, argv);
	remove_unit(name);
}

/* The same of one with a variable that has the value @runtime. */
static void check_variable_command(
		const char *name, const struct strv *argv, const struct strv *runtime)
{
	CLEANUP(strv_done) struct strv shown = {};
	CLEANUP(strv_done) struct strv final = {};
	CLEANUP(strv_done) struct strv received = {};
	CLEANUP(strv_done) struct strv expected = {};
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *variable = NULL;
	if (!install_command(name, argv, VARIABLE, runtime))
		return;
	exec_property(name, &path, &shown);
	CHECK_STR(path, argv->items[0]);
	CHECK_STR(shown.n ? shown.items[shown.n - 1] : "", "$" VARIABLE);
	struct error err = {};
	if (unitfile_final_argv(&shown, &final, &variable, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK_STR(variable, VARIABLE);
	check_same("ExecStart property, dollars undone", &final, argv);

	/* Most arguments are equal without that too: those where systemd sees nothing to expand. */
	for (size_t i = 0; i < argv->n && i < shown.n; i++) {
		const char *word = argv->items[i];
		if (word[0] != '$' && !strstr(word, "$$") && !strstr(word, "${"))
			CHECK_STR(shown.items[i], word);
	}
	strv_extend(&expected, argv);
	if (runtime)
		strv_extend(&expected, runtime);
	if (start(name))
		started_with(&received);
	check_same("process", &received, &expected);
	remove_unit(name);
}

/* A program of that path, which must be below DIR. */
static void make_program(const char *path)
{
	unlink(path);
	CHECK_INT(symlink(ARGV_DUMP_PROGRAM, path), 0);
}

TEST(each_nasty_argument_arrives)
{
	CLEANUP(strv_done) struct strv argv = {};
	strv_push(&argv, ARGV_DUMP_PROGRAM);
	push_words(&argv);
	check_command("nasty.service", &argv);
}

TEST(each_nasty_argument_arrives_before_a_variable_without_words)
{
	CLEANUP(strv_done) struct strv argv = {};
	strv_push(&argv, ARGV_DUMP_PROGRAM);
	push_words(&argv);
	check_variable_command("nasty-empty.service", &argv, NULL);
}

TEST(a_variable_adds_no_argument_when_empty_and_any_words_when_set)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(strv_done) struct strv runtime = {};
	strv_push(&argv, ARGV_DUMP_PROGRAM);
	check_variable_command("variable-empty.service", &argv, &runtime);
	strv_push(&runtime, "-incoming");
	strv_push(&runtime, "defer");
	check_variable_command("variable-two.service", &argv, &runtime);
	push_words(&runtime);
	push_words(&argv);
	check_variable_command("variable-nasty.service", &argv, &runtime);
}

TEST(random_arguments_arrive)
{
	CLEANUP(strv_done) struct strv argv = {};
	CLEANUP(strv_done) struct strv runtime = {};
	srand(seed());
	strv_push(&argv, ARGV_DUMP_PROGRAM);
	push_random(&argv, 2000);
	push_random(&runtime, 500);
	check_command("random.service", &argv);
	check_variable_command("random-variable.service", &argv, &runtime);
}

TEST(the_program_may_have_an_odd_path)
{
	static const char *const paths[] = { DIR "/a b", DIR "/-a", DIR "/%n", DIR "/$HOME",
		DIR "/${HOME}$$", DIR "/;#", DIR "/a,b=c:d@e+f!g", DIR "/{a}~*", DIR "/\xc3\xa9" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		CLEANUP(strv_done) struct strv argv = {};
		strv_push(&argv, paths[i]);
		strv_push(&argv, "-a");
		make_program(paths[i]);
		check_command("program.service", &argv);
		check_variable_command("program-variable.service", &argv, NULL);
		strv_push(&argv, "${x}");
		check_command("program-colon.service", &argv);
	}
}

TEST(a_long_line_is_read_to_its_end)
{
	CLEANUP(strv_done) struct strv argv = {};
	strv_push(&argv, ARGV_DUMP_PROGRAM);
	for (int i = 0; i < 2000; i++)
		strv_pushf(&argv, "-option-%d %s", i,
				"a value that takes eighty characters of a line, give or take");
	check_variable_command("long.service", &argv, NULL);
}

TEST(settings_get_the_value_that_was_meant)
{
	struct unitfile u = {};
	unitfile_section(&u, "Unit");
	unitfile_set(&u, "Description", NASTY "\\");
	unitfile_set(&u, "Documentation", "https://example.com/a%20b man:machina(8)");
	unitfile_set(&u, "After", "dev-disk-by\\x2did-a.device b.service");
	unitfile_set(&u, "RequiresMountsFor", "/" NASTY);
	unitfile_section(&u, "Service");
	unitfile_set(&u, "ExecStart", "");
	unitfile_set(&u, "InaccessiblePaths", "-/" NASTY);
	unitfile_set(&u, "InaccessiblePaths", "+/" NASTY);
	unitfile_set(&u, "BindPaths", "-/" NASTY);
	unitfile_set(&u, "BindPaths", "/s" NASTY);
	unitfile_set(&u, "DeviceAllow", "/dev/" NASTY " rw");
	unitfile_set(&u, "IOReadBandwidthMax", "/dev/" NASTY " 1M");
	unitfile_set(&u, "EnvironmentFile", "-/a*b[c]?d\\e%f g");
	unitfile_set(&u, "Environment", "A=" NASTY);
	unitfile_set(&u, "RuntimeDirectory", "unit-syntax-" NASTY);
	unitfile_set(&u, "CPUQuota", "150%");
	unitfile_set(&u, "User", "machina-web");
	unitfile_set(&u, "SupplementaryGroups", "kvm disk");
	CLEANUP(strv_done) struct strv exec = {};
	strv_push(&exec, "true");
	unitfile_exec(&u, "ExecStart", "", &exec);
	if (!install("settings.service", &u))
		return;

	static const struct {
		const char *interface, *name, *expected;
	} expected[] = {
		{ UNIT, "LoadState", "loaded|" },
		{ UNIT, "Description", NASTY "\\|" },
		{ UNIT, "Documentation", "https://example.com/a%20b|man:machina(8)|" },
		{ SERVICE, "InaccessiblePaths", "-/" NASTY "|+/" NASTY "|" },
		{ SERVICE, "BindPaths",
				"/" NASTY "|/" NASTY "|true|16384|/s" NASTY "|/s" NASTY
				"|false|16384|" },
		{ SERVICE, "DeviceAllow", "/dev/" NASTY "|rw|" },
		{ SERVICE, "IOReadBandwidthMax", "/dev/" NASTY "|1000000|" },
		{ SERVICE, "EnvironmentFiles", "/a\\*b\\[c]\\?d\\\\e%f g|true|" },
		{ SERVICE, "Environment", "A=" NASTY "|" },
		{ SERVICE, "RuntimeDirectory", "unit-syntax-" NASTY "|" },
		{ SERVICE, "CPUQuotaPerSecUSec", "1500000|" },
		{ SERVICE, "User", "machina-web|" },
		{ SERVICE, "SupplementaryGroups", "kvm|disk|" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		check_property("settings.service", expected[i].interface, expected[i].name,
				expected[i].expected);
	CLEANUP(buf_done) struct buf members = {};
	get_members("settings.service", UNIT, "After", &members);
	CHECK(has_member(&members, "dev-disk-by\\x2did-a.device"));
	get_members("settings.service", UNIT, "RequiresMountsFor", &members);
	CHECK(has_member(&members, "/" NASTY));
	remove_unit("settings.service");
}

/* Each alone, since what needs quoting for one character could hide what another one needs. */
TEST(each_nasty_word_can_be_part_of_a_path)
{
	struct unitfile u = {};
	CLEANUP(buf_done) struct buf paths = {}, binds = {}, variables = {};
	CLEANUP(strv_done) struct strv list = {};
	CLEANUP(strv_done) struct strv devices = {};
	CLEANUP(strv_done) struct strv directories = {};
	CLEANUP(strv_done) struct strv exec = {};
	unitfile_section(&u, "Service");
	for (size_t i = 0; i < ARRAY_SIZE(nasty_words); i++) {
		CLEANUP(freep) char *path = xasprintf("/dev/p%s", nasty_words[i]);
		strv_push(&list, path);
		buf_printf(&paths, "%s|", path);
		unitfile_set(&u, "BindPaths", path);
		buf_printf(&binds, "%s|%s|false|16384|", path, path);
		unitfile_setf(&u, "DeviceAllow", "%s r", path);
		strv_pushf(&devices, "%s\1r", path);
		unitfile_setf(&u, "StateDirectory", "d%s", nasty_words[i]);
		strv_pushf(&directories, "d%s", nasty_words[i]);
		unitfile_setf(&u, "Environment", "V%zu=%s", i, nasty_words[i]);
		buf_printf(&variables, "V%zu=%s|", i, nasty_words[i]);
	}
	unitfile_set_words(&u, "InaccessiblePaths", &list);
	strv_push(&exec, "true");
	unitfile_exec(&u, "ExecStart", "", &exec);
	if (!install("words.service", &u))
		return;
	check_property("words.service", SERVICE, "InaccessiblePaths", buf_text(&paths));
	check_property("words.service", SERVICE, "BindPaths", buf_text(&binds));
	check_members("words.service", SERVICE, "DeviceAllow", &devices);
	check_members("words.service", SERVICE, "StateDirectory", &directories);
	check_property("words.service", SERVICE, "Environment", buf_text(&variables));
	remove_unit("words.service");
}

TEST(files_and_directories_get_the_name_that_was_meant)
{
	struct unitfile u = {};
	CLEANUP(strv_done) struct strv exec = {};
	strv_push(&exec, "test");
	strv_push(&exec, "-d");
	strv_push(&exec, "/run/unit-syntax-" NAME);
	unitfile_section(&u, "Service");
	unitfile_set(&u, "Type", "oneshot");
	unitfile_set(&u, "RuntimeDirectory", "unit-syntax-" NAME);
	unitfile_exec(&u, "ExecStart", "", &exec);
	if (install("directory.service", &u))
		start("directory.service");
	remove_unit("directory.service");
}

/* Before the first test: a bus, a place for files, and no doubt that this system may be changed. */
__attribute__((constructor(101))) static void prepare(void)
{
	if (sd_bus_open_system(&bus) < 0 ||
			access("/run/systemd/system/with-systemd.target", F_OK) < 0) {
		printf("1..0 # SKIP it writes units and starts them: run test-unit-syntax\n");
		exit(0);
	}
	mkdir(DIR, 0755);
}

__attribute__((destructor)) static void release(void)
{
	sd_bus_flush_close_unref(bus);
}

TEST_MAIN()
