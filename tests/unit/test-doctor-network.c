/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds of networks, taps and packet filters: real ones, in a network namespace of this
 * process. */
#include "host/doctor/doctor.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "doctor-sample.h"
#include "host/net/firewall.h"
#include "host/net/hold.h"
#include "host/net/macvtap.h"
#include "host/net/net-rules.h"
#include "own-network.h"

/* ---- networks ---- */

/* NULL, or why there is no network of this process's own. */
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

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static void shell(const char *command)
{
	CLEANUP(freep) char *line = xasprintf("PATH=$PATH:/sbin:/usr/sbin; %s", command);
	if (system(line) != 0)
		TEST_FAIL("'%s' has failed", command);
}

TEST(bridges_are_missing)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br0");
	add_nic(&s, add(&s, "db", false), "br0");
	CHECK_FOUND(&s, bridges,
			"fault: network 'lan': there is no bridge 'br0'\n"
			"  machines 'web', 'db' cannot start\n"
			"    ip link add br0 type bridge && ip link set br0 up\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
}

TEST(bridges_are_other_interfaces)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", false), "lo");
	CHECK_FOUND(&s, bridges,
			"warning: network 'lan': 'lo' is no bridge\n"
			"  machine 'web' cannot start\n"
			"    ip -d link show lo\n"
			"    # give the network another \"device\", or that interface another "
			"name\n");
	sick_end(&s);
}

/* A network for each VLAN is usual. */
TEST(a_bridge_of_several_networks_is_told_once)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br0");
	struct vm_nic *nic = add_nic(&s, add(&s, "db", false), "br0");
	nic->network = "dmz";
	nic->vlan = 20;
	CHECK_FOUND(&s, bridges,
			"fault: networks 'lan', 'dmz': there is no bridge 'br0'\n"
			"  machines 'web', 'db' cannot start\n"
			"    ip link add br0 type bridge vlan_filtering 1 && ip link set br0 up\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
}

TEST(the_name_of_a_network_is_told_as_it_is)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br0")->network = "old: lan";
	CHECK_FOUND(&s, bridges,
			"fault: network 'old: lan': there is no bridge 'br0'\n"
			"  machine 'web' cannot start\n"
			"    ip link add br0 type bridge && ip link set br0 up\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
}

/* One machine whose switch listens at a socket of that name; NULL: QEMU does. */
static void check_switch(const char *name, const char *expected)
{
	struct sick s;
	sick_begin(&s);
	CLEANUP(freep) char *socket = name ? xstrdup(scratch_path(name)) : NULL;
	put_file("other", "");
	*add_nic(&s, add(&s, "web", true), NULL) = (struct vm_nic){
		.network = "dpdk", .mode = NETWORK_VHOST_USER, .socket = socket
	};
	CHECK_FOUND(&s, bridges, expected);
	sick_end(&s);
}

TEST(sockets_of_switches_are_missing)
{
	check_switch("vpp web.sock",
			"fault: network 'dpdk': the switch's socket 'DIR/vpp web.sock': No such "
			"file or directory\n"
			"  machine 'web' cannot start, or has no network there\n"
			"    ls -l DIR\n"
			"    # start the switch, with a port that listens there; or leave "
			"\"socket\" out, and it is the switch that connects\n");
	check_switch("other", "fault: network 'dpdk': 'DIR/other' is not a socket\n"
			      "  machine 'web' cannot start, or has no network there\n"
			      "    ls -l DIR/other\n");
	check_switch(NULL, "");
}

