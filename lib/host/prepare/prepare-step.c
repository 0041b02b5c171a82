/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of step does, and how it is undone. */
#include "host/prepare/prepare-step.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "host/net/passt.h"
#include "host/os/clock.h"
#include "host/os/listen.h"
#include "host/os/vsock.h"
#include "host/prepare/connect.h"
#include "host/prepare/environment.h"
#include "host/prepare/prepare-device.h"
#include "host/prepare/prepare-filter.h"
#include "host/prepare/prepare-macvtap.h"
#include "host/prepare/prepare-peer.h"
#include "host/prepare/prepare-port.h"
#include "host/prepare/prepare-tap.h"
#include "host/prepare/prepare-text.h"
#include "host/storage/cloud-init.h"
#include "host/storage/credential.h"
#include "host/storage/share.h"
#include "host/storage/storage.h"
#include "host/storage/swtpm.h"
#include "util/file.h"
#include "util/mem.h"

/* Below a machine's run directory: what belongs to the unit of its TPM. */
#define TPM_DIR "swtpm"
/* and to those of its shares */
#define SHARE_DIR "share"
/* For systemd to read what it is told. */
#define BARRIER_USEC (30 * USEC_PER_SEC)
/* For what it has forgotten to be closed, which it does in the background. */
#define STORE_WAIT_USEC (500 * USEC_PER_MSEC)

/* ---- what steps share ---- */

static const struct plan_fd *fd_of(const struct prepare_context *c, size_t i)
{
	return &c->plan->fds[i];
}

static int need_store(struct prepare_context *c, struct error *err)
{
	return c->store.is_open ? 0 : fdstore_open(c->options->notify_socket, &c->store, err);
}

/* Sockets and directories of a TPM or share are for prepare alone: who talks to a TPM controls it,
 * and who talks to a share's program has its files. */
static const struct sharing *sharing_of(struct prepare_context *c)
{
	static const struct sharing nobody = {};
	return plan_is_companion(c->plan) ? &nobody : prepare_sharing(c);
}

/* ---- systemd's store ---- */

static int forget_all(struct prepare_context *c, struct error *err)
{
	int r = need_store(c, err);
	for (size_t i = 0; r == 0 && i < c->plan->n_fds; i++)
		r = fdstore_remove(&c->store, fd_of(c, i)->name, err);
	return r;
}

/* A unit's hook that has ended is not listened to any more. */
static int wait_for_systemd(struct prepare_context *c, struct error *err)
{
	return fdstore_barrier(&c->store, clock_deadline_usec(BARRIER_USEC), err);
}

static int run_forget(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	/* Without systemd this is where it ends: there is no use in opening anything. */
	if (c->plan->is_all)
		return need_store(c, err);
	/* It reads meanwhile, and in this order; who needs what it holds to be closed waits for
	 * that. */
	return forget_all(c, err);
}

static int undo_store(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	if (c->keeps_fds || !c->options->notify_socket)
		return 0;
	int r = forget_all(c, err);
	return r < 0 ? r : wait_for_systemd(c, err);
}

static int run_store(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	CLEANUP(freep) const char **names = xcalloc(c->plan->n_fds + 1, sizeof(*names));
	size_t n = c->plan->n_fds;
	for (size_t k = 0; k < n; k++)
		names[k] = fd_of(c, k)->name;
	if (n > 0 && c->fds[n - 1] < 0)
		n = prepare_n_fixed(c->plan);
	int r = need_store(c, err);
	if (r == 0)
		r = fdstore_push_all(&c->store, c->fds, names, n, err);
	if (r == 0)
		r = wait_for_systemd(c, err);
	if (r < 0)
		(void)!forget_all(c, NULL);
	return r;
}

/* ---- files ---- */

static int run_directory(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_directory *d = &c->plan->directories[i];
	const struct storage_file file = { .path = d->path, .volume = d->volume, .pool = d->pool };
	int r = prepare_account(c, err);
	return r < 0 ? r : storage_check_directory(&file, &c->account, err);
}

static struct storage_file storage_file_of(const struct prepare_context *c, size_t i)
{
	const struct plan_fd *fd = fd_of(c, i);
	bool is_variables = !strcmp(fd->name, "firmware.vars");
	const struct plan_fd *code = is_variables ? plan_find(c->plan, "firmware.code") : NULL;
	return (struct storage_file){
		.path = fd->path,
		.volume = fd->volume,
		.pool = fd->pool,
		.writable = fd->writable,
		.device = plan_is_device(fd->path),
		.direct = fd->direct,
		.firmware = code ? code->path : NULL,
		.qcow2 = fd->format == PLAN_FORMAT_QCOW2,
	};
}

