/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of machines come and go, also many at once. */
#include "host/net/firewall.h"

#include <sys/wait.h>

#include "firewall/batch.h"
#include "nft-namespace.h"

/* All in it, one line. */
static void check_members(const char *set, const char *expected)
{
	CLEANUP(freep)
	char *command = xasprintf("nft list set bridge machina %s | tr -d '\\n\\t ' | sed -n "
				  "'s/.*elements={\\(.*\\)}}}.*/\\1/p'",
			set);
	CLEANUP(freep) char *elements = shell_output(command);
	CHECK_STR(elements, expected);
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
	check_members("grp-web-4", "224.0.0.0");
	remove_machine("plain", SAMPLE_PLAIN);
	remove_machine("plain", SAMPLE_PLAIN);
	remove_machine("free", SAMPLE_FREE);
	check_ruleset("table bridge other {\n\tchain x {\n\t}\n}\n");
	remove_machine("free", SAMPLE_FREE);
	CHECK(shell_works("nft delete table bridge other"));
	sample_end();
}

/* Where a jump is made, the kernel walks through the chains of all machines. */
TEST(what_is_there_is_only_deleted)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	CLEANUP(buf_done) struct buf text = {};
	batch_remove_present(&batch, "web.0");
	nft_text_batch(&batch, &text);
	CHECK_STR(buf_text(&text),
			"delete element bridge machina to-vm { \"web.0\" : jump vm-web.0-in }\n"
			"delete chain bridge machina vm-web.0-in\n"
			"delete element bridge machina from-vm { \"web.0\" : jump vm-web.0-out }\n"
			"delete chain bridge machina vm-web.0-out\n");
}

TEST(a_machine_goes_also_when_a_part_of_it_has_gone_before)
{
	static const char *const parts[] = {
		"nft delete element bridge machina from-vm '{ \"web.0\" }'",
		"nft delete element bridge machina to-vm '{ \"web.0\" }' && "
		"nft delete chain bridge machina vm-web.0-in",
	};
	NEED_NFT();
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		sample_begin(FW_STATE_FLOWS);
		install(N_SAMPLE_PORTS);
		CHECK(shell_works(parts[i]));
		remove_machine("web", SAMPLE_WEB);
		CHECK(!shell_works("nft list ruleset | grep web.0"));
		CHECK(shell_works("nft list map bridge machina from-vm | grep plain.0"));
		install_all(0);
		check_ruleset("");
		sample_end();
	}
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
	check_members("grp-web-4", "10.0.0.5,10.0.0.6,224.0.0.0");
	install_all(0);
	check_ruleset("");
	sample_end();
}

/* What firewall_find_changed() finds, in one line. */
static char *find_changed(void)
{
	struct error err = {};
	struct firewall_port ports[N_SAMPLE_PORTS];
	CLEANUP(strv_done) struct strv changed = {};
	CLEANUP(buf_done) struct buf line = {};
	CLEANUP(netlink_done) struct netlink links = {};
	const struct firewall_request request = {
		.policy = &sample_policy, .ports = ports, .n = N_SAMPLE_PORTS
	};
	for (size_t i = 0; i < N_SAMPLE_PORTS; i++)
		ports[i] = (struct firewall_port){ .port = &sample_ports[i] };
	if (netlink_open(&links, &err) < 0 ||
			firewall_find_changed(&nl, &links, &request, &changed, &err) != 0)
		TEST_FAIL("%s", err.text);
	for (size_t i = 0; i < changed.n; i++)
		buf_printf(&line, "%s%s", i ? ", " : "", changed.items[i]);
	return xstrdup(buf_text(&line));
}

static void check_changed(const char *expected)
{
	CLEANUP(freep) char *changed = find_changed();
	CHECK_STR(changed, expected);
}

TEST(each_chain_that_somebody_empties_is_found_and_filled)
{
	NEED_NFT();
	static const char *const chains[] = { "prerouting", "postrouting", "state-in", "state-out",
		"track-in", "track-out", "ess-in", "ess-out", "grp-web-in", "grp-corp-out",
		"vm-web.0-in", "vm-plain.0-out" };
	sample_begin(FW_STATE_FLOWS);
	check_changed("");
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *whole = shell_output("nft list ruleset");
	check_changed("");
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		CLEANUP(freep)
		char *flush = xasprintf("nft flush chain bridge machina %s", chains[i]);
		CLEANUP(freep) char *expected = xasprintf("chain '%s'", chains[i]);
		CHECK(shell_works(flush));
		check_changed(expected);
		install(N_SAMPLE_PORTS);
		check_ruleset(whole);
	}
	install_all(0);
	sample_end();
}

