/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of networks that the host makes, and of packet filters that it can't see into:
 * in a network namespace of this process. */
#include "doctor-sample.h"
#include "host/net/net-rules.h"
#include "own-network.h"

static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network("only root makes networks");
	if (why_not)
		return why_not;
	entered = true;
	return NULL;
}

static const char *need_nft(void)
{
	const char *why_not = enter_own_network();
	return why_not ? why_not : shell_works("nft list ruleset") ? NULL : "nft does not run here";
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())
#define NEED_NFT() SKIP_BECAUSE(need_nft())

#define HOME_BRIDGE                                                                                \
	"ip link add mnat0 up type bridge && ip link set mnat0 alias machina:network:home"

static const char *addresses[] = { "10.77.0.1/24", "fd77::1/64" };

/* A host with the network "home" and a machine on it. */
static void begin(struct sick *s, struct network_conf *home, enum network_mode mode)
{
	sick_begin(s);
	*home = (struct network_conf){
		.name = "home",
		.mode = (int)mode,
		.device = "mnat0",
		.address = { .items = addresses, .n = 2 },
	};
	s->host.network = (struct jlist){ .items = home, .n = 1 };
	struct vm_nic *nic = add_nic(s, add(s, "web", true), "mnat0");
	nic->network = "home";
	nic->mode = mode;
}

static void clean_up(struct sick *s)
{
	(void)shell_works("ip link del mnat0");
	sick_end(s);
}

