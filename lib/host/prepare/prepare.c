/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a plan to steps, and through them forwards or backwards. */
#include "host/prepare/prepare.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/lock.h"
#include "host/prepare/prepare-step.h"
#include "host/qmp/await.h"
#include "util/mem.h"

/* Nobody's, as user and as group. */
#define NOBODY 65534

struct steps {
	struct prepare_step *items;
	size_t n, n_alloc;
};

static void steps_done(struct steps *s)
{
	free(s->items);
	*s = (struct steps){};
}

static void add(struct steps *s, enum prepare_step_kind kind, size_t i)
{
	s->items = grow_array(s->items, &s->n_alloc, s->n, sizeof(*s->items));
	s->items[s->n++] = (struct prepare_step){ kind, i };
}

static enum prepare_step_kind kind_of(enum plan_fd_kind kind)
{
	switch (kind) {
	case PLAN_FD_TAP:
		return STEP_TAP;
	case PLAN_FD_MACVTAP:
		return STEP_MACVTAP;
	case PLAN_FD_QUEUE:
		break; /* with their interface */
	case PLAN_FD_FILE:
		return STEP_FILE;
	case PLAN_FD_COPY:
		return STEP_COPY;
	case PLAN_FD_CREDENTIAL:
		return STEP_CREDENTIAL;
	case PLAN_FD_SEED:
		return STEP_SEED;
	case PLAN_FD_LISTEN:
		return STEP_LISTEN;
	case PLAN_FD_LISTEN_TCP:
		return STEP_LISTEN_TCP;
	case PLAN_FD_CONNECT:
		return STEP_CONNECT;
	case PLAN_FD_LOG:
		return STEP_LOG;
	case PLAN_FD_STATE:
		return STEP_STATE;
	case PLAN_FD_TREE:
		return STEP_TREE;
	case PLAN_FD_USERNS:
		return STEP_USERNS;
	case PLAN_FD_USB:
		break; /* by plan->usbs */
	case PLAN_FD_VSOCK:
		return STEP_VSOCK;
	case PLAN_FD_VHOST:
		break; /* all at once */
	}
	return N_STEP_KINDS;
}

/* How many steps of a kind there are that do not come from a descriptor. */
static size_t count(const struct plan *plan, enum prepare_step_kind kind)
{
	switch ((int)kind) {
	case STEP_FORGET:
	case STEP_RUN_DIR:
	case STEP_STORE:
		return 1;
	case STEP_SOCKET_DIR:
		return plan->n_sockets ? 1 : 0;
	case STEP_EMULATOR:
		return plan->n_peers && plan->peers[0].emulator ? 1 : 0;
	case STEP_VHOST:
		return prepare_n_fixed(plan) < plan->n_fds ? 1 : 0;
	case STEP_FILTER:
		return plan_has_filter(plan) ? 1 : 0;
	case STEP_FILTERS:
	case STEP_LINKS:
	case STEP_LOANS:
		return plan_is_companion(plan) ? 0 : 1;
	case STEP_DIRECTORY:
		return plan->n_directories;
	case STEP_PEER:
		return plan->n_peers;
	case STEP_MDEV:
		return plan->n_mdevs;
	case STEP_LEND:
	case STEP_PCI:
		return plan->n_pcis;
	case STEP_USB:
		return plan->n_usbs;
	default:
		return 0;
	}
}

static void steps_build(const struct plan *plan, struct steps *ret)
{
	for (int kind = 0; kind < N_STEP_KINDS; kind++) {
		for (size_t i = 0; kind == STEP_PORT && i < plan->n_sockets; i++)
			if (plan->sockets[i].port)
				add(ret, STEP_PORT, i);
		for (size_t i = 0; i < count(plan, (enum prepare_step_kind)kind); i++)
			add(ret, (enum prepare_step_kind)kind, i);
		for (size_t i = 0; i < plan->n_fds; i++)
			if ((int)kind_of(plan->fds[i].kind) == kind)
				add(ret, (enum prepare_step_kind)kind, i);
	}
}

static void tell(const struct prepare_context *c, const struct prepare_step *step,
		void (*describe)(const struct plan *, size_t, struct buf *))
{
	CLEANUP(buf_done) struct buf line = {};
	if (!c->options->on_step)
		return;
	describe(c->plan, step->i, &line);
	c->options->on_step(c->options->data, buf_text(&line));
}

