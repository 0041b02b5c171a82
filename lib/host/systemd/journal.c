/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last lines that one run of a unit has left in the journal. */
#include "host/systemd/journal.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-messages.h>
#include <time.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/systemd/libsystemd.h"
#include "util/buf.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/visible.h"

#define JOURNALD_SOCKET "/run/systemd/journal/io.systemd.journal"
/* It does that in milliseconds, but for one on a host that is overloaded. */
#define SYNC_USEC (5 * USEC_PER_SEC)
#define WORD_MAX 64
/* Who says to be somebody else. */
#define JOURNAL_UNTRUE "program"
#define LINE_MAX_BYTES 2000
/* A field that is longer is not read to its end. */
#define FIELD_MAX 8192
/* Entries looked at, so that the search for a run of long ago has an end. */
#define SEEN_MAX 10000

/*
 * Have journald write what was sent to it before now (method io.systemd.Journal.Synchronize, as
 * `journalctl --sync` does it). Where that fails, the lines that made it to the journal must do:
 * one who asks about several runs, or for several things of one, does not wait for each of them.
 */
static void synchronize(void)
{
	static bool hangs;
	static const char call[] = "{\"method\":\"io.systemd.Journal.Synchronize\"}";
	static const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = JOURNALD_SOCKET,
	};
	const uint64_t deadline = clock_deadline_usec(SYNC_USEC);
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A varlink message ends with a NUL: that of the literal. */
	if (hangs || fd < 0 ||
			connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			send(fd, call, sizeof(call), MSG_NOSIGNAL) != sizeof(call))
		return;
	for (;;) {
		char reply[256];
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int n_ready = clock_poll(&ready, 1, deadline);
		if (n_ready < 0 && errno == EINTR)
			continue;
		hangs = n_ready == 0;
		ssize_t n = n_ready > 0 ? recv(fd, reply, sizeof(reply), 0) : 0;
		if (n <= 0 || memchr(reply, '\0', (size_t)n))
			return;
	}
}

static void journal_closep(sd_journal **j)
{
	/* Without the library there is none. */
	if (*j)
		sd_journal_close(*j);
}

static int add_match(sd_journal *j, const char *field, const char *value)
{
	CLEANUP(freep) char *match = xasprintf("%s=%s", field, value);
	return sd_journal_add_match(j, match, 0);
}

/* What root, as whom systemd speaks, said of the unit. */
static int match_said(sd_journal *j, const char *unit)
{
	int r = add_match(j, "UNIT", unit);
	return r < 0 ? r : add_match(j, "_UID", "0");
}

/* That, or what processes of the unit wrote. */
static int match_unit(sd_journal *j, const char *unit)
{
	int r = add_match(j, "_SYSTEMD_UNIT", unit);
	if (r >= 0)
		r = sd_journal_add_disjunction(j);
	return r < 0 ? r : match_said(j, unit);
}

/* A field of the entry; false if it has none. Valid until the next call. */
static bool get_field(sd_journal *j, const char *field, const char **ret, size_t *ret_len)
{
	const void *data;
	size_t len, name_len = strlen(field) + 1;
	if (sd_journal_get_data(j, field, &data, &len) < 0 || len < name_len)
		return false;
	*ret = (const char *)data + name_len;
	*ret_len = len - name_len;
	return true;
}

static bool field_is(sd_journal *j, const char *field, const char *text)
{
	const char *value;
	size_t len;
	return get_field(j, field, &value, &len) && len == strlen(text) &&
	       memcmp(value, text, len) == 0;
}