TEST(networks_that_are_down_have_no_fault)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	put_file("proc/sys/net/ipv4/ip_forward", "0\n");
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(a_network_that_the_host_reaches_elsewhere)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	CHECK(shell_works("ip link add eth7 type veth peer name eth8 && ip link set eth8 up && ip "
			  "link set eth7 up && ip addr add 10.77.0.9/24 dev eth7"));
	CHECK_FOUND(&s, networks,
			"fault: the host reaches the network of '10.77.0.1/24' over interface "
			"'eth7'\n"
			"  network 'home' cannot start, nor can machine 'web'\n"
			"    ip route get fibmatch 10.77.0.1\n"
			"    # take that route away, or give the network another \"address\"\n");
	CHECK(shell_works(HOME_BRIDGE));
	CHECK_FOUND(&s, networks,
			"fault: the host reaches the network of '10.77.0.1/24' over interface "
			"'eth7'\n"
			"  guests of network 'home' may not be reached: machine 'web'\n"
			"    ip route get fibmatch 10.77.0.1\n"
			"    # take that route away, or give the network another \"address\"\n");
	CHECK(shell_works("ip link del eth7 && ip addr add 10.77.0.1/24 dev mnat0 && ip link set "
			  "mnat0 up"));
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(a_port_that_leads_to_a_guest_and_is_in_use)
{
	NEED_NETWORK();
	static struct forward_conf forwards[] = {
		{ .protocol = -1, .port = 22, .to = "10.77.0.5" },
		{ .protocol = FORWARD_UDP, .port = 53, .address = "192.0.2.1", .to = "10.77.0.5" },
		{ .protocol = -1, .port = 631, .to = "10.77.0.5" },
		{ .protocol = -1, .port = 53, .to = "10.77.0.5" },
	};
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	home.forward = (struct jlist){ .items = forwards, .n = ARRAY_SIZE(forwards) };
	/* ssh; a printer's for the host alone; a connection from port 53, and DNS by UDP. */
	put_file("proc/net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue\n"
				 "   0: 0100007F:0277 00000000:0000 0A 00000000:00000000\n"
				 "   1: 0202000A:0035 0100000A:01BB 01 00000000:00000000\n");
	put_file("proc/net/tcp6", "  sl  local_address remote_address st\n"
				  "   0: 00000000000000000000000000000000:0016 "
				  "00000000000000000000000000000000:0000 0A 00000000:00000000\n"
				  "   1: 00000000000000000000000001000000:0277 "
				  "00000000000000000000000000000000:0000 0A 00000000:00000000\n");
	put_file("proc/net/udp", "  sl  local_address rem_address   st\n"
				 "  77: 00000000:0035 00000000:0000 07 00000000:00000000\n");
	CHECK_FOUND(&s, networks,
			"warning: the host's TCP port 22 leads to '10.77.0.5', and a program of "
			"the host listens there\n"
			"  while network 'home' is up nobody reaches that program from outside\n"
			"    ss -lntp 'sport = :22'\n"
			"    # let it listen elsewhere, or forward another \"port\"\n"
			"warning: the host's UDP port 53 leads to '10.77.0.5', and a program of "
			"the host listens there\n"
			"  while network 'home' is up nobody reaches that program from outside\n"
			"    ss -lnup 'sport = :53'\n"
			"    # let it listen elsewhere, or forward another \"port\"\n");
	/* Other addresses of the host are no matter. */
	put_file("proc/net/udp", "  sl  local_address rem_address   st\n"
				 "  77: 0202000A:0035 00000000:0000 07 00000000:00000000\n");
	home.forward.n = 2;
	forwards[0].port = 23;
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(a_port_that_leads_to_nobody)
{
	NEED_NETWORK();
	static const char *ip[] = { "fd77::5", "10.77.0.5/24" };
	/* IPv6 is not given by the host. */
	static struct forward_conf forwards[] = {
		{ .protocol = -1, .port = 80, .to = "10.77.0.5" },
		{ .protocol = -1, .port = 80, .to = "fd77::6" },
		{ .protocol = FORWARD_UDP, .port = 53, .to = "10.77.0.6" },
	};
	static const char *const nobody =
			"warning: the host's UDP port 53 leads to '10.77.0.6', which no machine "
			"has\n"
			"  unless a guest of network 'home' takes that address by itself, nobody "
			"answers\n"
			"    # \"ip\": \"10.77.0.6\" in the connection of the machine that is "
			"meant, or its address as \"to\"\n";
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	s.doctor.dnsmasq = "/bin/true";
	home.forward = (struct jlist){ .items = forwards, .n = ARRAY_SIZE(forwards) };
	/* Where the host gives no addresses, guests have their own. */
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	home.dhcp.range = "static";
	s.nics[0].ip = (struct jstrings){ .items = ip, .n = 2 };
	CHECK_FOUND(&s, networks, nobody);
	home.dhcp.range = "10.77.0.5-10.77.0.6";
	CHECK_FOUND(&s, networks, nobody);
	/* Guests may have what is not lent to anybody. */
	home.dhcp.range = "10.77.0.7-10.77.0.9";
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	home.dhcp.range = "static";
	s.doctor.lacks_machines = true;
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	s.doctor.lacks_machines = false;
	s.doctor.is_partial = true;
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(all_addresses_are_lent)
{
	NEED_NETWORK();
	static const char *ip[] = { "10.77.0.10/24" };
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_ISOLATED);
	CLEANUP(freep) char *state = xstrdup(scratch_path("state"));
	s.doctor.state_dir = state;
	s.doctor.dnsmasq = "/bin/true";
	home.dhcp.range = "10.77.0.10-10.77.0.12";
	s.nics[0].ip = (struct jstrings){ .items = ip, .n = 1 };
	CHECK(shell_works(HOME_BRIDGE));
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	make_directory("state-network");
	make_directory("state-network/home");
	/* One is for ever, one of another range; one has come to its end. */
	put_file("state-network/home/leases",
			"0 52:54:00:00:00:01 10.77.0.11 a *\n4000000000 52:54:00:00:00:02 "
			"10.77.0.13 * *\n1000 52:54:00:00:00:03 10.77.0.12 * 01:52\n"
			"duid 00:01\n");
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	put_file("state-network/home/leases",
			"0 52:54:00:00:00:01 10.77.0.11 a *\n4000000000 52:54:00:00:00:03 "
			"10.77.0.12 * 01:52\n");
	CHECK_FOUND(&s, networks,
			"warning: network 'home' has no address left: all of 10.77.0.10-10.77.0.12 "
			"are lent or reserved\n"
			"  a guest that comes anew, or from another MAC address, gets none\n"
			"    cat DIR/state-network/home/leases   # until when (in seconds since "
			"1970), and "
			"to whom\n"
			"    # make its \"range\" larger, then:\n"
			"    # machina generate --all && systemctl restart "
			"machina-network-home.service\n");
	home.dhcp.range = "10.77.0.10-10.77.0.13";
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	/* Just as many as machines that have them for good. */
	home.dhcp.range = "10.77.0.10-10.77.0.10";
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(dhcp_needs_dnsmasq)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	home.dhcp.range = "static";
	s.doctor.dnsmasq = "/none/dnsmasq";
	CHECK_FOUND(&s, networks,
			"fault: '/none/dnsmasq' does not exist\n"
			"  network 'home' with \"dhcp\" cannot start, nor can machine 'web'\n"
			"    apt-get install dnsmasq-base\n");
	s.doctor.dnsmasq = "/bin/true";
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(somebody_has_set_the_bridge_down)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_ISOLATED);
	CHECK(shell_works(HOME_BRIDGE));
	CHECK(shell_works("ip link set mnat0 down"));
	CHECK_FOUND(&s, networks,
			"fault: bridge 'mnat0' is down\n"
			"  guests of network 'home' reach nobody: machine 'web'\n"
			"    ip link set mnat0 up\n");
	CHECK(shell_works("ip link set mnat0 up"));
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(forwarding_was_switched_off)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	CHECK(shell_works(HOME_BRIDGE));
	put_file("proc/sys/net/ipv4/ip_forward", "0\n");
	put_file("proc/sys/net/ipv6/conf/all/forwarding", "1\n");
	CHECK_FOUND(&s, networks,
			"fault: the host does not forward IPv4: net.ipv4.ip_forward is 0\n"
			"  guests of network 'home' reach the host, and nothing beyond: machine "
			"'web'\n"
			"    sysctl -w net.ipv4.ip_forward=1\n"
			"    grep -rs ip_forward /etc/sysctl.conf /etc/sysctl.d   # who sets it "
			"back?\n");
	put_file("proc/sys/net/ipv4/ip_forward", "1\n");
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	put_file("proc/sys/net/ipv6/conf/all/forwarding", "0\n");
	examine(&s, "networks", doctor_check_networks);
	CHECK_STR(s.doctor.findings[0].what,
			"the host does not forward IPv6: net.ipv6.conf.all.forwarding is 0");
	/* Not its matter: a family without an address, and who is not to leave anyway. */
	home.address.n = 1;
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	home.mode = NETWORK_ISOLATED;
	home.address.n = 2;
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	clean_up(&s);
}

