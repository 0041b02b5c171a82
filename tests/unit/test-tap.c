/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps and links, for real, in a network namespace of this process. Each test ends with the
 * interfaces it began with.
 */
#include "host/net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "host/net/netlink-talk.h"
#include "host/os/netns.h"
#include "own-network.h"
#include "test.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/mem.h"

#define ALIAS "machina:web/lan"

/* NULL, or why there can be no taps here. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network_with_taps();
	if (why_not)
		return why_not;
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static void ip(const char *arguments)
{
	CLEANUP(freep) char *command = xasprintf("PATH=$PATH:/sbin:/usr/sbin ip %s", arguments);
	if (system(command) != 0)
		TEST_FAIL("'ip %s' has failed", arguments);
}

/* The names of all interfaces, with a space behind each. */
static char *names(void)
{
	struct if_nameindex *all = if_nameindex();
	CLEANUP(buf_done) struct buf text = {};
	for (struct if_nameindex *i = all; i && i->if_index; i++)
		buf_printf(&text, "%s ", i->if_name);
	if_freenameindex(all);
	return buf_take(&text);
}

static void check_names(const char *expected)
{
	CLEANUP(freep) char *got = names();
	CHECK_STR(got, expected);
}

static struct netlink nl;

static void check_open(void)
{
	struct error err = {};
	if (netlink_open(&nl, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static struct tap_request request(void)
{
	return (struct tap_request){
		.name = "web.lan",
		.alias = ALIAS,
		.network = "lan",
		.bridge = "br0",
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
	};
}

static int create(const struct tap_request *r)
{
	struct error err = {};
	int fd = -1;
	if (tap_create(&nl, r, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	return fd;
}

static void check_refused(const struct tap_request *r, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(tap_create(&nl, r, &fd, &err), -code);
	CHECK_STR(err.text, text);
	CHECK_INT(fd, -1);
}

static struct link get(const char *name)
{
	struct error err = {};
	struct link link = {};
	int r = netlink_get(&nl, name, &link, &err);
	if (r != 0)
		TEST_FAIL("interface %s: %d %s", name, r, err.text);
	return link;
}

TEST(a_tap_joins_its_bridge)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 mtu 1400 type bridge");
	ip("link set br0 up");
	ip("link add up0 address fa:00:00:00:00:01 mtu 1400 master br0 type veth peer name up1");
	struct tap_request r = request();
	int fd = create(&r);

	struct link bridge = get("br0"), tap = get("web.lan");
	CHECK_STR(bridge.kind, "bridge");
	CHECK_STR(tap.kind, "tun");
	CHECK_STR(tap.alias, ALIAS);
	CHECK_INT(tap.master, bridge.index);
	CHECK_INT(tap.mtu, 1400);
	CHECK_INT(bridge.mtu, 1400);
	CHECK(tap.up);
	static const uint8_t address[6] = { 0xfe, 0x54, 0, 1, 2, 3 };
	CHECK(!memcmp(tap.address, address, 6));
	/* Not even where the uplink's address is high. */
	CHECK(!memcmp(bridge.address, get("up0").address, 6));

	/* What QEMU asks of the descriptor it gets. */
	struct ifreq features = {};
	CHECK_INT(ioctl(fd, TUNGETIFF, &features), 0);
	CHECK_STR(features.ifr_name, "web.lan");
	CHECK_INT(features.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE),
			IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);

	close(fd);
	ip("link del up0");
	check_names("lo br0 ");
	ip("link del br0");
	netlink_done(&nl);
}

static void check_queue(int fd, const char *name)
{
	struct ifreq tap = {};
	CHECK_INT(ioctl(fd, TUNGETIFF, &tap), 0);
	CHECK_STR(tap.ifr_name, name);
	CHECK_INT(tap.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE),
			IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	/* As QEMU does, while the guest uses fewer of them. */
	struct ifreq off = { .ifr_flags = IFF_DETACH_QUEUE },
		     on = { .ifr_flags = IFF_ATTACH_QUEUE };
	CHECK_INT(ioctl(fd, TUNSETQUEUE, &off), 0);
	CHECK_INT(ioctl(fd, TUNSETQUEUE, &on), 0);
}

TEST(a_tap_has_several_queues)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 type bridge");
	struct tap_request r = request();
	struct error err = {};
	int fds[4] = { -1, -1, -1, -1 };
	r.queues = 3;
	/* One that is left open is replaced as well. */
	for (int round = 0; round < 2; round++) {
		int before[] = { fds[0], fds[1], fds[2] };
		if (tap_create(&nl, &r, fds, &err) < 0)
			TEST_FAIL("%s", err.text);
		CHECK_INT(get("web.lan").master, get("br0").index);
		for (size_t i = 0; i < 3; i++) {
			check_queue(fds[i], "web.lan");
			closep(&before[i]);
		}
		CHECK_INT(fds[3], -1);
	}
	check_names("lo br0 web.lan ");
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	check_names("lo br0 ");
	ip("link del br0");
	netlink_done(&nl);
}

static size_t n_open(void)
{
	size_t n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The kernel has 256 of them for a tap (MAX_TAP_QUEUES in drivers/net/tun.c). */
TEST(a_tap_that_can_t_have_all_its_queues_is_none)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	struct error err = {};
	int fds[257];
	size_t before = n_open();
	r.bridge = NULL;
	r.persistent = true;
	r.queues = ARRAY_SIZE(fds);
	CHECK_INT(tap_create(&nl, &r, fds, &err), -E2BIG);
	CHECK_STR(err.text, "cannot make queue 257 of tap 'web.lan': Argument list too long");
	CHECK_INT(n_open(), before);
	check_names("lo ");
	netlink_done(&nl);
}

/* The host is no neighbour of its guests unless it is made one. */
TEST(a_tap_has_no_address_of_its_own)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 type bridge");
	ip("link set br0 up");
	struct tap_request r = request();
	int fd = create(&r);
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (access("/proc/self/net/if_inet6", R_OK) != 0)
		SKIP("this kernel has no IPv6");
	CHECK_INT(file_read("/proc/thread-self/net/if_inet6", 65536, &text, &err), 0);
	/* The bridge has one, so the host does give addresses to links. */
	CHECK(strstr(buf_text(&text), " br0\n") != NULL);
	CHECK(strstr(buf_text(&text), " web.lan\n") == NULL);
	close(fd);
	ip("link del br0");
	netlink_done(&nl);
}

TEST(mtu_of_the_network_wins)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 mtu 9000 type bridge");
	struct tap_request r = request();
	r.mtu = 1300;
	int fd = create(&r);
	CHECK_INT(get("web.lan").mtu, 1300);
	close(fd);
	ip("link del br0");
	netlink_done(&nl);
}

