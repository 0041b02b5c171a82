/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole terminal for pictures. */
#include "cli/screen.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "util/mem.h"

/* The second screen, no cursor, no line breaks at the margin; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[?7h\033[?25h\033[?1049l"
/* Home; the rest of a line, of the screen. */
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_REST "\033[J"

#define LINES_UNKNOWN 24

/* Keys without a character of their own, as the arrows, send this and more, in one piece but for
 * what a network does to it. */
#define ESCAPE '\033'
#define SEQUENCE_USEC (50 * USEC_PER_MSEC)

static struct termios before;
static volatile sig_atomic_t is_open;
static int signal_fd = -1;
static char *picture;
static size_t picture_len;
static FILE *picture_stream;

/* Only what a signal handler may call. */
static void put_back(void)
{
	if (!is_open)
		return;
	is_open = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	if (write(STDOUT_FILENO, LEAVE, strlen(LEAVE)) < 0)
		return;
}

static void die(int signal)
{
	put_back();
	/* SA_RESETHAND: now it has its own effect. */
	raise(signal);
}

static void catch_faults(void)
{
	static const int faults[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	const struct sigaction action = { .sa_handler = die, .sa_flags = (int)SA_RESETHAND };
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}

static int take_over(void)
{
	struct termios raw = before;
	/* Keys come one by one and are not shown; Ctrl-C still is a signal. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -1;
	is_open = 1;
	fputs(ENTER, stdout);
	fflush(stdout);
	return 0;
}

int screen_open(struct error *err)
{
	sigset_t signals;
	sigemptyset(&signals);
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		sigaddset(&signals, wanted[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return error_errno(err, "cannot wait for signals");
	atexit(put_back);
	catch_faults();
	if (tcgetattr(STDIN_FILENO, &before) < 0 || take_over() < 0)
		return error_errno(err, "cannot use the terminal");
	return 0;
}

void screen_close(void)
{
	put_back();
	closep(&signal_fd);
}

size_t screen_lines(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row
									   : LINES_UNKNOWN;
}

FILE *screen_begin(void)
{
	picture_stream = open_memstream(&picture, &picture_len);
	if (!picture_stream)
		out_of_memory();
	return picture_stream;
}

/* Line by line over what is there, so that nothing flickers. The end of the last line would scroll
 * a screen that is full. */
void screen_end(void)
{
	fclose(picture_stream);
	fputs(HOME, stdout);
	if (picture_len && picture[picture_len - 1] == '\n')
		picture_len--;
	for (size_t i = 0; i < picture_len; i++) {
		if (picture[i] == '\n')
			fputs(CLEAR_LINE "\r", stdout);
		putchar(picture[i]);
	}
	fputs(CLEAR_LINE CLEAR_REST, stdout);
	fflush(stdout);
	free(picture);
	picture = NULL;
}

/* Behind ssh(1) there may be no shell that could have it go on: the kernel knows, and then does not
 * stop it, which SIGSTOP would. */
static void stop(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static enum screen_event take_signal(void)
{
	struct signalfd_siginfo info;
	if (read(signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return SCREEN_RESIZED;
	if (info.ssi_signo == SIGTSTP) {
		put_back();
		stop();
		/* In the background this waits for "fg". */
		return take_over() < 0 ? SCREEN_ENDED : SCREEN_RESIZED;
	}
	return info.ssi_signo == SIGWINCH ? SCREEN_RESIZED : SCREEN_ENDED;
}

/* Whether there was more than ESC. */
static bool drop_sequence(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	char rest[32];
	return clock_poll(&fd, 1, clock_deadline_usec(SEQUENCE_USEC)) > 0 &&
	       read(STDIN_FILENO, rest, sizeof(rest)) > 0;
}

enum screen_event screen_wait(uint64_t deadline_usec, char *ret_key)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};
	int n = clock_poll(fds, ARRAY_SIZE(fds), deadline_usec);
	if (n < 0)
		return errno == EINTR ? SCREEN_RESIZED : SCREEN_ENDED;
	if (fds[1].revents)
		return take_signal();
	if (!fds[0].revents)
		return SCREEN_TIME;
	if (read(STDIN_FILENO, ret_key, 1) != 1)
		return SCREEN_ENDED;
	return *ret_key == ESCAPE && drop_sequence() ? SCREEN_RESIZED : SCREEN_KEY;
}
