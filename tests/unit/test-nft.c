/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is sent to nftables, and what is made of its answers. */
#include "host/net/nft.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "firewall/batch.h"
#include "nft-namespace.h"
#include "scratch.h"

static char *batch_text(size_t n)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	CLEANUP(buf_done) struct buf text = {};
	struct batch_port ports[N_SAMPLE_PORTS];
	for (size_t i = 0; i < n; i++)
		ports[i] = (struct batch_port){ .port = &sample_ports[i] };
	batch_install(&batch, &(struct batch_request){
					      .policy = &sample_policy,
					      .state = sample_policy.state,
					      .ports = ports,
					      .n = n,
			      });
	nft_text_batch(&batch, &text);
	return buf_take(&text);
}

static void same_as_text(enum fw_state state)
{
	sample_begin(state);
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *sent = shell_output("nft list ruleset");
	CLEANUP(freep) char *text = batch_text(N_SAMPLE_PORTS);
	CLEANUP(freep) char *listed = NULL;

	scratch_begin();
	put_file("sent.nft", sent);
	put_file("text.nft", text);
	CLEANUP(freep) char *check = xasprintf("nft -c -f %s", scratch_path("sent.nft"));
	CHECK(shell_works(check));
	CHECK(shell_works("nft delete table bridge machina"));
	CLEANUP(freep) char *load = xasprintf("nft -f %s", scratch_path("text.nft"));
	free(shell_output(load));
	listed = shell_output("nft list ruleset");
	put_file("listed.nft", listed);
	CLEANUP(freep)
	char *compare = xasprintf(
			"diff -u %s %s >&2", scratch_path("sent.nft"), scratch_path("listed.nft"));
	free(shell_output(compare));
	CHECK(shell_works("nft delete table bridge machina"));
	scratch_end();
	sample_end();
}

TEST(what_is_sent_is_what_is_shown_and_can_be_loaded)
{
	NEED_NFT();
	same_as_text(FW_STATE_FLOWS);
	same_as_text(FW_STATE_NONE);
	bool can_track =
			shell_works("nft add table bridge x && nft add chain bridge x c && nft add "
				    "rule bridge x c ct state new");
	(void)shell_works("nft delete table bridge x");
	if (can_track)
		same_as_text(FW_STATE_CONNTRACK);
}

/* Handles are never used again: they tell what was made anew. */
static char *handles(const char *chain)
{
	CLEANUP(freep)
	char *command = xasprintf(
			"nft -a list chain bridge machina %s | sed -n 's/.*# //p'", chain);
	return shell_output(command);
}

TEST(what_is_shared_is_left_alone_until_it_changes)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(1);
	CLEANUP(freep) char *group = handles("grp-web-in");
	CLEANUP(freep) char *base = handles("prerouting");
	CLEANUP(freep) char *set = handles("set-office");
	CLEANUP(freep) char *own = handles("vm-web.0-in");
	install(1);
	CLEANUP(freep) char *group_again = handles("grp-web-in");
	CLEANUP(freep) char *base_again = handles("prerouting");
	CLEANUP(freep) char *own_again = handles("vm-web.0-in");
	CHECK_STR(group_again, group);
	CHECK_STR(base_again, base);
	CHECK(strcmp(own_again, own) != 0);

	SAMPLE_RANGES(more, "203.0.113.0/24");
	sample_policy.sets[0].addresses.of[FW_IPV4] = (struct fw_ranges)SAMPLE_OF(more);
	install(1);
	CLEANUP(freep) char *group_third = handles("grp-web-in");
	CLEANUP(freep) char *set_third = handles("set-office");
	CLEANUP(freep) char *list = shell_output("nft list set bridge machina set-office-4");
	CHECK_STR(group_third, group);
	CHECK(strcmp(set_third, set) != 0);
	CHECK(strstr(list, "{ 203.0.113.0/24 }") != NULL);
	remove_machine("web", SAMPLE_WEB);
	check_ruleset("");
	sample_end();
}