TEST(without_a_bridge_the_script_does_the_rest)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	r.bridge = NULL;
	int fd = create(&r);
	struct link tap = get("web.lan");
	CHECK(!tap.up);
	CHECK_INT(tap.master, 0);
	CHECK_INT(tap.mtu, 1500);
	CHECK_STR(tap.alias, ALIAS);
	close(fd);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(a_missing_bridge_is_named)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	check_refused(&r, ENODEV,
			"network 'lan': the bridge 'br0' does not exist; create it, or correct "
			"'device' of the network");
	check_names("lo ");
	netlink_done(&nl);
}

/* Linux knows no more of them (BR_MAX_PORTS). */
TEST(a_bridge_that_is_full_is_named)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 type bridge");
	CLEANUP(buf_done) struct buf lines = {};
	for (int i = 0; i < 1023; i++)
		buf_printf(&lines,
				"tuntap add mode tap name p%d\n"
				"link set p%d master br0 group 7\n",
				i, i);
	FILE *batch = popen("PATH=$PATH:/sbin:/usr/sbin ip -batch -", "w");
	CHECK(batch != NULL);
	fputs(buf_text(&lines), batch);
	CHECK_INT(pclose(batch), 0);
	struct tap_request r = request();
	check_refused(&r, EXFULL,
			"network 'lan': the bridge 'br0' has 1023 ports, and Linux gives none "
			"more; put machines on another one");
	ip("link del group 7");
	ip("link del br0");
	check_names("lo ");
	netlink_done(&nl);
}

/* Of a network that makes its bridge, no other one will do. */
TEST(a_bridge_of_a_network_is_known_by_its_alias)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	r.own_bridge = true;
	check_refused(&r, ENODEV,
			"network 'lan': its bridge 'br0' is not there; 'systemctl restart "
			"machina-network-lan.service' makes it, and starts the network's machines "
			"again");
	ip("link add br0 type bridge");
	check_refused(&r, EEXIST,
			"network 'lan': interface 'br0' is not the bridge of this network (its "
			"alias is ''); see 'systemctl status machina-network-lan.service'");
	ip("link set br0 alias machina:network:lan");
	close(create(&r));
	ip("link del br0");
	check_names("lo ");
	netlink_done(&nl);
}