static int run_file(struct prepare_context *c, size_t i, struct error *err)
{
	const struct storage_file file = storage_file_of(c, i);
	return storage_open(&file, &c->fds[i], err);
}

static int run_copy(struct prepare_context *c, size_t i, struct error *err)
{
	const struct storage_file file = storage_file_of(c, i);
	return storage_copy(&file, &c->fds[i], err);
}

static int check_file(struct prepare_context *c, size_t i, struct error *err)
{
	const struct storage_file file = storage_file_of(c, i);
	return storage_check(&file, 0, err);
}

static int check_copy(struct prepare_context *c, size_t i, struct error *err)
{
	const struct storage_file file = storage_file_of(c, i);
	return storage_check(&file, S_IFREG, err);
}

static int run_credential(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = fd_of(c, i);
	const struct storage_file file = storage_file_of(c, i);
	size_t len = 0;
	int r = credential_open(
			fd->credential, &file, c->n_credential_bytes, &c->fds[i], &len, err);
	c->n_credential_bytes += len;
	return r;
}

static int run_seed(struct prepare_context *c, size_t i, struct error *err)
{
	return cloud_init_open(c->plan->seed, c->plan->n_seed, &c->fds[i], err);
}

static int run_log(struct prepare_context *c, size_t i, struct error *err)
{
	const char *path = fd_of(c, i)->path;
	int fd;
	const struct sharing *sharing = sharing_of(c);
	int r = storage_open_log(path, sharing->is_shared ? 0640 : 0600, &fd, err);
	if (r < 0)
		return r;
	c->fds[i] = fd;
	if (sharing->is_shared && fchown(fd, (uid_t)-1, sharing->group) < 0)
		return error_errno(err, "cannot give '%s' to its group", path);
	return 0;
}

/* ---- the run directory and what is in it ---- */

/* Are two files in one directory? */
static bool is_beside(const char *a, const char *b)
{
	const char *slash = strrchr(a, '/');
	size_t len = slash ? (size_t)(slash - a) + 1 : 0;
	return !strncmp(a, b, len) && !strchr(b + len, '/');
}

static int make_run_dir(struct prepare_context *c, struct error *err)
{
	const struct plan *plan = c->plan;
	const char *last = plan->run_dir;
	int r = rundir_make(plan->run_dir, prepare_sharing(c), err);
	for (size_t k = 0; r == 0 && k < plan->n_fds; k++) {
		const struct plan_fd *fd = &plan->fds[k];
		if ((fd->kind != PLAN_FD_LISTEN && fd->kind != PLAN_FD_LOG) ||
				is_beside(fd->path, last))
			continue;
		r = rundir_make_for(plan->run_dir, fd->path, sharing_of(c), err);
		last = fd->path;
	}
	if (r < 0 || plan_is_companion(plan))
		return r;

	/* Arguments that were meant for an earlier start, and what was away from its QEMU. */
	r = environment_clear(plan->run_dir, err);
	if (r == 0 && c->options->environment)
		r = environment_put(plan->run_dir, c->options->environment, err);
	return r < 0 ? r : connect_begin(plan, err);
}

static int undo_run_dir(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	static const char *const others[] = { TPM_DIR, SHARE_DIR, NULL };
	const char *run_dir = c->plan->run_dir;
	if (!plan_is_companion(c->plan))
		return rundir_remove(run_dir, others, err);

	/* The socket of a share is gone by now; the directory may have those of others. */
	CLEANUP(freep) char *own = path_join(run_dir, c->plan->share ? SHARE_DIR : TPM_DIR);
	int r = c->plan->share ? 0 : remove_tree(own, err);
	if (r < 0)
		return r;
	const char *const dirs[] = { own, run_dir };
	for (size_t k = 0; k < ARRAY_SIZE(dirs); k++)
		if (rmdir(dirs[k]) < 0 && errno != ENOTEMPTY && errno != ENOENT)
			return error_errno(err, "cannot remove directory '%s'", dirs[k]);
	return 0;
}