/* The digest of a group stands in the chain of what comes in. */
TEST(a_change_of_one_direction_is_a_change_of_the_group)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(1);
	sample_policy.groups[0].rules[FW_OUT].items[0].action = FW_ACCEPT;
	install(1);
	CLEANUP(freep) char *out = shell_output("nft list chain bridge machina grp-corp-out");
	CHECK(strstr(out, "tcp dport 25 counter packets 0 bytes 0 goto track-out") != NULL);
	remove_machine("web", SAMPLE_WEB);
	check_ruleset("");
	sample_end();
}

TEST(a_preview_is_what_would_be_sent)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(buf_done) struct buf text = {}, again = {};
	sample_begin(FW_STATE_FLOWS);
	const struct firewall_port web = { .port = &sample_ports[SAMPLE_WEB] };
	const struct firewall_request request = { .policy = &sample_policy, .ports = &web, .n = 1 };
	CLEANUP(freep) char *all = batch_text(1);
	CHECK_INT(firewall_preview(&nl, &request, &text, &err), 0);
	CHECK_STR(buf_text(&text), all);
	install(1);
	CHECK_INT(firewall_preview(&nl, &request, &again, &err), 0);
	CHECK(strstr(buf_text(&again), "flush chain bridge machina vm-web.0-in\n") != NULL);
	CHECK(strstr(buf_text(&again), "add chain bridge machina grp-web-in") == NULL);
	install_all(0);
	sample_end();
}

TEST(a_check_changes_nothing)
{
	NEED_NFT();
	struct error err = {};
	uint32_t before, after;
	sample_begin(FW_STATE_FLOWS);
	CHECK_INT(nft_generation(&nl, &before, &err), 0);
	CHECK_INT(try_install(N_SAMPLE_PORTS, false, true, &err), 0);
	CHECK_INT(nft_generation(&nl, &after, &err), 0);
	CHECK_INT(after, before);
	check_ruleset("");
	install(1);
	CLEANUP(freep) char *list = shell_output("nft list ruleset");
	CHECK_INT(try_install(N_SAMPLE_PORTS, true, true, &err), 0);
	check_ruleset(list);
	remove_machine("web", SAMPLE_WEB);
	sample_end();
}

TEST(a_foreign_table_is_left_alone)
{
	NEED_NFT();
	struct error err = {};
	static const char foreign[] = "table bridge machina {\n\tchain vm-web.0-in {\n\t}\n}\n";
	sample_begin(FW_STATE_FLOWS);
	CHECK(shell_works("nft add table bridge machina && nft add chain bridge machina "
			  "vm-web.0-in"));
	CHECK_INT(try_install(1, false, false, &err), -EEXIST);
	CHECK_STR(err.text, "nftables has a table 'bridge machina' that this program has not made; "
			    "it is left alone: rename it, or delete it with 'nft delete table "
			    "bridge machina'");
	CHECK_INT(try_install(1, false, true, &err), -EEXIST);
	CHECK_INT(try_install(0, true, false, &err), -EEXIST);
	remove_machine("web", SAMPLE_WEB);
	check_ruleset(foreign);
	CHECK(shell_works("nft delete table bridge machina"));
	sample_end();
}

TEST(names_that_cannot_be_written_are_refused)
{
	NEED_NFT();
	struct error err = {};
	sample_begin(FW_STATE_FLOWS);
	sample_ports[0].link = "web\"0";
	CHECK_INT(try_install(1, false, false, &err), -EINVAL);
	CHECK_STR(err.text, "machine 'web', connection '0': the interface 'web\"0' has a name that "
			    "nftables can't write; give the connection a name of letters, digits, "
			    "'.', '_' and '-'");
	check_ruleset("");
	sample_end();
}

TEST(who_is_not_root_is_told)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		struct error err = {};
		test_failures = 0;
		CHECK_INT(setuid(65534), 0);
		CHECK_INT(try_install(1, false, false, &err), -EPERM);
		CHECK_STR(err.text, "only root may look at nftables and change it");
		fflush(stdout);
		_exit(test_failures > 0);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	sample_end();
}

