/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina console: a guest's serial console, to type at or to watch. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "guest/console-log.h"
#include "guest/guest.h"
#include "hook/run-console.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/unix-peer.h"
#include "lifecycle/monitor.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/terminal.h"

/* QEMU accepts a connection at once, unless it has one. */
#define ACCEPT_USEC (500 * USEC_PER_MSEC)
#define ACCEPT_STEP_USEC (5 * USEC_PER_MSEC)
/* How often those who watch look whether the console has become free. */
#define LOOK_USEC (500 * USEC_PER_MSEC)

struct console_options {
	bool read_only;
	bool wait;
	bool log;
	bool raw;
	bool resize;
	int lines;
};

struct attach {
	const struct console_options *options;
	struct plan plan;
	const char *socket;
	struct console_log log;
	struct console console;
	struct terminal_filter filter;
	int inotify_fd, signal_fd;
	bool is_opened; /* the console */
	bool is_writer;
	bool is_free; /* nobody writes; it was said */
	bool ended;   /* by the machine, a signal or a key */
};

enum { POLL_SIGNAL = CONSOLE_FDS, POLL_LOG, N_POLL };

static void attach_done(struct attach *a)
{
	if (a->is_opened)
		console_close(&a->console);
	console_log_close(&a->log);
	closep(&a->inotify_fd);
	closep(&a->signal_fd);
	plan_done(&a->plan);
}

static void say(struct attach *a, const char *format, ...) PRINTF(2, 3);

static void say(struct attach *a, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	console_say(&a->console, text);
}

/* Show more of the log, once the last piece is out. */
static int follow_log(struct attach *a, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	if (a->console.from_guest.len > 0)
		return 0;
	int r = console_log_follow(&a->log, &text, err);
	if (text.len > 0)
		console_show(&a->console, text.text, text.len);
	/* It goes with the machine. */
	if (r > 0) {
		say(a, "the machine has stopped");
		a->ended = true;
	}
	return r < 0 ? r : 0;
}

/* ---- who writes ---- */

/* Who has the console. The caller frees it. */
static char *writer_of(const struct attach *a)
{
	CLEANUP(buf_done) struct buf who = {};
	unix_peer_text(a->socket, &who);
	return who.len > 0 ? buf_take(&who) : xstrdup("somebody else");
}

/* Returns 0 with a connection that QEMU has accepted, 1 when it serves somebody else, or a negative
 * errno. */
static int connect_console(const struct attach *a, int *ret_fd, struct error *err)
{
	const uint64_t deadline = clock_deadline_usec(ACCEPT_USEC);
	CLEANUP(closep) int fd = -1;
	bool is_served = false;
	int r = connect_unix_now(a->socket, &fd);
	if (r == -EAGAIN)
		return 1;
	if (r == -ENOENT || r == -ECONNREFUSED)
		return error_set(err, EHOSTDOWN, "machine '%s' does not run", a->plan.machine);
	if (r < 0)
		return error_code(err, r, "cannot connect to '%s'", a->socket);
	for (;;) {
		size_t others = 0;
		r = unix_peer_look(a->socket, fd, &others, &is_served, err);
		if (r < 0)
			return r;
		if (is_served || clock_now_usec() >= deadline)
			break;
		if (others > 0)
			return 1;
		/* QEMU has nobody else: it is only slow. */
		clock_pause(ACCEPT_STEP_USEC);
	}
	if (is_served)
		*ret_fd = take_fd(&fd);
	return !is_served;
}

/* "stty rows 50 cols 132", typed: a serial line has no other way to tell. */
static void type_size(struct attach *a)
{
	struct winsize size = {};
	if (!a->is_writer || !a->options->resize || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
			size.ws_row == 0)
		return;
	buf_printf(&a->console.to_guest, "stty rows %u cols %u\r", size.ws_row, size.ws_col);
}

static int take_console(struct attach *a, struct error *err)
{
	int fd = -1;
	int r = connect_console(a, &fd, err);
	if (r != 0)
		return r;
	console_turn_take(&a->console, fd);
	a->is_writer = true;
	say(a, "you have the console; Ctrl-] leaves it");
	type_size(a);
	return 0;
}

/* Who has nothing more to say must not keep others from the console. The rest is shown from the
 * log: of what comes just now some may be shown twice, but none is lost. */
static int pass_end(struct attach *a, struct error *err)
{
	if (!a->is_writer || !console_has_said_all(&a->console))
		return 0;
	int r = console_log_skip(&a->log, err);
	if (r < 0)
		return r;
	console_pass_end(&a->console);
	a->is_writer = a->is_free = false;
	return 0;
}