TEST(firewalld_does_not_know_the_bridge)
{
	NEED_NFT();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_ROUTED);
	CHECK(shell_works(HOME_BRIDGE));
	CHECK(shell_works("nft add table inet firewalld && nft add chain inet firewalld zones && "
			  "nft add rule inet firewalld zones iifname eth0 accept"));
	CHECK_FOUND(&s, networks,
			"warning: firewalld has bridge 'mnat0' in no zone\n"
			"  guests of network 'home' may reach the host, but nothing beyond: the "
			"default zone forwards nothing: machine 'web'\n"
			"    firewall-cmd --permanent --zone=trusted --add-interface=mnat0\n"
			"    firewall-cmd --reload\n");
	CHECK(shell_works("nft add rule inet firewalld zones iifname mnat0 accept"));
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	CHECK(shell_works("nft delete table inet firewalld"));
	clean_up(&s);
}

TEST(bridges_of_networks_that_have_gone)
{
	NEED_NETWORK();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	CHECK(shell_works("ip link add mold0 type bridge && ip link set mold0 alias "
			  "machina:network:old"));
	CHECK_FOUND(&s, networks,
			"warning: bridge 'mold0' is of network 'old', which is not configured any "
			"more\n"
			"  it takes part in the host's routing until it goes\n"
			"    systemctl stop machina-network-old.service\n"
			"    machina teardown --network old\n");
	s.doctor.is_partial = true;
	CHECK_FOUND(&s, networks, "ok: 0 of 1 that the host makes are up\n");
	s.doctor.is_partial = false;
	CHECK(shell_works("ip link set mold0 alias machina:network:home"));
	CHECK_FOUND(&s, networks,
			"warning: bridge 'mold0' is of network 'home', which has another one by "
			"now\n"
			"  it takes part in the host's routing until it goes\n"
			"    # ends the guests on it, and starts them again:\n"
			"    # systemctl restart machina-network-home.service\n");
	CHECK(shell_works("ip link del mold0"));
	clean_up(&s);
}

TEST(rules_of_networks_that_are_down)
{
	NEED_NFT();
	struct sick s;
	struct network_conf home;
	CLEANUP(netlink_done) struct netlink nl = {};
	const struct network network = {
		.name = "home", .mode = NETWORK_ISOLATED, .bridge = "mnat0"
	};
	struct error err = {};
	begin(&s, &home, NETWORK_ISOLATED);
	CHECK_INT(nft_open(&nl, &err), 0);
	if (net_rules_install(&nl, &network, &err) < 0)
		SKIP(err.text);
	CHECK_FOUND(&s, networks,
			"warning: nftables still has rules of network 'home', which is not up\n"
			"  ports that they forward lead nowhere\n"
			"    machina teardown --network home\n");
	CHECK(shell_works(HOME_BRIDGE));
	CHECK_FOUND(&s, networks, "ok: 1 of 1 that the host makes are up\n");
	CHECK_INT(net_rules_remove(&nl, "home", "mnat0", &err), 0);
	clean_up(&s);
}