/* Its unit makes it. */
TEST(own_bridges_are_not_missed)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "mnat0")->mode = NETWORK_NAT;
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);

	sick_begin(&s);
	shell("ip link add mnat0 type bridge && ip link set mnat0 alias machina:network:lan");
	add_nic(&s, add(&s, "web", true), "mnat0")->mode = NETWORK_NAT;
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);

	sick_begin(&s);
	shell("ip link set mnat0 alias other");
	add_nic(&s, add(&s, "web", true), "mnat0")->mode = NETWORK_NAT;
	CHECK_FOUND(&s, bridges,
			"fault: network 'lan' makes a bridge 'mnat0', and there is another "
			"interface of that name\n"
			"  machine 'web' cannot start\n"
			"    ip -d link show mnat0\n"
			"    # give the network another \"device\", or that interface another "
			"name\n");
	shell("ip link del mnat0");
	sick_end(&s);
}

TEST(bridges_are_up_and_tell_vlans_apart)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	shell("ip link add br0 type bridge");
	struct vm_nic *nic = add_nic(&s, add(&s, "web", true), "br0");
	CHECK_FOUND(&s, bridges,
			"fault: network 'lan': the bridge 'br0' is down\n"
			"  machine 'web' can start, and reach nobody there\n"
			"    ip link set br0 up\n");
	sick_end(&s);

	/* Two faults, and each has its cure. */
	sick_begin(&s);
	nic = add_nic(&s, add(&s, "web", true), "br0");
	nic->vlan = 20;
	examine(&s, "bridges", doctor_check_bridges);
	CHECK_INT(s.doctor.n, 2);
	sick_end(&s);

	shell("ip link set br0 up");
	sick_begin(&s);
	nic = add_nic(&s, add(&s, "web", true), "br0");
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);

	sick_begin(&s);
	nic = add_nic(&s, add(&s, "web", true), "br0");
	nic->vlan = 20;
	CHECK_FOUND(&s, bridges,
			"fault: network 'lan': the bridge 'br0' does not tell VLANs apart\n"
			"  machine 'web' cannot start: all guests would be in one network\n"
			"    ip link set br0 type bridge vlan_filtering 1\n"
			"    # and for good in the host's own network configuration\n");
	sick_end(&s);
	shell("ip link del br0");
}

TEST(bridges_with_vlans_are_fine)
{
	NEED_NETWORK();
	struct sick s;
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link add br1 type bridge vlan_filtering 1 "
		   "2>/dev/null && ip link set br1 up") != 0)
		SKIP("bridges of this kernel have no VLANs");
	sick_begin(&s);
	add_nic(&s, add(&s, "web", true), "br1")->vlan = 20;
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);
	shell("ip link del br1");
}

TEST(vsock_needs_its_device)
{
	struct sick s;
	sick_begin(&s);
	struct vm *vm = add(&s, "web", false);
	CHECK_FOUND(&s, vsock, "ok: no machine has a vsock device\n");
	vm->vsock.enabled = true;
	CHECK_FOUND(&s, vsock,
			"warning: 'DIR/dev/vhost-vsock' does not exist\n"
			"  attrs.vsock needs it: machine 'web' cannot start\n"
			"    modprobe vhost_vsock\n"
			"    # if that fails, this kernel was built without CONFIG_VHOST_VSOCK\n");
	put_file("dev/vhost-vsock", "");
	CHECK_FOUND(&s, vsock, "");
	sick_end(&s);
}

TEST(taps_need_their_device)
{
	struct sick s;
	sick_begin(&s);
	struct vm *vm = add(&s, "web", true);
	CHECK_FOUND(&s, tun, "ok: no machine needs taps\n");
	struct vm_nic *nic = add_nic(&s, vm, "br0");
	CHECK_FOUND(&s, tun,
			"fault: 'DIR/dev/net/tun' does not exist\n"
			"  taps cannot be made: machine 'web' cannot start\n"
			"    modprobe tun\n"
			"    systemd-tmpfiles --create --prefix=/dev/net\n");
	put_file("dev/net/tun", "");
	nic->vhost = true;
	CHECK_FOUND(&s, tun,
			"warning: 'DIR/dev/vhost-net' does not exist\n"
			"  QEMU moves packets by itself, which is slower: machine 'web'\n"
			"    modprobe vhost_net\n"
			"    echo vhost_net >/etc/modules-load.d/machina-vhost.conf\n");
	put_file("dev/vhost-net", "");
	CHECK_FOUND(&s, tun, "");
	nic->mode = NETWORK_USER;
	CHECK_FOUND(&s, tun, "ok: no machine needs taps\n");
	sick_end(&s);
}

