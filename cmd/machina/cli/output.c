/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program prints. */
#include "cli/output.h"

#include <errno.h>
#include <json-c/json_object.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/options.h"
#include "json/jtree.h"
#include "json/jwrite.h"
#include "util/mem.h"
#include "util/visible.h"

/* In how many files, where the same is said of each of them. */
#define ADVICE_SHOWN_MAX 10

/* ECMA-48 SGR parameters; the dark blue and the black of some terminals can't be read. */
static const char *const style_codes[] = {
	[STYLE_PLAIN] = NULL,
	[STYLE_HEAD] = "1",
	[STYLE_DIM] = "2",
	[STYLE_GOOD] = "32",
	[STYLE_WARN] = "33",
	[STYLE_BAD] = "31",
};

/* The streams are the process's own, and so is what is known about them. */
static bool colors_are_wanted;
static bool output_is_terminal;
static bool progress_is_wanted; /* standard error is a terminal */
static bool progress_is_shown;

void output_init(bool no_color)
{
	const char *variable = getenv("NO_COLOR"), *terminal = getenv("TERM");
	colors_are_wanted = !no_color && !(variable && variable[0]) && terminal &&
			    strcmp(terminal, "dumb") != 0;
	progress_is_wanted = isatty(STDERR_FILENO);
	output_is_terminal = isatty(STDOUT_FILENO);
}

static bool has_colors(FILE *to)
{
	int fd = fileno(to);
	/* A picture is made in memory, and shown on standard output (screen.h). */
	bool is_output = to == stdout || fd < 0;
	return colors_are_wanted && (is_output ? output_is_terminal : isatty(fd));
}

void style_begin(FILE *to, enum style style)
{
	if (style_codes[style] && has_colors(to))
		fprintf(to, "\033[%sm", style_codes[style]);
}

void style_end(FILE *to, enum style style)
{
	if (style_codes[style] && has_colors(to))
		fputs("\033[0m", to);
}

void put_text(FILE *to, const char *text)
{
	CLEANUP(buf_done) struct buf visible = {};
	visible_add(&visible, text, strlen(text), SIZE_MAX);
	fputs(buf_text(&visible), to);
}

void print_lines(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		put_text(stdout, lines->items[i]);
		putchar('\n');
	}
}

static void put_message(const char *text)
{
	progress_clear();
	fputs(PROGRAM_NAME ": ", stderr);
	style_begin(stderr, STYLE_BAD);
	fputs("error:", stderr);
	style_end(stderr, STYLE_BAD);
	fputc(' ', stderr);
	put_text(stderr, text);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	put_message(text);
}

void print_error(const struct error *err)
{
	const struct where *at = &err->at;
	CLEANUP(buf_done) struct buf text = {};
	if (at->file)
		buf_puts(&text, at->file);
	if (at->file && at->line)
		buf_printf(&text, ":%zu:%zu", at->line, at->column);
	if (at->file)
		buf_puts(&text, ": ");
	buf_puts(&text, err->text);
	put_message(buf_text(&text));
}

int misuse(const struct command *command, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	put_message(text);
	CLEANUP(freep) char *title = command_title(command);
	fprintf(stderr, "try '%s --help'\n", title);
	return STATUS_USAGE;
}

int offer_force(int r, struct error *err)
{
	if (r == -EEXIST) {
		CLEANUP(freep) char *text = xstrdup(err->text);
		error_set(err, EEXIST, "%s; --force replaces it", text);
	}
	return r;
}

static void put_finding(FILE *to, const struct finding *f)
{
	CLEANUP(buf_done) struct buf line = {};
	finding_format(f, &line);
	/* What stands in front of the text says where it is. */
	char *text = strstr(line.text, f->text);
	enum style style = f->severity == SEVERITY_ERROR ? STYLE_BAD : STYLE_WARN;

	if (text && text > line.text) {
		CLEANUP(freep) char *where = xstrndup(line.text, (size_t)(text - line.text));
		style_begin(to, STYLE_HEAD);
		put_text(to, where);
		style_end(to, STYLE_HEAD);
	}
	style_begin(to, style);
	if (f->severity == SEVERITY_ADVICE)
		fputs("advice: ", to);
	put_text(to, text ? text : line.text);
	style_end(to, style);
	fputc('\n', to);
}

/*
 * Is it advice that was shown for enough other files? What no machine of a host sets is said of
 * each of them.
 *
 * @shown: how often each was, by its text
 */
