/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting until a guest is ready. */
#include "host/machine/ready.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "host/agent/agent.h"
#include "host/machine/ready-notify.h"
#include "host/os/clock.h"
#include "host/os/netns.h"
#include "util/mem.h"
#include "util/parse.h"

/* Between two attempts, and for one of them to be answered. */
#define RETRY_USEC (100 * USEC_PER_MSEC)
#define ATTEMPT_USEC (2 * USEC_PER_SEC)

/* "10.0.0.5:22", "[fd00::5]:22". */
static int parse_address(const char *text, struct ready *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&ret->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ret->address;
	const char *colon = strrchr(text, ':');
	int port;
	if (!colon || parse_int(colon + 1, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	size_t len = (size_t)(colon - text);
	bool in_brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
	CLEANUP(freep)
	char *host = in_brackets ? xstrndup(text + 1, len - 2) : xstrndup(text, len);
	if (in_brackets) {
		*six = (struct sockaddr_in6){ .sin6_family = AF_INET6,
			.sin6_port = htons((uint16_t)port) };
		ret->address_len = sizeof(*six);
		return inet_pton(AF_INET6, host, &six->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	*four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	ret->address_len = sizeof(*four);
	return inet_pton(AF_INET, host, &four->sin_addr) == 1 ? 0 : -EINVAL;
}

int ready_parse(const char *text, struct ready *ret, struct error *err)
{
	static const char tcp[] = "tcp:";
	static const char notify[] = "notify:";
	*ret = (struct ready){ .listenfd = -1 };
	if (!strcmp(text, "qmp"))
		return 0;
	if (!strncmp(text, notify, strlen(notify))) {
		uint64_t cid;
		ret->when = VM_READY_NOTIFY;
		if (parse_u64(text + strlen(notify), &cid) == 0 && cid > 2 && cid < UINT32_MAX) {
			ret->cid = (uint32_t)cid;
			return 0;
		}
	}
	ret->when = !strcmp(text, "agent") ? VM_READY_AGENT : VM_READY_TCP;
	if (ret->when == VM_READY_AGENT)
		return 0;
	if (strncmp(text, tcp, strlen(tcp)) != 0 || parse_address(text + strlen(tcp), ret) < 0)
		return error_set(err, EINVAL,
				"'%s' is nothing to wait for: expected 'qmp', 'agent', "
				"'notify:CID' or 'tcp:ADDRESS:PORT'",
				text);
	return 0;
}

/* Make one connection, and drop it. */
static int try_tcp(const struct ready *ready, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(closep)
	int fd = socket(ready->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_errno(err, "cannot make a socket");
	if (connect(fd, (const struct sockaddr *)&ready->address, ready->address_len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return error_errno(err, "cannot connect to the guest");
	struct pollfd answer = { .fd = fd, .events = POLLOUT };
	if (clock_poll(&answer, 1, deadline_usec) <= 0)
		return error_set(err, ETIMEDOUT, "the guest does not answer");
	int code = 0;
	socklen_t len = sizeof(code);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		return error_errno(err, "cannot connect to the guest");
	errno = code;
	return code ? error_errno(err, "cannot connect to the guest") : 0;
}

static int try_agent(const struct plan *plan, uint64_t deadline_usec, struct error *err)
{
	CLEANUP(agent_freep) struct agent *agent = NULL;
	int r = agent_open(plan, deadline_usec, &agent, err);
	return r == AGENT_DONE ? 0 : r < 0 ? r : -err->code;
}

int ready_open(struct ready *ready, struct error *err)
{
	return ready->when == VM_READY_NOTIFY
			       ? ready_notify_listen(ready->cid, &ready->listenfd, err)
			       : 0;
}

void ready_close(struct ready *ready)
{
	closep(&ready->listenfd);
}

int ready_wait(const struct ready *ready, const struct plan *plan, const char *netns,
		uint64_t deadline_usec, struct error *err)
{
	if (ready->when == VM_READY_NOTIFY)
		return ready_notify_wait(ready->listenfd, ready->cid, deadline_usec, err);
	CLEANUP(netns_done) struct netns outside = {};
	int r = netns_enter(netns ? netns : NETNS_HOST, &outside, err);
	struct error last = {};
	while (r == 0) {
		uint64_t end = clock_deadline_usec(ATTEMPT_USEC);
		struct error now = {};
		if (end > deadline_usec)
			end = deadline_usec;
		int tried = ready->when == VM_READY_AGENT ? try_agent(plan, end, &now)
							  : try_tcp(ready, end, &now);
		if (tried == 0)
			return 0;
		/* An attempt that was cut short says less than the one before it. */
		if (tried != -ETIMEDOUT || end < deadline_usec || !last.code)
			last = now;
		if (clock_now_usec() >= deadline_usec)
			return error_set(err, ETIMEDOUT, "%s", last.text);
		poll(NULL, 0, (int)(RETRY_USEC / USEC_PER_MSEC));
	}
	return r;
}
