/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking connections of a machine that runs away, and giving them back. */
#include "host/prepare/connect.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/lock.h"
#include "host/os/rundir.h"
#include "host/prepare/prepare-filter.h"
#include "host/prepare/prepare-tap.h"
#include "util/file.h"
#include "util/mem.h"

/* For QEMU to switch a link. */
#define REPLY_USEC (5 * USEC_PER_SEC)

/* ---- what is remembered ---- */

static char *dir_path(const char *run_dir)
{
	return path_join(run_dir, "disconnected");
}

static char *mark_path(const struct plan *plan, const struct plan_connection *connection)
{
	return xasprintf("%s/disconnected/%s", plan->run_dir, connection->id);
}

/* Returns 0 or 1, or -EACCES to those who may not look into the machine's directory. */
static int is_marked(const struct plan *plan, const struct plan_connection *connection,
		struct error *err)
{
	CLEANUP(freep) char *path = mark_path(plan, connection);
	if (access(path, F_OK) == 0)
		return 1;
	return errno == ENOENT ? 0 : error_errno(err, "cannot look at '%s'", path);
}

static int put_mark(const struct plan *plan, const struct plan_connection *connection,
		struct error *err)
{
	CLEANUP(freep) char *dir = dir_path(plan->run_dir);
	CLEANUP(freep) char *path = mark_path(plan, connection);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", dir);
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? error_errno(err, "cannot make '%s'", path) : 0;
}

static int remove_mark(const struct plan *plan, const struct plan_connection *connection,
		struct error *err)
{
	CLEANUP(freep) char *path = mark_path(plan, connection);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", path);
	return 0;
}

int connect_list_taken(const struct plan *plan, struct strv *ret_ids, struct error *err)
{
	size_t n = plan_n_connections(plan);
	for (size_t i = 0; i < n; i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		int r = connection.id ? is_marked(plan, &connection, err) : 0;
		if (r < 0)
			return r;
		if (r > 0)
			strv_push(ret_ids, connection.id);
	}
	return 0;
}

/* When the machine starts. */
static bool is_away_first(const struct plan_connection *connection)
{
	return connection->id && connection->disconnected;
}

static bool begins_without(const struct plan *plan)
{
	for (size_t i = 0; i < plan_n_connections(plan); i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		if (is_away_first(&connection))
			return true;
	}
	return false;
}

int connect_begin(const struct plan *plan, struct error *err)
{
	CLEANUP(freep) char *dir = dir_path(plan->run_dir);
	size_t n = plan_n_connections(plan);
	int r = remove_tree(dir, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		if (is_away_first(&connection))
			r = put_mark(plan, &connection, err);
	}
	return r < 0 ? r : 0;
}

/* ---- the host's end ---- */

/* The bridge is ours to join: no script has done it. */
static bool has_bridge(const struct plan_connection *connection)
{
	return connection->tap && connection->tap->bridge;
}

static bool is_macvtap(const struct plan_connection *connection)
{
	return connection->link && !connection->tap;
}

/* A macvtap goes with the card that it sits on, and no link of ours is safe from who may delete it.
 * Returns 0, 1: it has gone, or a negative errno. */
static int look_for_link(struct prepare_context *c, const struct plan_connection *connection,
		struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(c->plan->machine, connection->name);
	struct link link;
	int r = prepare_network(c, err);
	return r < 0 ? r : tap_find(&c->netlink, connection->link, alias, &link, err);
}

static int look_at_port(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(prepare_tap_want_done) struct prepare_tap_want tap = {};
	int r = prepare_tap_want_init(c->plan, fd, &tap, err);
	if (r == 0)
		r = tap_check(&c->netlink, &tap.request, err);
	return r < 0 ? r : r == 0 ? CONNECT_ON : CONNECT_LOST;
}

static int look(struct prepare_context *c, const struct plan_connection *connection,
		struct error *err)
{
	int r = connection->id ? is_marked(c->plan, connection, err) : 0;
	if (r != 0)
		return r < 0 ? r : CONNECT_OFF;
	if (is_macvtap(connection) || has_bridge(connection))
		r = look_for_link(c, connection, err);
	if (r != 0)
		return r < 0 ? r : CONNECT_GONE;
	return has_bridge(connection) ? look_at_port(c, connection->tap, err) : CONNECT_ON;
}

