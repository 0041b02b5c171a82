/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as rows of words, and back. */
#include <string.h>

#include "model/plan-devices.h"
#include "model/plan-filter.h"
#include "model/plan.h"
#include "model/words.h"
#include "util/mem.h"
#include "util/parse.h"

const char *const plan_fd_kind_names[] = {
	[PLAN_FD_TAP] = "tap",
	[PLAN_FD_MACVTAP] = "macvtap",
	[PLAN_FD_QUEUE] = "queue",
	[PLAN_FD_FILE] = "file",
	[PLAN_FD_COPY] = "copy",
	[PLAN_FD_CREDENTIAL] = "credential",
	[PLAN_FD_SEED] = "seed",
	[PLAN_FD_LISTEN] = "listen",
	[PLAN_FD_LISTEN_TCP] = "listen-tcp",
	[PLAN_FD_CONNECT] = "connect",
	[PLAN_FD_LOG] = "log",
	[PLAN_FD_STATE] = "state",
	[PLAN_FD_TREE] = "tree",
	[PLAN_FD_USERNS] = "users",
	[PLAN_FD_USB] = "usb-node",
	[PLAN_FD_VSOCK] = "vsock",
	[PLAN_FD_VHOST] = "vhost",
	NULL,
};
const char *const plan_format_names[] = { "raw", "qcow2", NULL };

static const struct word fd_words[] = {
	WORD_NEEDED(plan_fd, name, "name", TEXT),
	WORD(plan_fd, link, "link", TEXT),
	WORD(plan_fd, connection, "connection", TEXT),
	WORD(plan_fd, network, "network", TEXT),
	WORD(plan_fd, forward, "forward", TEXT),
	WORD(plan_fd, bridge, "bridge", TEXT),
	WORD(plan_fd, device, "device", TEXT),
	WORD_OF(plan_fd, macvtap_mode, "macvtap-mode", macvtap_mode_names),
	WORD(plan_fd, mac, "mac", TEXT),
	WORD(plan_fd, mtu, "mtu", INT64),
	WORD(plan_fd, up, "up", TEXT),
	WORD(plan_fd, down, "down", TEXT),
	WORD(plan_fd, disconnected, "disconnected", BOOL),
	WORD(plan_fd, protect, "protect", BOOL),
	WORD(plan_fd, isolate, "isolate", BOOL),
	WORD(plan_fd, own, "own", BOOL),
	WORD(plan_fd, vlan, "vlan", INT),
	WORD(plan_fd, writable, "writable", BOOL),
	WORD(plan_fd, direct, "direct", BOOL),
	WORD_OF(plan_fd, format, "format", plan_format_names),
	WORD(plan_fd, port, "port", INT),
	WORD(plan_fd, cid, "cid", INT64),
	WORD(plan_fd, path, "path", PATH),
	WORD(plan_fd, credential, "credential", TEXT),
	WORD(plan_fd, volume, "volume", TEXT),
	WORD(plan_fd, pool, "pool", TEXT),
	{},
};

static const struct word machine_words[] = {
	WORD_NEEDED(plan, machine, "name", TEXT),
	WORD_NEEDED(plan, user, "user", TEXT),
	WORD_NEEDED(plan, run_dir, "run-dir", PATH),
	WORD_NEEDED(plan, socket_dir, "socket-dir", PATH),
	WORD(plan, tpm_data, "tpm-data", PATH),
	WORD(plan, stop_sec, "stop-sec", INT),
	WORD(plan, share, "share", TEXT),
	{},
};

static const struct word directory_words[] = {
	WORD_NEEDED(plan_directory, path, "path", PATH),
	WORD(plan_directory, volume, "volume", TEXT),
	WORD(plan_directory, pool, "pool", TEXT),
	{},
};

static const struct word socket_words[] = {
	WORD_NEEDED(plan_socket, name, "name", TEXT),
	WORD_NEEDED(plan_socket, path, "path", PATH),
	WORD(plan_socket, port, "port", INT),
	{},
};

static const struct word netdev_words[] = {
	WORD_NEEDED(plan_netdev, name, "name", TEXT),
	WORD_NEEDED(plan_netdev, connection, "connection", TEXT),
	WORD(plan_netdev, network, "network", TEXT),
	WORD(plan_netdev, disconnected, "disconnected", BOOL),
	{},
};

static const struct word peer_words[] = {
	WORD_NEEDED(plan_peer, name, "name", TEXT),
	WORD_NEEDED(plan_peer, path, "path", PATH),
	WORD(plan_peer, group, "group", TEXT),
	WORD_NEEDED(plan_peer, connection, "connection", TEXT),
	WORD_NEEDED(plan_peer, network, "network", TEXT),
	WORD(plan_peer, queues, "queues", INT),
	WORD(plan_peer, emulator, "emulator", PATH),
	{},
};