/* A tap that outlives its descriptors, and that descriptor. */
static int make_tap(const char *name, const char *alias)
{
	CLEANUP(freep) char *command = xasprintf("ip link set %s alias %s", name, alias);
	struct ifreq want = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	strcpy(want.ifr_name, name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &want) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		TEST_FAIL("cannot make tap %s: %m", name);
	shell(command);
	return fd;
}

TEST(taps_are_left_behind)
{
	NEED_NETWORK();
	struct sick s;
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		SKIP("/dev/net/tun cannot be opened");
	sick_begin(&s);
	close(make_tap("gone.0", "machina:gone/net.0"));
	close(make_tap("mine", "somebody:else/net"));
	int used = make_tap("web.0", "machina:web/0");
	CHECK_FOUND(&s, links,
			"warning: interface 'gone.0' was left behind by machine 'gone', and "
			"nothing uses it\n"
			"  the machine makes its own anew when it starts; until then this one only "
			"confuses\n"
			"    machina teardown gone\n");
	/* One of several that it has. */
	add(&s, "gone", false);
	s.machines[0].running = true;
	examine(&s, "links", doctor_check_links);
	CHECK_STR(s.doctor.findings[0].cures.items[0], "ip link delete gone.0");
	s.doctor.n_machines = 0;
	shell("ip link delete gone.0; ip link delete mine; ip link set web.0 up");
	CHECK_FOUND(&s, links, "");
	/* As who holds its descriptor can do it. */
	struct vm_nic *nic = add_nic(&s, add(&s, "web", true), "br0");
	nic->link = "web.0";
	nic->managed = true;
	shell("ip link set web.0 address fe:54:00:12:34:56");
	CHECK_FOUND(&s, links, "");
	shell("ip link set web.0 address 52:54:00:aa:bb:cc");
	CHECK_FOUND(&s, links,
			"fault: the host's end of interface 'web.0' has got another MAC address: "
			"52:54:00:aa:bb:cc\n"
			"  who has this address on that bridge is cut off; if nobody has changed "
			"it "
			"by hand, QEMU of machine 'web' has, whose guest may have taken it over\n"
			"    machina kill web   # its guest gets no time to end\n"
			"    machina start web\n");
	shell("ip link delete web.0");
	close(used);
	sick_end(&s);
}

/* What a macvtap of "lan" may sit on. */
static struct vm_nic *add_macvtap(struct sick *s, struct vm *vm, const char *device)
{
	struct vm_nic *nic = add_nic(s, vm, "");
	nic->mode = NETWORK_MACVTAP;
	nic->device = device;
	nic->join = false;
	return nic;
}

TEST(shared_interfaces_are_looked_at)
{
	NEED_NETWORK();
	struct sick s;
	sick_begin(&s);
	add_macvtap(&s, add(&s, "web", true), "up0");
	CHECK_FOUND(&s, bridges,
			"fault: network 'lan': there is no interface 'up0'\n"
			"  machine 'web' cannot start\n"
			"    ip -br link    # name another one as \"device\"\n");
	CHECK_FOUND(&s, tun, "ok: no machine needs taps\n");
	sick_end(&s);

	shell("ip link add up0 type bridge");
	sick_begin(&s);
	add_macvtap(&s, add(&s, "web", false), "up0");
	CHECK_FOUND(&s, bridges,
			"warning: network 'lan': the interface 'up0' is down\n"
			"  machine 'web' cannot start\n"
			"    ip link set up0 up\n");
	sick_end(&s);

	shell("ip link set up0 up");
	sick_begin(&s);
	add_macvtap(&s, add(&s, "web", false), "up0");
	CHECK_FOUND(&s, bridges, "");
	sick_end(&s);

	shell("ip link del up0; ip link add br0 type bridge; ip link add up0 master br0 type veth "
	      "peer name up1; ip link set up0 up");
	sick_begin(&s);
	add_macvtap(&s, add(&s, "web", false), "up0");
	CHECK_FOUND(&s, bridges,
			"warning: network 'lan': the interface 'up0' belongs to 'br0', which "
			"gets "
			"all that arrives there\n"
			"  machine 'web' cannot start\n"
			"    ip -br link    # name another one as \"device\"\n");
	sick_end(&s);
	shell("ip link del up0; ip link del br0");
}