int connect_look(const struct plan *plan, size_t i, const struct prepare_options *options,
		struct error *err)
{
	CLEANUP(prepare_context_done) struct prepare_context c;
	const struct plan_connection connection = plan_connection(plan, i);
	prepare_context_init(&c, plan, options);
	return look(&c, &connection, err);
}

/* A port is never in a bridge without its rules, also where somebody has flushed them meanwhile. */
static int join(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(prepare_tap_want_done) struct prepare_tap_want tap = {};
	int r = prepare_tap_want_init(c->plan, fd, &tap, err);
	if (r == 0)
		r = prepare_network(c, err);
	if (r == 0 && fd->filter)
		r = prepare_filter_one(c, fd, err);
	if (r == 0)
		r = tap_join(&c->netlink, &tap.request, err);
	if (r < 0)
		return r;
	r = prepare_hold(c, fd, err);
	if (r < 0)
		(void)!tap_leave(&c->netlink, fd->link, tap.alias, NULL);
	return r;
}

static int leave(struct prepare_context *c, const struct plan_fd *fd, struct error *err)
{
	CLEANUP(freep) char *alias = tap_alias(c->plan->machine, fd->connection);
	int r = prepare_network(c, err);
	return r < 0 ? r : tap_leave(&c->netlink, fd->link, alias, err);
}

/* ---- the guest's end ---- */

/* One of the sockets for commands: each serves one client at a time. Of a QEMU that hangs none
 * answers: the time is for all of them. */
static int open_monitor(const struct plan *plan, struct qmp **ret, struct error *err)
{
	static const char *const names[] = { "qmp.1", "qmp.2" };
	uint64_t deadline = clock_deadline_usec(QMP_GREETING_USEC);
	int r = QMP_ABSENT;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct plan_fd *socket = plan_find(plan, names[i]);
		if (!socket)
			continue;
		r = qmp_open_free(socket->path, -1, deadline, ret, err);
		if (r != QMP_LATE || clock_now_usec() >= deadline)
			break;
	}
	if (r == QMP_DONE || r < 0)
		return r;
	if (r == QMP_ABSENT || r == QMP_CLOSED)
		return error_set(err, EHOSTDOWN, "machine '%s' does not run", plan->machine);
	return -err->code;
}

/* By the netdev and not the card: only so vhost-net stops as well (qmp_set_link() in QEMU's
 * net/net.c). */
static int set_link(struct qmp *qmp, const struct plan *plan,
		const struct plan_connection *connection, bool up, struct error *err)
{
	CLEANUP(freep) char *name = plan_netdev_id(plan, connection->id);
	struct json_object *arguments = json_object_new_object();
	json_object_object_add(arguments, "name", json_object_new_string(name));
	json_object_object_add(arguments, "up", json_object_new_boolean(up));
	int r = qmp_call(qmp, "set_link", arguments, clock_deadline_usec(REPLY_USEC), NULL, err);
	json_object_put(arguments);
	return r;
}

int connect_begin_links(const struct plan *plan, struct qmp *qmp, struct error *err)
{
	CLEANUP(lock_done) struct lock lock = {};
	CLEANUP(qmp_freep) struct qmp *own = NULL;
	CLEANUP(strv_done) struct strv taken = {};
	if (!begins_without(plan))
		return 0;
	/* Whoever connects it now does so before or after this. */
	CLEANUP(freep) char *dir = rundir_parent(plan->run_dir);
	int r = lock_machine(dir, plan->machine, LOCK_WAIT_USEC, &lock, err);
	if (r == 0)
		r = connect_list_taken(plan, &taken, err);
	if (r == 0 && taken.n && !qmp)
		r = open_monitor(plan, &own, err);
	for (size_t i = 0; r == 0 && i < plan_n_connections(plan); i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		if (connection.id && strv_contains(&taken, connection.id))
			r = set_link(qmp ? qmp : own, plan, &connection, false, err);
	}
	return r;
}

/* ---- both ---- */