static int run_run_dir(struct prepare_context *c, size_t i, struct error *err)
{
	int r = make_run_dir(c, err);
	if (r < 0)
		(void)!undo_run_dir(c, i, NULL);
	return r;
}

static int run_socket_dir(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	int r = prepare_account(c, err);
	return r < 0 ? r
		     : rundir_make_owned(c->plan->socket_dir, c->account.uid, c->account.gid, err);
}

static int undo_socket_dir(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	int r = remove_tree(c->plan->socket_dir, err);
	/* A directory that is busy is mounted into a unit: it is systemd's, who removes it. */
	return r < 0 && r != -EBUSY ? r : 0;
}

static bool is_monitor(const struct plan_fd *fd)
{
	return !strncmp(fd->name, PLAN_MONITOR, strlen(PLAN_MONITOR));
}

static int run_listen(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = fd_of(c, i);
	int r = listen_unix(fd->path, sharing_of(c), &c->fds[i], err);
	return r == 0 && is_monitor(fd) ? listen_never_wait(c->fds[i], err) : r;
}

static int undo_listen(struct prepare_context *c, size_t i, struct error *err)
{
	return listen_remove(fd_of(c, i)->path, err);
}

static int run_listen_tcp(struct prepare_context *c, size_t i, struct error *err)
{
	uint64_t deadline = 0;
	int r = prepare_network(c, err);
	/* An earlier start's socket may be in systemd's store, which was told to forget it. */
	if (r == 0 && !c->keeps_fds) {
		r = c->plan->is_all ? 0 : wait_for_systemd(c, err);
		deadline = clock_deadline_usec(STORE_WAIT_USEC);
	}
	return r < 0 ? r : listen_tcp((uint16_t)fd_of(c, i)->port, deadline, &c->fds[i], err);
}

static int run_connect(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = fd_of(c, i);
	if (plan_is_passt(fd))
		return passt_connect(fd->path, &c->fds[i], err);
	return connect_unix(fd->path, &c->fds[i], err);
}

/* ---- the TPM ---- */

static int run_state(struct prepare_context *c, size_t i, struct error *err)
{
	int r = prepare_account(c, err);
	if (r < 0)
		return r;
	r = swtpm_prepare(c->plan->tpm_data, &c->account, &c->fds[i], err);
	if (r < 0)
		(void)!swtpm_give_back(c->plan->tpm_data, NULL);
	return r;
}

static int undo_state(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	return swtpm_give_back(c->plan->tpm_data, err);
}

/* ---- shares ---- */

static int run_tree(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = fd_of(c, i);
	const struct share_tree tree = {
		.path = fd->path,
		.share = c->plan->share,
		.user = c->plan->user,
		.writable = fd->writable,
	};
	int r = prepare_account(c, err);
	return r < 0 ? r : share_open(&tree, &c->account, &c->fds[i], err);
}

static int check_tree(struct prepare_context *c, size_t i, struct error *err)
{
	const struct storage_file file = { .path = fd_of(c, i)->path };
	int r = storage_check(&file, S_IFDIR, err);
	return r < 0 ? error_wrap(err, "share '%s'", c->plan->share) : 0;
}

static int run_userns(struct prepare_context *c, size_t i, struct error *err)
{
	int r = prepare_account(c, err);
	return r < 0 ? r : share_make_users(&c->account, &c->fds[i], err);
}

/* ---- vsock ---- */

static int run_vsock(struct prepare_context *c, size_t i, struct error *err)
{
	const struct plan_fd *fd = fd_of(c, i);
	/* An earlier start's device may be in systemd's store, which was told to forget it. */
	return vsock_open_device(fd->path, (uint32_t)fd->cid, clock_deadline_usec(STORE_WAIT_USEC),
			&c->fds[i], err);
}

/* ---- vhost-net ---- */

size_t prepare_n_fixed(const struct plan *plan)
{
	size_t n = plan->n_fds;
	while (n > 0 && plan->fds[n - 1].kind == PLAN_FD_VHOST)
		n--;
	return n;
}

/* Open all, or none: the kernel has no vhost-net, or its module may not be loaded from here. */
static bool open_vhost(struct prepare_context *c, size_t first)
{
	for (size_t i = first; i < c->plan->n_fds; i++) {
		c->fds[i] = open(fd_of(c, i)->path, O_RDWR | O_CLOEXEC);
		if (c->fds[i] >= 0)
			continue;
		while (i > first)
			closep(&c->fds[--i]);
		return false;
	}
	return true;
}

