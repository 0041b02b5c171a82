/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `machina copy` has programs of the guest do, and what copies of all kinds share. */
#include "guest/copying.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cli/output.h"
#include "host/agent/agent-exec.h"
#include "host/agent/agent-file.h"
#include "host/os/clock.h"
#include "util/mem.h"
#include "util/parse.h"

/* After so long others who wait for the agent are let in, for so long. */
#define TURN_USEC (3 * USEC_PER_SEC)
#define REST_USEC (20 * USEC_PER_MSEC)
/* For one piece. */
#define ANSWER_USEC (30 * USEC_PER_SEC)
/* At least so quick is a guest at its checksums: 10 MB/s. */
#define SUM_BYTES_PER_USEC 10

/* What has nothing to read is looked at again after so long. */
#define LOOK_USEC (200 * USEC_PER_MSEC)
/* Who asks again after so long wants to wait no more. */
#define AGAIN_USEC USEC_PER_SEC

static volatile sig_atomic_t is_interrupted;

/* timeout(1) sends two at once: that is one request. */
static void interrupt(int number)
{
	static uint64_t first_usec;
	const uint64_t now = clock_now_usec();
	if (!is_interrupted) {
		first_usec = now;
		is_interrupted = number;
	} else if (now - first_usec >= AGAIN_USEC) {
		signal(number, SIG_DFL);
		raise(number);
	}
}

void copy_stop_in_order(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = interrupt };
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static int check_interrupted(const struct copying *c, struct error *err)
{
	return is_interrupted ? error_set(err, ECANCELED, "stopped after %llu bytes",
						(unsigned long long)c->done_bytes)
			      : 0;
}

int copy_wait(struct copying *c, int fd, struct error *err)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	uint64_t wait = 0;
	for (;;) {
		int r = check_interrupted(c, err);
		if (r < 0)
			return r;
		int n = clock_poll(&input, 1, clock_deadline_usec(wait));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return error_errno(err, "cannot wait for '%s'", c->local_path);
		/* Meanwhile others may have it. */
		agent_rest(c->guest.agent);
		wait = LOOK_USEC;
	}
}

int copy_advance(struct copying *c, size_t n, struct error *err)
{
	int r = check_interrupted(c, err);
	if (r < 0)
		return r;
	c->done_bytes += n;
	CLEANUP(freep) char *done = format_size(c->done_bytes);
	CLEANUP(freep) char *total = format_size(c->total_bytes);
	if (!c->options->quiet)
		progress_show(c->total_bytes ? "%s: %s of %s" : "%s: %s", c->guest.plan.machine,
				done, total);
	if (!c->turn_usec)
		c->turn_usec = clock_deadline_usec(TURN_USEC);
	if (clock_now_usec() < c->turn_usec)
		return 0;
	agent_rest(c->guest.agent);
	clock_pause(REST_USEC);
	c->turn_usec = clock_deadline_usec(TURN_USEC);
	return 0;
}

uint64_t copy_deadline(void)
{
	return clock_deadline_usec(ANSWER_USEC);
}

int copy_fails(int r, const struct error *err)
{
	return r <= 0 ? r : -err->code;
}

static int run_for_text(struct copying *c, const char *const *words, uint64_t deadline_usec,
		struct buf *ret, struct error *err)
{
	CLEANUP(strv_done) struct strv arguments = {};
	CLEANUP(agent_exit_done) struct agent_exit result = {};
	for (const char *const *word = words + 1; *word; word++)
		strv_push(&arguments, *word);
	const struct agent_exec exec = { .program = words[0], .arguments = &arguments };
	int r = agent_run(c->guest.agent, &exec, deadline_usec, &result, err);
	if (r == AGENT_LACKS || r == AGENT_REFUSED)
		return 1;
	if (r != AGENT_DONE)
		return copy_fails(r, err);
	if (ret)
		buf_add(ret, result.out.text, result.out.len);
	if (result.out_truncated) {
		error_set(err, E2BIG, "'%s' tells more in the guest than its agent keeps",
				words[0]);
		return 1;
	}
	if (result.status == 0 && result.signal == 0)
		return 0;
	error_set(err, EREMOTEIO, "'%s' fails in the guest: %s", words[0], buf_text(&result.err));
	return 1;
}

int copy_run_in_guest(struct copying *c, const char *const *words, struct error *err)
{
	return run_for_text(c, words, copy_deadline(), NULL, err);
}

