/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's console on our own. */
#include "hook/run-console.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include "cli/output.h"
#include "host/os/clock.h"
#include "util/file.h"
#include "util/mem.h"

/* What poll(2) promises a pipe to take at once (pipe(7), PIPE_BUF); read in pieces of that size. */
#define CHUNK 4096
/* Of what a socket holds unread (net.core.rmem_default, 208 KiB), and some more. */
#define UNREAD_CHUNKS 128
/* A guest that does not read its console must not keep us from reading ours. */
#define INPUT_MAX ((size_t)64 << 10)
/* For whoever reads our output to take some of it. */
#define DRAIN_USEC (2 * USEC_PER_SEC)
/* Who takes nothing for so long has stopped to read, and for how long a write waits for him. */
#define STUCK_USEC (5 * USEC_PER_SEC)
#define WRITE_USEC (10 * USEC_PER_MSEC)
#define KEY_LEAVE '\x1d' /* Ctrl-] */

enum { POLL_INPUT, POLL_OUTPUT, POLL_GUEST };

/* ---- the terminal ---- */

/* The process has one terminal, and signal handlers have no other way to it. */
static struct termios terminal_before;
static volatile sig_atomic_t terminal_is_changed;

static void restore_terminal(void)
{
	if (!terminal_is_changed)
		return;
	terminal_is_changed = 0;
	/* In the background it is the shell's, which has put it back by itself. */
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
}

/* The default action follows: SA_RESETHAND, and the fault happens again. */
static void restore_and_die(int number)
{
	restore_terminal();
	raise(number);
}

static void restore_whatever_happens(void)
{
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };
	static bool done;
	if (done)
		return;
	done = true;
	atexit(restore_terminal);
	const struct sigaction action = {
		.sa_handler = restore_and_die,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}

