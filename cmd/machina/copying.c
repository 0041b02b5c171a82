/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `machina copy` has programs of the guest do. */
#include "copying.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "host/agent-exec.h"
#include "host/clock.h"
#include "util/mem.h"

/* For one piece. */
#define ANSWER_USEC (30 * USEC_PER_SEC)
/* At least so quick is a guest at its checksums: 10 MB/s. */
#define SUM_BYTES_PER_USEC 10

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
	if (result.status == 0 && result.signal == 0)
		return 0;
	error_set(err, EREMOTEIO, "'%s' fails in the guest: %s", words[0], buf_text(&result.err));
	return 1;
}

int copy_run_in_guest(struct copying *c, const char *const *words, struct error *err)
{
	return run_for_text(c, words, copy_deadline(), NULL, err);
}

int copy_must_run(struct copying *c, const char *const *words, struct error *err)
{
	int r = copy_run_in_guest(c, words, err);
	return r > 0 ? -err->code : r;
}

int copy_compare(struct copying *c, const char *path, struct error *err)
{
	static const char script[] = "head -c \"$1\" <\"$2\" | sha256sum";
	CLEANUP(freep) char *len = xasprintf("%llu", (unsigned long long)c->done_bytes);
	CLEANUP(buf_done) struct buf theirs = {}, ours = {};
	struct error unused = {};
	uint8_t sum[SHA256_LEN];
	uint64_t until = clock_add_usec(copy_deadline(), c->done_bytes / SUM_BYTES_PER_USEC);
	int r = run_for_text(c, (const char *const[]){ "sh", "-c", script, "sh", len, path, NULL },
			until, &theirs, &unused);
	if (r != 0)
		return r < 0 ? error_set(err, unused.code, "%s", unused.text) : 0;
	sha256_read(&c->sum, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		buf_printf(&ours, "%02x", sum[i]);
	if (theirs.len >= ours.len && !memcmp(theirs.text, ours.text, ours.len))
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
