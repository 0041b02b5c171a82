/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters in the kernel of a network namespace of this process, looked at with nft(8). Each test
 * ends without a table.
 */
#include "host/firewall.h"

#include <errno.h>
#include <sys/wait.h>

#include "firewall-sample.h"
#include "firewall/batch.h"
#include "own-network.h"
#include "scratch.h"

static struct netlink nl;

/* NULL, or why there can be no rules here. */
static const char *enter_own_network(void)
{
	static bool entered;
	struct error err = {};
	if (entered)
		return NULL;
	const char *why_not = own_network("only root changes nftables");
	if (why_not)
		return why_not;
	if (!shell_works("command -v nft"))
		return "nft is not installed";
	if (!shell_works("nft add table bridge x && nft delete table bridge x"))
		return "the kernel has no nftables for bridges";
	sample_rejects = shell_works(
			"nft add table bridge x && nft add chain bridge x c '{ type filter "
			"hook prerouting priority 0; }' && nft add rule bridge x c reject");
	(void)shell_works("nft delete table bridge x");
	if (nft_open(&nl, &err) < 0)
		TEST_FAIL("%s", err.text);
	entered = true;
	return NULL;
}

#define NEED_NFT() SKIP_BECAUSE(enter_own_network())

static void check_ruleset(const char *expected)
{
	CLEANUP(freep) char *list = shell_output("nft list ruleset");
	CHECK_STR(list, expected);
}

/* Installs the first @n ports of the sample, or only checks them; returns what that returns. */
static int try_install(size_t n, bool is_all, bool check, struct error *err)
{
	struct firewall_port ports[N_SAMPLE_PORTS];
	for (size_t i = 0; i < n; i++)
		ports[i] = (struct firewall_port){ .port = &sample_ports[i] };
	const struct firewall_request request = {
		.policy = &sample_policy, .ports = ports, .n = n, .is_all = is_all
	};
	return check ? firewall_check(&nl, &request, err) : firewall_install(&nl, &request, err);
}

static void install(size_t n)
{
	struct error err = {};
	if (try_install(n, false, false, &err) != 0)
		TEST_FAIL("%s", err.text);
}

static void install_all(size_t n)
{
	struct error err = {};
	if (try_install(n, true, false, &err) != 0)
		TEST_FAIL("%s", err.text);
}

static void remove_machine(const char *machine, size_t port)
{
	struct error err = {};
	const struct vm_filter *filters[] = { sample_ports[port].filter };
	if (firewall_remove(&nl, machine, filters, 1, &err) != 0)
		TEST_FAIL("%s", err.text);
}

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

TEST(installing_again_changes_nothing)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *first = shell_output("nft list ruleset");
	install(N_SAMPLE_PORTS);
	install_all(N_SAMPLE_PORTS);
	check_ruleset(first);
	install_all(0);
	check_ruleset("");
	sample_end();
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

TEST(a_machine_goes_alone_and_the_last_takes_the_table)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CHECK(shell_works("nft add table bridge other && nft add chain bridge other x"));
	remove_machine("web", SAMPLE_WEB);
	CHECK(!shell_works("nft list chain bridge machina vm-web.0-in"));
	CHECK(!shell_works("nft list chain bridge machina vm-web.0-out"));
	CHECK(shell_works("nft list chain bridge machina vm-plain.0-in"));
	CHECK(!shell_works("nft list map bridge machina from-vm | grep web"));
	CHECK(!shell_works("nft list set bridge machina grp-web-4 | grep elements"));
	remove_machine("plain", SAMPLE_PLAIN);
	remove_machine("plain", SAMPLE_PLAIN);
	remove_machine("free", SAMPLE_FREE);
	check_ruleset("table bridge other {\n\tchain x {\n\t}\n}\n");
	remove_machine("free", SAMPLE_FREE);
	CHECK(shell_works("nft delete table bridge other"));
	sample_end();
}

TEST(all_is_what_is_given_and_nothing_else)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CHECK(shell_works("nft add chain bridge machina grp-old-in && nft add rule bridge machina "
			  "grp-old-in jump ess-in && nft add set bridge machina set-old-4 '{ type "
			  "ipv4_addr; }'"));
	CHECK(shell_works("nft add element bridge machina grp-web-4 '{ 10.9.9.9 }'"));
	install_all(1);
	CHECK(!shell_works("nft list chain bridge machina grp-old-in"));
	CHECK(!shell_works("nft list set bridge machina set-old-4"));
	CHECK(!shell_works("nft list chain bridge machina vm-plain.0-in"));
	CHECK(shell_works("nft list chain bridge machina vm-web.0-in"));
	CLEANUP(freep) char *members = shell_output("nft list set bridge machina grp-web-4");
	CHECK(strstr(members, "10.9.9.9") == NULL);
	CHECK(strstr(members, "{ 10.0.0.5, 10.0.0.6 }") != NULL);
	install_all(0);
	check_ruleset("");
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

TEST(chains_of_another_connection_are_replaced)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	const char *machine = sample_ports[SAMPLE_PLAIN].machine;
	sample_ports[SAMPLE_PLAIN].machine = "earlier";
	install(2);
	sample_ports[SAMPLE_PLAIN].machine = machine;
	install(2);
	CHECK(shell_works("nft list chain bridge machina vm-plain.0-in | grep -F machina:plain/0"));
	CHECK(!shell_works("nft list ruleset | grep -F earlier"));
	remove_machine("plain", SAMPLE_PLAIN);
	remove_machine("web", SAMPLE_WEB);
	check_ruleset("");
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