TEST(a_bridge_is_a_bridge)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 type veth peer name br1");
	struct tap_request r = request();
	check_refused(&r, EINVAL, "network 'lan': 'br0' is not a bridge");
	r.bridge = "lo";
	check_refused(&r, EINVAL, "network 'lan': 'lo' is not a bridge");
	ip("link del br0");
	check_names("lo ");
	netlink_done(&nl);
}

/* Its ports are made otherwise, and its frames pass no filter of the kernel's bridges. */
TEST(a_bridge_of_open_vswitch_is_none)
{
	const struct tap_request r = request();
	const struct link bridge = { .index = 7, .name = "br0", .kind = "openvswitch" };
	struct error err = {};
	CHECK_INT(tap_check_bridge(&r, &bridge, &err), -EINVAL);
	CHECK_STR(err.text,
			"network 'lan': 'br0' is a bridge of Open vSwitch; use scripts ('up' and "
			"'down') to connect to it, or mode vhost-user where it runs with DPDK");
}

TEST(a_link_of_others_is_not_touched)
{
	NEED_NETWORK();
	check_open();
	ip("link add br0 type bridge");
	ip("tuntap add web.lan mode tap");
	struct tap_request r = request();
	check_refused(&r, EEXIST,
			"interface 'web.lan' exists and is not of connection 'machina:web/lan' "
			"(its "
			"alias is ''); it is left alone: rename or delete it");
	ip("link set web.lan alias machina:web/other");
	check_refused(&r, EEXIST,
			"interface 'web.lan' exists and is not of connection 'machina:web/lan' "
			"(its "
			"alias is 'machina:web/other'); it is left alone: rename or delete it");
	CHECK_INT(tap_remove(&nl, "web.lan", ALIAS, NULL), 1);
	struct link link;
	CHECK_INT(tap_find(&nl, "web.lan", ALIAS, &link, NULL), 1);
	CHECK_STR(get("web.lan").alias, "machina:web/other");
	ip("link del web.lan");
	ip("link del br0");
	netlink_done(&nl);
}

