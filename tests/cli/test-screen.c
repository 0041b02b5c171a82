/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture over the whole terminal: keys, Ctrl-Z, and the terminal as it was before. */
#include "cli/screen.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "test.h"
#include "util/mem.h"

/* The framework wants a program; these tests run no command of it. */
const struct command program = { .name = "", .summary = "A program of tests" };

#define LIMIT_USEC (60 * USEC_PER_SEC)

struct session {
	int terminal, slave;
	int keys;  /* the program tells of each key that it gets, the shell that it was STOPPED */
	pid_t pid; /* of the shell, or of the program if there is none */
};

#define STOPPED "Z"

/* A program that shows a picture for each key, and ends with "q". */
static void be_program(int keys)
{
	struct error err = {};
	char key = '?';
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	output_init(false);
	if (screen_open(&err) < 0)
		_exit(2);
	for (enum screen_event event = SCREEN_RESIZED; event != SCREEN_ENDED && key != 'q';) {
		FILE *to = screen_begin();
		style_begin(to, STYLE_HEAD);
		fprintf(to, "picture %c", key);
		style_end(to, STYLE_HEAD);
		screen_end();
		event = screen_wait(DEADLINE_NEVER, &key);
		if (event == SCREEN_KEY && write(keys, &key, 1) != 1)
			_exit(3);
	}
	screen_close();
	exit(0);
}

/* It runs the program, and tells when that was stopped. */
static void be_shell(int keys)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		if (tcsetpgrp(STDIN_FILENO, getpid()) < 0)
			_exit(4);
		signal(SIGTTOU, SIG_DFL);
		be_program(keys);
	}
	while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status))
		if (write(keys, STOPPED, 1) != 1)
			_exit(5);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
}

static void begin(struct session *s, void (*be)(int keys))
{
	int keys[2];
	CHECK_INT(openpty(&s->terminal, &s->slave, NULL, NULL, NULL), 0);
	CHECK_INT(pipe2(keys, O_CLOEXEC), 0);
	fflush(stdout);
	s->pid = fork();
	if (s->pid == 0) {
		close(s->terminal);
		login_tty(s->slave);
		be(keys[1]);
	}
	close(keys[1]);
	s->keys = keys[0];
}

static void end(struct session *s)
{
	close(s->terminal);
	close(s->slave);
	close(s->keys);
}

/* All that is written up to @wanted. */
static char *read_until(int fd, const char *wanted)
{
	CLEANUP(buf_done) struct buf text = {};
	const uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	while (!strstr(buf_text(&text), wanted)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char c;
		if (clock_poll(&p, 1, deadline) <= 0 || read(fd, &c, 1) != 1) {
			TEST_FAIL("'%s' did not come, but '%s'", wanted, buf_text(&text));
			break;
		}
		buf_putc(&text, c);
	}
	return buf_take(&text);
}

static void expect(int fd, const char *wanted)
{
	free(read_until(fd, wanted));
}

static void type(const struct session *s, const char *keys)
{
	CHECK_INT(write(s->terminal, keys, strlen(keys)), strlen(keys));
}

static bool is_raw(const struct session *s)
{
	struct termios now;
	CHECK_INT(tcgetattr(s->slave, &now), 0);
	return !(now.c_lflag & ICANON);
}

static void check_end(const struct session *s)
{
	const uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	int status = 0;
	while (waitpid(s->pid, &status, WNOHANG) == 0) {
		if (clock_now_usec() < deadline) {
			clock_pause(USEC_PER_MSEC);
			continue;
		}
		TEST_FAIL("the program goes on");
		kill(s->pid, SIGKILL);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(!is_raw(s));
}

TEST(keys_without_a_character_are_passed_over)
{
	struct session s;
	begin(&s, be_program);
	expect(s.terminal, "picture ?");
	static const char *const sequences[] = { "\033[A", "\033OP", "\033[6~", "\033[1;5C" };
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		type(&s, sequences[i]);
		expect(s.terminal, "picture");
	}
	type(&s, "m");
	expect(s.terminal, "picture m");
	/* By itself it is a key. */
	type(&s, "\033");
	expect(s.terminal, "picture \033");
	type(&s, "q");
	CLEANUP(freep) char *keys = read_until(s.keys, "q");
	CHECK_STR(keys, "m\033q");
	check_end(&s);
	end(&s);
}

TEST(a_program_that_is_stopped_gives_the_terminal_back)
{
	struct session s;
	begin(&s, be_shell);
	expect(s.terminal, "picture ?");
	CHECK(is_raw(&s));
	type(&s, "\032");
	expect(s.keys, STOPPED);
	CHECK(!is_raw(&s));
	expect(s.terminal, "\033[?1049l");
	CHECK_INT(kill(-tcgetpgrp(s.terminal), SIGCONT), 0);
	expect(s.terminal, "\033[?1049h");
	expect(s.terminal, "picture");
	CHECK(is_raw(&s));
	type(&s, "q");
	expect(s.terminal, "\033[?1049l");
	check_end(&s);
	end(&s);
}

TEST(a_program_that_nobody_could_have_go_on_is_not_stopped)
{
	struct session s;
	begin(&s, be_program);
	expect(s.terminal, "picture ?");
	type(&s, "\032");
	expect(s.terminal, "\033[?1049h");
	expect(s.terminal, "picture");
	CHECK(is_raw(&s));
	type(&s, "q");
	check_end(&s);
	end(&s);
}

TEST(a_picture_has_the_colors_of_its_terminal)
{
	struct session s;
	begin(&s, be_program);
	expect(s.terminal, "\033[1mpicture ?\033[0m");
	type(&s, "q");
	check_end(&s);
	end(&s);
}

TEST_MAIN()