static int refuse_function(const struct plan *plan, const struct plan_connection *connection,
		struct error *err)
{
	return error_set(err, EOPNOTSUPP,
			"connection '%s' of machine '%s' is a virtual function of a network card "
			"(network '%s', mode \"vf\"), whose link is not QEMU's: switch it with 'ip "
			"link set CARD vf NUMBER state disable' (or 'auto')",
			connection->name, plan->machine, connection->network);
}

int connect_change_host(const struct plan *plan, size_t i, bool on,
		const struct prepare_options *options, struct error *err)
{
	CLEANUP(prepare_context_done) struct prepare_context c;
	const struct plan_connection connection = plan_connection(plan, i);
	prepare_context_init(&c, plan, options);
	int r = connection.id ? 0 : refuse_function(plan, &connection, err);
	if (r == 0 && on && is_macvtap(&connection))
		r = look_for_link(&c, &connection, err);
	if (r > 0)
		return error_set(err, ENODEV,
				"connection '%s': its interface '%s' has gone; 'machina restart "
				"%s' makes it anew",
				connection.name, connection.link, plan->machine);
	if (r < 0 || !has_bridge(&connection))
		return r;
	if (on)
		return join(&c, connection.tap, err);
	r = leave(&c, connection.tap, err);
	return r < 0 ? r : put_mark(plan, &connection, err);
}

/* What is so on the host alone has to be known. */
static int tell_half(const struct plan_connection *connection, bool on, struct error *err)
{
	if (!has_bridge(connection) || err->code == EHOSTDOWN)
		return -err->code;
	return error_wrap(err, "connection '%s' is %s bridge '%s', but the guest was not told so",
			connection->name, on ? "back in its" : "out of its",
			connection->tap->bridge);
}

int connect_change_guest(const struct plan *plan, size_t i, bool on,
		struct connect_monitor *monitor, struct error *err)
{
	const struct plan_connection connection = plan_connection(plan, i);
	int r = 0;
	if (!monitor->qmp && !monitor->failure.code &&
			open_monitor(plan, &monitor->qmp, &monitor->failure) != QMP_DONE &&
			monitor->failure.code != EHOSTDOWN)
		error_wrap(&monitor->failure, "machine '%s'", plan->machine);
	if (monitor->failure.code) {
		*err = monitor->failure;
		return tell_half(&connection, on, err);
	}
	/* The mark is there as long as the link may be down: nobody else knows. */
	if (r == 0 && !on)
		r = put_mark(plan, &connection, err);
	if (r == 0)
		r = set_link(monitor->qmp, plan, &connection, on, err);
	if (r == 0 && on)
		return remove_mark(plan, &connection, err);
	return r < 0 ? tell_half(&connection, on, err) : r;
}

void connect_monitor_done(struct connect_monitor *monitor)
{
	qmp_freep(&monitor->qmp);
}

int connect_change(const struct plan *plan, size_t i, bool on,
		const struct prepare_options *options, struct error *err)
{
	CLEANUP(connect_monitor_done) struct connect_monitor monitor = {};
	int r = connect_change_host(plan, i, on, options, err);
	return r < 0 ? r : connect_change_guest(plan, i, on, &monitor, err);
}

static void describe_link(const struct plan *plan, const struct plan_connection *connection,
		bool on, struct strv *ret_lines)
{
	strv_pushf(ret_lines, "switch %s the link of connection '%s' in the guest of machine '%s'",
			on ? "on" : "off", connection->name, plan->machine);
}

void connect_describe_begin(const struct plan *plan, struct strv *ret_lines)
{
	for (size_t i = 0; i < plan_n_connections(plan); i++) {
		const struct plan_connection connection = plan_connection(plan, i);
		if (is_away_first(&connection))
			describe_link(plan, &connection, false, ret_lines);
	}
}

void connect_describe(const struct plan *plan, size_t i, bool on, struct strv *ret_lines)
{
	const struct plan_connection connection = plan_connection(plan, i);
	const struct plan_fd *tap = connection.tap;
	if (has_bridge(&connection) && on && tap->filter)
		strv_pushf(ret_lines, "install the packet filter of '%s'", tap->link);
	if (has_bridge(&connection))
		strv_pushf(ret_lines, "%s tap '%s' %s bridge '%s' (network '%s')",
				on ? "connect" : "take", tap->link, on ? "to" : "out of",
				tap->bridge, connection.network);
	describe_link(plan, &connection, on, ret_lines);
}