static void add_time(sd_journal *j, struct buf *line)
{
	uint64_t usec;
	struct tm tm;
	char text[64];
	if (sd_journal_get_realtime_usec(j, &usec) < 0)
		return;
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	if (localtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%b %d %H:%M:%S ", &tm) > 0)
		buf_puts(line, text);
}

/*
 * Is it a name of what root alone runs: a hook, systemd, or systemd's child, which is called
 * "(program)" until it has become the program? What a reader of the line takes for the name ends at
 * the first of "[:".
 */
static bool is_roots(const char *name, size_t len)
{
	static const char *const roots[] = { "machina", "systemd" };
	size_t end = 0;
	while (end < len && name[end] != '[' && name[end] != ':')
		end++;
	if (end > 0 && name[0] == '(')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (end == strlen(roots[i]) && !memcmp(name, roots[i], end))
			return true;
	return false;
}

/*
 * Everybody names himself as he likes, by his socket or as the name of his process. A QEMU that its
 * guest has taken over is not believed to be one of root's (_UID is journald's own word). Nor is
 * systemd's child in its last steps, when it is the unit's user already: nothing that journald
 * notes tells it from the program.
 */
static void add_speaker(const char *name, size_t len, bool is_of_root, struct buf *line)
{
	if (is_roots(name, len) && !is_of_root)
		buf_puts(line, JOURNAL_UNTRUE);
	else
		visible_add(line, name, len, WORD_MAX);
}

/* "Nov 21 08:51:13 machina[4711]: " */
static void add_prefix(sd_journal *j, struct buf *line)
{
	const char *value;
	size_t len;
	bool is_of_root = field_is(j, "_UID", "0");
	add_time(j, line);
	if (get_field(j, "SYSLOG_IDENTIFIER", &value, &len) || get_field(j, "_COMM", &value, &len))
		add_speaker(value, len, is_of_root, line);
	if (get_field(j, "_PID", &value, &len)) {
		buf_putc(line, '[');
		visible_add(line, value, len, WORD_MAX);
		buf_putc(line, ']');
	}
	buf_puts(line, ": ");
}

/* The lines of one entry, last one first, as the whole list is. */
static void push_entry(sd_journal *j, struct strv *lines)
{
	CLEANUP(buf_done) struct buf line = {};
	add_prefix(j, &line);
	const size_t prefix_len = line.len;

	const char *message;
	size_t len;
	if (!get_field(j, "MESSAGE", &message, &len))
		return;
	while (len > 0 && message[len - 1] == '\n')
		len--;
	for (;;) {
		const char *newline = memrchr(message, '\n', len);
		const char *begin = newline ? newline + 1 : message;
		buf_truncate(&line, prefix_len);
		visible_add(&line, begin, len - (size_t)(begin - message), LINE_MAX_BYTES);
		strv_push(lines, buf_text(&line));
		if (!newline)
			return;
		len = (size_t)(newline - message);
	}
}

enum run { RUN_THIS, RUN_OTHER, RUN_UNKNOWN };

/*
 * To which run an entry belongs. journald looks the run of a process up when it reads what the
 * process has written: where that is gone by then, such entries have the unit's name only.
 */
static enum run which_run(sd_journal *j, const char *id)
{
	const char *value;
	size_t len;
	if (!get_field(j, "_SYSTEMD_INVOCATION_ID", &value, &len) &&
			!get_field(j, "INVOCATION_ID", &value, &len))
		return RUN_UNKNOWN;
	return len == strlen(id) && memcmp(value, id, len) == 0 ? RUN_THIS : RUN_OTHER;
}

/*
 * Backwards from the end, which is near whatever the size of the journal. Entries of an unknown run
 * are of the run between whose entries they stand. Between those of two runs they can be of either,
 * and are taken for entries of both, so that none is missed: journald reads what processes write
 * after what systemd says, so that their last words may stand behind "Failed", and systemd says
 * "Starting" when it has started the process, whose first words may stand in front of it.
 */
static int collect(sd_journal *j, const char *id, size_t n_max, struct strv *lines)
{
	bool found = false;
	int r = 1;
	size_t n = 0;
	for (size_t n_seen = 0; (n < n_max || !found) && n_seen < SEEN_MAX; n_seen++) {
		r = sd_journal_previous(j);
		if (r <= 0)
			break;
		enum run run = which_run(j, id);
		if (run == RUN_OTHER && found)
			break;
		if (run == RUN_OTHER) {
			strv_clear(lines);
			n = 0;
			continue;
		}
		found |= run == RUN_THIS;
		if (n++ < n_max)
			push_entry(j, lines);
	}
	if (!found)
		strv_clear(lines);
	return r;
}

static int open_journal(sd_journal **ret, struct error *err)
{
	int r = libsystemd_load(err);
	if (r < 0)
		return r;
	synchronize();
	r = sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	if (r < 0)
		return error_code(err, r, "cannot open the journal");
	sd_journal_set_data_threshold(*ret, FIELD_MAX);
	return 0;
}

int journal_tail(const char *unit, const char *invocation_id, size_t n_max, struct strv *ret_lines,
		struct error *err)
{
	CLEANUP(journal_closep) sd_journal *j = NULL;
	int r = open_journal(&j, err);
	if (r < 0)
		return r;
	r = match_unit(j, unit);
	if (r >= 0)
		r = sd_journal_seek_tail(j);
	CLEANUP(strv_done) struct strv lines = {};
	if (r >= 0)
		r = collect(j, invocation_id, n_max, &lines);
	if (r < 0)
		return error_code(err, r, "cannot read the journal");
	for (size_t i = lines.n; i > 0; i--)
		strv_push(ret_lines, lines.items[i - 1]);
	return 0;
}

void journal_split(const char *line, struct journal_words *ret)
{
	/* As long as that of add_time(), in the C locale. */
	static const char time[] = "Nov 21 08:51:13 ";
	const char *begin = strlen(line) > strlen(time) ? line + strlen(time) : line;
	const char *end = strstr(begin, ": ");
	*ret = (struct journal_words){ .speaker = line, .message = line };
	if (!end)
		return;
	ret->message = end + 2;
	ret->speaker = begin;
	ret->speaker_len = strcspn(begin, "[:");
}

static uint64_t entry_time(sd_journal *j)
{
	uint64_t usec;
	return sd_journal_get_realtime_usec(j, &usec) < 0 ? 0 : usec;
}

static void read_invocation(sd_journal *j, char ret[JOURNAL_ID_MAX])
{
	const char *value;
	size_t len;
	if (get_field(j, "INVOCATION_ID", &value, &len) && len < JOURNAL_ID_MAX)
		memcpy(ret, value, len);
}

/*
 * To systemd a job is done when a condition does not hold, and only its words tell: "web.service
 * was skipped because of an unmet condition check (ConditionPathExists=/srv)." since 250,
 * "Condition check resulted in web.service being skipped." before.
 */
static void read_unmet(sd_journal *j, struct journal_event *ret)
{
	const char *value;
	size_t len;
	ret->is_assert = field_is(j, "JOB_RESULT", "assert");
	if (!field_is(j, "JOB_TYPE", "start") || !field_is(j, "JOB_RESULT", "done") ||
			!get_field(j, "MESSAGE", &value, &len))
		return;
	CLEANUP(freep) char *message = xstrndup(value, len);
	const char *because = strstr(message, " was skipped because ");
	ret->is_condition = because || strstr(message, "Condition check resulted in ") == message;
	const char *begin = because ? strchr(because, '(') : NULL;
	const char *end = begin ? strrchr(begin, ')') : NULL;
	CLEANUP(buf_done) struct buf text = {};
	if (end)
		visible_add(&text, begin + 1, (size_t)(end - begin - 1), JOURNAL_UNMET_MAX - 1);
	snprintf(ret->unmet, sizeof(ret->unmet), "%s", buf_text(&text));
}

static void read_event(sd_journal *j, struct journal_event *ret)
{
	*ret = (struct journal_event){ .time_usec = entry_time(j) };
	read_invocation(j, ret->invocation_id);
	ret->is_dependency = field_is(j, "JOB_RESULT", "dependency");
	read_unmet(j, ret);
}

/* Add "_BOOT_ID=" of this one. */
static int match_boot(sd_journal *j)
{
	char id[SD_ID128_STRING_MAX];
	sd_id128_t boot;
	int r = sd_id128_get_boot(&boot);
	return r < 0 ? r : add_match(j, "_BOOT_ID", sd_id128_to_string(boot, id));
}

static int find_last(const char *unit, bool failure, struct journal_event *ret, struct error *err)
{
	CLEANUP(journal_closep) sd_journal *j = NULL;
	int r = open_journal(&j, err);
	if (r < 0)
		return r;
	/* Values of one field are alternatives, fields must all match: sd_journal_add_match(3). */
	r = match_said(j, unit);
	if (r >= 0)
		r = failure ? add_match(j, "MESSAGE_ID", SD_MESSAGE_UNIT_FAILURE_RESULT_STR)
			    : match_boot(j);
	if (r >= 0 && failure)
		r = add_match(j, "MESSAGE_ID", SD_MESSAGE_UNIT_FAILED_STR);
	if (r >= 0)
		r = sd_journal_seek_tail(j);
	if (r >= 0)
		r = sd_journal_previous(j);
	if (r < 0)
		return error_code(err, r, "cannot read the journal");
	if (r > 0)
		read_event(j, ret);
	return r > 0;
}

int journal_last_failure(const char *unit, struct journal_event *ret, struct error *err)
{
	return find_last(unit, true, ret, err);
}

int journal_last_event(const char *unit, struct journal_event *ret, struct error *err)
{
	return find_last(unit, false, ret, err);
}

/* The number of a job; 0: the entry has none. */
static uint64_t read_job(sd_journal *j)
{
	const char *value;
	size_t len;
	uint64_t id;
	if (!get_field(j, "JOB_ID", &value, &len))
		return 0;
	CLEANUP(freep) char *text = xstrndup(value, len);
	return parse_u64(text, &id) < 0 ? 0 : id;
}

/*
 * A restart is told as "Stopping" (of a stop), "Stopped" (of a restart) and then of a start, all
 * three with one number. Of a unit that has failed, systemd 254 and later tell of a start alone
 * when they begin it anew: no job has ended its run, and the one that begins the next counts.
 */
static int find_stop(sd_journal *j, const struct journal_stop *of, struct journal_stop *ret)
{
	struct journal_stop begun = {};
	uint64_t start_id = 0;
	int found = 0;
	for (size_t n_seen = 0; n_seen < SEEN_MAX; n_seen++) {
		int r = sd_journal_previous(j);
		if (r <= 0)
			return r < 0 ? r : found;
		struct journal_stop stop = { .time_usec = entry_time(j), .job_id = read_job(j) };
		const bool is_start = field_is(j, "JOB_TYPE", "start");
		if (of && stop.time_usec < of->time_usec) {
			if (found || !begun.job_id || !is_start || stop.job_id == begun.job_id)
				return found;
			*ret = begun;
			read_invocation(j, ret->invocation_id);
			return 1;
		}
		if (!stop.job_id)
			continue;
		if (is_start) {
			begun = (struct journal_stop){ stop.time_usec, stop.job_id, "", true };
			start_id = of || !start_id ? stop.job_id : start_id;
			continue;
		}
		if (!of && start_id && start_id != stop.job_id)
			return 0;
		stop.is_restart = start_id == stop.job_id || !field_is(j, "JOB_TYPE", "stop");
		read_invocation(j, stop.invocation_id);
		*ret = stop;
		found = 1;
		if (!of)
			break;
	}
	return found;
}

int journal_last_stop(const char *unit, const struct journal_stop *of, struct journal_stop *ret,
		struct error *err)
{
	static const char *const types[] = { "start", "stop", "restart", "try-restart" };
	CLEANUP(journal_closep) sd_journal *j = NULL;
	int r = open_journal(&j, err);
	if (r < 0)
		return r;
	r = match_said(j, unit);
	if (r >= 0)
		r = match_boot(j);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(types); i++)
		r = add_match(j, "JOB_TYPE", types[i]);
	if (r >= 0)
		r = sd_journal_seek_tail(j);
	if (r >= 0)
		r = find_stop(j, of, ret);
	return r < 0 ? error_code(err, r, "cannot read the journal") : r;
}