TEST(names_have_a_limit)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	r.bridge = NULL;
	r.name = "a-name-of-15-by";
	int fd = create(&r);
	close(fd);
	r.name = "a-name-of-16-byt";
	check_refused(&r, EINVAL, "interface name 'a-name-of-16-byt' is longer than 15 bytes");
	r.name = "";
	check_refused(&r, EINVAL, "'' is no name of an interface");
	r.name = "a/b";
	struct error err = {};
	CHECK_INT(tap_create(&nl, &r, &fd, &err), -EINVAL);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(a_tap_left_open_is_replaced)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	r.bridge = NULL;
	int first = create(&r);
	int second = create(&r);
	check_names("lo web.lan ");
	/* The old descriptor has lost its link. */
	struct ifreq lost = {};
	CHECK_INT(ioctl(first, TUNGETIFF, &lost), -1);
	close(first);
	check_names("lo web.lan ");
	close(second);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(a_persistent_tap_stays_until_it_is_removed)
{
	NEED_NETWORK();
	check_open();
	struct tap_request r = request();
	r.bridge = NULL;
	r.persistent = true;
	close(create(&r));
	check_names("lo web.lan ");
	struct link link;
	CHECK_INT(tap_find(&nl, "web.lan", ALIAS, &link, NULL), 0);
	CHECK_INT(tap_remove(&nl, "web.lan", ALIAS, NULL), 0);
	CHECK_INT(tap_remove(&nl, "web.lan", ALIAS, NULL), 1);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(links_of_a_machine_are_found_by_alias)
{
	NEED_NETWORK();
	check_open();
	static const struct {
		const char *name, *machine, *connection;
	} rows[] = {
		{ "t0", "web", "a" },
		{ "t1", "web", "b" },
		{ "t2", "web.a", "b" },
		{ "t3", "we", "b" },
		{ "t4", "webb", "a" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *alias = tap_alias(rows[i].machine, rows[i].connection);
		struct tap_request r = request();
		r.bridge = NULL;
		r.name = rows[i].name;
		r.alias = alias;
		r.persistent = true;
		close(create(&r));
	}
	CLEANUP(freep) char *prefix = tap_alias_prefix("web");
	struct error err = {};
	CHECK_INT(tap_remove_all(&nl, prefix, &err), 0);
	check_names("lo t2 t3 t4 ");
	CHECK_INT(tap_remove_all(&nl, prefix, &err), 0);
	CHECK_INT(tap_remove_all(&nl, "machina:", &err), 0);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(who_waits_long_for_a_single_try_has_some_more)
{
	struct netlink_tries late = { .until_usec = 1 }, begun = {};
	unsigned n = 0;
	while (netlink_may_try(&late))
		n++;
	CHECK_INT(n, NETLINK_TRIES_MIN);
	for (n = 0; n < 100 && netlink_may_try(&begun); n++)
		;
	CHECK_INT(n, 100);
}

TEST(many_links_are_listed)
{
	NEED_NETWORK();
	check_open();
	CLEANUP(buf_done) struct buf batch = {};
	for (unsigned i = 0; i < 60; i++)
		buf_printf(&batch,
				"link add d%u type bridge\nlink set d%u alias "
				"machina:many/%0200u\n",
				i, i, i);
	FILE *f = popen("PATH=$PATH:/sbin:/usr/sbin ip -batch -", "we");
	fputs(buf_text(&batch), f);
	CHECK_INT(pclose(f), 0);
	CLEANUP(freep) struct link *links = NULL;
	size_t n = 0;
	CHECK_INT(netlink_list(&nl, "machina:many/", &links, &n, NULL), 0);
	CHECK_INT(n, 60);
	CHECK_INT(tap_remove_all(&nl, "machina:many/", NULL), 0);
	check_names("lo ");
	netlink_done(&nl);
}

TEST(aliases_tell_machines_apart)
{
	CLEANUP(freep) char *plain = tap_alias("web", "lan");
	CHECK_STR(plain, ALIAS);
	CLEANUP(freep) char *prefix = tap_alias_prefix("a");
	CLEANUP(freep) char *dotted = tap_alias("a.b", "c");
	CHECK(strncmp(dotted, prefix, strlen(prefix)) != 0);

	CLEANUP(freep) char *connection = xcalloc(1, 301);
	memset(connection, 'x', 300);
	CLEANUP(freep) char *cut = tap_alias("web", connection);
	CHECK_INT(strlen(cut), LINK_ALIAS_MAX - 1);
}

TEST(another_network_is_entered_and_left)
{
	NEED_NETWORK();
	/* A child with a network of its own is the host here. */
	int ready[2], go[2];
	CHECK_INT(pipe2(ready, O_CLOEXEC), 0);
	CHECK_INT(pipe2(go, O_CLOEXEC), 0);
	pid_t child = fork();
	if (child == 0) {
		char c;
		close(go[1]);
		bool good = unshare(CLONE_NEWNET) == 0 &&
			    system("PATH=$PATH:/sbin:/usr/sbin ip link add there type bridge") == 0;
		if (write(ready[1], good ? "y" : "n", 1) != 1 || read(go[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	close(go[0]);
	char c = 0;
	CHECK_INT(read(ready[0], &c, 1), 1);
	CHECK_INT(c, 'y');

	CLEANUP(freep) char *path = xasprintf("/proc/%d/ns/net", child);
	struct error err = {};
	struct netns outside = {};
	CHECK_INT(netns_enter(path, &outside, &err), 0);
	CHECK(outside.entered);
	CHECK(if_nametoindex("there") != 0);
	struct netns again = {};
	CHECK_INT(netns_enter(path, &again, &err), 0);
	CHECK(!again.entered);
	netns_done(&again);
	netns_done(&outside);
	CHECK_INT(if_nametoindex("there"), 0);

	close(go[1]);
	waitpid(child, NULL, 0);
	CHECK_INT(netns_enter(path, &outside, &err), -ENOENT);
	close(ready[0]);
	close(ready[1]);
}

/* A list that is not whole is none: of such a failure the kernel tells where the list would end. */
TEST(a_list_that_fails_after_its_beginning_is_a_failure)
{
	struct error err = {};
	struct netlink own = {};
	struct netlink_answer answer = {};
	char space[LINK_MESSAGE_MAX];
	CHECK_INT(netlink_open(&own, &err), 0);
	struct nlmsghdr *message =
			link_message_begin(space, RTM_GETLINK, NLM_F_DUMP, ++own.sequence, 0);
	/* No other namespace has a number here. */
	mnl_attr_put_u32(message, IFLA_TARGET_NETNSID, 4711);
	CHECK_INT(netlink_talk(&own, message, message->nlmsg_len, &answer, "list links", &err),
			-EINVAL);
	CHECK_STR(err.text,
			"cannot list links: Invalid target network namespace id: Invalid argument");
	netlink_done(&own);
}

TEST_MAIN()