static const struct word seed_words[] = {
	WORD_OF(vm_seed_item, kind, "what", vm_seed_kind_names),
	WORD(vm_seed_item, text, "text", TEXT),
	{},
};

static const struct row_kind kinds[] = {
	{ ROWS(plan, directories, "directory", directory_words) },
	{ ROWS(plan, sockets, "socket", socket_words) },
	{ ROWS(plan, netdevs, "netdev", netdev_words) },
	{ ROWS(plan, peers, "peer", peer_words) },
	{ ROWS(plan, seed, "cloud-init", seed_words) },
	{},
};

void plan_put_rows(const struct plan *plan, struct buf *ret)
{
	row_put(ret, "machine", machine_words, plan);
	for (size_t i = 0; i < plan->n_fds; i++)
		row_put(ret, plan_fd_kind_names[plan->fds[i].kind], fd_words, &plan->fds[i]);
	rows_put(ret, kinds, plan);
	rows_put(ret, plan_device_kinds, plan);
	plan_put_filter_rows(plan, ret);
}

static bool is_complete(const struct plan_fd *fd)
{
	bool has_link = fd->link && fd->connection && fd->mac;
	switch (fd->kind) {
	case PLAN_FD_TAP:
		return has_link;
	case PLAN_FD_MACVTAP:
		return has_link && fd->device;
	case PLAN_FD_QUEUE:
		return fd->link;
	case PLAN_FD_LISTEN_TCP:
		return fd->port > 0;
	case PLAN_FD_CREDENTIAL:
		return fd->path && fd->credential;
	case PLAN_FD_VSOCK:
		return fd->path && fd->cid > 0;
	case PLAN_FD_SEED:
	case PLAN_FD_USERNS:
	case PLAN_FD_USB:
		return true;
	case PLAN_FD_FILE:
	case PLAN_FD_COPY:
	case PLAN_FD_LISTEN:
	case PLAN_FD_CONNECT:
	case PLAN_FD_LOG:
	case PLAN_FD_STATE:
	case PLAN_FD_TREE:
	case PLAN_FD_VHOST:
		break;
	}
	return fd->path != NULL;
}

/* A queue is one of the interface before it. */
static bool is_in_order(const struct plan *plan, const struct plan_fd *fd)
{
	return fd->kind != PLAN_FD_QUEUE ||
	       (fd > plan->fds && fd[-1].link && !strcmp(fd[-1].link, fd->link));
}

static int parse_fd(struct plan *plan, enum plan_fd_kind kind, const struct strv *words,
		struct error *err)
{
	plan->fds = words_append(&plan->arena, plan->fds, plan->n_fds, sizeof(*plan->fds));
	struct plan_fd *fd = &plan->fds[plan->n_fds];
	*fd = (struct plan_fd){
		.kind = kind, .set = -1, .number = PLAN_FD_FIRST + (int)plan->n_fds
	};
	int r = words_parse(fd_words, words, fd, &plan->arena, err);
	if (r < 0)
		return r;
	if (!is_complete(fd) || !is_in_order(plan, fd))
		return error_set(err, EINVAL, "a '%s' lacks what it needs", words->items[0]);
	if (plan_fd_has_set(kind))
		fd->set = (int)++plan->n_sets;
	plan->n_fds++;
	return 0;
}

int plan_parse_row(struct plan *plan, const struct strv *words, struct error *err)
{
	if (!words->n)
		return error_set(err, EINVAL, "an empty row");
	const char *kind = words->items[0];
	if (!strcmp(kind, "machine"))
		return words_parse(machine_words, words, plan, &plan->arena, err);
	if (!strcmp(kind, "filter"))
		return plan_filter_parse(plan, words, err);
	if (!strcmp(kind, "rule"))
		return plan_filter_parse_rule(plan, words, err);
	int r = row_parse(kinds, words, plan, &plan->arena, err);
	if (r == 1)
		r = row_parse(plan_device_kinds, words, plan, &plan->arena, err);
	if (r <= 0)
		return r;
	for (int i = 0; plan_fd_kind_names[i]; i++)
		if (!strcmp(kind, plan_fd_kind_names[i]))
			return parse_fd(plan, (enum plan_fd_kind)i, words, err);
	return error_set(err, EINVAL, "'%s' is not understood", kind);
}

int plan_parse_end(const struct plan *plan, struct error *err)
{
	if (!plan->machine)
		return error_set(err, EINVAL, "the plan does not say whose it is");
	for (size_t i = 0; i < plan->n_seed; i++)
		if (!plan->seed[i].text && plan->seed[i].kind != VM_SEED_UPGRADE)
			return error_set(err, EINVAL, "a 'cloud-init' has no 'text'");
	for (size_t i = 0; i < plan->n_fds; i++)
		if (plan_find(plan, plan->fds[i].name) != &plan->fds[i])
			return error_set(err, EINVAL, "two descriptors are called '%s'",
					plan->fds[i].name);
	return plan_check_device_rows(plan, err);
}
