/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks with a bridge of their own in a network namespace of this process: links, addresses,
 * settings, rules. Each test ends with what it began with.
 */
#include "host/net/network.h"

#include <errno.h>

#include "firewall/net-batch.h"
#include "kill-child.h"
#include "own-network.h"
#include "scratch.h"
#include "test.h"

/* NULL, or why there can be no networks here. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network("only root makes bridges");
	if (why_not)
		return why_not;
	if (!shell_works("command -v nft && command -v ip"))
		return "nft or ip is not installed";
	if (!shell_works("nft 'add table inet x; add chain inet x c { type nat hook postrouting "
			 "priority 100; }; add rule inet x c masquerade'"))
		return "the kernel can't translate addresses";
	(void)shell_works("nft delete table inet x");
	(void)shell_works("ip link set lo up");
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static void check_shell(const char *command, const char *expected)
{
	CLEANUP(freep) char *got = shell_output(command);
	if (strcmp(got, expected) != 0)
		TEST_FAIL("'%s' says '%s', not '%s'", command, got, expected);
}

/* Links, addresses and rules, without what the kernel numbers anew each time. */
#define STATE                                                                                      \
	"ip -br link | awk '{ print $1, $3 }'; ip -br addr | awk '{ $2 = \"\"; print }'; "         \
	"nft list ruleset"

/* ---- the network ---- */

static struct network network;
static struct network_options options;
static char port[16];

static void add_row(struct network *to, const char *row)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(freep) char *copy = xstrdup(row);
	char *rest = copy;
	struct error err = {};
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		strv_push(&words, word);
	if (network_parse_row(to, &words, &err) < 0)
		TEST_FAIL("%s: %s", row, err.text);
}

static const char *const nat[] = {
	"network name=home mode=nat bridge=mnat0 mac=02:01:02:03:04:05 mtu=1400 "
	"domain=home.internal "
	"dhcp=yes first=10.77.0.100 last=10.77.0.199 lease=3600",
	"address ip=10.77.0.1 prefix=24",
	"address ip=fd77::1 prefix=64",
	"forward port=8080 to=10.77.0.5 to-port=80",
	"forward protocol=udp address=192.0.2.1 port=53 to=10.77.0.5 to-port=5353",
	"forward port=8080 to=fd77::5 to-port=80",
	"lease mac=52:54:00:00:00:01 host=web ip=10.77.0.5 ip=fd77::5",
	"lease mac=52:54:00:00:00:02 host=desk",
	"lease mac=52:54:00:00:00:03",
	NULL,
};
static const char *const isolated[] = {
	"network name=lab mode=isolated bridge=mlab0 mac=02:01:02:03:04:06 isolate=yes",
	NULL,
};
static const char *const routed[] = {
	"network name=dmz mode=routed bridge=mdmz0 mac=02:01:02:03:04:07 host-access=yes",
	"address ip=192.0.2.1 prefix=28",
	NULL,
};

