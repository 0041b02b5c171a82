/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real connections through filters: answers come back, what is rejected is told at once, and while
 * rules are replaced nothing slips through.
 */
#include "host/net/firewall.h"

#include <netinet/ip_icmp.h>
#include <time.h>

#include "frames.h"

/* What is refused is told at once, by an emulated processor too; what is dropped never is. */
#define REJECT_MSEC 500
#define DROP_MSEC 500

static struct netlink nl;
static struct fw_policy policy;
static bool can_reject, can_track;
static int own_fd = -1, guest_fds[2] = { -1, -1 };

/* ---- two guests ---- */

static const char *const addresses[2][2] = { { "10.0.0.5", "10.0.0.9" }, { "fd00::5", "fd00::9" } };

/* A network of its own, with the far end of a port in it. */
static bool make_guest(size_t i)
{
	static const char *const macs[] = { "52:54:00:00:00:01", "52:54:00:00:00:02" };
	const char *name = port_names[i];
	if (unshare(CLONE_NEWNET) < 0)
		return false;
	guest_fds[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool done = setns(own_fd, CLONE_NEWNET) == 0 &&
		    FRAMES_RUN("ip link set g-%s netns /proc/%d/fd/%d", name, getpid(),
				    guest_fds[i]);
	if (!done || setns(guest_fds[i], CLONE_NEWNET) < 0)
		return false;
	done = FRAMES_RUN("ip link set g-%s arp on address %s up", name, macs[i]) &&
	       frames_run("ip link set lo up") &&
	       FRAMES_RUN("ip address add %s/24 dev g-%s", addresses[0][i], name) &&
	       FRAMES_RUN("ip address add %s/64 dev g-%s nodad", addresses[1][i], name);
	return setns(own_fd, CLONE_NEWNET) == 0 && done;
}

static const char *begin(void)
{
	static const char *reason = "";
	struct error err = {};
	if (!reason || reason[0])
		return reason;
	reason = frames_begin();
	if (reason)
		return reason;
	own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < 2; i++)
		if (!make_guest(i))
			return reason = "no guests can be made here";
	if (nft_open(&nl, &err) < 0 || !frames_run("nft add table bridge x") ||
			!frames_run("nft add chain bridge x c { type filter hook prerouting "
				    "priority 0; }"))
		return reason = "nft is missing, or the kernel has no nftables for bridges";
	can_reject = frames_run("nft add rule bridge x c reject");
	can_track = frames_run("nft add rule bridge x c ct state new");
	frames_run("nft delete table bridge x");
	return reason;
}

#define BEGIN()                                                                                    \
	do {                                                                                       \
		const char *reason_ = begin();                                                     \
		if (reason_)                                                                       \
			SKIP(reason_);                                                             \
	} while (0)

/* ---- the filter of web ---- */

static void install(const struct vm_filter *filter)
{
	struct error err = {};
	CLEANUP(fw_port_done) struct fw_port port = {};
	const struct vm vm = { .name = "web" };
	const struct vm_nic nic = { .name = "0",
		.network = "lan",
		.link = "web.0",
		.mac = "52:54:00:00:00:01",
		.filter = filter };
	const struct firewall_port one = { .port = &port };
	const struct firewall_request request = {
		.policy = &policy, .ports = &one, .n = 1, .is_all = true
	};
	if (fw_port_of_nic(&policy, &vm, &nic, &port, &err) < 0 ||
			firewall_install(&nl, &request, &err) < 0)
		TEST_FAIL("%s", err.text);
}

/* Closed but for what the rules say. */
static struct vm_filter closed(struct fw_rule *rules, size_t n)
{
	struct vm_filter filter = { .rules = rules, .n_rules = n, .has_any = true };
	memset(filter.defaults, 0xff, sizeof(filter.defaults));
	filter.defaults[FW_LEVEL_MACHINE][FW_IN] = FW_DEFAULT_DROP;
	filter.defaults[FW_LEVEL_MACHINE][FW_OUT] = FW_DEFAULT_DROP;
	return filter;
}

static const struct fw_span port_80[] = { { 80, 80 } }, port_81[] = { { 81, 81 } },
			    port_82[] = { { 82, 82 } }, echo[] = { { ICMP_ECHO, ICMP_ECHO } };

static struct fw_rule rule(enum fw_direction direction, enum fw_action action, int protocol,
		const struct fw_span *port)
{
	return (struct fw_rule){ .direction = direction,
		.action = action,
		.protocol = protocol,
		.ports = port,
		.n_ports = port != NULL,
		.origin = "vm",
		.priority = 200 };
}

/* ---- connections ---- */