static void take_terminal(struct console *console)
{
	struct termios raw;
	if (!console->is_terminal || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	if (!terminal_is_changed && tcgetattr(STDIN_FILENO, &terminal_before) < 0)
		return;
	raw = terminal_before;
	if (console->guest_fd >= 0) {
		cfmakeraw(&raw);
	} else {
		/* Only Ctrl-] is looked at: Ctrl-C and line ends may stay as they are. */
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
	}
	restore_whatever_happens();
	terminal_is_changed = 1;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
		console->is_raw = console->guest_fd >= 0;
}

static void wake(int signal)
{
	(void)signal;
}

void console_open_take(struct console *console, const char *machine, int guest_fd)
{
	const struct sigaction ends_write = { .sa_handler = wake };
	sigaction(SIGALRM, &ends_write, NULL);
	*console = (struct console){ .machine = machine, .guest_fd = guest_fd };
	if (isatty(STDIN_FILENO)) {
		/* In the background it is not ours: reading it would stop the process. */
		console->is_terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
		console->input_ended = !console->is_terminal;
	}
	take_terminal(console);
}

void console_resume(struct console *console)
{
	take_terminal(console);
}

void console_turn_take(struct console *console, int guest_fd)
{
	closep(&console->guest_fd);
	console->guest_fd = guest_fd;
	console->enter = console->end_passed = false;
	take_terminal(console);
}

enum terminal_mode console_mode(bool raw)
{
	if (raw)
		return TERMINAL_RAW;
	return isatty(STDOUT_FILENO) ? TERMINAL_SCREEN : TERMINAL_TEXT;
}

void console_restore_screen(const struct console *console)
{
	const char *term = getenv("TERM");
	CLEANUP(buf_done) struct buf text = {};
	if (!console->filter || !isatty(STDOUT_FILENO) || !term || !strcmp(term, "dumb"))
		return;
	terminal_filter_end(console->filter, &text);
	(void)!write_all(STDOUT_FILENO, text.text, text.len);
}

void console_show(struct console *console, const char *data, size_t len)
{
	if (console->filter)
		terminal_filter_add(console->filter, &console->from_guest, data, len);
	else
		buf_add(&console->from_guest, data, len);
}

void console_close(struct console *console)
{
	restore_terminal();
	console->is_raw = false;
	closep(&console->guest_fd);
	buf_done(&console->to_guest);
	buf_done(&console->from_guest);
}

/* ---- copying ---- */

static void set_poll(struct pollfd *ret, int fd, bool wanted, short events)
{
	*ret = (struct pollfd){ .fd = wanted ? fd : -1, .events = events };
}

static bool is_stuck(const struct console *console)
{
	return console->skips && console->from_guest.len && clock_now_usec() >= console->stuck_usec;
}

static bool reads_guest(const struct console *console)
{
	return !console->from_guest.len || is_stuck(console);
}

uint64_t console_deadline(const struct console *console)
{
	return console->skips && console->from_guest.len && !is_stuck(console) ? console->stuck_usec
									       : DEADLINE_NEVER;
}

void console_poll(const struct console *console, struct pollfd ret[CONSOLE_FDS])
{
	bool has_guest = console->guest_fd >= 0;
	/* On a terminal it is always read, for Ctrl-]; without, it can wait for the guest. */
	bool reads = !console->input_ended &&
		     (console->is_terminal || (has_guest && console->to_guest.len < INPUT_MAX));
	short guest_events = 0;
	if (reads_guest(console))
		guest_events |= POLLIN;
	if (console->to_guest.len)
		guest_events |= POLLOUT;
	set_poll(&ret[POLL_INPUT], STDIN_FILENO, reads, POLLIN);
	/* Also with nothing to write: that nobody reads any more is told in any case. */
	set_poll(&ret[POLL_OUTPUT], STDOUT_FILENO,
			console->from_guest.len || !console->output_ended,
			console->from_guest.len ? POLLOUT : 0);
	set_poll(&ret[POLL_GUEST], console->guest_fd, has_guest && guest_events, guest_events);
}

static void drop_front(struct buf *b, size_t n)
{
	memmove(b->text, b->text + n, b->len - n);
	buf_truncate(b, b->len - n);
}

/* A terminal takes a long text at once, or waits until it was read. */
static ssize_t write_soon(const char *data, size_t len)
{
	const struct timeval soon = { .tv_usec = (suseconds_t)WRITE_USEC };
	const struct itimerval again = { soon, soon }, never = {};
	setitimer(ITIMER_REAL, &again, NULL);
	ssize_t n = write(STDOUT_FILENO, data, len);
	const int failure = errno;
	setitimer(ITIMER_REAL, &never, NULL);
	errno = failure;
	return n;
}

/* It takes something again: what it has missed is in the log. */
static void tell_skipped(struct console *console)
{
	CLEANUP(freep) char *size = format_size(console->n_skipped);
	CLEANUP(freep)
	char *text = xasprintf("%s were left out, since nobody read them; 'machina console --log "
			       "%s' has them",
			size, console->machine);
	console->n_skipped = 0;
	console_say(console, text);
}

static void write_output(struct console *console)
{
	struct buf *b = &console->from_guest;
	if (!b->len)
		return;
	ssize_t n = console->output_ended ? (ssize_t)b->len
					  : write_soon(b->text, b->len < CHUNK ? b->len : CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		/* A guest whose console nobody reads stops writing sooner or later: go on reading.
		 */
		console->output_ended = true;
		buf_clear(b);
		return;
	}
	if (n > 0)
		console->in_line = b->text[n - 1] != '\n';
	drop_front(b, (size_t)n);
	console->stuck_usec = clock_deadline_usec(STUCK_USEC);
	if (!b->len && console->n_skipped)
		tell_skipped(console);
}

/* Returns how many keys asked to leave. */
static int take_input(struct console *console, const char *text, size_t len)
{
	int n_leave = 0;
	for (size_t i = 0; i < len; i++) {
		if (console->is_terminal && text[i] == KEY_LEAVE)
			n_leave++;
		else if (console->guest_fd < 0)
			console->enter |= text[i] == '\n' || text[i] == '\r';
		else if (console->to_guest.len < INPUT_MAX)
			buf_add(&console->to_guest, &text[i], 1);
	}
	return n_leave;
}

static int read_input(struct console *console)
{
	char text[CHUNK];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));
	if (n > 0)
		return take_input(console, text, (size_t)n);
	if (n == 0 || (errno != EINTR && errno != EAGAIN))
		console->input_ended = true;
	return 0;
}

