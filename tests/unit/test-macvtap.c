/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Macvtaps, for real, in a network namespace of this process. Each test ends with the interfaces it
 * began with.
 */
#include "host/net/macvtap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "host/net/tap.h"
#include "own-network.h"
#include "test.h"

#define ALIAS "machina:web/lan"

/* "up0" is the card, "up1" the switch. NULL, or why there can be no macvtaps here. */
static const char *enter_own_network(void)
{
	static bool entered;
	if (entered)
		return NULL;
	const char *why_not = own_network("only root makes macvtaps");
	if (why_not)
		return why_not;
	if (!shell_works("ip link add up0 mtu 1400 type veth peer name up1 && ip link set up0 up "
			 "&& ip link set up1 up"))
		return "no interface to sit on can be made (package iproute2)";
	if (!shell_works("ip link add link up0 name x type macvtap && ip link del x"))
		return "this kernel has no macvtap";
	entered = true;
	return NULL;
}

#define NEED_NETWORK() SKIP_BECAUSE(enter_own_network())

static struct netlink nl;

static void begin(void)
{
	struct error err = {};
	if (netlink_open(&nl, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void check_names(const char *expected)
{
	CLEANUP(freep)
	char *got = shell_output("ip -br link | sed 's/[@ ].*//' | sort | tr '\\n' ' '");
	CHECK_STR(got, expected);
}

static void end(void)
{
	check_names("lo up0 up1 ");
	netlink_done(&nl);
}

static void ip(const char *arguments)
{
	CLEANUP(freep) char *command = xasprintf("ip %s", arguments);
	free(shell_output(command));
}

static struct macvtap_request request(void)
{
	return (struct macvtap_request){
		.name = "web.lan",
		.alias = ALIAS,
		.network = "lan",
		.device = "up0",
		.mac = { 0x52, 0x54, 0, 1, 2, 3 },
	};
}

static int create(const struct macvtap_request *r)
{
	struct error err = {};
	int fd = -1;
	if (macvtap_create(&nl, r, &fd, &err) < 0)
		TEST_FAIL("%s", err.text);
	return fd;
}

static void check_refused(const struct macvtap_request *r, int code, const char *text)
{
	struct error err = {};
	int fd = -1;
	CHECK_INT(macvtap_create(&nl, r, &fd, &err), -code);
	CHECK_STR(err.text, text);
	CHECK_INT(fd, -1);
}

static void check_removed(const struct macvtap_request *r, int expected)
{
	struct error err = {};
	int result = macvtap_remove(&nl, r, &err);
	if (result != expected)
		TEST_FAIL("removing ended with %d, not %d: %s", result, expected, err.text);
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

TEST(a_macvtap_sits_on_its_device)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	int fd = create(&r);
	struct link link = get("web.lan"), device = get("up0");
	CHECK_STR(link.kind, "macvtap");
	CHECK_STR(link.alias, ALIAS);
	CHECK_INT(link.lower, device.index);
	CHECK_INT(link.mtu, 1400);
	CHECK(link.up);
	CHECK(!memcmp(link.address, r.mac, sizeof(r.mac)));
	CHECK(memcmp(device.address, r.mac, sizeof(r.mac)) != 0);

	/* What QEMU asks of the descriptor it gets. */
	struct ifreq features = {};
	CHECK_INT(ioctl(fd, TUNGETIFF, &features), 0);
	CHECK_STR(features.ifr_name, "web.lan");
	CHECK_INT(features.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
			IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);

	/* The host is no neighbour of its guest by this link. */
	CLEANUP(freep) char *addresses = shell_output("ip -6 addr show dev web.lan");
	CHECK_STR(addresses, "");
	close(fd);
	check_names("lo up0 up1 web.lan ");
	check_removed(&r, 0);
	check_removed(&r, 1);
	end();
}

TEST(a_macvtap_has_several_queues)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	struct error err = {};
	int fds[3] = { -1, -1, -1 };
	r.queues = ARRAY_SIZE(fds);
	if (macvtap_create(&nl, &r, fds, &err) < 0)
		TEST_FAIL("%s", err.text);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		struct ifreq tap = {}, off = { .ifr_flags = IFF_DETACH_QUEUE },
			     on = { .ifr_flags = IFF_ATTACH_QUEUE };
		CHECK_INT(ioctl(fds[i], TUNGETIFF, &tap), 0);
		CHECK_STR(tap.ifr_name, "web.lan");
		CHECK_INT(ioctl(fds[i], TUNSETQUEUE, &off), 0);
		CHECK_INT(ioctl(fds[i], TUNSETQUEUE, &on), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	check_removed(&r, 0);
	end();
}

TEST(mtu_of_the_network_wins)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	r.mtu = 1300;
	close(create(&r));
	CHECK_INT(get("web.lan").mtu, 1300);
	check_removed(&r, 0);
	r.mtu = 9000;
	check_refused(&r, EINVAL,
			"network 'lan': an MTU of 9000 is more than that of interface 'up0', which "
			"is 1400");
	end();
}

/* Does a frame from one guest arrive at the other? */
static bool reaches(int from, int to, const uint8_t *destination, const uint8_t *source)
{
	struct {
		struct virtio_net_hdr header;
		uint8_t destination[6], source[6], type[2], text[50];
	} __attribute__((packed)) frame = { .type = { 0x88, 0xb5 }, .text = "hello" }, got;
	memcpy(frame.destination, destination, 6);
	memcpy(frame.source, source, 6);
	if (write(from, &frame, sizeof(frame)) != (ssize_t)sizeof(frame))
		TEST_FAIL("cannot send: %m");
	/* The kernel has handed it over when the call returns, or never will. */
	struct pollfd poll_fd = { .fd = to, .events = POLLIN };
	while (poll(&poll_fd, 1, 0) == 1) {
		ssize_t n = read(to, &got, sizeof(got));
		if (n >= 64 && !memcmp(got.destination, destination, 6) &&
				!memcmp(got.text, "hello", 5))
			return true;
	}
	return false;
}

TEST(modes_decide_whom_a_guest_reaches)
{
	NEED_NETWORK();
	begin();
	static const struct {
		enum macvtap_mode mode;
		bool reaches;
	} rows[] = {
		{ MACVTAP_BRIDGE, true },
		{ MACVTAP_PRIVATE, false },
		{ MACVTAP_VEPA, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct macvtap_request a = request(), b = request();
		a.mode = b.mode = rows[i].mode;
		b.name = "db.lan";
		b.alias = "machina:db/lan";
		b.mac[5] = 9;
		int from = create(&a), to = create(&b);
		CLEANUP(freep) char *shown = shell_output("ip -d link show web.lan");
		CLEANUP(freep)
		char *mode = xasprintf("macvtap mode %s ", macvtap_mode_names[rows[i].mode]);
		CHECK(strstr(shown, mode) != NULL);
		if (reaches(from, to, b.mac, a.mac) != rows[i].reaches)
			TEST_FAIL("%s: a frame %s", macvtap_mode_names[rows[i].mode],
					rows[i].reaches ? "is lost" : "arrives");
		close(from);
		close(to);
		check_removed(&a, 0);
		check_removed(&b, 0);
	}
	end();
}

TEST(passthru_takes_the_device_over_and_gives_it_back)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request(), other = request();
	struct link before = get("up0");
	r.mode = MACVTAP_PASSTHRU;
	close(create(&r));
	CHECK(!memcmp(get("web.lan").address, r.mac, sizeof(r.mac)));
	CHECK(!memcmp(get("up0").address, r.mac, sizeof(r.mac)));
	other.name = "db.lan";
	other.alias = "machina:db/lan";
	check_refused(&other, EINVAL,
			"network 'lan': there can be no macvtap on 'up0': it is no Ethernet "
			"interface, or one of mode passthru is, or would be, not alone there");
	/* Left by somebody who was killed. */
	close(create(&r));
	check_removed(&r, 0);
	CHECK(!memcmp(get("up0").address, before.address, sizeof(before.address)));
	end();
}

TEST(devices_that_will_not_do)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	r.device = "up7";
	check_refused(&r, ENODEV,
			"network 'lan': the interface 'up7' does not exist; correct 'device' of "
			"the network ('ip link' lists what there is)");
	r.device = "up0";
	ip("link set up0 down");
	check_refused(&r, ENETDOWN,
			"network 'lan': the interface 'up0' is down; set it up ('ip link set up0 "
			"up')");
	ip("link set up0 up");
	ip("link add br0 type bridge");
	ip("link set up0 master br0");
	check_refused(&r, EBUSY,
			"network 'lan': the interface 'up0' belongs to 'br0', which gets all that "
			"arrives there; name 'br0' as 'device'");
	ip("link del br0");
	ip("link set lo up");
	r.device = "lo";
	check_refused(&r, EINVAL,
			"network 'lan': there can be no macvtap on 'lo': it is no Ethernet "
			"interface, or one of mode passthru is, or would be, not alone there");
	r.device = "up0";
	struct link device = get("up0");
	memcpy(r.mac, device.address, sizeof(r.mac));
	check_refused(&r, EADDRINUSE,
			"network 'lan': the interface 'up0', or another guest on it, has the MAC "
			"address of this connection");
	r = request();
	r.name = "a-name-of-16-byt";
	check_refused(&r, EINVAL, "'a-name-of-16-byt' is no name of an interface");
	end();
}

/* What somebody else has made stays, when it is in the way and when things are tidied up. */
TEST(a_link_of_others_is_not_touched)
{
	NEED_NETWORK();
	begin();
	static const char *const others[] = {
		"link add web.lan type bridge",
		"link add link up0 name web.lan address 52:54:00:01:02:04 type macvtap",
		"link add link up1 name web.lan address 52:54:00:01:02:03 type macvtap",
		"link add link up0 name web.lan address 52:54:00:01:02:03 type macvlan",
	};
	struct macvtap_request r = request();
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		ip(others[i]);
		int index = get("web.lan").index;
		check_refused(&r, EEXIST,
				"interface 'web.lan' exists and is not of connection "
				"'machina:web/lan' (its alias is ''); it is left alone: rename or "
				"delete it");
		check_removed(&r, 1);
		ip("link set web.lan alias machina:web/other");
		check_refused(&r, EEXIST,
				"interface 'web.lan' exists and is not of connection "
				"'machina:web/lan' (its alias is 'machina:web/other'); it is left "
				"alone: rename or delete it");
		check_removed(&r, 1);
		CHECK_INT(get("web.lan").index, index);
		ip("link del web.lan");
	}
	end();
}