/* ---- what others drop ---- */

#define DOCKER                                                                                     \
	"nft 'table ip filter { chain DOCKER-USER { return; }; "                                   \
	"chain FORWARD { type filter hook forward priority 0; policy drop; jump DOCKER-USER; }; "  \
	"}'"

/* Without br_netfilter, too: it is the host that forwards. */
TEST(docker_drops_what_the_host_routes)
{
	NEED_NFT();
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_NAT);
	CHECK(shell_works(DOCKER));
	CHECK_FOUND(&s, forwarding,
			"fault: network bridge 'mnat0': what the host forwards for it passes the "
			"chain 'FORWARD' of table 'ip filter', which drops it (Docker's)\n"
			"  guests on it reach the host, but nothing beyond: machine 'web'\n"
			"    iptables -I DOCKER-USER -i mnat0 -j ACCEPT\n"
			"    iptables -I DOCKER-USER -o mnat0 -j ACCEPT\n");
	CHECK(shell_works("nft insert rule ip filter DOCKER-USER iifname mnat0 accept"));
	CHECK_FOUND(&s, forwarding, "");
	CHECK(shell_works("nft flush ruleset"));
	CHECK(shell_works("nft 'table inet wall { chain pass { type filter hook forward priority "
			  "0; policy drop; }; }'"));
	examine(&s, "forwarding", doctor_check_forwarding);
	CHECK_INT(s.doctor.n, 1);
	CHECK_STR(s.doctor.findings[0].cures.items[1],
			"nft insert rule inet wall pass oifname mnat0 accept");
	s.nics[0].mode = NETWORK_ISOLATED;
	CHECK_FOUND(&s, forwarding, "ok: frames on bridges do not pass iptables\n");
	CHECK(shell_works("nft flush ruleset"));
	clean_up(&s);
}

TEST(tables_that_nftables_does_not_show)
{
	struct sick s;
	struct network_conf home;
	begin(&s, &home, NETWORK_ISOLATED);
	put_file("proc/net/ip_tables_names", "");
	CHECK_FOUND(&s, forwarding, "ok: frames on bridges do not pass iptables\n");
	put_file("proc/net/ip_tables_names", "nat\nfilter\n");
	CHECK_FOUND(&s, forwarding,
			"warning: there are tables of iptables-legacy: nat filter\n"
			"  nft does not show them, and what they drop is dropped: guests may not "
			"reach each other or the network\n"
			"    iptables-legacy-save\n"
			"    # if nobody needs them, until the next program uses them:\n"
			"    iptables-legacy -P FORWARD ACCEPT && iptables-legacy -F\n"
			"    update-alternatives --set iptables /usr/sbin/iptables-nft\n");
	sick_end(&s);
}

/* ---- old kernels ---- */

TEST(ports_that_cannot_be_locked)
{
	NEED_NFT();
	struct sick s;
	struct network_conf home;
	struct vm_filter filter = { .guard.mac = true };
	struct fw_policy policy = { .state = FW_STATE_NONE };
	memset(filter.defaults, 0xff, sizeof(filter.defaults));
	begin(&s, &home, NETWORK_NAT);
	s.doctor.policy = &policy;
	s.nics[0].filter = &filter;
	s.nics[0].managed = true;
	s.nics[0].name = "0";
	s.nics[0].link = "web.0";
	s.nics[0].mac = "52:54:00:12:34:56";
	put_file("proc/sys/kernel/osrelease", "5.10.0-28-amd64\n");
	CHECK_FOUND(&s, firewall,
			"warning: Linux 5.10 can't lock ports of bridges to a MAC address (5.18 "
			"can)\n"
			"  while somebody flushes nftables, guests can send with others' MAC "
			"addresses; the rules alone keep them from it: machine 'web'\n"
			"    # boot Linux 5.18 or later\n");
	put_file("proc/sys/kernel/osrelease", "5.18.0\n");
	CHECK_FOUND(&s, firewall, "");
	put_file("proc/sys/kernel/osrelease", "6.1.0-13-amd64\n");
	CHECK_FOUND(&s, firewall, "");
	put_file("proc/sys/kernel/osrelease", "4.19.0\n");
	filter.guard.mac = false;
	filter.guard.router = true;
	CHECK_FOUND(&s, firewall, "");
	sick_end(&s);
}

TEST_MAIN()
