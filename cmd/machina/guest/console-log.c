/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest has printed at its serial console. */
#include "guest/console-log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/terminal.h"
#include "util/visible.h"

#define CHUNK 65536
/* For the last lines. */
#define HISTORY_MAX ((off_t)1 << 20)
/* For the last words: a panic is followed by a trace of its calls. */
#define WORDS_HISTORY_MAX ((off_t)1 << 14)
#define WORDS_MAX 300

int console_log_open(struct console_log *ret, const char *path, bool raw, struct error *err)
{
	*ret = (struct console_log){ .path = path, .raw = raw };
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return ret->fd < 0 ? error_errno(err, "cannot open the console's log '%s'", path) : 0;
}

void console_log_close(struct console_log *log)
{
	closep(&log->fd);
}

/* What was cut off. Returns -1 where nothing was. */
static int open_older(const struct console_log *log)
{
	CLEANUP(freep) char *path = xasprintf("%s.1", log->path);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int look(const struct console_log *log, int fd, struct stat *ret, struct error *err)
{
	return fstat(fd, ret) < 0 ? error_errno(err, "cannot look at '%s'", log->path) : 0;
}

/* Append what follows in either file. Returns how much, or a negative errno. */
static ssize_t read_file(
		const struct console_log *log, int fd, off_t *at, struct buf *to, struct error *err)
{
	char *room = buf_reserve(to, CHUNK);
	ssize_t n = pread(fd, room, CHUNK, *at);
	if (n < 0)
		return error_errno(err, "cannot read '%s'", log->path);
	to->len += (size_t)n;
	to->text[to->len] = '\0';
	*at += n;
	return n;
}

/* Text is shown as text, so that what was a screen once does not become one again. */
static struct terminal_filter filter_of(const struct console_log *log)
{
	return (struct terminal_filter){ .mode = log->raw ? TERMINAL_RAW : TERMINAL_TEXT };
}

static int print(const struct buf *text, size_t begin, struct error *err)
{
	return write_all(STDOUT_FILENO, buf_text(text) + begin, text->len - begin) < 0
			       ? error_errno(err, "cannot write the log")
			       : 0;
}

static int print_file(const struct console_log *log, int fd, struct terminal_filter *filter,
		struct error *err)
{
	for (off_t at = 0;;) {
		CLEANUP(buf_done) struct buf raw = {}, text = {};
		ssize_t n = read_file(log, fd, &at, &raw, err);
		if (n <= 0)
			return (int)n;
		terminal_filter_add(filter, &text, raw.text, raw.len);
		int r = print(&text, 0, err);
		if (r < 0)
			return r;
	}
}

int console_log_print(const struct console_log *log, struct error *err)
{
	struct terminal_filter filter = filter_of(log);
	CLEANUP(closep) int older = open_older(log);
	int r = older >= 0 ? print_file(log, older, &filter, err) : 0;
	return r < 0 ? r : print_file(log, log->fd, &filter, err);
}

/* Append the last bytes of what was cut off. */
static int read_older(const struct console_log *log, off_t max, struct buf *to, struct error *err)
{
	CLEANUP(closep) int fd = open_older(log);
	struct stat st;
	if (fd < 0)
		return 0;
	int r = look(log, fd, &st, err);
	if (r < 0)
		return r;
	ssize_t n = 1;
	for (off_t at = st.st_size > max ? st.st_size - max : 0; n > 0 && at < st.st_size;)
		n = read_file(log, fd, &at, to, err);
	return n < 0 ? (int)n : 0;
}

/* Where the last @n lines begin. */
static size_t find_last_lines(const struct buf *text, int n)
{
	size_t begin = text->len;
	if (begin > 0 && text->text[begin - 1] == '\n')
		begin--;
	while (begin > 0 && (text->text[begin - 1] != '\n' || --n > 0))
		begin--;
	return begin;
}

/* Append the last bytes of both, as they are to be shown. Sets where the next reading goes on. */
static int read_last(struct console_log *log, off_t max, struct buf *to, struct error *err)
{
	struct terminal_filter filter = filter_of(log);
	CLEANUP(buf_done) struct buf raw = {};
	struct stat st;
	int r = look(log, log->fd, &st, err);
	if (r == 0 && st.st_size < max)
		r = read_older(log, max - st.st_size, &raw, err);
	if (r < 0)
		return r;
	log->at = st.st_size > max ? st.st_size - max : 0;
	for (ssize_t n = 1; n > 0 && log->at < st.st_size;) {
		n = read_file(log, log->fd, &log->at, &raw, err);
		if (n < 0)
			return (int)n;
	}
	terminal_filter_add(&filter, to, buf_text(&raw), raw.len);
	return 0;
}

int console_log_print_last(struct console_log *log, int n_lines, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	int r = read_last(log, n_lines > 0 ? HISTORY_MAX : 0, &text, err);
	if (r < 0)
		return r;
	log->in_line = text.len > 0 && text.text[text.len - 1] != '\n';
	return print(&text, find_last_lines(&text, n_lines), err);
}

int console_log_skip(struct console_log *log, struct error *err)
{
	struct stat st;
	int r = look(log, log->fd, &st, err);
	if (r == 0)
		log->at = st.st_size;
	return r;
}

int console_log_follow(struct console_log *log, struct buf *ret, struct error *err)
{
	struct stat st;
	/* Before reading: what is written after a look at the end would be missed. */
	int r = look(log, log->fd, &st, err);
	if (r < 0)
		return r;
	/* It was cut: what is there now is new. */
	if (st.st_size < log->at)
		log->at = 0;
	ssize_t n = read_file(log, log->fd, &log->at, ret, err);
	return n < 0 ? (int)n : n == 0 && st.st_nlink == 0;
}

char *console_log_last_words(const char *path)
{
	static const char panic[] = "Kernel panic - ";
	CLEANUP(console_log_close) struct console_log log;
	CLEANUP(buf_done) struct buf text = {}, words = {};
	const char *last = NULL;
	size_t last_len = 0;
	if (console_log_open(&log, path, false, NULL) < 0 ||
			read_last(&log, WORDS_HISTORY_MAX, &text, NULL) < 0)
		return NULL;
	for (const char *line = buf_text(&text); *line;) {
		size_t len = strcspn(line, "\r\n");
		if (strspn(line, " \t") < len) {
			last = line;
			last_len = len;
		}
		if (memmem(line, len, panic, strlen(panic)))
			break;
		line += len;
		line += strspn(line, "\r\n");
	}
	if (!last)
		return NULL;
	visible_add(&words, last, last_len, WORDS_MAX);
	return buf_take(&words);
}
