/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is connected to a listening unix socket. */
#include "host/os/unix-peer.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "host/os/holder.h"
#include "host/os/netns.h"

struct search {
	const char *path;
	struct strv *sockets; /* the other ends, as /proc/PID/fd shows them: "socket:[INODE]" */
};

static int take_attribute(const struct nlattr *attribute, void *data)
{
	const struct nlattr **table = data;
	uint16_t type = mnl_attr_get_type(attribute);
	if (type <= UNIX_DIAG_MAX)
		table[type] = attribute;
	return MNL_CB_OK;
}

/* One socket of the dump: if it was accepted at the path, the inode of the other end. */
static int take_socket(const struct nlmsghdr *message, void *data)
{
	struct search *search = data;
	const struct nlattr *table[UNIX_DIAG_MAX + 1] = {};
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct unix_diag_msg) ||
			mnl_attr_parse(message, sizeof(struct unix_diag_msg), take_attribute,
					table) < 0)
		return MNL_CB_OK;

	const struct nlattr *name = table[UNIX_DIAG_NAME], *peer = table[UNIX_DIAG_PEER];
	if (!name || !peer || mnl_attr_get_payload_len(peer) < sizeof(uint32_t))
		return MNL_CB_OK;
	/* The kernel counts the NUL at the end of a path where the one who bound it did. */
	size_t len = strnlen(mnl_attr_get_payload(name), mnl_attr_get_payload_len(name));
	if (len != strlen(search->path) ||
			memcmp(mnl_attr_get_payload(name), search->path, len) != 0)
		return MNL_CB_OK;
	/* 0: the client has closed it. */
	if (mnl_attr_get_u32(peer) != 0)
		strv_pushf(search->sockets, "socket:[%u]", mnl_attr_get_u32(peer));
	return MNL_CB_OK;
}

static void mnl_closep(struct mnl_socket **nl)
{
	if (*nl)
		mnl_socket_close(*nl);
}

static int find_peers(const char *path, struct strv *ret, struct error *err)
{
	struct search search = { .path = path, .sockets = ret };
	CLEANUP(mnl_closep)
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return error_errno(err, "cannot ask the kernel for unix sockets");

	char data[32768];
	struct nlmsghdr *request = mnl_nlmsg_put_header(data);
	request->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = 1;
	struct unix_diag_req *query = mnl_nlmsg_put_extra_header(request, sizeof(*query));
	query->sdiag_family = AF_UNIX;
	query->udiag_states = UINT32_MAX;
	query->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
	if (mnl_socket_sendto(nl, request, request->nlmsg_len) < 0)
		return error_errno(err, "cannot ask the kernel for unix sockets");

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(nl, data, sizeof(data));
		int r = n < 0 ? -1
			      : mnl_cb_run(data, (size_t)n, 1, mnl_socket_get_portid(nl),
						take_socket, &search);
		if (r < 0)
			return error_errno(err, "cannot list unix sockets");
		if (r == MNL_CB_STOP)
			return 0;
	}
}

/*
 * A connection is of the client's network (unix_stream_connect() in net/unix/af_unix.c), and a hook
 * of a unit has one of its own.
 */
static int find_all_peers(const char *path, struct strv *ret, struct error *err)
{
	CLEANUP(netns_done) struct netns outside = {};
	int r = find_peers(path, ret, err);
	if (r == 0 && netns_enter(NETNS_HOST, &outside, NULL) == 0 && outside.entered)
		r = find_peers(path, ret, err);
	return r;
}

int unix_peer_list(const char *path, struct strv *ret_processes)
{
	CLEANUP(strv_done) struct strv sockets = {};
	int r = find_all_peers(path, &sockets, NULL);
	if (r == 0 && sockets.n > 0)
		holder_list("/proc", &sockets, ret_processes);
	return r;
}

int unix_peer_look(const char *path, int own_fd, size_t *ret_others, bool *ret_is_served,
		struct error *err)
{
	CLEANUP(strv_done) struct strv sockets = {};
	struct stat st = {};
	if (own_fd >= 0 && fstat(own_fd, &st) < 0)
		return error_errno(err, "cannot look at a connection to '%s'", path);
	/* What waits in the queue has no inode yet, and is not listed. */
	int r = find_all_peers(path, &sockets, err);
	if (r < 0)
		return r;
	char own[64];
	snprintf(own, sizeof(own), "socket:[%u]", (unsigned)st.st_ino);
	*ret_is_served = own_fd >= 0 && strv_contains(&sockets, own);
	*ret_others = sockets.n - *ret_is_served;
	return 0;
}

void unix_peer_text(const char *path, struct buf *to)
{
	CLEANUP(strv_done) struct strv processes = {};
	if (unix_peer_list(path, &processes) < 0)
		return;
	for (size_t i = 0; i < processes.n; i++)
		buf_printf(to, "%s%s", i > 0 ? ", " : "", processes.items[i]);
}
