/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the guest agent's channel, one client after the other. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "host/agent/agent-parts.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/unix-peer.h"
#include "util/mem.h"

/* Between attempts: flock(2) and a full queue cannot be waited for with a limit. */
#define RETRY_USEC (10 * USEC_PER_MSEC)
/* How long the first connection is given, and the next one twice as long: a guest that has not
 * started its agent yet, or starts it anew, may lose what was sent before. */
#define FIRST_TRY_USEC (3 * USEC_PER_SEC)

static uint64_t earlier(uint64_t a_usec, uint64_t b_usec)
{
	return a_usec < b_usec ? a_usec : b_usec;
}

static void pause_until(uint64_t deadline_usec)
{
	clock_poll(NULL, 0, earlier(deadline_usec, clock_deadline_usec(RETRY_USEC)));
}

static int busy(const struct agent *a, const char *who, struct error *err)
{
	error_set(err, EBUSY,
			"guest agent of '%s': QEMU serves one client at a time, and %s is "
			"connected",
			a->machine, who);
	return AGENT_BUSY;
}

/* The queue is full, also of those who have gone: QEMU takes them out when it gets round to it. */
static int crowded(const struct agent *a, struct error *err)
{
	CLEANUP(buf_done) struct buf who = {};
	if (a->path && err)
		unix_peer_text(a->path, &who);
	if (who.len > 0)
		return busy(a, who.text, err);
	error_set(err, ETIMEDOUT, "guest agent of '%s': QEMU takes no connection", a->machine);
	return AGENT_LATE;
}

static int absent(const struct agent *a, struct error *err)
{
	error_set(err, EHOSTDOWN, "guest agent of '%s': QEMU does not listen for clients",
			a->machine);
	return AGENT_ABSENT;
}

static int lock(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(closep)
	int fd = open(a->run_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return absent(a, err);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", a->run_dir);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, "cannot lock '%s'", a->run_dir);
		if (clock_now_usec() >= deadline_usec)
			return busy(a, "another machina", err);
		pause_until(deadline_usec);
	}
	a->lock_fd = take_fd(&fd);
	return AGENT_DONE;
}

static int connect_channel(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	for (;;) {
		int r = a->path ? connect_unix_now(a->path, &a->fd)
				: connect_tcp_now((uint16_t)a->port, &a->fd);
		if (r == 0)
			return AGENT_DONE;
		if (r == -ENOENT || r == -ECONNREFUSED)
			return absent(a, err);
		if (r != -EAGAIN)
			return error_code(err, r, "cannot connect to the guest agent of '%s'",
					a->machine);
		if (clock_now_usec() >= deadline_usec)
			return crowded(a, err);
		pause_until(deadline_usec);
	}
}

/* No answer: another client has the channel, no agent runs, or it does something else. */
static int silent(struct agent *a, uint64_t waited_usec, struct error *err)
{
	CLEANUP(buf_done) struct buf who = {};
	/* With ours, there were always somebody, who is looked for among all processes. */
	closep(&a->fd);
	if (a->path)
		unix_peer_text(a->path, &who);
	if (who.len > 0)
		return busy(a, who.text, err);
	error_set(err, ETIMEDOUT,
			"guest agent of '%s': no answer within %.1f s; does qemu-guest-agent run "
			"in the guest?",
			a->machine, (double)waited_usec / (double)USEC_PER_SEC);
	return AGENT_LATE;
}

/* Ask, or ask again who has not answered in the time that the last question had. */
static int ask(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	if (a->fd >= 0 && clock_now_usec() < a->try_end_usec)
		return AGENT_DONE;
	closep(&a->fd);
	int r = connect_channel(a, deadline_usec, err);
	if (r != AGENT_DONE)
		return r;
	a->try_end_usec = clock_deadline_usec(a->try_usec);
	a->try_usec *= 2;
	r = agent_sync_begin(a, earlier(deadline_usec, a->try_end_usec), err);
	if (r != AGENT_DONE)
		closep(&a->fd);
	return r;
}

/* AGENT_LATE: the deadline has passed, or the time of this question, and the next one is due. */
static int ask_and_hear(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	int r = ask(a, deadline_usec, err);
	return r == AGENT_DONE ? agent_sync_end(a, earlier(deadline_usec, a->try_end_usec), err)
			       : r;
}

static int try_until(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	const uint64_t begin = clock_now_usec();
	a->try_usec = FIRST_TRY_USEC;
	for (;;) {
		int r = ask_and_hear(a, deadline_usec, err);
		if (r != AGENT_LATE)
			return r;
		uint64_t now = clock_now_usec();
		if (now >= deadline_usec)
			return silent(a, now - begin, err);
	}
}

int agent_connect(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	int r = lock(a, deadline_usec, err);
	if (r == AGENT_DONE)
		r = try_until(a, deadline_usec, err);
	if (r != AGENT_DONE)
		agent_rest(a);
	return r;
}

int agent_reach(struct agent *a, uint64_t deadline_usec, struct error *err)
{
	int r = a->lock_fd >= 0 ? AGENT_DONE : lock(a, deadline_usec, err);
	if (r == AGENT_DONE)
		r = ask_and_hear(a, deadline_usec, err);
	if (r != AGENT_DONE && r != AGENT_LATE)
		agent_rest(a);
	return r;
}

int agent_find(const struct plan *plan, struct agent **ret, struct error *err)
{
	const struct plan_fd *channel = plan_find(plan, "agent");
	if (!channel) {
		error_set(err, ENXIO,
				"'%s' was started without the channel of the guest agent "
				"(attrs.agent.qemu.enabled)",
				plan->machine);
		return AGENT_NONE;
	}
	struct agent *a = xcalloc(1, sizeof(*a));
	*a = (struct agent){
		.machine = xstrdup(plan->machine),
		.run_dir = xstrdup(plan->run_dir),
		.path = channel->path ? xstrdup(channel->path) : NULL,
		.port = channel->port,
		.lock_fd = -1,
		.fd = -1,
		.try_usec = 2 * FIRST_TRY_USEC,
	};
	*ret = a;
	return AGENT_DONE;
}

int agent_open(const struct plan *plan, uint64_t deadline_usec, struct agent **ret,
		struct error *err)
{
	CLEANUP(agent_freep) struct agent *a = NULL;
	int r = agent_find(plan, &a, err);
	if (r == AGENT_DONE)
		r = agent_connect(a, deadline_usec, err);
	if (r == AGENT_DONE)
		*ret = take_ptr(a);
	return r;
}