static bool is_known(struct json_object *shown, const struct finding *f)
{
	if (f->severity != SEVERITY_ADVICE || !f->line)
		return false;
	CLEANUP(freep) char *key = xasprintf("%s %s", f->pointer ? f->pointer : "", f->text);
	int64_t n = jtree_get_int(shown, key, 0);
	if (n < ADVICE_SHOWN_MAX)
		jtree_set(shown, key, jtree_int(n + 1));
	return n == ADVICE_SHOWN_MAX;
}

/* Findings up to @least, and a line that counts them. */
static void print_findings(FILE *to, struct report *report, enum severity least)
{
	size_t n_files = 0, n_known = 0, n_errors = report->n_errors;
	size_t n_advice = least == SEVERITY_ADVICE ? report->n - n_errors : 0;
	const char *last = NULL;
	if (!n_errors && !n_advice)
		return;
	progress_clear();
	report_sort(report);
	CLEANUP(jtree_putp) struct json_object *shown = jtree_object();
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = &report->items[i];
		if (f->severity > least)
			continue;
		if (is_known(shown, f))
			n_known++;
		else
			put_finding(to, f);
		if (f->file && (!last || strcmp(f->file, last) != 0))
			n_files++;
		if (f->file)
			last = f->file;
	}
	if (n_errors)
		fprintf(to, "%zu error%s", n_errors, n_errors == 1 ? "" : "s");
	if (n_advice)
		fprintf(to, "%s%zu piece%s of advice", n_errors ? " and " : "", n_advice,
				n_advice == 1 ? "" : "s");
	if (n_files)
		fprintf(to, " in %zu file%s", n_files, n_files == 1 ? "" : "s");
	if (n_known)
		fprintf(to, "; %zu that say%s the same of other files %s not shown", n_known,
				n_known == 1 ? "s" : "", n_known == 1 ? "is" : "are");
	fputc('\n', to);
}

void print_report(FILE *to, struct report *report)
{
	print_findings(to, report, SEVERITY_ADVICE);
}

void print_errors(struct report *report)
{
	print_findings(stderr, report, SEVERITY_ERROR);
}

struct json_object *report_json(struct report *report)
{
	struct json_object *list = jtree_list();
	report_sort(report);
	for (size_t i = 0; i < report->n; i++) {
		const struct finding *f = &report->items[i];
		struct json_object *object = jtree_object();
		jtree_set_text(object, "severity",
				f->severity == SEVERITY_ERROR ? "error" : "advice");
		jtree_set_text(object, "file", f->file);
		if (f->line) {
			jtree_set(object, "line", jtree_int((int64_t)f->line));
			jtree_set(object, "column", jtree_int((int64_t)f->column));
		}
		jtree_set_text(object, "pointer", f->pointer);
		jtree_set_text(object, "text", f->text);
		jtree_set_text(object, "chain", f->chain);
		jtree_push(list, object);
	}
	return list;
}

void print_json(struct json_object *value)
{
	progress_clear();
	CLEANUP(buf_done) struct buf text = {};
	jwrite(&text, value, JWRITE_PRETTY);
	puts(buf_text(&text));
}

size_t terminal_columns(FILE *to)
{
	struct winsize size;
	return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void progress_show(const char *format, ...)
{
	if (!progress_is_wanted)
		return;
	size_t columns = terminal_columns(stderr);
	if (!columns)
		columns = 80;

	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *text = xvasprintf(format, ap);
	va_end(ap);
	/* A line that wraps could not be taken away again. */
	if (strlen(text) >= columns)
		text[columns - 1] = '\0';
	/* In one piece, or a slow terminal shows an empty line in between. */
	CLEANUP(buf_done) struct buf line = {};
	buf_puts(&line, "\r\033[K");
	visible_add(&line, text, strlen(text), SIZE_MAX);
	fflush(stdout);
	fputs(buf_text(&line), stderr);
	fflush(stderr);
	progress_is_shown = true;
}

void progress_clear(void)
{
	if (!progress_is_shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	progress_is_shown = false;
}

char *format_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t i = 0;
	/* 1023.5 is where rounding gives 1024, which is one of the next unit. */
	for (; value >= 1023.5 && i + 1 < ARRAY_SIZE(units); i++)
		value /= 1024;
	return xasprintf("%.*f %s", value < 9.95 && i ? 1 : 0, value, units[i]);
}

int output_finish(int status)
{
	progress_clear();
	errno = 0;
	bool failed = fflush(stdout) != 0 || ferror(stdout);
	/* Some file systems tell only now that there is no room. */
	int saved = errno;
	if (fclose(stdout) != 0 && !failed) {
		saved = errno;
		failed = true;
	}
	if (!failed)
		return status;
	complain("cannot write the output: %s", strerror(saved ? saved : EIO));
	return status ? status : STATUS_FAILURE;
}