/* Some steps are only for those whom systemd starts, some only for the others. */
static bool is_done(const struct prepare_step_row *row, bool keeps_fds)
{
	return row->run && !(row->when == STEP_UNIT && keeps_fds) &&
	       !(row->when == STEP_OWN && !keeps_fds);
}

static int run_step(struct prepare_context *c, const struct prepare_step *step, struct error *err)
{
	const struct prepare_step_row *row = &prepare_step_rows[step->kind];
	if (!is_done(row, c->keeps_fds))
		return 0;
	tell(c, step, row->describe);
	return row->run(c, step->i, err);
}

/*
 * Undo the first @n steps. Returns the first failure.
 *
 * @all: also those that are not done in a unit. systemd undoes what it has done in their place, but
 *       not what it has done for a unit that reads otherwise by now.
 */
static int undo_steps(struct prepare_context *c, const struct steps *steps, size_t n, bool all,
		struct strv *failures)
{
	int first = 0;
	while (n-- > 0) {
		const struct prepare_step *step = &steps->items[n];
		const struct prepare_step_row *row = &prepare_step_rows[step->kind];
		if (!row->undo || (row->when == STEP_OWN && !all))
			continue;
		tell(c, step, row->describe_undo);
		struct error err = {};
		int r = row->undo(c, step->i, &err);
		if (r >= 0)
			continue;
		strv_push(failures, err.text);
		if (first == 0)
			first = r;
	}
	return first;
}

/* All steps, or none. */
static int run_all(struct prepare_context *c, const struct steps *steps, struct error *err)
{
	for (size_t n = 0; n < steps->n; n++) {
		struct error failure = {};
		int r = run_step(c, &steps->items[n], &failure);
		if (r >= 0)
			continue;
		CLEANUP(strv_done) struct strv more = {};
		CLEANUP(buf_done) struct buf rest = {};
		/* The one that failed has left nothing. */
		if (undo_steps(c, steps, n, c->keeps_fds, &more) < 0)
			for (size_t i = 0; i < more.n; i++)
				buf_printf(&rest, "; then, when it was undone: %s", more.items[i]);
		return error_set(err, failure.code, "%s%s", failure.text, buf_text(&rest));
	}
	return 0;
}

int prepare_run(const struct plan *plan, const struct prepare_options *options, int *ret_fds,
		struct error *err)
{
	CLEANUP(steps_done) struct steps steps = {};
	CLEANUP(prepare_context_done) struct prepare_context c;
	prepare_context_init(&c, plan, options);
	c.keeps_fds = ret_fds != NULL;
	steps_build(plan, &steps);

	CLEANUP(lock_done) struct lock lock = {};
	int r = rundir_make_parent(plan->run_dir, err);
	if (r == 0)
		r = lock_machine(c.parent_dir, plan->machine, LOCK_WAIT_USEC, &lock, err);
	if (r == 0)
		r = run_all(&c, &steps, err);
	for (size_t i = 0; r == 0 && ret_fds && i < plan->n_fds; i++)
		ret_fds[i] = take_fd(&c.fds[i]);
	return r;
}

int prepare_teardown(const struct plan *plan, const struct prepare_options *options,
		struct strv *ret_failures)
{
	CLEANUP(steps_done) struct steps steps = {};
	CLEANUP(prepare_context_done) struct prepare_context c;
	prepare_context_init(&c, plan, options);
	steps_build(plan, &steps);

	CLEANUP(lock_done) struct lock lock = {};
	struct error err = {};
	/* Where there is no directory of machines, nobody can be preparing one. */
	int r = 0;
	if (access(c.parent_dir, F_OK) == 0)
		r = lock_machine(c.parent_dir, plan->machine, LOCK_WAIT_USEC, &lock, &err);
	if (r < 0) {
		strv_push(ret_failures, err.text);
		return r;
	}
	return undo_steps(&c, &steps, steps.n, true, ret_failures);
}