static void read_network(struct network *to, const char *const *rows)
{
	*to = (struct network){};
	for (; *rows; rows++)
		add_row(to, *rows);
	struct error err = {};
	if (network_parse_end(to, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void begin(const char *const *rows)
{
	scratch_begin();
	read_network(&network, rows);
	options = (struct network_options){
		.run_dir = xasprintf("%s/machina-network/%s", scratch_dir, network.name),
		.netns = "/proc/self/ns/net",
	};
}

static void end(void)
{
	union {
		const char *in;
		void *out;
	} dir = { options.run_dir };
	free(dir.out);
	network_done(&network);
	scratch_end();
}

static void prepare(void)
{
	struct error err = {};
	if (network_prepare(&network, &options, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void teardown(void)
{
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(network_teardown(&network, &options, &failures, port), 0);
	for (size_t i = 0; i < failures.n; i++)
		TEST_FAIL("%s", failures.items[i]);
}

static void check_fails(int code, const char *text)
{
	struct error err = {};
	CHECK_INT(network_prepare(&network, &options, &err), -code);
	CHECK_STR(err.text, text);
}

/* ---- tests ---- */

TEST(a_network_is_made_and_nothing_is_left)
{
	NEED_NETWORK();
	(void)shell_works("sysctl -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	prepare();
	check_shell("ip -br link show mnat0 | awk '{ print $3 }'", "02:01:02:03:04:05\n");
	check_shell("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding "
		    "/proc/sys/net/ipv6/conf/mnat0/accept_ra",
			"1\n1\n0\n");
	check_shell("ip -o -4 addr show mnat0 | awk '{ print $4 }'", "10.77.0.1/24\n");
	check_shell("ip -o -6 addr show mnat0 scope global | awk '{ print $4, $0 ~ /tentative/ }'",
			"fd77::1/64 0\n");
	check_shell("ip -d link show mnat0 | grep -o 'mtu 1400\\|alias .*' | sort",
			"alias machina:network:home\nmtu 1400\n");
	check_file("machina-network/home/hosts",
			"52:54:00:00:00:01,10.77.0.5,[fd77::5],web\n52:54:00:00:00:02,desk\n");
	check_file("machina-network/home/names", "10.77.0.5 web\nfd77::5 web\n");
	teardown();
	CHECK_STR(port, "");
	check_shell(STATE, before);
	check_tree("machina-network", "");
	/* Where nothing is. */
	teardown();
	check_shell(STATE, before);
	end();
}

TEST(each_step_can_be_repeated)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	prepare();
	CLEANUP(freep) char *once = shell_output(STATE);
	prepare();
	check_shell(STATE, once);
	struct error err = {};
	CHECK_INT(network_refresh(&network, &options, &err), 0);
	check_shell(STATE, once);
	/* What was lost comes back, what was added goes. */
	CHECK(shell_works("nft flush ruleset && ip addr flush dev mnat0 && ip addr add 10.1.1.1/24 "
			  "dev "
			  "mnat0 && ip addr add 10.77.0.1/16 dev mnat0 && ip link set mnat0 down"));
	prepare();
	check_shell(STATE, once);
	teardown();
	check_shell(STATE, before);
	end();
}

TEST(modes_of_networks)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(isolated);
	(void)shell_works("sysctl -w net.ipv4.ip_forward=0");
	prepare();
	/* No way into it and none out of it, not even the kernel's own addresses. */
	check_shell("ip -o addr show mlab0", "");
	check_shell("cat /proc/sys/net/ipv6/conf/mlab0/disable_ipv6 /proc/sys/net/ipv4/ip_forward",
			"1\n0\n");
	check_tree("machina-network", "machina-network/lab ");
	teardown();
	end();
	begin(routed);
	prepare();
	check_shell("nft list table inet machina | grep -c masquerade || true", "0\n");
	teardown();
	end();
	check_shell(STATE, before);
}

static char *text_of(const struct network *of)
{
	CLEANUP(nft_batch_done) struct nft_batch batch = {};
	CLEANUP(buf_done) struct buf text = {};
	net_batch_install(&batch, of);
	nft_text_batch(&batch, &text);
	return buf_take(&text);
}

/* What is sent as messages is what stands in the text, and what nft lists it can read again. */
TEST(rules_are_what_they_are_shown_as)
{
	NEED_NETWORK();
	static const char *const *const all[] = { nat, isolated, routed };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		begin(all[i]);
		prepare();
		CLEANUP(freep) char *sent = shell_output("nft list ruleset");
		CLEANUP(freep) char *text = text_of(&network);
		teardown();
		put_file("sent.nft", sent);
		put_file("text.nft", text);
		CLEANUP(freep) char *check = xasprintf("nft -c -f %s", scratch_path("sent.nft"));
		CHECK(shell_works(check));
		CLEANUP(freep) char *load = xasprintf("nft -f %s", scratch_path("text.nft"));
		CHECK(shell_works(load));
		check_shell("nft list ruleset", sent);
		CHECK(shell_works("nft flush ruleset"));
		end();
	}
}

TEST(flushed_rules_come_back_while_the_bridge_is_there)
{
	NEED_NETWORK();
	struct error err = {};
	CLEANUP(buf_done) struct buf text = {};
	begin(nat);
	CHECK_INT(network_restore_rules(&network, &options, NULL, &err), 1);
	check_shell("nft list ruleset", "");
	prepare();
	CLEANUP(freep) char *before = shell_output("nft list ruleset");
	CHECK(shell_works("nft flush ruleset"));
	CHECK_INT(network_restore_rules(&network, &options, &text, &err), 0);
	CLEANUP(freep) char *sent = text_of(&network);
	CHECK_STR(buf_text(&text), sent);
	check_shell("nft list ruleset", "");
	CHECK_INT(network_restore_rules(&network, &options, NULL, &err), 0);
	check_shell("nft list ruleset", before);
	teardown();
	CHECK_INT(network_restore_rules(&network, &options, NULL, &err), 1);
	check_shell("nft list ruleset", "");
	end();
}

TEST(networks_share_a_table)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(routed);
	prepare();
	CLEANUP(freep) char *one = shell_output("nft list ruleset");
	struct network lab;
	read_network(&lab, isolated);
	CLEANUP(freep) char *lab_dir = xasprintf("%s/machina-network/lab", scratch_dir);
	const struct network_options lab_options = { .run_dir = lab_dir, .netns = options.netns };
	struct error err = {};
	CLEANUP(strv_done) struct strv failures = {};
	CHECK_INT(network_prepare(&lab, &lab_options, &err), 0);
	/* Again, with the other one there. */
	prepare();
	CHECK_INT(network_teardown(&lab, &lab_options, &failures, port), 0);
	check_shell("nft list ruleset", one);
	network_done(&lab);
	teardown();
	check_shell(STATE, before);
	end();
}

TEST(a_bridge_with_machines_stays)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	prepare();
	CHECK(shell_works("ip tuntap add web.lan mode tap && ip link set web.lan alias "
			  "machina:web/lan "
			  "master mnat0 up"));
	CLEANUP(freep) char *with = shell_output(STATE);
	teardown();
	CHECK_STR(port, "web.lan");
	check_shell(STATE, with);
	check_tree("machina-network", "machina-network/home machina-network/home/hosts "
				      "machina-network/home/names ");
	/* dnsmasq is started again. */
	prepare();
	check_shell(STATE, with);
	CHECK(shell_works("ip link del web.lan"));
	teardown();
	CHECK_STR(port, "");
	check_shell(STATE, before);
	end();
}

TEST(what_is_of_others_is_left_alone)
{
	NEED_NETWORK();
	begin(nat);
	CHECK(shell_works("ip link add mnat0 type bridge"));
	check_fails(EEXIST, "network 'home': interface 'mnat0' exists and is not the bridge of "
			    "this network (its alias is ''); it is left alone: rename or delete "
			    "it, or choose another 'device'");
	CHECK(shell_works("ip link set mnat0 alias machina:network:other"));
	/* The other network's filter knows the bridge as well. */
	CHECK(shell_works("echo 'table inet machina { chain net-other-from {}; map net-from { type "
			  "ifname : verdict; elements = { \"mnat0\" : jump net-other-from }; }; }' "
			  "| nft -f -"));
	check_fails(EEXIST, "network 'home': 'mnat0' is the bridge of network 'other'; choose "
			    "another 'device', or if that network goes, stop its machines, then "
			    "'systemctl stop machina-network-other.service' and 'machina teardown "
			    "--network other'");
	check_shell("nft list map inet machina net-from | grep -c mnat0", "1\n");
	CHECK(shell_works("nft delete table inet machina"));
	teardown();
	check_shell("ip -br link show mnat0 | awk '{ print $1 }'", "mnat0\n");
	check_shell("nft list ruleset", "");
	CHECK(shell_works("ip link del mnat0 && ip link add mnat0 type veth peer name mnat1 && ip "
			  "link "
			  "set "
			  "mnat0 alias machina:network:home"));
	struct error err = {};
	CHECK_INT(network_prepare(&network, &options, &err), -EEXIST);
	CHECK(shell_works("ip link del mnat0 && nft add table inet machina"));
	check_fails(EEXIST, "network 'home': nftables has a table 'inet machina' that this program "
			    "has not made; it is left alone: rename it, or delete it with 'nft "
			    "delete table inet machina'");
	teardown();
	check_shell("nft list ruleset", "table inet machina {\n}\n");
	CHECK(shell_works("nft delete table inet machina"));
	end();
}

#define ETH7                                                                                       \
	"ip link add eth7 type veth peer name eth8 && ip link set eth8 up && ip link set eth7 up"

/* Else the host's own network would be cut off, and with it whoever works there. */
TEST(a_network_that_the_host_has_already_is_not_made)
{
	static const char *const taken[] = {
		"ip addr add 10.77.0.9/24 dev eth7",
		"ip addr add 10.77.0.1/32 dev eth7",
		"ip route add 10.77.0.0/24 dev eth7",
		"ip route add 10.77.0.0/28 dev eth7",
	};
	NEED_NETWORK();
	begin(nat);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		CHECK(shell_works(ETH7));
		CHECK(shell_works(taken[i]));
		check_fails(EADDRINUSE,
				"network 'home': the host reaches the network of '10.77.0.1/24' "
				"over interface 'eth7' already, and would not any more: choose "
				"another 'address' ('ip route' shows what is taken)");
		check_shell("ip -br link show type bridge; nft list ruleset", "");
		CHECK(shell_works("ip link del eth7"));
	}
	CHECK(shell_works(ETH7 " && ip -6 addr add "
			       "fd77::9/64 dev eth7 nodad"));
	check_fails(EADDRINUSE, "network 'home': the host reaches the network of 'fd77::1/64' over "
				"interface 'eth7' already, and would not any more: choose another "
				"'address' ('ip route' shows what is taken)");
	CHECK(shell_works("ip link del eth7"));
	CHECK(shell_works("ip link add mold0 type bridge && ip link set mold0 alias "
			  "machina:network:old up && ip addr add 10.77.0.1/24 dev mold0"));
	check_fails(EADDRINUSE,
			"network 'home': 'mold0', the bridge of network 'old', leads to the "
			"network of '10.77.0.1/24' already; choose another 'address', or "
			"if that network goes, stop its machines, then 'systemctl stop "
			"machina-network-old.service' and 'machina teardown --network old'");
	CHECK(shell_works("ip link del mold0"));
	end();
}

TEST(wider_routes_and_networks_that_come_later_are_no_matter)
{
	NEED_NETWORK();
	begin(nat);
	CHECK(shell_works(
			ETH7 " && ip addr add "
			     "192.0.2.1/24 dev eth7 && ip route add 10.0.0.0/8 via 192.0.2.2 && ip "
			     "route add default via 192.0.2.2"));
	prepare();
	CHECK(shell_works("ip route add 10.77.0.0/24 dev eth7 metric 1 && ip addr add "
			  "10.77.0.1/32 dev eth7"));
	prepare();
	teardown();
	CHECK(shell_works("ip link del eth7"));
	end();
}

/* A bridge that was made and has not got its alias yet is known by its MAC address. */
TEST(a_bridge_without_its_alias_is_known)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	CHECK(shell_works("ip link add mnat0 address 02:01:02:03:04:05 type bridge"));
	prepare();
	teardown();
	check_shell(STATE, before);
	CHECK(shell_works("ip link add mnat0 address 02:01:02:03:04:05 type bridge"));
	teardown();
	check_shell(STATE, before);
	/* By its alias, under whatever name. */
	prepare();
	CHECK(shell_works("nft flush ruleset; ip link set mnat0 down && ip link set mnat0 name "
			  "other0"));
	teardown();
	check_shell(STATE, before);
	end();
}