void copy_remove_in_guest(struct copying *c, const char *option, const char *path)
{
	const char *const words[] = { "rm", option, "--", path, NULL };
	struct error unused = {};
	if (copy_run_in_guest(c, words, &unused) != 0)
		complain("'%s' may be left in the guest", path);
}

int copy_must_run(struct copying *c, const char *const *words, struct error *err)
{
	int r = copy_run_in_guest(c, words, err);
	return r > 0 ? -err->code : r;
}

int copy_must_tell(struct copying *c, const char *const *words, struct buf *ret, struct error *err)
{
	int r = run_for_text(c, words, copy_deadline(), ret, err);
	return r > 0 ? -err->code : r;
}

int copy_look_in_guest(struct copying *c, const char *path, enum there *ret, struct error *err)
{
	struct agent_file file;
	CLEANUP(buf_done) struct buf piece = {};
	int r = agent_file_open(c->guest.agent, path, "r", copy_deadline(), &file, err);
	*ret = THERE_NOTHING;
	if (r == AGENT_REFUSED)
		return 0;
	if (r != AGENT_DONE)
		return copy_fails(r, err);
	/* Reading a directory fails; reading a file does not, so far as this matters. */
	r = agent_file_read(&file, copy_deadline(), &piece, err);
	*ret = r == AGENT_REFUSED ? THERE_DIRECTORY : THERE_FILE;
	int closed = agent_file_close(&file, copy_deadline(), NULL);
	return r == AGENT_REFUSED ? copy_fails(closed, err) : copy_fails(r, err);
}

int copy_check_room(const struct copying *c, int fd, size_t n_files, struct error *err)
{
	struct statvfs vfs;
	if (fstatvfs(fd, &vfs) < 0 || vfs.f_blocks == 0)
		return 0;
	const uint64_t room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	CLEANUP(freep) char *wanted = format_size(c->total_bytes);
	CLEANUP(freep) char *there = format_size(room);
	if (c->total_bytes > room)
		return error_set(err, ENOSPC, "'%s' has %s, and there is room for %s",
				c->guest_path, wanted, there);
	/* File systems that make them as they are wanted say 0. */
	if (vfs.f_files && n_files > vfs.f_favail)
		return error_set(err, ENOSPC, "'%s' has %zu files, and there is room for %llu",
				c->guest_path, n_files, (unsigned long long)vfs.f_favail);
	return 0;
}

int copy_temporary(const char *path, char **ret, struct error *err)
{
	uint32_t number = 0;
	if (getrandom(&number, sizeof(number), 0) < 0)
		return error_errno(err, "cannot draw a number");
	*ret = xasprintf("%s.%08x", path, number);
	return 0;
}

int copy_compare(struct copying *c, const char *path, struct error *err)
{
	static const char script[] = "head -c \"$1\" <\"$2\" | sha256sum";
	CLEANUP(freep) char *len = xasprintf("%llu", (unsigned long long)c->done_bytes);
	CLEANUP(buf_done) struct buf theirs = {};
	struct error unused = {};
	uint8_t sum[SHA256_LEN];
	char ours[2 * SHA256_LEN + 1];
	uint64_t until = clock_add_usec(copy_deadline(), c->done_bytes / SUM_BYTES_PER_USEC);
	int r = run_for_text(c, (const char *const[]){ "sh", "-c", script, "sh", len, path, NULL },
			until, &theirs, &unused);
	if (r != 0)
		return r < 0 ? error_set(err, unused.code, "%s", unused.text) : 0;
	sha256_read(&c->sum, sum);
	format_hex(sum, sizeof(sum), HEX_LOWER, ours);
	if (theirs.len > 0 && !strncmp(theirs.text, ours, strlen(ours)))
		return 0;
	return error_set(err, EIO,
			"the checksum of '%s' in the guest is not that of what was copied; did "
			"something write to it meanwhile?",
			c->guest_path);
}

mode_t copy_mode(struct copying *c)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error unused = {};
	const char *const words[] = { "stat", "-L", "-c", "%a", "--", c->guest_path, NULL };
	mode_t mask = umask(0), mode = 0;
	umask(mask);
	if (run_for_text(c, words, copy_deadline(), &text, &unused) != 0)
		return 0666 & ~mask;
	const char *at = buf_text(&text);
	for (; *at >= '0' && *at <= '7' && mode < 010000; at++)
		mode = mode << 3 | (mode_t)(*at - '0');
	/* Programs that run as somebody else are no matter of a guest's. */
	return (at != buf_text(&text) && *at == '\n' ? mode & 0777 : 0666) & ~mask;
}