/* A conversation with somebody else than the kernel: @answer is there once the batch is sent. */
static int commit_to_peer(const void *answer, size_t size, struct error *err)
{
	CLEANUP(netlink_done) struct netlink own = {};
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	int pair[2];
	if (nft_open(&own, err) < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		TEST_FAIL("%s", err->text);
	own.sequence = 0;
	CHECK(size == 0 || write(pair[1], answer, size) == (ssize_t)size);
	CHECK(dup2(pair[0], mnl_socket_get_fd(own.socket)) >= 0);
	batch_flush_chain(&batch, "vm-web.0-in");
	int r = nft_commit(&own, &batch, 0, NULL, err);
	close(pair[0]);
	close(pair[1]);
	return r;
}

TEST(no_answer_is_a_failure)
{
	NEED_NFT();
	struct error err = {};
	CHECK_INT(commit_to_peer(NULL, 0, &err), -EIO);
	CHECK_STR(err.text, "nftables has not answered");
	/* One to another message is none. */
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = { .header = { .nlmsg_len = sizeof(answer),
				     .nlmsg_type = NLMSG_ERROR,
				     .nlmsg_seq = 77 } };
	CHECK_INT(commit_to_peer(&answer, sizeof(answer), &err), -EIO);
	/* BATCH_BEGIN is the first one: all of it is refused. */
	answer.header.nlmsg_seq = 1;
	answer.error.error = -EPERM;
	CHECK_INT(commit_to_peer(&answer, sizeof(answer), &err), -EPERM);
	CHECK_STR(err.text, "cannot change nftables; only root may change nftables: Operation not "
			    "permitted");
	/* Half an answer. */
	CHECK_INT(commit_to_peer(&answer, sizeof(answer) - 8, &err), -EIO);
}

TEST(of_more_refusals_than_there_is_room_for_the_first_is_told)
{
	NEED_NFT();
	struct error err = {};
	struct nft_failure failure = {};
	CLEANUP(netlink_done) struct netlink own = {};
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	int room = 1;
	CHECK_INT(nft_open(&own, &err), 0);
	CHECK_INT(setsockopt(mnl_socket_get_fd(own.socket), SOL_SOCKET, SO_RCVBUF, &room,
				  sizeof(room)),
			0);
	for (int i = 0; i < 1000; i++)
		batch_flush_chain(&batch, "vm-web.0-in");
	CHECK_INT(nft_commit(&own, &batch, 0, &failure, &err), -ENOENT);
	CHECK_STR(err.text, "the kernel refuses 'flush chain bridge machina vm-web.0-in': No such "
			    "file or directory");
	CHECK_INT(failure.code, ENOENT);
	CHECK_INT(failure.change, 0);
	check_ruleset("");
}

TEST(the_rule_that_is_refused_is_named)
{
	NEED_NFT();
	struct error err = {};
	sample_begin(FW_STATE_FLOWS);
	CHECK(shell_works("nft add table bridge machina '{ comment \"" NFT_TABLE_COMMENT
			  "\"; }' && nft "
			  "add set bridge machina grp-web-4 '{ type ether_addr; }'"));
	CHECK(try_install(1, false, false, &err) < 0);
	CHECK(strstr(err.text, "the kernel refuses 'add set bridge machina grp-web-4 { type "
			       "ipv4_addr; }': ") != NULL ||
			strstr(err.text, "machine 'web', connection '0': the kernel refuses 'add "
					 "element bridge machina grp-web-4 { 10.0.0.5, 10.0.0.6 "
					 "}': ") != NULL);
	if (test_failures)
		printf("# %s\n", err.text);
	CHECK(!shell_works("nft list chain bridge machina vm-web.0-in"));
	CHECK(shell_works("nft delete table bridge machina"));
	sample_end();
}

TEST_MAIN()