/* QEMU has read all, and ended the connection. */
static void tell_passed(struct attach *a)
{
	if (!a->console.end_passed || a->console.guest_fd >= 0 || a->is_free)
		return;
	a->is_free = true;
	say(a, "the input has ended: the console is free for others; from here on only watched");
}

/* Enter is only a key on a terminal. */
static bool could_write(const struct attach *a)
{
	return !a->options->read_only && !a->console.input_ended &&
	       (a->options->wait || a->console.is_terminal);
}

/* For those who watch: has the writer gone, and what is done about it? */
static int look_for_turn(struct attach *a, struct error *err)
{
	size_t others = 0;
	bool is_served;
	if (!could_write(a))
		return 0;
	int r = unix_peer_look(a->socket, -1, &others, &is_served, err);
	if (r < 0)
		return r;
	if (others > 0) {
		a->is_free = false;
	} else if (a->options->wait) {
		r = take_console(a, err);
	} else if (!a->is_free) {
		say(a, "nobody has the console; Enter takes it");
		a->is_free = true;
	}
	if (r < 0 || !a->console.enter || a->is_writer)
		return r < 0 ? r : 0;
	a->console.enter = false;
	r = take_console(a, err);
	if (r > 0) {
		CLEANUP(freep) char *who = writer_of(a);
		say(a, "%s has the console", who);
	}
	return r < 0 ? r : 0;
}

/* ---- the session ---- */

static int begin_session(struct attach *a, struct error *err)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH, SIGCONT };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	a->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (a->signal_fd < 0)
		return error_errno(err, "cannot wait for signals");
	/* The attributes change when the file loses its name. Other programs may have used up what
	 * there is of these (fs.inotify.max_user_instances): then the log is only looked at now and
	 * then. */
	a->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (a->inotify_fd >= 0 &&
			inotify_add_watch(a->inotify_fd, a->log.path, IN_MODIFY | IN_ATTRIB) < 0)
		closep(&a->inotify_fd);
	return 0;
}

