/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quoting for the shell, read back by the shell of this system. */
#include "util/shell.h"

#include <sys/wait.h>
#include <time.h>

#include "test.h"
#include "util/mem.h"
#include "util/strv.h"

static void check_quote(const char *word, const char *expected)
{
	CLEANUP(buf_done) struct buf b = {};
	shell_quote(&b, word);
	CHECK_STR(buf_text(&b), expected);
}

static void check_program(const char *word, const char *expected)
{
	CLEANUP(buf_done) struct buf b = {};
	shell_quote_program(&b, word);
	CHECK_STR(buf_text(&b), expected);
}

TEST(safe_words_stay_bare)
{
	check_quote("driver=file,node-name=a.0,filename=/b_c/d@e%f+g:h",
			"driver=file,node-name=a.0,"
			"filename=/b_c/d@e%f+g:h");
	check_quote("-x", "-x");
}

TEST(other_words_are_quoted)
{
	check_quote("", "''");
	check_quote("a b", "'a b'");
	check_quote("it's", "'it'\\''s'");
	check_quote("~", "'~'");
	check_quote("{a,b}", "'{a,b}'");
	check_quote("$HOME", "'$HOME'");
	check_quote("\xc3\xa9", "'\xc3\xa9'");
}

TEST(a_program_is_taken_for_nothing_else)
{
	check_program("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-system-x86_64");
	check_program("qemu-system-x86_64", "qemu-system-x86_64");
	check_program("if", "'if'");
	check_program("/a=b", "'/a=b'");
	check_program("A=b", "'A=b'");
	check_program("", "''");
}

/* What sh makes of the words: each with a NUL after it. */
static void read_by_shell(const char *words, struct buf *ret)
{
	CLEANUP(freep) char *script = xasprintf("printf '%%s\\0' %s", words);
	int pipe_fds[2];
	if (pipe(pipe_fds) < 0) {
		TEST_FAIL("no pipe");
		return;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(pipe_fds[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	close(pipe_fds[1]);
	for (;;) {
		ssize_t n = read(pipe_fds[0], buf_reserve(ret, 4096), 4096);
		if (n <= 0)
			break;
		ret->len += (size_t)n;
	}
	close(pipe_fds[0]);
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

static void check_words_come_back(const struct strv *words)
{
	CLEANUP(buf_done) struct buf line = {};
	CLEANUP(buf_done) struct buf expected = {};
	CLEANUP(buf_done) struct buf got = {};
	for (size_t i = 0; i < words->n; i++) {
		buf_putc(&line, ' ');
		shell_quote(&line, words->items[i]);
		buf_add(&expected, words->items[i], strlen(words->items[i]) + 1);
	}
	read_by_shell(buf_text(&line), &got);
	CHECK_INT(got.len, expected.len);
	CHECK(got.len == expected.len && !memcmp(got.text, expected.text, got.len));
}

TEST(the_shell_gives_nasty_words_back)
{
	static const char *const words[] = { "", "a", "a b", "'", "''", "\"", "\\", "\\\\", "a\\",
		"$", "$HOME", "${HOME}", "$(id)", "`id`", "~", "~root", "*", "?", "[a]", "{a,b}",
		"!", "!!", "#", "#a", "a#b", "&", "|", ";", "<", ">", "(", ")", "a=b", "-n", "--",
		"\t", "\n", "a\nb", " ", "%s", "\xc3\xa9", "\xff\xfe", "\x01\x7f", "if", "time",
		"a,b", "^", "\r" };
	CLEANUP(strv_done) struct strv list = {};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_push(&list, words[i]);
	check_words_come_back(&list);
}

TEST(the_shell_gives_random_words_back)
{
	const char *given = getenv("TEST_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	test_note("TEST_SEED=%u", seed);
	srand(seed);
	CLEANUP(strv_done) struct strv list = {};
	for (int i = 0; i < 500; i++) {
		CLEANUP(buf_done) struct buf word = {};
		for (int n = rand() % 8; n > 0; n--)
			buf_putc(&word, (char)(1 + rand() % 255));
		strv_push_take(&list, buf_take(&word));
	}
	check_words_come_back(&list);
}

TEST(the_shell_runs_a_program_with_an_odd_name)
{
	static const char *const names[] = { "if", "a=b", "my prog", "it's", "$x" };
	CLEANUP(freep) char *dir = test_directory();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(freep) char *path = xasprintf("%s/%s", dir, names[i]);
		CHECK_INT(symlink("/bin/echo", path), 0);
		CLEANUP(buf_done) struct buf script = {};
		CLEANUP(buf_done) struct buf got = {};
		buf_printf(&script, "x; PATH=%s ", dir);
		shell_quote_program(&script, names[i]);
		buf_puts(&script, " found");
		read_by_shell(buf_text(&script), &got);
		CHECK_INT(got.len, 8);
		CHECK(got.len == 8 && !memcmp(got.text, "x\0found\n", 8));
		unlink(path);
	}
	rmdir(dir);
}

TEST_MAIN()