TEST(macvtaps_are_left_behind)
{
	NEED_NETWORK();
	struct sick s;
	shell("ip link add br0 type bridge && ip link set br0 up");
	if (system("PATH=$PATH:/sbin:/usr/sbin; ip link add link br0 name x type macvtap && ip "
		   "link del x") != 0) {
		shell("ip link del br0");
		SKIP("this kernel has no macvtap");
	}
	CLEANUP(netlink_done) struct netlink nl = {};
	struct macvtap_request request = {
		.name = "web.0",
		.alias = "machina:web/0",
		.network = "lan",
		.device = "br0",
		.mac = { 0x52, 0x54, 0, 0, 0, 1 },
	};
	struct error err = {};
	int fd = -1;
	if (netlink_open(&nl, &err) < 0 || macvtap_create(&nl, &request, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	sick_begin(&s);
	/* Other processes may hold one that has gone, whose number is given to the next. */
	make_directory("proc");
	CHECK_INT(symlink("/proc/self", scratch_path("proc/1")), 0);
	CHECK_FOUND(&s, links, "");
	close(fd);
	CHECK_FOUND(&s, links,
			"warning: interface 'web.0' was left behind by machine 'web', and nothing "
			"uses it\n"
			"  the machine makes its own anew when it starts; until then this one only "
			"confuses\n"
			"    machina teardown web\n");
	sick_end(&s);
	shell("ip link del web.0; ip link del br0");
}

/* ---- packet filters of others ---- */

#define DOCKER                                                                                     \
	"nft -f - <<END\n"                                                                         \
	"table ip filter {\n"                                                                      \
	"	chain DOCKER-USER { return; }\n"                                                         \
	"	chain FORWARD { type filter hook forward priority 0; policy drop;\n"                     \
	"		jump DOCKER-USER; oifname docker0 accept; }\n"                                          \
	"}\n"                                                                                      \
	"END\n"

static const char *need_nft(void)
{
	if (system("PATH=$PATH:/sbin:/usr/sbin; nft list ruleset >/dev/null 2>&1") != 0)
		return "nft does not run here";
	return NULL;
}

#define NEED_NFT()                                                                                 \
	do {                                                                                       \
		NEED_NETWORK();                                                                    \
		const char *no_nft_ = need_nft();                                                  \
		if (no_nft_)                                                                       \
			SKIP(no_nft_);                                                             \
	} while (0)

/* Two machines on br0, whose frames pass iptables. */
static void sick_begin_shown(struct sick *s)
{
	sick_begin(s);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
	add_nic(s, add(s, "web", true), "br0");
	add_nic(s, add(s, "db", false), "br0");
}

TEST(docker_drops_what_is_forwarded)
{
	NEED_NFT();
	struct sick s;
	sick_begin_shown(&s);
	shell(DOCKER);
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass the chain 'FORWARD' of table 'ip "
			"filter', which drops them (Docker's)\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    sysctl -w net.bridge.bridge-nf-call-iptables=0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT\n");
	/* Another bridge, a longer name, another verdict: none of them helps. */
	shell("nft insert rule ip filter DOCKER-USER iifname br1 accept");
	shell("nft insert rule ip filter DOCKER-USER iifname br00 accept");
	shell("nft insert rule ip filter DOCKER-USER iifname br0 counter");
	examine(&s, "forwarding", doctor_check_forwarding);
	CHECK_INT(s.doctor.n, 1);
	sick_end(&s);

	/* Either cure is enough. */
	sick_begin_shown(&s);
	shell("nft insert rule ip filter DOCKER-USER iifname br0 oifname br0 accept");
	CHECK_FOUND(&s, forwarding, "");
	sick_end(&s);

	sick_begin_shown(&s);
	shell("nft flush ruleset");
	shell(DOCKER);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "0\n");
	CHECK_FOUND(&s, forwarding, "ok: frames on bridges do not pass iptables\n");
	/* The bridge alone may ask for it, too. */
	put_file("sys/class/net/br0/bridge/nf_call_iptables", "1\n");
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass the chain 'FORWARD' of table 'ip "
			"filter', which drops them (Docker's)\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    ip link set br0 type bridge nf_call_iptables 0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT\n");
	sick_end(&s);
	shell("nft flush ruleset");
}