static double now_msec(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static struct sockaddr_storage address_of(int family, size_t guest, uint16_t port, socklen_t *len)
{
	struct sockaddr_storage ret = {};
	if (family == AF_INET) {
		struct sockaddr_in *in = (void *)&ret;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		inet_pton(AF_INET, addresses[0][guest], &in->sin_addr);
		*len = sizeof(*in);
	} else {
		struct sockaddr_in6 *in = (void *)&ret;
		in->sin6_family = AF_INET6;
		in->sin6_port = htons(port);
		inet_pton(AF_INET6, addresses[1][guest], &in->sin6_addr);
		*len = sizeof(*in);
	}
	return ret;
}

/* A socket of a guest; it stays there. */
static int guest_socket(size_t guest, int family, int type, int protocol)
{
	int r = setns(guest_fds[guest], CLONE_NEWNET);
	int fd = r < 0 ? -1 : socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd < 0 || setns(own_fd, CLONE_NEWNET) < 0)
		TEST_FAIL("no socket: %s", strerror(errno));
	return fd;
}

static int listener(size_t guest, int family, uint16_t port)
{
	int fd = guest_socket(guest, family, SOCK_STREAM, 0), yes = 1;
	socklen_t len;
	struct sockaddr_storage at = address_of(family, guest, port, &len);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 5) < 0)
		TEST_FAIL("cannot listen: %s", strerror(errno));
	return fd;
}

/* The socket's error, or ETIMEDOUT after the time in which a drop is known. */
static int wait_error(int fd, short events, double *ret_msec)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	double begin_msec = now_msec();
	int error = 0;
	socklen_t len = sizeof(error);
	if (poll(&poll_fd, 1, DROP_MSEC) != 1)
		return ETIMEDOUT;
	*ret_msec = now_msec() - begin_msec;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

/* What becomes of a TCP connection from one guest to the other; 0: it stands. */
static int try_tcp(size_t from, int family, uint16_t port, double *ret_msec)
{
	CLEANUP(closep) int fd = guest_socket(from, family, SOCK_STREAM, 0);
	socklen_t len;
	struct sockaddr_storage to = address_of(family, 1 - from, port, &len);
	if (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
		return errno;
	return wait_error(fd, POLLOUT, ret_msec);
}

/* What becomes of a UDP packet to a port where nobody is. */
static int try_udp(size_t from, int family, uint16_t port, double *ret_msec)
{
	CLEANUP(closep) int fd = guest_socket(from, family, SOCK_DGRAM, 0);
	socklen_t len;
	struct sockaddr_storage to = address_of(family, 1 - from, port, &len);
	if (connect(fd, (struct sockaddr *)&to, len) < 0 || send(fd, "x", 1, 0) != 1)
		return errno;
	return wait_error(fd, POLLIN, ret_msec);
}

/* Whether an echo is answered. */
static int try_ping(size_t from, double *ret_msec)
{
	CLEANUP(closep) int fd = guest_socket(from, AF_INET, SOCK_RAW, IPPROTO_ICMP);
	const struct icmphdr request = {
		.type = ICMP_ECHO, .checksum = htons(0xf7fe), .un.echo.id = htons(1)
	};
	socklen_t len;
	struct sockaddr_storage to = address_of(AF_INET, 1 - from, 0, &len);
	if (sendto(fd, &request, sizeof(request), 0, (struct sockaddr *)&to, len) < 0)
		return errno;
	return wait_error(fd, POLLIN, ret_msec);
}

static void check(const char *what, int got, int expected)
{
	if (got != expected)
		TEST_FAIL("%s: expected '%s', got '%s'", what,
				expected ? strerror(expected) : "connected",
				got ? strerror(got) : "connected");
}

static void check_told(const char *what, int got, double msec)
{
	check(what, got, ECONNREFUSED);
	if (msec > REJECT_MSEC)
		TEST_FAIL("%s: told after %.0f ms", what, msec);
}

/* ---- answers ---- */

static void check_answers(enum fw_state state)
{
	struct fw_rule rules[] = {
		rule(FW_OUT, FW_ACCEPT, IPPROTO_TCP, port_80),
		rule(FW_OUT, FW_ACCEPT, IPPROTO_UDP, port_80),
		rule(FW_IN, FW_ACCEPT, IPPROTO_TCP, port_81),
		{ .direction = FW_OUT,
				.protocol = IPPROTO_ICMP,
				.types = echo,
				.n_types = 1,
				.origin = "vm",
				.priority = 200 },
	};
	static const int families[] = { AF_INET, AF_INET6 };
	const struct vm_filter filter = closed(rules, ARRAY_SIZE(rules));
	double msec = 0;
	policy.state = state;
	install(&filter);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		CLEANUP(closep) int to_80 = listener(PORT_PEER, families[f], 80);
		CLEANUP(closep) int to_82 = listener(PORT_PEER, families[f], 82);
		CLEANUP(closep) int in_81 = listener(PORT_WEB, families[f], 81);
		CLEANUP(closep) int in_82 = listener(PORT_WEB, families[f], 82);
		check("allowed out", try_tcp(PORT_WEB, families[f], 80, &msec), 0);
		check("closed out", try_tcp(PORT_WEB, families[f], 82, &msec), ETIMEDOUT);
		check("allowed in", try_tcp(PORT_PEER, families[f], 81, &msec), 0);
		check("closed in", try_tcp(PORT_PEER, families[f], 82, &msec), ETIMEDOUT);
		check("an ICMP error about UDP that was allowed",
				try_udp(PORT_WEB, families[f], 80, &msec), ECONNREFUSED);
		check("UDP that is closed", try_udp(PORT_WEB, families[f], 82, &msec), ETIMEDOUT);
	}
	check("ping out", try_ping(PORT_WEB, &msec), 0);
	check("ping in", try_ping(PORT_PEER, &msec), ETIMEDOUT);
}