TEST(rules_that_come_go_or_change_by_hand_are_found)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *whole = shell_output("nft list ruleset");
	CHECK(shell_works("nft add rule bridge machina ess-out accept"));
	CHECK(shell_works("nft insert rule bridge machina track-out drop"));
	CHECK(shell_works("nft add rule bridge machina vm-plain.0-in accept"));
	check_changed("chain 'track-out', chain 'ess-out', chain 'vm-plain.0-in'");
	install(N_SAMPLE_PORTS);
	check_ruleset(whole);
	CHECK(shell_works("nft -a list chain bridge machina ess-out | sed -n 's/.*ARP.*handle "
			  "/nft delete rule bridge machina ess-out handle /p' | sh"));
	check_changed("chain 'ess-out'");
	install_all(0);
	sample_end();
}

/* A command that does harm, what is found then, and by which installation it is mended. */
static const struct damage {
	const char *command, *found;
	bool needs_all; /* other machines' own: one alone can't mend it */
} damages[] = {
	{ "nft flush map bridge machina from-vm", "map 'from-vm'", true },
	{ "nft delete element bridge machina to-vm '{ \"plain.0\" }'", "map 'to-vm'", true },
	{ "nft flush set bridge machina set-office-4", "set 'set-office-4'", false },
	{ "nft flush set bridge machina set-office-6", "set 'set-office-6'", false },
	{ "nft delete element bridge machina set-office-4 '{ 198.51.100.1-198.51.100.9 }'",
			"set 'set-office-4'", false },
	{ "nft add element bridge machina set-office-4 '{ 203.0.113.7 }'", "set 'set-office-4'",
			false },
	{ "nft delete element bridge machina set-office-4 '{ 255.255.255.0/24 }'; nft add element "
	  "bridge machina set-office-4 '{ 255.255.255.0/25 }'",
			"set 'set-office-4'", false },
	{ "nft flush set bridge machina grp-corp-4", "set 'grp-corp-4'", false },
	{ "nft delete element bridge machina grp-web-4 '{ 10.0.0.6 }'", "set 'grp-web-4'", false },
	{ "nft flush chain bridge machina postrouting; nft delete chain bridge machina postrouting",
			"chain 'postrouting'", false },
	{ "nft flush chain bridge machina prerouting; nft delete chain bridge machina prerouting; "
	  "nft flush chain bridge machina postrouting; nft delete chain bridge machina postrouting",
			"chain 'prerouting', chain 'postrouting'", false },
	{ "nft add table bridge machina '{ flags dormant; }'",
			"table 'bridge machina', which is \"dormant\"", false },
};

TEST(maps_sets_and_tables_that_somebody_changes_are_found_and_mended)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *whole = shell_output("nft -s list ruleset | sort");
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *damage = &damages[i];
		if (!shell_works(damage->command))
			TEST_FAIL("%s", damage->command);
		check_changed(damage->found);
		/* Who comes next mends what is shared; all together the rest. */
		install(1);
		CLEANUP(freep) char *after = find_changed();
		if (!damage->needs_all)
			CHECK_STR(after, "");
		install_all(N_SAMPLE_PORTS);
		CLEANUP(freep) char *mended = shell_output("nft -s list ruleset | sort");
		CHECK_STR(mended, whole);
	}
	install_all(0);
	sample_end();
}

/* For firewall_request: the machines of the sample, and how often somebody has asked. */
static struct firewall_port prepared[N_SAMPLE_PORTS];
static unsigned n_asked;
static bool somebody_comes_first;

static int find_prepared(void *data, const struct fw_policy *policy,
		const struct firewall_port **ret, size_t *ret_n, struct error *err)
{
	(void)data;
	(void)policy;
	(void)err;
	n_asked++;
	if (somebody_comes_first)
		install(1);
	somebody_comes_first = false;
	*ret = prepared;
	*ret_n = N_SAMPLE_PORTS;
	return 0;
}

