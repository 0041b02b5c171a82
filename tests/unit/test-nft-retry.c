/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transaction of nftables does when the kernel is busy with another one, forgets answers or
 * is interrupted. This program's own send(2) and recv(2) stand in front of the kernel's; what they
 * let through is done in a network namespace of this process.
 */
#include "host/net/nft.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "firewall/nft.h"
#include "nft-namespace.h"

/* What goes wrong next; and what was done. */
static struct {
	unsigned n_sends, n_recvs;
	unsigned refusals; /* so many sends are answered with... */
	int refusal;	   /* ... this, and the kernel never sees them */
	unsigned send_failures, recv_failures;
	int failure;
	uint32_t pending; /* the sequence number of a refusal that has not been read; 0: none */
} wire;

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	wire.n_sends++;
	if (wire.send_failures > 0) {
		wire.send_failures--;
		errno = wire.failure;
		return -1;
	}
	if (wire.refusals == 0)
		return sendto(fd, data, len, flags, NULL, 0);
	struct nlmsghdr first;
	memcpy(&first, data, sizeof(first));
	wire.refusals--;
	wire.pending = first.nlmsg_seq;
	return (ssize_t)len;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	wire.n_recvs++;
	if (wire.recv_failures > 0) {
		wire.recv_failures--;
		errno = wire.failure;
		return -1;
	}
	if (!wire.pending)
		return recvfrom(fd, data, size, flags, NULL, NULL);
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer = {
		.head = { .nlmsg_len = sizeof(answer),
				.nlmsg_type = NLMSG_ERROR,
				.nlmsg_seq = wire.pending },
		.error.error = -wire.refusal,
	};
	wire.pending = 0;
	memcpy(data, &answer, sizeof(answer));
	return (ssize_t)sizeof(answer);
}

/* A transaction that makes one chain. */
static int make_chain(uint32_t generation, struct nft_failure *ret, struct error *err)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	*ret = (struct nft_failure){};
	nft_batch_add(&batch, &(struct nft_change){ .kind = NFT_ADD_TABLE });
	nft_batch_add(&batch, &(struct nft_change){ .kind = NFT_ADD_CHAIN, .chain = "grp-x-in" });
	wire.n_sends = wire.n_recvs = 0;
	return nft_commit(&nl, &batch, generation, ret, err);
}

/* Was it made? It goes then. */
static bool was_made(void)
{
	return shell_works("nft delete chain bridge machina grp-x-in && nft delete table bridge "
			   "machina");
}

TEST(a_kernel_that_is_busy_is_asked_again)
{
	NEED_NFT();
	static const int codes[] = { EAGAIN, EINTR, EBUSY, ERESTART };
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct nft_failure failure;
		struct error err = {};
		wire.refusal = codes[i];
		wire.refusals = 4;
		CHECK_INT(make_chain(0, &failure, &err), 0);
		CHECK_INT(wire.n_sends, 5);
		CHECK_INT(failure.code, 0);
		CHECK(was_made());
		/* Not for ever. */
		wire.refusals = 5;
		CHECK_INT(make_chain(0, &failure, &err), -codes[i]);
		CHECK_INT(wire.n_sends, 5);
		CHECK_INT(failure.code, codes[i]);
		CHECK(!failure.has_change);
		CHECK(!was_made());
	}
}

TEST(another_refusal_is_one)
{
	NEED_NFT();
	struct nft_failure failure;
	struct error err = {};
	wire.refusal = EPERM;
	wire.refusals = 1;
	CHECK_INT(make_chain(0, &failure, &err), -EPERM);
	CHECK_INT(wire.n_sends, 1);
	CHECK(strstr(err.text, "only root may change nftables") != NULL);
	CHECK(!was_made());
}

/* Both are before the kernel has looked, or after it is through. */
TEST(interruptions_and_lost_answers_are_none)
{
	NEED_NFT();
	struct nft_failure failure;
	struct error err = {};
	wire.failure = EINTR;
	wire.send_failures = 3;
	CHECK_INT(make_chain(0, &failure, &err), 0);
	CHECK_INT(wire.n_sends, 4);
	CHECK(was_made());
	wire.recv_failures = 3;
	CHECK_INT(make_chain(0, &failure, &err), 0);
	CHECK_INT(wire.n_sends, 1);
	CHECK(was_made());
	/* So many answers that there was no room for all: the others are still there. */
	wire.failure = ENOBUFS;
	wire.recv_failures = 1;
	CHECK_INT(make_chain(0, &failure, &err), 0);
	CHECK_INT(wire.n_sends, 1);
	CHECK(was_made());
	wire.failure = ENOMEM;
	wire.send_failures = 1;
	CHECK_INT(make_chain(0, &failure, &err), -ENOMEM);
	CHECK(!was_made());
}

/* By the kernel's own answer: somebody else changes rules in between. */
TEST(what_was_made_for_an_earlier_generation_is_not_done)
{
	NEED_NFT();
	struct nft_failure failure;
	struct error err = {};
	uint32_t generation = 0;
	CHECK_INT(nft_generation(&nl, &generation, &err), 0);
	CHECK(generation != 0);
	CHECK(shell_works("nft add table bridge other"));
	CHECK_INT(make_chain(generation, &failure, &err), 1);
	CHECK_INT(wire.n_sends, 1);
	CHECK(!was_made());
	CHECK_INT(nft_generation(&nl, &generation, &err), 0);
	CHECK_INT(make_chain(generation, &failure, &err), 0);
	CHECK(was_made());
	CHECK(shell_works("nft delete table bridge other"));
}

/* The batch is built anew until it fits: here the first three times come too late. */
TEST(installing_all_begins_anew_when_somebody_was_quicker)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install_all(N_SAMPLE_PORTS);
	CLEANUP(freep) char *whole = shell_output("nft list ruleset");
	wire.refusal = ERESTART;
	wire.refusals = 3;
	wire.n_sends = 0;
	install_all(N_SAMPLE_PORTS);
	CHECK_INT(wire.n_sends, 4);
	check_ruleset(whole);
	install_all(0);
	sample_end();
}

/* Asked between the look at the kernel and the change: somebody installs all, whose kernel can't
 * track connections on bridges. */
static int come_first(void *data, const struct fw_policy *policy, const struct firewall_port **ret,
		size_t *ret_n, struct error *err)
{
	(void)data;
	(void)policy;
	(void)err;
	sample_policy.state = FW_STATE_FLOWS;
	install(N_SAMPLE_PORTS);
	sample_policy.state = FW_STATE_AUTO;
	wire.n_sends = 0;
	*ret = NULL;
	*ret_n = 0;
	return 0;
}

TEST(what_somebody_has_found_out_is_not_tried)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(netlink_done) struct netlink links = {};
	const struct firewall_others others = { .find = come_first };
	const struct firewall_port port = { .port = &sample_ports[SAMPLE_WEB] };
	const struct firewall_request request = {
		.policy = &sample_policy, .ports = &port, .n = 1, .others = &others, .links = &links
	};
	CHECK_INT(netlink_open(&links, &err), 0);
	sample_begin(FW_STATE_AUTO);
	CHECK_INT(firewall_install(&nl, &request, &err), 0);
	/* One that comes too late, and one that fits. */
	CHECK_INT(wire.n_sends, 2);
	CLEANUP(freep) char *rules = shell_output("nft list ruleset");
	CHECK(strstr(rules, "ct state") == NULL);
	install_all(0);
	sample_end();
}

TEST_MAIN()