TEST(answers_come_back_with_flows)
{
	BEGIN();
	check_answers(FW_STATE_FLOWS);
}

TEST(answers_come_back_with_connection_tracking)
{
	BEGIN();
	if (!can_track)
		SKIP("the kernel has no nf_conntrack_bridge");
	check_answers(FW_STATE_CONNTRACK);
}

TEST(auto_takes_what_the_kernel_has)
{
	BEGIN();
	check_answers(FW_STATE_AUTO);
	CHECK_INT(frames_run("nft list set bridge machina flow-tcp-4"), !can_track);
	check_answers(FW_STATE_AUTO);
}

/* ---- refusals ---- */

static void check_rejected(enum fw_state state)
{
	struct fw_rule rules[] = {
		rule(FW_OUT, FW_REJECT, IPPROTO_TCP, port_80),
		rule(FW_OUT, FW_REJECT, IPPROTO_UDP, port_80),
		rule(FW_OUT, FW_DROP, IPPROTO_TCP, port_82),
		rule(FW_OUT, FW_REJECT, -1, NULL),
	};
	static const int families[] = { AF_INET, AF_INET6 };
	const struct vm_filter filter = closed(rules, ARRAY_SIZE(rules));
	double msec = 0;
	policy.state = state;
	install(&filter);
	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		CLEANUP(closep) int to_80 = listener(PORT_PEER, families[f], 80);
		int r = try_tcp(PORT_WEB, families[f], 80, &msec);
		check_told("rejected TCP", r, msec);
		r = try_udp(PORT_WEB, families[f], 80, &msec);
		check_told("rejected UDP", r, msec);
		check("dropped TCP", try_tcp(PORT_WEB, families[f], 82, &msec), ETIMEDOUT);
		r = try_tcp(PORT_WEB, families[f], 81, &msec);
		check_told("TCP that is rejected with all", r, msec);
		r = try_udp(PORT_WEB, families[f], 81, &msec);
		check_told("UDP that is rejected with all", r, msec);
	}
}

TEST(what_is_rejected_is_told_at_once)
{
	BEGIN();
	if (!can_reject)
		SKIP("the kernel has no nft_reject_bridge");
	check_rejected(FW_STATE_FLOWS);
	if (can_track)
		check_rejected(FW_STATE_CONNTRACK);
}

/* ---- no moment without rules ---- */

/* Sends what is closed, as fast as it can, until it is ended. */
static pid_t flood(void)
{
	int fd = guest_socket(PORT_WEB, AF_INET, SOCK_DGRAM, 0);
	socklen_t len;
	struct sockaddr_storage to = address_of(AF_INET, PORT_PEER, 82, &len);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			(void)!sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, len);
	close(fd);
	return pid;
}

/* How many packets have come to port 82 of the peer. */
static unsigned arrived(int fd)
{
	char byte;
	unsigned n = 0;
	while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
		n++;
	return n;
}

TEST(rules_are_replaced_without_a_gap)
{
	BEGIN();
	struct fw_rule more[] = { rule(FW_OUT, FW_ACCEPT, IPPROTO_TCP, port_80),
		rule(FW_IN, FW_ACCEPT, IPPROTO_TCP, port_81) };
	CLEANUP(closep) int fd = guest_socket(PORT_PEER, AF_INET, SOCK_DGRAM, 0);
	socklen_t len;
	struct sockaddr_storage at = address_of(AF_INET, PORT_PEER, 82, &len);
	double msec;
	CHECK_INT(bind(fd, (struct sockaddr *)&at, len), 0);
	/* What was allowed once is not cut off by a change: here each packet stands for itself. */
	policy.state = FW_STATE_NONE;

	/* The probe gets through where nothing is closed. */
	struct vm_filter open = closed(NULL, 0);
	open.defaults[FW_LEVEL_MACHINE][FW_OUT] = FW_DEFAULT_ACCEPT;
	install(&open);
	pid_t pid = flood();
	CHECK_INT(wait_error(fd, POLLIN, &msec), 0);
	const struct vm_filter filters[] = { closed(NULL, 0), closed(more, 2), closed(more, 1) };
	install(&filters[0]);
	/* What was on its way. */
	while (arrived(fd) > 0)
		;
	for (unsigned i = 0; i < 60; i++)
		install(&filters[i % ARRAY_SIZE(filters)]);
	CHECK_INT(arrived(fd), 0);
	install(&open);
	CHECK_INT(wait_error(fd, POLLIN, &msec), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_MAIN()