/* Machine plain, as one of group web, beside the others. */
static void install_beside(const char *address, struct netlink *links)
{
	static const char *const web = "web";
	struct error err = {};
	struct fw_range ip = sample_range(address);
	struct vm_filter filter = *sample_ports[SAMPLE_PLAIN].filter;
	filter.groups = &web;
	filter.n_groups = 1;
	filter.has_any = true;
	filter.ip.of[FW_IPV4] = (struct fw_ranges){ .items = &ip, .n = 1 };
	const struct vm vm = { .name = "plain" };
	const struct vm_nic nic = { .name = "0",
		.network = "lan",
		.link = "plain.0",
		.mac = "52:54:00:12:34:57",
		.filter = &filter };
	CLEANUP(fw_port_done) struct fw_port port = {};
	const struct firewall_port wanted = { .port = &port };
	const struct firewall_others others = { .find = find_prepared };
	const struct firewall_request request = { .policy = &sample_policy,
		.ports = &wanted,
		.n = 1,
		.others = &others,
		.links = links };
	for (size_t i = 0; i < N_SAMPLE_PORTS; i++)
		prepared[i].port = i == SAMPLE_PLAIN ? &port : &sample_ports[i];
	n_asked = 0;
	if (fw_port_of_nic(&sample_policy, &vm, &nic, &port, &err) < 0 ||
			firewall_install(&nl, &request, &err) != 0)
		TEST_FAIL("%s", err.text);
}

/* A rule about "&web" says nothing about those who are not in the set. */
TEST(members_that_a_group_has_lost_are_found_by_who_starts_next)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(netlink_done) struct netlink links = {};
	CHECK_INT(netlink_open(&links, &err), 0);
	sample_begin(FW_STATE_FLOWS);
	install(1);
	install_beside("10.0.0.9", &links);
	CHECK_INT(n_asked, 0);
	check_members("grp-web-4", "10.0.0.5,10.0.0.6,10.0.0.9,224.0.0.0");
	CHECK(shell_works("nft flush set bridge machina grp-web-4"));
	CHECK(shell_works("nft flush set bridge machina grp-corp-4"));
	install_beside("10.0.0.9", &links);
	CHECK_INT(n_asked, 1);
	check_members("grp-web-4", "10.0.0.5,10.0.0.6,10.0.0.9,224.0.0.0");
	/* All that web is in, also where the machine is not. */
	check_members("grp-corp-4", "10.0.0.5,10.0.0.6,224.0.0.0");
	/* It is marked now. */
	install_beside("10.0.0.9", &links);
	CHECK_INT(n_asked, 0);
	install_all(0);
	sample_end();
}

/* A machine whose chains have gone has an interface; one that is not prepared has neither. */
TEST(after_the_table_has_gone_groups_have_all_their_members_again)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(netlink_done) struct netlink links = {};
	CHECK_INT(netlink_open(&links, &err), 0);
	sample_begin(FW_STATE_FLOWS);
	install_beside("10.0.0.9", &links);
	CHECK_INT(n_asked, 1);
	check_members("grp-web-4", "10.0.0.9,224.0.0.0");
	CHECK(shell_works("nft delete table bridge machina && ip link add web.0 type bridge && "
			  "ip link set web.0 alias machina:web/0"));
	install_beside("10.0.0.9", &links);
	CHECK_INT(n_asked, 1);
	check_members("grp-corp-6", "2001:db8::5,ff00::");
	check_members("grp-web-4", "10.0.0.5,10.0.0.6,10.0.0.9,224.0.0.0");
	CHECK(shell_works("ip link del web.0"));
	install_all(0);
	sample_end();
}

/* What was found for the first try, which another one has spoiled, does not hold for the second. */
TEST(of_two_that_come_to_a_host_without_a_table_both_succeed)
{
	NEED_NFT();
	struct error err = {};
	CLEANUP(netlink_done) struct netlink links = {};
	CHECK_INT(netlink_open(&links, &err), 0);
	sample_begin(FW_STATE_FLOWS);
	somebody_comes_first = true;
	install_beside("10.0.0.9", &links);
	CHECK(!somebody_comes_first);
	check_members("grp-web-4", "10.0.0.5,10.0.0.6,10.0.0.9,224.0.0.0");
	install_all(0);
	sample_end();
}

/* The kernel replaces none: who did it has to be asked. */
TEST(an_entry_of_a_map_that_leads_elsewhere_is_a_failure)
{
	NEED_NFT();
	struct error err = {};
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CHECK(shell_works("nft delete element bridge machina to-vm '{ \"web.0\" }' && nft add "
			  "element bridge machina to-vm '{ \"web.0\" : accept }'"));
	check_changed("map 'to-vm'");
	CHECK(try_install(1, false, false, &err) < 0);
	CHECK(strstr(err.text, "somebody has made another entry for this interface: delete it "
			       "first with 'nft delete element'"));
	install_all(0);
	sample_end();
}