TEST(what_is_left_over_is_replaced)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	int first = create(&r), second = create(&r);
	struct ifreq lost = {};
	CHECK_INT(ioctl(first, TUNGETIFF, &lost), -1);
	CHECK_INT(ioctl(second, TUNGETIFF, &lost), 0);
	close(first);
	close(second);
	/* Somebody was killed before it had its alias. */
	check_removed(&r, 0);
	static const char half[] =
			"link add link up0 name web.lan address 52:54:00:01:02:03 type macvtap";
	ip(half);
	close(create(&r));
	check_removed(&r, 0);
	ip(half);
	check_removed(&r, 0);
	/* Also by another name of the device (ip-link(8), altname). */
	r.device = "wire0";
	ip("link property add dev up0 altname wire0");
	ip(half);
	close(create(&r));
	check_removed(&r, 0);
	ip(half);
	check_removed(&r, 0);
	end();
}

/* As teardown does for connections that have another name by now. */
TEST(links_of_a_machine_are_found_by_alias)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	close(create(&r));
	CLEANUP(freep) char *prefix = tap_alias_prefix("web");
	struct error err = {};
	CHECK_INT(tap_remove_all(&nl, prefix, &err), 0);
	end();
}

/* Numbers of interfaces are the same in many namespaces, and so the names of nodes in /dev. */
TEST(nothing_of_dev_is_used)
{
	NEED_NETWORK();
	begin();
	struct macvtap_request r = request();
	int fd = create(&r);
	struct link link = get("web.lan");
	struct stat st = {};
	dev_t number = 0;
	struct error err = {};
	CHECK_INT(fstat(fd, &st), 0);
	CHECK_INT(macvtap_number(&link, &number, &err), 0);
	CHECK(S_ISCHR(st.st_mode) && st.st_rdev == number);
	CLEANUP(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
	char target[64] = "";
	CHECK(readlink(path, target, sizeof(target) - 1) > 0);
	CHECK_STR(target, "/web.lan");
	close(fd);
	check_removed(&r, 0);
	end();
}

TEST_MAIN()