/* Its own rule is a "reject", which not every kernel has; what counts is whose table it is. */
TEST(firewalld_refuses_what_is_forwarded)
{
	NEED_NFT();
	static const char firewalld[] = "nft -f - <<END\n"
					"table inet firewalld {\n"
					"	chain filter_FORWARD { type filter hook forward "
					"priority 10; policy "
					"accept;\n"
					"		iifname eth0 accept; drop; }\n"
					"}\n"
					"END\n";
	struct sick s;
	sick_begin_shown(&s);
	put_file("proc/sys/net/bridge/bridge-nf-call-ip6tables", "1\n");
	CHECK_FOUND(&s, forwarding, "");
	shell(firewalld);
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass firewalld, which has it in no zone "
			"and "
			"refuses what is forwarded\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    sysctl -w net.bridge.bridge-nf-call-iptables=0\n"
			"    sysctl -w net.bridge.bridge-nf-call-ip6tables=0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    firewall-cmd --permanent --zone=trusted --add-interface=br0\n"
			"    firewall-cmd --reload\n");
	shell("nft insert rule inet firewalld filter_FORWARD iifname br0 accept");
	CHECK_FOUND(&s, forwarding, "");
	sick_end(&s);

	/* Frames that it does not see. */
	shell("nft flush ruleset");
	shell(firewalld);
	sick_begin_shown(&s);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "0\n");
	CHECK_FOUND(&s, forwarding, "ok: frames on bridges do not pass iptables\n");
	sick_end(&s);
	shell("nft flush ruleset");
}

/* Each of the kernel's switches has its cure, also where only IPv6 is shown. */
TEST(chains_of_both_families_drop_what_is_forwarded)
{
	NEED_NFT();
	struct sick s;
	shell("nft add table inet wall; nft add chain inet wall pass '{ type filter hook forward "
	      "priority 10; policy drop; }'");
	for (int both = 0; both < 2; both++) {
		sick_begin_shown(&s);
		put_file("proc/sys/net/bridge/bridge-nf-call-iptables", both ? "1\n" : "0\n");
		put_file("proc/sys/net/bridge/bridge-nf-call-ip6tables", "1\n");
		examine(&s, "forwarding", doctor_check_forwarding);
		CHECK_INT(s.doctor.n, 1);
		const struct strv *cures = &s.doctor.findings[0].cures;
		CHECK_INT(cures->n, both ? 4 : 3);
		CHECK_STR(cures->items[0],
				both ? "sysctl -w net.bridge.bridge-nf-call-iptables=0"
				     : "sysctl -w net.bridge.bridge-nf-call-ip6tables=0");
		CHECK_STR(cures->items[both], "sysctl -w net.bridge.bridge-nf-call-ip6tables=0");
		sick_end(&s);
	}
	shell("nft flush ruleset");
}