/* Whoever comes after a process that was killed finds its way: to nothing, or to all of it. */
static void check_kills(bool undo)
{
	CLEANUP(freep) char *before = shell_output(STATE);
	prepare();
	CLEANUP(freep) char *made = shell_output(STATE);
	if (!undo)
		teardown();
	unsigned n = 0;
	for (int r = 1; r > 0; n++) {
		pid_t child = kill_child_fork();
		struct error err = {};
		CLEANUP(strv_done) struct strv failures = {};
		if (child == 0)
			_exit(undo ? network_teardown(&network, &options, &failures, port) < 0
				   : network_prepare(&network, &options, &err) < 0);
		r = kill_child_at(child, n);
		CHECK(r >= 0);
		prepare();
		check_shell(STATE, made);
		if (!undo)
			teardown();
	}
	CHECK(n > 10);
	printf("# killed at %u system calls\n", n - 1);
	teardown();
	check_shell(STATE, before);
}

TEST(killed_at_any_point_it_can_be_made)
{
	NEED_NETWORK();
	begin(nat);
	check_kills(false);
	end();
}

TEST(killed_at_any_point_it_can_be_unmade)
{
	NEED_NETWORK();
	begin(nat);
	check_kills(true);
	end();
}

TEST(killed_at_any_point_nothing_is_left)
{
	NEED_NETWORK();
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	for (int r = 1, n = 0; r > 0; n++) {
		pid_t child = kill_child_fork();
		struct error err = {};
		if (child == 0)
			_exit(network_prepare(&network, &options, &err) < 0);
		r = kill_child_at(child, (unsigned)n);
		CHECK(r >= 0);
		teardown();
		check_shell(STATE, before);
		check_tree("machina-network", "");
	}
	end();
}

