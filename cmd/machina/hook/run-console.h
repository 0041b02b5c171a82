/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's console on our own: standard input to the guest, its output to standard output,
 * messages between the two.
 *
 * On a terminal every key goes to the guest but Ctrl-], which asks to leave: the terminal is in raw
 * mode (termios(3)) from console_open_take() to console_close(), and is put back by exit(3) and by
 * signals of broken programs as well. Elsewhere bytes are only copied.
 *
 *	for (;;) {
 *		struct pollfd fds[CONSOLE_FDS];
 *		console_poll(&console, fds);
 *		poll(fds, ...);
 *		if (console_work(&console, fds) > 0)
 *			...
 *	}
 *
 * A guest without a serial console has no other end: keys are looked at and dropped.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/cleanup.h"
#include "util/terminal.h"

#define CONSOLE_FDS 3

struct console {
	const char *machine; /* in front of messages */
	int guest_fd;	     /* -1: there is none, or it has ended */
	bool is_terminal;    /* standard input is one, and ours to use */
	bool is_raw;
	bool input_ended, output_ended;
	bool in_line;	 /* the guest has written part of a line */
	bool end_passed; /* see console_pass_end() */
	struct buf to_guest, from_guest;
	/* What is not taken from us for some seconds is left out: else the guest would stand still
	 * with whoever stopped to read. */
	bool skips;
	uint64_t stuck_usec; /* when it will have been so long, in the time of clock_now_usec() */
	uint64_t n_skipped;  /* bytes, since anything was taken */
	/* What the guest's bytes go through on their way to from_guest; NULL: they stay as they
	 * are. Borrowed. */
	struct terminal_filter *filter;
	bool enter; /* without a guest's end: Enter was typed */
};

/* @guest_fd: connected socket, which it takes over; -1 for none. */
void console_open_take(struct console *console, const char *machine, int guest_fd);
void console_close(struct console *console);

/* The terminal may have been given back to the shell for a while. */
void console_resume(struct console *console);

/*
 * Another end from now on, connected, which it takes over. To be used where there was none: a
 * console that was only watched is written to.
 */
void console_turn_take(struct console *console, int guest_fd);

/* What is right for the standard output: a screen where it is a terminal, else text. */
enum terminal_mode console_mode(bool raw);

/* What a guest has done to the terminal is undone, where the standard output is one. */
void console_restore_screen(const struct console *console);

/* Show bytes that came from elsewhere, by way of the filter. */
void console_show(struct console *console, const char *data, size_t len);

/* What to wait for; what there is not is -1 and ignored by poll(2). */
void console_poll(const struct console *console, struct pollfd ret[CONSOLE_FDS]);

/* When to go on although nothing has happened (host/os/clock.h). */
uint64_t console_deadline(const struct console *console);

/* Copy what can be copied without waiting. Returns how many times Ctrl-] was read. */
int console_work(struct console *console, const struct pollfd fds[CONSOLE_FDS]);

/* The input has ended, and the guest's end has all of it but for word of that. */
bool console_has_said_all(const struct console *console);
/*
 * That word: QEMU reads the rest, and ends the connection. What the guest has written by now is
 * shown, and no more: for who sees the rest elsewhere.
 */
void console_pass_end(struct console *console);

/* Nobody reads us any more, or the terminal was taken away. */
bool console_is_gone(const struct console *console);

/* The rest of what the guest has said, once QEMU has ended. */
void console_drain(struct console *console);

/* "web: text", on a line of its own on standard error. */
void console_say(struct console *console, const char *text);