void prepare_check(const struct plan *plan, const struct prepare_options *options,
		struct strv *ret_faults)
{
	CLEANUP(steps_done) struct steps steps = {};
	CLEANUP(prepare_context_done) struct prepare_context c;
	prepare_context_init(&c, plan, options);
	steps_build(plan, &steps);
	/* systemd may make the user with the start, who has the rights of all then. */
	if (prepare_account(&c, NULL) < 0) {
		c.account = (struct account){ .uid = NOBODY, .gid = NOBODY };
		c.has_account = true;
	}
	for (size_t n = 0; n < steps.n; n++) {
		const struct prepare_step *step = &steps.items[n];
		const struct prepare_step_row *row = &prepare_step_rows[step->kind];
		struct error err = {};
		int r = row->check ? row->check(&c, step->i, &err) : 0;
		/* Others than root may not look everywhere, and systemd does the step. */
		if (r < 0 && !(geteuid() != 0 && (r == -EACCES || r == -EPERM)))
			strv_push(ret_faults, err.text);
	}
}

static int find_hook_socket(const struct plan *plan, const char **ret_path, struct error *err)
{
	const struct plan_fd *socket = plan_find(plan, PLAN_MONITOR_HOOKS);
	if (!socket || socket->kind != PLAN_FD_LISTEN)
		return error_set(err, EINVAL, "the plan of machine '%s' has no QMP socket",
				plan->machine);
	*ret_path = socket->path;
	return 0;
}

int prepare_await(const struct plan *plan, const struct prepare_options *options, pid_t main_pid,
		uint64_t deadline_usec, struct error *err)
{
	struct await_request request = { .main_pid = main_pid, .deadline_usec = deadline_usec };
	int r = find_hook_socket(plan, &request.path, err);
	if (r == 0)
		r = await_qmp(&request, NULL, err);
	if (r < 0)
		return r;

	CLEANUP(prepare_context_done) struct prepare_context c;
	prepare_context_init(&c, plan, options);
	for (size_t i = 0; r == 0 && i < plan->n_sockets; i++)
		r = listen_share(plan->sockets[i].path, prepare_sharing(&c), err);
	if (r == 0 && plan->n_sockets)
		r = rundir_take_over(plan->socket_dir, err);
	return r < 0 ? r : prepare_step_rows[STEP_STORE].undo(&c, 0, err);
}

static void push_line(const struct plan *plan, const struct prepare_step *step,
		void (*describe)(const struct plan *, size_t, struct buf *), struct strv *ret_lines)
{
	CLEANUP(buf_done) struct buf line = {};
	describe(plan, step->i, &line);
	strv_push(ret_lines, buf_text(&line));
}

void prepare_describe(const struct plan *plan, bool keeps_fds, struct strv *ret_lines)
{
	CLEANUP(steps_done) struct steps steps = {};
	steps_build(plan, &steps);
	for (size_t n = 0; n < steps.n; n++) {
		const struct prepare_step_row *row = &prepare_step_rows[steps.items[n].kind];
		if (is_done(row, keeps_fds))
			push_line(plan, &steps.items[n], row->describe, ret_lines);
	}
}

int prepare_describe_await(const struct plan *plan, struct strv *ret_lines, struct error *err)
{
	static const struct prepare_step store = { .kind = STEP_STORE };
	const char *path = NULL;
	int r = find_hook_socket(plan, &path, err);
	if (r < 0)
		return r;
	strv_pushf(ret_lines, "wait until QEMU answers at '%s'", path);
	for (size_t i = 0; i < plan->n_sockets; i++)
		strv_pushf(ret_lines, "give '%s' to the group '" ACCOUNT_OPERATORS "'",
				plan->sockets[i].path);
	if (plan->n_sockets)
		strv_pushf(ret_lines, "take over directory '%s'", plan->socket_dir);
	push_line(plan, &store, prepare_step_rows[STEP_STORE].describe_undo, ret_lines);
	return 0;
}

void prepare_describe_teardown(const struct plan *plan, struct strv *ret_lines)
{
	CLEANUP(steps_done) struct steps steps = {};
	steps_build(plan, &steps);
	for (size_t n = steps.n; n-- > 0;) {
		const struct prepare_step_row *row = &prepare_step_rows[steps.items[n].kind];
		if (row->undo)
			push_line(plan, &steps.items[n], row->describe_undo, ret_lines);
	}
}