TEST(other_chains_drop_what_is_forwarded)
{
	NEED_NFT();
	struct sick s;
	sick_begin_shown(&s);
	shell("nft add table inet wall; nft add chain inet wall pass '{ type filter hook forward "
	      "priority 10; policy drop; }'");
	/* These don't: another hook, another policy, another family. */
	shell("nft add chain inet wall in '{ type filter hook input priority 0; policy drop; }'");
	shell("nft add chain inet wall also '{ type filter hook forward priority 0; }'");
	shell("nft add table bridge b; nft add chain bridge b f '{ type filter hook forward "
	      "priority 0; policy drop; }'");
	shell("nft add table ip6 x; nft add chain ip6 x f '{ type filter hook forward priority 0; "
	      "policy drop; }'");
	CHECK_FOUND(&s, forwarding,
			"fault: bridge 'br0': its frames pass the chain 'pass' of table 'inet "
			"wall', which drops them\n"
			"  guests on it reach the host, but not each other or the network: "
			"machines 'web', 'db'\n"
			"    sysctl -w net.bridge.bridge-nf-call-iptables=0\n"
			"    # or, if containers need it, for this bridge alone:\n"
			"    nft insert rule inet wall pass iifname br0 oifname br0 accept\n");
	shell("nft insert rule inet wall pass iifname br0 oifname br0 accept");
	CHECK_FOUND(&s, forwarding, "");
	shell("nft flush ruleset");
	sick_end(&s);
}

/* ---- our own packet filter ---- */

/* A machine with a guard, as the config would make it. */
static void sick_begin_filtered(struct sick *s, struct fw_policy *policy, struct vm_filter *filter)
{
	sick_begin(s);
	*policy = (struct fw_policy){ .state = FW_STATE_NONE };
	*filter = (struct vm_filter){ .guard.mac = true };
	memset(filter->defaults, 0xff, sizeof(filter->defaults));
	s->doctor.policy = policy;
	struct vm_nic *nic = add_nic(s, add(s, "web", true), "br0");
	nic->name = "0";
	nic->link = "web.0";
	nic->mac = "52:54:00:12:34:56";
	nic->filter = filter;
}

TEST(filters_are_tried)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	sick_begin_filtered(&s, &policy, &filter);
	CHECK_FOUND(&s, firewall, "");
	/* Trying is not installing. */
	CHECK(system("PATH=$PATH:/sbin:/usr/sbin; nft list table bridge machina 2>/dev/null") != 0);
	s.doctor.is_root = false;
	CHECK_FOUND(&s, firewall, "left out: only root may look at packet filters\n");
	sick_end(&s);
}

TEST(a_table_is_foreign)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	sick_begin_filtered(&s, &policy, &filter);
	shell("nft add table bridge machina");
	CHECK_FOUND(&s, firewall,
			"fault: nftables has a table 'bridge machina' that another program has "
			"made\n"
			"  a machine whose rules cannot be installed does not start: machine "
			"'web'\n"
			"    nft list table bridge machina\n"
			"    # if nobody needs it: nft delete table bridge machina\n");
	shell("nft delete table bridge machina");
	sick_end(&s);
}

/* By what nft(8) can do on this kernel. */
TEST(connections_on_bridges_are_tracked)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	sick_begin_filtered(&s, &policy, &filter);
	policy.state = FW_STATE_AUTO;
	filter.has_any = true;
	shell("nft add table bridge x; nft add chain bridge x c '{ type filter hook prerouting "
	      "priority -150; }'");
	bool tracks = system("PATH=$PATH:/sbin:/usr/sbin; nft add rule bridge x c ct state new "
			     "2>/dev/null") == 0;
	shell("nft delete table bridge x");
	CHECK_FOUND(&s, firewall,
			tracks ? ""
			       : "warning: this kernel does not track connections on bridges\n"
				 "  flows are kept in sets instead, which know nothing of TCP's "
				 "states and refuse new replies when they are full\n"
				 "    modprobe nf_conntrack_bridge\n");
	policy.state = FW_STATE_CONNTRACK;
	examine(&s, "firewall", doctor_check_firewall);
	CHECK_INT(doctor_worst(&s.doctor, NULL), tracks ? DOCTOR_OK : DOCTOR_FAULT);
	CHECK(tracks || !strcmp(s.doctor.findings[0].cures.items[0],
					"modprobe -a nf_tables nf_conntrack_bridge "
					"nft_reject_bridge"));
	sick_end(&s);
}

