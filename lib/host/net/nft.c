/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions of nftables. */
#include "host/net/nft.h"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "host/net/netlink-talk.h"
#include "util/mem.h"

/* Others may be at it at the same time: that often a batch is sent. */
#define ATTEMPTS 5
/* What the kernel counts for a message beyond its length (struct sk_buff). */
#define SEND_OVERHEAD 4096

int nft_open(struct netlink *ret, struct error *err)
{
	int r = netlink_open_protocol(NETLINK_NETFILTER, ret, err);
	return r < 0 ? error_wrap(err, "the kernel has no netfilter") : 0;
}

/* ---- what the kernel says ---- */

struct verdict {
	bool acknowledged;
	int code;	/* positive errno of the first refusal; 0: none */
	size_t message; /* that it is about: 0 is BATCH_BEGIN */
	char reason[256];
};

static void take_answer(const struct nlmsghdr *message, const struct nft_messages *messages,
		struct verdict *verdict)
{
	size_t i = message->nlmsg_seq - messages->first_sequence;
	if (message->nlmsg_type != NLMSG_ERROR || i >= messages->n)
		return;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	if (error->error == 0) {
		verdict->acknowledged = true;
		return;
	}
	if (verdict->code)
		return;
	const char *reason = netlink_reason(message);
	verdict->code = -error->error;
	verdict->message = i;
	strncpy(verdict->reason, reason ? reason : "", sizeof(verdict->reason) - 1);
}

/* All answers are there when the message was sent: the kernel works on it in that call. */
static int read_answers(struct netlink *nl, const struct nft_messages *messages,
		struct verdict *ret, struct error *err)
{
	static const size_t size = 32768;
	CLEANUP(freep) char *data = xmalloc(size);
	int fd = mnl_socket_get_fd(nl->socket);

	for (;;) {
		ssize_t n = recv(fd, data, size, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		/* So many refusals that they had no room: the first ones were read. */
		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			return error_errno(err, "cannot hear from nftables");
		const struct nlmsghdr *message = (const void *)data;
		for (int left = (int)n; mnl_nlmsg_ok(message, left);
				message = mnl_nlmsg_next(message, &left))
			take_answer(message, messages, ret);
	}
}

static int send_once(struct netlink *nl, const struct nft_messages *messages, struct verdict *ret,
		struct error *err)
{
	int fd = mnl_socket_get_fd(nl->socket), room = (int)messages->data.len + SEND_OVERHEAD;
	ssize_t n;

	*ret = (struct verdict){};
	/* Without the right to it the limit of all sockets holds, and the kernel says so below. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		errno = 0;
	do
		n = send(fd, messages->data.text, messages->data.len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "cannot send %zu bytes to nftables", messages->data.len);
	return read_answers(nl, messages, ret, err);
}

static bool may_pass(int code)
{
	return code == EAGAIN || code == EINTR || code == EBUSY || code == ERESTART;
}

/* ---- what is told ---- */

static bool has_part(const struct nft_change *change, enum nft_part_kind kind)
{
	for (size_t i = 0; i < change->n_parts; i++)
		if (change->parts[i].kind == kind)
			return true;
	return false;
}

/* What would help, or "". */
static const char *hint(const struct nft_change *change, int code)
{
	if (code == EPERM)
		return "; only root may change nftables";
	if (change->kind == NFT_ADD_ELEMENTS && change->interface &&
			(code == EEXIST || code == EBUSY))
		return "; somebody has made another entry for this interface: delete it first with "
		       "'nft delete element'";
	if (nft_change_tracks(change) && change->family == NFT_INET)
		return "; this kernel doesn't know connections: load the module nf_conntrack";
	if (has_part(change, NFT_PART_MASQUERADE) || has_part(change, NFT_PART_DNAT))
		return "; this kernel can't translate addresses: load the module nft_nat and "
		       "nft_masq";
	if (nft_change_tracks(change))
		return "; this kernel doesn't know connections on bridges: load the module "
		       "nf_conntrack_bridge, or set \"state\" of the host's \"firewall\" to "
		       "\"flows\"";
	if (has_part(change, NFT_PART_REJECT))
		return "; this kernel can't answer for a \"reject\" on bridges: load the module "
		       "nft_reject_bridge, or use \"drop\"";
	if (has_part(change, NFT_PART_LOG))
		return "; this kernel can't log packets: load the module nft_log, or do without "
		       "\"log\"";
	return "";
}

static int tell(const struct nft_batch *batch, const struct nft_messages *messages,
		const struct verdict *verdict, struct error *err)
{
	static const struct nft_change none = {};
	const char *reason = verdict->reason;
	const char *between = reason[0] ? ": " : "";
	if (verdict->message == 0)
		return error_code(err, -verdict->code, "cannot change nftables%s%s%s", between,
				reason, hint(&none, verdict->code));

	const struct nft_change *change = &batch->items[messages->changes[verdict->message]];
	CLEANUP(buf_done) struct buf text = {};
	nft_text_change(change, &text);
	buf_truncate(&text, text.len - 1);
	int r = error_set(err, verdict->code, "the kernel refuses '%s': %s%s%s%s", buf_text(&text),
			strerror(verdict->code), between, reason, hint(change, verdict->code));
	if (change->subject)
		return error_wrap(err, "%s", change->subject);
	return r;
}

/* ---- a batch ---- */

static int send_batch(struct netlink *nl, const struct nft_batch *batch, uint32_t generation,
		bool commit, struct nft_failure *ret, struct error *err)
{
	CLEANUP(nft_messages_done) struct nft_messages messages = {};
	struct verdict verdict = {};
	nft_messages_build(batch, nl->sequence + 1, generation, commit, &messages);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		int r = send_once(nl, &messages, &verdict, err);
		nl->sequence = messages.first_sequence + (uint32_t)messages.n;
		if (r < 0)
			return r;
		if (generation && verdict.code == ERESTART)
			return 1;
		if (!may_pass(verdict.code))
			break;
	}
	if (!verdict.code)
		return verdict.acknowledged ? 0 : error_set(err, EIO, "nftables has not answered");
	if (ret)
		*ret = (struct nft_failure){
			.code = verdict.code,
			.has_change = verdict.message > 0,
			.change = messages.changes[verdict.message],
		};
	return tell(batch, &messages, &verdict, err);
}

int nft_commit(struct netlink *nl, const struct nft_batch *batch, uint32_t generation,
		struct nft_failure *ret, struct error *err)
{
	return send_batch(nl, batch, generation, true, ret, err);
}

int nft_check(struct netlink *nl, const struct nft_batch *batch, struct nft_failure *ret,
		struct error *err)
{
	return send_batch(nl, batch, 0, false, ret, err);
}