TEST(members_follow_their_machines)
{
	NEED_NFT();
	struct error err = {};
	sample_begin(FW_STATE_FLOWS);
	install(1);
	SAMPLE_RANGES(moved, "10.0.0.7");
	struct vm_filter other = *sample_ports[SAMPLE_WEB].filter;
	other.ip.of[FW_IPV4] = (struct fw_ranges)SAMPLE_OF(moved);
	const struct vm_filter *before = sample_ports[SAMPLE_WEB].filter;
	sample_ports[SAMPLE_WEB].filter = &other;
	const struct firewall_port port = { .port = &sample_ports[SAMPLE_WEB], .before = before };
	CHECK_INT(firewall_install(&nl,
				  &(struct firewall_request){ .policy = &sample_policy,
						  .ports = &port,
						  .n = 1 },
				  &err),
			0);
	CHECK(shell_works("nft list set bridge machina grp-corp-4 | grep -F '{ 10.0.0.7 }'"));
	sample_ports[SAMPLE_WEB].filter = before;
	install_all(0);
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

TEST(machines_and_counters_are_found)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(strv_done) struct strv machines = {};
	CLEANUP(nft_list_done) struct nft_list rules = {};
	sample_begin(FW_STATE_FLOWS);
	CHECK_INT(firewall_machines(&nl, &machines, &err), 0);
	CHECK_INT(machines.n, 0);
	CHECK_INT(firewall_count(&nl, "plain", &rules, &err), 1);
	install(N_SAMPLE_PORTS);
	CHECK_INT(firewall_machines(&nl, &machines, &err), 0);
	CHECK_INT(machines.n, 3);
	for (size_t i = 0; i < machines.n && machines.n == 3; i++)
		CHECK_STR(machines.items[i], ((const char *[]){ "free", "plain", "web" })[i]);
	CHECK_INT(firewall_count(&nl, "plain", &rules, &err), 0);
	CHECK_INT(rules.n, 10);
	CHECK_STR(rules.items[0].name, "vm-plain.0-in");
	CHECK_STR(rules.items[0].comment, "default: open without groups and rules");
	CHECK_STR(rules.items[1].comment, "guard other");
	CHECK_INT(firewall_count(&nl, "nobody", &rules, &err), 1);
	install_all(0);
	sample_end();
}

/* Each child installs and removes its own machine again and again, and one sweeps up. */
static int work(const char *machine, unsigned n)
{
	struct error err = {};
	netlink_done(&nl);
	if (nft_open(&nl, &err) < 0)
		return 1;
	for (unsigned i = 0; i < n; i++) {
		struct fw_port port = sample_ports[SAMPLE_WEB];
		CLEANUP(freep) char *link = xasprintf("%s.0", machine);
		port.machine = machine;
		port.link = link;
		const struct firewall_port one = { .port = &port };
		const struct firewall_request request = {
			.policy = &sample_policy, .ports = &one, .n = 1
		};
		if (firewall_install(&nl, &request, &err) < 0 ||
				(i + 1 < n && firewall_remove(&nl, machine, &port.filter, 1, &err) <
								0)) {
			fprintf(stderr, "# %s: %s\n", machine, err.text);
			return 1;
		}
	}
	return 0;
}

TEST(sixteen_at_once_do_not_disturb_each_other)
{
	NEED_NFT();
	pid_t pids[16];
	sample_begin(FW_STATE_FLOWS);
	fflush(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			CLEANUP(freep) char *name = xasprintf("m%zu", i);
			_exit(work(name, 6));
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		int status = -1;
		waitpid(pids[i], &status, 0);
		CHECK_INT(status, 0);
	}
	CLEANUP(freep)
	char *n = shell_output("nft list map bridge machina to-vm | grep -o jump | wc -l");
	CHECK_INT(atoi(n), 16);
	install_all(0);
	check_ruleset("");
	sample_end();
}

TEST(a_thousand_machines_go_in_one_transaction)
{
	NEED_NFT();
	enum { N = 1000 };
	struct error err = {};
	CLEANUP(freep) struct fw_port *ports = xcalloc(N, sizeof(*ports));
	CLEANUP(freep) struct firewall_port *requests = xcalloc(N, sizeof(*requests));
	CLEANUP(strv_done) struct strv names = {};
	sample_begin(FW_STATE_FLOWS);
	for (size_t i = 0; i < N; i++)
		strv_pushf(&names, "m%zu", i);
	for (size_t i = 0; i < N; i++) {
		ports[i] = sample_ports[SAMPLE_WEB];
		ports[i].machine = ports[i].link = names.items[i];
		requests[i].port = &ports[i];
	}
	struct firewall_request request = {
		.policy = &sample_policy, .ports = requests, .n = N, .is_all = true
	};
	for (int i = 0; i < 2; i++)
		if (firewall_install(&nl, &request, &err) < 0)
			TEST_FAIL("%s", err.text);
	CLEANUP(freep)
	char *n = shell_output("nft list map bridge machina to-vm | grep -o jump | wc -l");
	CHECK_INT(atoi(n), N);
	install_all(0);
	check_ruleset("");
	sample_end();
}

TEST_MAIN()