TEST(what_is_held_is_opened_soon)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	struct error err = {};
	sick_begin_filtered(&s, &policy, &filter);
	CLEANUP(freep) char *run = xstrdup(scratch_path("run"));
	make_directory("run");
	s.doctor.run_dir = run;
	CHECK_FOUND(&s, firewall, "");
	/* By a firewall that loads its rules now. */
	CHECK_INT(hold_mark(run, &err), 0);
	CHECK_FOUND(&s, firewall, "");
	struct timespec times[2];
	clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= 5 * 60 + 1;
	times[1] = times[0];
	CHECK_INT(utimensat(AT_FDCWD, scratch_path("run/.hold"), times, 0), 0);
	CHECK_FOUND(&s, firewall,
			"warning: interfaces with a packet filter are held closed for 5 minutes "
			"now "
			"('machina firewall hold'), and no 'machina firewall apply' has followed\n"
			"  machines with a filter that start have no network\n"
			"    machina firewall apply\n"
			"    journalctl -b -u 'machina-firewall-*'   # why it has not come to "
			"that\n");
	s.machines[0].running = true;
	examine(&s, "firewall", doctor_check_firewall);
	CHECK_INT(s.doctor.findings[0].level, DOCTOR_FAULT);
	CHECK_STR(s.doctor.findings[0].why,
			"no packet gets to guests and from them, nor to machines that start: "
			"machine 'web'");
	CHECK(hold_unmark(run));
	sick_end(&s);
}

TEST(closed_ports_of_guests_that_are_there)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	sick_begin_filtered(&s, &policy, &filter);
	s.machines[0].running = true;
	put_file("sys/class/net/web.0/carrier", "1\n");
	put_file("sys/class/net/web.0/brport/state", "0\n");
	examine(&s, "firewall", doctor_check_firewall);
	CHECK_STR(s.doctor.findings[0].what, "interfaces of machine 'web' are closed");
	CHECK_STR(s.doctor.findings[0].cures.items[0], "machina firewall apply");
	/* Nobody is at the other end of it; or it is open. */
	put_file("sys/class/net/web.0/carrier", "0\n");
	examine(&s, "firewall", doctor_check_firewall);
	CHECK(!strstr(s.doctor.findings[0].what, "closed"));
	put_file("sys/class/net/web.0/carrier", "1\n");
	put_file("sys/class/net/web.0/brport/state", "3\n");
	examine(&s, "firewall", doctor_check_firewall);
	CHECK(!strstr(s.doctor.findings[0].what, "closed"));
	sick_end(&s);
}