static int run_vhost(struct prepare_context *c, size_t i, struct error *err)
{
	(void)i;
	const char *text = c->options->vhost_environment;
	if (!open_vhost(c, prepare_n_fixed(c->plan)) || !text)
		return 0;
	return environment_put(c->plan->run_dir, text, err);
}

const struct prepare_step_row prepare_step_rows[N_STEP_KINDS] = {
	[STEP_FORGET] = { STEP_UNIT, run_forget, NULL, text_forget, NULL },
	[STEP_PORT] = { STEP_UNIT, prepare_port, NULL, text_port, NULL },
	[STEP_DIRECTORY] = { STEP_ALWAYS, run_directory, NULL, text_directory, NULL,
			run_directory },
	[STEP_PEER] = { STEP_ALWAYS, prepare_peer, NULL, text_peer, NULL, prepare_check_peer },
	[STEP_FILE] = { STEP_ALWAYS, run_file, NULL, text_file, NULL, check_file },
	[STEP_COPY] = { STEP_ALWAYS, run_copy, NULL, text_copy, NULL, check_copy },
	[STEP_CREDENTIAL] = { STEP_ALWAYS, run_credential, NULL, text_credential, NULL,
			run_credential },
	[STEP_SEED] = { STEP_ALWAYS, run_seed, NULL, text_seed, NULL, run_seed },
	[STEP_VSOCK] = { STEP_ALWAYS, run_vsock, NULL, text_vsock, NULL },
	[STEP_RUN_DIR] = { STEP_ALWAYS, run_run_dir, undo_run_dir, text_run_dir,
			text_undo_run_dir },
	[STEP_SOCKET_DIR] = { STEP_OWN, run_socket_dir, undo_socket_dir, text_socket_dir,
			text_undo_socket_dir },
	[STEP_EMULATOR] = { STEP_ALWAYS, prepare_emulator, NULL, text_emulator, NULL },
	[STEP_TREE] = { STEP_ALWAYS, run_tree, NULL, text_tree, NULL, check_tree },
	[STEP_USERNS] = { STEP_ALWAYS, run_userns, NULL, text_userns, NULL },
	[STEP_STATE] = { STEP_ALWAYS, run_state, undo_state, text_state, text_undo_state },
	[STEP_MDEV] = { STEP_ALWAYS, prepare_mdev, prepare_undo_mdev, text_mdev, text_undo_mdev },
	[STEP_LOANS] = { STEP_ALWAYS, NULL, prepare_undo_loans, NULL, text_undo_loans },
	[STEP_LEND] = { STEP_ALWAYS, prepare_lend, NULL, text_lend, NULL, prepare_check_pci },
	[STEP_PCI] = { STEP_ALWAYS, prepare_pci, NULL, text_pci, NULL },
	[STEP_USB] = { STEP_ALWAYS, prepare_usb, NULL, text_usb, NULL, prepare_check_usb },
	[STEP_FILTERS] = { STEP_ALWAYS, NULL, prepare_undo_filter, NULL, text_undo_filter },
	[STEP_FILTER] = { STEP_ALWAYS, prepare_filter, NULL, text_filter, NULL },
	[STEP_LINKS] = { STEP_ALWAYS, NULL, prepare_undo_links, NULL, text_undo_links },
	[STEP_TAP] = { STEP_ALWAYS, prepare_tap, prepare_undo_tap, text_tap, text_undo_tap,
			prepare_check_tap },
	[STEP_MACVTAP] = { STEP_ALWAYS, prepare_macvtap, prepare_undo_macvtap, text_macvtap,
			text_undo_macvtap, prepare_check_macvtap },
	[STEP_LISTEN] = { STEP_ALWAYS, run_listen, undo_listen, text_listen, text_undo_listen },
	[STEP_LISTEN_TCP] = { STEP_ALWAYS, run_listen_tcp, NULL, text_listen_tcp, NULL },
	[STEP_LOG] = { STEP_ALWAYS, run_log, NULL, text_log, NULL },
	[STEP_CONNECT] = { STEP_ALWAYS, run_connect, NULL, text_connect, NULL },
	[STEP_VHOST] = { STEP_ALWAYS, run_vhost, NULL, text_vhost, NULL },
	[STEP_STORE] = { STEP_UNIT, run_store, undo_store, text_store, text_undo_store },
};
