/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of switches: QEMU connects to them by itself, for which its own user needs the right. */
#include "host/prepare/prepare-peer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "host/net/vhost-user.h"
#include "host/os/clock.h"
#include "host/os/emulator.h"
#include "host/os/guise.h"
#include "host/prepare/environment.h"
#include "util/mem.h"

/* A switch that moves packets answers at once. */
#define ANSWER_USEC (2 * USEC_PER_SEC)

static int fail(const struct plan_peer *peer, int code, const char *what, struct error *err)
{
	return error_set(err, code, "connection '%s' (network '%s'): '%s' %s", peer->connection,
			peer->network, peer->path, what);
}

/* 0, or a negative errno: whether an account may connect. The path as a whole counts. */
static int try_as(const struct account *account, const struct plan_peer *peer)
{
	CLEANUP(guise_done) struct guise guise = {};
	guise_put_on(&guise, account, peer->group);
	return faccessat(AT_FDCWD, peer->path, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* QEMU would try again and again, and say nothing. */
int prepare_check_peer(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_peer *peer = &c->plan->peers[i];
	struct stat st;
	int r = prepare_account(c, err);
	if (r < 0)
		return r;
	if (stat(peer->path, &st) < 0)
		return errno == ENOENT ? fail(peer, ENOENT,
							 "is not there: does the switch run, and "
							 "has it a port with this socket?",
							 err)
				       : fail(peer, errno, "cannot be looked at", err);
	if (!S_ISSOCK(st.st_mode))
		return fail(peer, ENOTSOCK, "is not a socket", err);
	r = try_as(&c->account, peer);
	if (r == -EACCES)
		return error_set(err, EACCES,
				"connection '%s' (network '%s'): user '%s' may not connect to "
				"'%s'; allow it for everyone (chmod o+w, and o+x for the "
				"directories above)%s%s%s, or leave out 'socket' of the network "
				"and let the switch connect",
				peer->connection, peer->network, c->plan->user, peer->path,
				peer->group ? " or for the group '" : "",
				peer->group ? peer->group : "", peer->group ? "'" : "");
	return r < 0 ? fail(peer, -r, "cannot be tried", err) : 0;
}

int prepare_peer(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_peer *peer = &c->plan->peers[i];
	int r = prepare_check_peer(c, i, err);
	if (r < 0 || peer->queues <= 1)
		return r;
	/* Of one that says nothing QEMU may learn more. */
	uint64_t n = vhost_user_count_queues(peer->path, clock_deadline_usec(ANSWER_USEC));
	if (n == 0 || n >= (uint64_t)peer->queues)
		return 0;
	return error_set(err, ERANGE,
			"connection '%s' (network '%s'): the port of the switch at '%s' has "
			"%" PRIu64
			" pairs of queues, and the connection asks for %d; give the port more, or "
			"\"queues\" of the connection less",
			peer->connection, peer->network, peer->path, n, peer->queues);
}

int prepare_emulator(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	const char *pair;
	int r = prepare_account(c, err);
	if (r == 0)
		r = emulator_reconnect(c->plan->peers[0].emulator, &c->account, &pair, err);
	if (r < 0)
		return r;
	CLEANUP(freep) char *line = xasprintf(PLAN_RECONNECT "=%s", pair);
	return environment_put(c->plan->run_dir, line, err);
}