TEST(filters_are_there_while_machines_run)
{
	NEED_NFT();
	struct sick s;
	struct fw_policy policy;
	struct vm_filter filter;
	struct fw_port port;
	struct error err = {};
	sick_begin_filtered(&s, &policy, &filter);
	s.machines[0].running = true;
	CHECK_FOUND(&s, firewall,
			"fault: machine 'web' runs without its packet filter\n"
			"  somebody has flushed nftables: whatever the rules forbid passes\n"
			"    machina firewall apply\n");

	CLEANUP(netlink_done) struct netlink nl = {};
	CHECK_INT(nft_open(&nl, &err), 0);
	CHECK_INT(fw_port_of_nic(&policy, &s.vms[0], &s.nics[0], &port, &err), 0);
	const struct firewall_port asked = { .port = &port };
	const struct firewall_request request = { .policy = &policy, .ports = &asked, .n = 1 };
	CHECK_INT(firewall_install(&nl, &request, &err), 0);
	shell("ip link add web.0 type bridge; ip link set web.0 alias machina:web/0");
	CHECK_FOUND(&s, firewall, "");
	s.doctor.prepared = &asked;
	s.doctor.n_prepared = 1;
	CHECK_FOUND(&s, firewall, "");
	shell("nft flush chain bridge machina postrouting; nft flush chain bridge machina "
	      "vm-web.0-in; nft flush map bridge machina from-vm");
	CHECK_FOUND(&s, firewall,
			"fault: what the packet filter is made of is not as machina makes it: "
			"chain 'postrouting', chain 'vm-web.0-in', map 'from-vm'\n"
			"  somebody has changed it by hand, or it is older than an upgrade of "
			"machina; what its rules forbid may pass, and what they allow may not\n"
			"    machina firewall apply\n");
	CHECK_INT(firewall_install(&nl, &request, &err), 0);
	CHECK_FOUND(&s, firewall, "");
	/* The machine has stopped, and its interface has gone, but for the rules. */
	shell("ip link del web.0; ip link add web.1 type bridge; ip link set web.1 alias "
	      "machina:web.b/0");
	s.machines[0].running = false;
	CHECK_FOUND(&s, firewall,
			"warning: nftables still has rules of machine 'web', whose interfaces have "
			"gone\n"
			"  they match nothing now; addresses in them still count as members of "
			"groups\n"
			"    machina teardown web\n");
	CHECK_INT(firewall_remove(&nl, &(struct firewall_removal){ .machine = "web" }, &err), 0);
	CHECK_FOUND(&s, firewall, "");
	fw_port_done(&port);
	sick_end(&s);
}

TEST(forwarding_is_nobodys_matter)
{
	struct sick s;
	sick_begin(&s);
	put_file("proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
	add(&s, "web", true);
	CHECK_FOUND(&s, forwarding, "ok: no machine is on a bridge\n");
	/* A macvtap is on an interface, and no bridge has to do with it. */
	add_nic(&s, &s.vms[0], "eth7")->mode = NETWORK_MACVTAP;
	CHECK_FOUND(&s, forwarding, "ok: no machine is on a bridge\n");
	sick_end(&s);
}

TEST(rules_are_there_while_networks_are_up)
{
	NEED_NFT();
	struct sick s;
	struct error err = {};
	struct fw_policy policy = {};
	struct network_conf conf = { .name = "lab", .mode = NETWORK_ISOLATED, .device = "mlab0" };
	const struct host_conf host = { .network = { .items = &conf, .n = 1 } };
	const struct network network = { .name = conf.name,
		.mode = NETWORK_ISOLATED,
		.bridge = "mlab0",
		.mac = "02:01:02:03:04:06" };
	sick_begin(&s);
	s.doctor.policy = &policy;
	s.doctor.host = &host;
	CHECK_FOUND(&s, firewall, "ok: no machine has a filter\n");
	shell("ip link add mlab0 type bridge; ip link set mlab0 alias machina:network:lab");
	CHECK_FOUND(&s, firewall,
			"fault: network 'lab' is up without its packet filter\n"
			"  somebody has flushed nftables: its guests reach nobody beyond the host, "
			"or everybody reaches them\n"
			"    machina firewall apply\n");
	CLEANUP(netlink_done) struct netlink nl = {};
	CHECK_INT(nft_open(&nl, &err), 0);
	CHECK_INT(net_rules_install(&nl, &network, &err), 0);
	CHECK_FOUND(&s, firewall, "ok: no machine has a filter\n");
	CHECK_INT(net_rules_remove(&nl, "lab", "mlab0", &err), 0);
	/* A bridge of that name that another program has made. */
	shell("ip link set mlab0 alias theirs");
	CHECK_FOUND(&s, firewall, "ok: no machine has a filter\n");
	shell("ip link del mlab0");
	sick_end(&s);
}

TEST_MAIN()