static void write_guest(struct console *console)
{
	struct buf *b = &console->to_guest;
	ssize_t n = send(console->guest_fd, b->text, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		drop_front(b, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_clear(b);
}

/* Sequences that have begun end, or begin, in what is left out. */
static void skip(struct console *console, const char *data, size_t len)
{
	CLEANUP(buf_done) struct buf unseen = {};
	if (console->filter)
		terminal_filter_add(console->filter, &unseen, data, len);
	console->n_skipped += len;
}

/* Returns false when there is no more, now or ever. */
static bool read_guest(struct console *console)
{
	char text[CHUNK];
	ssize_t n = recv(console->guest_fd, text, sizeof(text), MSG_DONTWAIT);
	if (n > 0 && console->end_passed)
		return true;
	if (n > 0 && is_stuck(console)) {
		skip(console, text, (size_t)n);
		return true;
	}
	if (n > 0) {
		if (!console->from_guest.len)
			console->stuck_usec = clock_deadline_usec(STUCK_USEC);
		console_show(console, text, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		closep(&console->guest_fd);
		buf_clear(&console->to_guest);
	}
	return false;
}

bool console_has_said_all(const struct console *console)
{
	return console->input_ended && !console->end_passed && console->guest_fd >= 0 &&
	       !console->to_guest.len;
}

/* QEMU drops what it has not read of a connection that is closed, not of one that is shut down. */
void console_pass_end(struct console *console)
{
	/* A guest that never stops writing must not keep us here: more the socket does not hold. */
	for (int i = 0; i < UNREAD_CHUNKS && read_guest(console); i++)
		;
	console->end_passed = true;
	if (console->guest_fd >= 0)
		shutdown(console->guest_fd, SHUT_WR);
}

int console_work(struct console *console, const struct pollfd fds[CONSOLE_FDS])
{
	int n_leave = fds[POLL_INPUT].revents ? read_input(console) : 0;
	if (fds[POLL_OUTPUT].revents & (POLLERR | POLLNVAL))
		console->output_ended = true;
	if (fds[POLL_OUTPUT].revents)
		write_output(console);
	if (fds[POLL_GUEST].revents & POLLOUT)
		write_guest(console);
	if (fds[POLL_GUEST].revents & (POLLIN | POLLHUP | POLLERR) && reads_guest(console) &&
			read_guest(console)) {
		/* At once if that is possible: messages that come next are about what came before.
		 */
		struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
		if (clock_poll(&output, 1, 0) > 0)
			write_output(console);
	}
	return n_leave;
}

bool console_is_gone(const struct console *console)
{
	/* In raw mode only a terminal that has hung up ends: the end of file is a key. */
	return console->output_ended || (console->is_terminal && console->input_ended);
}

void console_drain(struct console *console)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
	do {
		while (console->from_guest.len) {
			/* A terminal that stands still must not hold up what comes afterwards. */
			if (clock_poll(&output, 1, clock_deadline_usec(DRAIN_USEC)) <= 0)
				return;
			write_output(console);
		}
	} while (console->guest_fd >= 0 && read_guest(console));
}

void console_say(struct console *console, const char *text)
{
	const char *line_end = console->is_raw ? "\r\n" : "\n";
	/* Where both go to one terminal, the guest may have left the cursor in a line. */
	if (console->in_line && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		fputs(line_end, stderr);
	console->in_line = false;
	style_begin(stderr, STYLE_DIM);
	fprintf(stderr, "%s: ", console->machine);
	put_text(stderr, text);
	style_end(stderr, STYLE_DIM);
	fputs(line_end, stderr);
	fflush(stderr);
}