/* The announcement of a router, sent from up1 (RFC 4861, 4.2): a lifetime of 1800 seconds. */
#define ANNOUNCE                                                                                   \
	"python3 -c 'import socket, struct\n"                                                      \
	"s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)\n"                                \
	"s.setsockopt(41, socket.IPV6_MULTICAST_HOPS, 255)\n"                                      \
	"s.setsockopt(41, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(\"up1\"))\n"             \
	"s.sendto(struct.pack(\"!BBHBBHII\", 134, 0, 0, 64, 0, 1800, 0, 0), (\"ff02::1\", 0))\n'"

TEST(a_host_that_listens_to_routers_keeps_its_route)
{
	NEED_NETWORK();
	if (access("/proc/sys/net/ipv6", F_OK) < 0 || !shell_works("command -v python3"))
		SKIP("there is no IPv6, or no python3");
	CLEANUP(freep) char *before = shell_output(STATE);
	begin(nat);
	CHECK(shell_works("sysctl -w net.ipv6.conf.all.forwarding=0 "
			  "net.ipv6.conf.default.accept_dad=0 "
			  "&& "
			  "ip link add up0 type veth peer name up1 && ip link set up0 up && ip "
			  "link set "
			  "up1 up"));
	CHECK(shell_works("for i in $(seq 100); do " ANNOUNCE
			  "; ip -6 route show default dev up0 | grep "
			  "-q 'proto ra' && exit; sleep 0.05; done; false"));
	check_fails(EBUSY, "network 'home': interface 'up0' has its IPv6 route from a router's "
			   "announcements, which a host that forwards IPv6 does not listen to: set "
			   "'net.ipv6.conf.up0.accept_ra' to 2 (sysctl.d(5)), or take the IPv6 "
			   "address out of the network");
	check_shell("cat /proc/sys/net/ipv6/conf/all/forwarding", "0\n");
	CHECK(shell_works("sysctl -w net.ipv6.conf.up0.accept_ra=2"));
	prepare();
	check_shell("ip -6 route show default dev up0 | grep -c 'proto ra'", "1\n");
	teardown();
	CHECK(shell_works("ip link del up0"));
	check_shell(STATE, before);
	end();
}

TEST_MAIN()