static void take_signals(struct attach *a)
{
	struct signalfd_siginfo info;
	while (read(a->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			type_size(a);
		else if (info.ssi_signo == SIGCONT)
			console_resume(&a->console);
		else
			a->ended = true;
	}
}

static void forget_notices(int inotify_fd)
{
	char notices[4096];
	while (read(inotify_fd, notices, sizeof(notices)) > 0)
		;
}

static int work(struct attach *a, struct error *err)
{
	struct pollfd fds[N_POLL] = {};
	int r = pass_end(a, err);
	if (r < 0)
		return r;
	console_poll(&a->console, fds);
	fds[POLL_SIGNAL] = (struct pollfd){ .fd = a->signal_fd, .events = POLLIN };
	/* While a piece of the log waits to be written there is no hurry for the next one. */
	fds[POLL_LOG] = (struct pollfd){
		.fd = a->is_writer || a->console.from_guest.len > 0 ? -1 : a->inotify_fd,
		.events = POLLIN,
	};
	int n = clock_poll(fds, N_POLL,
			a->is_writer ? console_deadline(&a->console)
				     : clock_deadline_usec(LOOK_USEC));
	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for the console");
	if (n < 0)
		return 0;
	if (fds[POLL_SIGNAL].revents)
		take_signals(a);
	if (fds[POLL_LOG].revents)
		forget_notices(a->inotify_fd);
	if (console_work(&a->console, fds) > 0 || console_is_gone(&a->console))
		a->ended = true;
	if (a->ended)
		return 0;
	tell_passed(a);
	if (a->is_writer && a->console.guest_fd < 0) {
		say(a, "QEMU has ended the connection");
		a->ended = true;
		return 0;
	}
	r = a->is_writer ? 0 : follow_log(a, err);
	if (r == 0 && !a->is_writer && !a->ended && (n == 0 || a->console.enter))
		r = look_for_turn(a, err);
	return r;
}

/* What a guest has done to the terminal is undone, and answers of it that are on their way are not
 * left to the shell. */
static void end_session(struct attach *a)
{
	console_drain(&a->console);
	/* The guest, too, is not to wait for what comes now. */
	closep(&a->console.guest_fd);
	console_restore_screen(&a->console);
	if (a->console.is_terminal && !a->console.input_ended)
		tcflush(STDIN_FILENO, TCIFLUSH);
	say(a, "left the console");
}

static int run_session(struct attach *a, int fd, struct error *err)
{
	int r = begin_session(a, err);
	if (r < 0) {
		closep(&fd);
		return r;
	}
	a->is_writer = fd >= 0;
	console_open_take(&a->console, a->plan.machine, fd);
	a->is_opened = true;
	a->console.skips = true;
	a->console.filter = &a->filter;
	a->console.in_line = a->log.in_line;
	if (a->is_writer) {
		say(a, "connected to the console; Ctrl-] leaves it");
	} else if (a->options->read_only) {
		say(a, "watching the console; Ctrl-] leaves it");
	} else {
		CLEANUP(freep) char *who = writer_of(a);
		say(a, "%s has the console: you only watch; Ctrl-] leaves it", who);
	}
	type_size(a);
	while (r == 0 && !a->ended)
		r = work(a, err);
	end_session(a);
	return r;
}

static int console_run(const struct call *call, struct error *err)
{
	const struct console_options *options = call->options;
	const char *machine = call->words.items[0];
	CLEANUP(attach_done)
	struct attach a = {
		.options = options,
		.filter = { .mode = console_mode(options->raw) },
		.log.fd = -1,
		.inotify_fd = -1,
		.signal_fd = -1,
	};
	int fd = -1;
	int r = guest_plan(&call->paths, machine, &a.plan, err);
	if (r < 0)
		return r;
	const struct plan_fd *channel = plan_find(&a.plan, "console");
	const struct plan_fd *log = plan_find(&a.plan, "console.log");
	if (!channel || !log)
		return error_set(err, ENXIO,
				"'%s' was started without a serial console (attrs.serial.enabled)",
				machine);
	a.socket = channel->path;
	r = console_log_open(&a.log, log->path, options->raw, err);
	if (r == 0 && options->log && !options->lines)
		return console_log_print(&a.log, err);
	if (r == 0)
		r = console_log_print_last(&a.log, options->lines, err);
	if (r < 0 || options->log)
		return r;
	if (!options->read_only)
		r = connect_console(&a, &fd, err);
	if (r == -EHOSTDOWN)
		return monitor_explain_off(&call->paths, machine, err);
	return r < 0 ? r : run_session(&a, fd, err);
}

static const struct option_spec options[] = {
	{ 'r', "read-only", NULL, OPT_FLAG(struct console_options, read_only),
			"Only watch; leave the console to others" },
	{ 'w', "wait", NULL, OPT_FLAG(struct console_options, wait),
			"Watch until the console is free, then take it" },
	{ 'l', "lines", "N", OPT_INT(struct console_options, lines, 1, 100000),
			"Show the last N lines of the log first" },
	{ 0, "log", NULL, OPT_FLAG(struct console_options, log),
			"Show the log and nothing else; all of it without --lines" },
	{ 0, "raw", NULL, OPT_FLAG(struct console_options, raw),
			"Let all that the guest writes reach the terminal" },
	{ 0, "resize", NULL, OPT_FLAG(struct console_options, resize),
			"Type 'stty rows R cols C' now and when the size changes" },
	{},
};

static const struct example examples[] = {
	{ "machina console web", "Type at web's serial console." },
	{ "machina console --read-only --lines 50 web", "Watch it, from 50 lines ago." },
	{ "machina console --log web",
			"Show what it has said since its start, the last of it if that is long." },
	{},
};

const struct command cmd_console = {
	.name = "console",
	.group = GROUP_GUEST,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments_machine,
	.summary = "Use a guest's serial console",
	.description = "Every key goes to the guest but Ctrl-], which leaves. One client at a time "
		       "can write: that is QEMU's rule, and the first one to come. Who comes later "
		       "is told who that is, and watches by the log that QEMU keeps; when the "
		       "writer leaves, Enter takes the console, or --wait does so by itself. "
		       "Where the input is no terminal and ends, as that of a script does, the "
		       "guest gets all of it, then the console is free for others and only "
		       "watched, until the machine stops: 'timeout 10 machina console web "
		       "<commands' ends before. A "
		       "guest waits for who has its console: what is not read for 5 seconds is "
		       "left out, and only in the log, so that no guest stands still with a "
		       "terminal. A machine needs attrs.serial, and the guest a console there "
		       "(console=ttyS0 to a Linux kernel).\n\n"
		       "A guest that is not trusted could set the clipboard, have its title or the "
		       "screen typed back, print, or lock the keyboard, by what it writes. "
		       "Colours, the cursor, modes and questions for the cursor's place are let "
		       "through, and nothing else; on anything but a terminal, and in the log, "
		       "only text is. --raw is for a guest that may do all that. When you leave, "
		       "the terminal is set back.\n\n"
		       "A serial line has no way to tell a terminal's size. 'resize' in the guest, "
		       "which asks the terminal, works; --resize types the size instead, which is "
		       "for when a shell's prompt waits there.",
	.options = options,
	.options_size = sizeof(struct console_options),
	.examples = examples,
	.run = console_run,
};