/* One that was prepared has an interface; of others nothing is expected. */
TEST(rules_that_are_missing_are_found_by_their_interfaces)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	CHECK(shell_works("ip link add plain.0 type bridge && ip link set plain.0 alias "
			  "machina:plain/0"));
	check_changed("table 'bridge machina'");
	install(1);
	check_changed("chain 'vm-plain.0-in', chain 'vm-plain.0-out', map 'to-vm', map 'from-vm'");
	install(2);
	check_changed("");
	CHECK(shell_works("ip link del plain.0"));
	install_all(0);
	sample_end();
}

/* Its digest is another, of what nobody knows any more. */
TEST(rules_of_an_earlier_config_are_no_damage)
{
	NEED_NFT();
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CHECK(shell_works("nft flush chain bridge machina ess-in; nft add rule bridge machina "
			  "ess-in continue comment '\"machina:0000000000000000\"'"));
	check_changed("");
	install_all(0);
	sample_end();
}

TEST(who_comes_meanwhile_is_left_alone)
{
	NEED_NFT();
	struct error err = {};
	sample_begin(FW_STATE_FLOWS);
	install(N_SAMPLE_PORTS);
	CLEANUP(freep) char *before = shell_output("nft list ruleset");
	/* Nobody is known to be gone: all but web are strangers. */
	const struct firewall_port web = { .port = &sample_ports[SAMPLE_WEB] };
	struct firewall_request request = {
		.policy = &sample_policy, .ports = &web, .n = 1, .is_all = true
	};
	CHECK_INT(firewall_install(&nl, &request, &err), 0);
	check_ruleset(before);
	request.n = 0;
	CHECK_INT(firewall_install(&nl, &request, &err), 0);
	check_ruleset(before);
	install_all(0);
	check_ruleset("");
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
	check_members("grp-corp-4", "10.0.0.7,224.0.0.0");
	sample_ports[SAMPLE_WEB].filter = before;
	install_all(0);
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
	CHECK_INT(rules.n, 11);
	CHECK_STR(rules.items[0].name, "vm-plain.0-in");
	CHECK_STR(rules.items[0].comment, "default: open without groups and rules");
	CHECK_STR(rules.items[1].comment, "guard other");
	CHECK_INT(firewall_count(&nl, "nobody", &rules, &err), 1);
	install_all(0);
	sample_end();
}

/* Its links are known to every other one, the rest look for theirs. */
static int remove_own(const char *machine, char *link, const struct vm_filter *filter,
		bool is_known, struct error *err)
{
	char *items[] = { link, NULL };
	const struct strv links = { .items = items, .n = 1 };
	return firewall_remove(&nl,
			&(struct firewall_removal){
					.machine = machine,
					.links = is_known ? &links : NULL,
					.filters = &filter,
					.n_filters = 1,
			},
			err);
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
				(i + 1 < n && remove_own(machine, link, port.filter, i % 2, &err) <
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

/* A thousand, or as many as TEST_MACHINES says, where a processor is emulated. */
TEST(a_thousand_machines_go_in_one_transaction)
{
	NEED_NFT();
	const char *given = getenv("TEST_MACHINES");
	const size_t n_machines = given ? (size_t)atoi(given) : 1000;
	struct error err = {};
	CLEANUP(freep) struct fw_port *ports = xcalloc(n_machines, sizeof(*ports));
	CLEANUP(freep) struct firewall_port *requests = xcalloc(n_machines, sizeof(*requests));
	CLEANUP(strv_done) struct strv names = {};
	sample_begin(FW_STATE_FLOWS);
	for (size_t i = 0; i < n_machines; i++)
		strv_pushf(&names, "m%zu", i);
	for (size_t i = 0; i < n_machines; i++) {
		ports[i] = sample_ports[SAMPLE_WEB];
		ports[i].machine = ports[i].link = names.items[i];
		requests[i].port = &ports[i];
	}
	struct firewall_request request = {
		.policy = &sample_policy, .ports = requests, .n = n_machines, .is_all = true
	};
	for (int i = 0; i < 2; i++)
		if (firewall_install(&nl, &request, &err) < 0)
			TEST_FAIL("%s", err.text);
	CLEANUP(freep)
	char *n = shell_output("nft list map bridge machina to-vm | grep -o jump | wc -l");
	CHECK_INT(atoi(n), n_machines);
	install_all(0);
	check_ruleset("");
	sample_end();
}

TEST_MAIN()
