/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a packet from one guest to another costs on a bridge with so many filtered machines:
 *
 *	packets N...		prints a line of nanoseconds for each round, a number for each N
 *
 * Each N is a network namespace of its own with a bridge, two veth pairs in the place of guests and
 * the rules of N machines; 0 is a bridge without rules. A round sends a burst in each of them.
 * Processor time is told, not wall time: the kernel takes a packet the whole way in the call that
 * sends it.
 */
#include <stdio.h>
#include <time.h>

#include "frames.h"
#include "host/net/firewall.h"

enum { N_ROUNDS = 400, N_BURST = 1024, N_AT_ONCE = 64, MAX_WORLDS = 8 };

#define GUEST_WEB 0
#define GUEST_PEER 1

static void give_up(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

/* ---- rules ---- */

static const struct fw_span http[] = { { 80, 80 } };
static const char *const web[] = { "web" };
static struct fw_rule web_in[] = {
	{ .protocol = IPPROTO_UDP,
			.ports = http,
			.n_ports = 1,
			.groups = web,
			.n_groups = 1,
			.origin = "group web #1" },
};
static struct fw_group groups[] = {
	{ .name = "web", .priority = 100, .rules[FW_IN] = { .items = web_in, .n = 1 } },
};
static struct fw_set members[1];
static struct fw_policy policy = { .groups = groups, .n_groups = 1, .members = members };

struct guest {
	char name[16], link[IFNAMSIZ], mac[18];
	struct fw_range ip;
	struct vm_filter filter;
	struct fw_port port;
};

static void make_guest(struct guest *m, size_t i)
{
	struct error err;
	enum fw_family family;
	char ip[16];
	snprintf(m->name, sizeof(m->name),
			i == GUEST_WEB	  ? "web"
			: i == GUEST_PEER ? "peer"
					  : "m%zu",
			i);
	snprintf(m->link, sizeof(m->link), "%.12s.0", m->name);
	snprintf(m->mac, sizeof(m->mac), "52:54:00:00:%02x:%02x", (unsigned)(i + 1) >> 8 & 255,
			(unsigned)(i + 1) & 255);
	snprintf(ip, sizeof(ip), "10.0.%u.%u", (unsigned)(i / 250) & 255, (unsigned)(i % 250) + 1);
	if (fw_range_parse(ip, &m->ip, &family, &err) < 0)
		give_up(err.text);
	m->filter = (struct vm_filter){
		.groups = web,
		.n_groups = 1,
		.has_any = true,
		.guard = { .mac = true,
				.address = FW_GUARD_ADDRESS_ON,
				.router = true,
				.dhcp_server = true,
				.fragments = true,
				.other = true },
		.ip.of[FW_IPV4] = { &m->ip, 1 },
	};
	memset(m->filter.defaults, 0xff, sizeof(m->filter.defaults));
	fw_policy_add_members(&policy, &m->filter);
	const struct vm vm = { .name = m->name };
	const struct vm_nic nic = {
		.name = "0", .network = "lan", .link = m->link, .mac = m->mac, .filter = &m->filter
	};
	if (fw_port_of_nic(&policy, &vm, &nic, &m->port, &err) < 0)
		give_up(err.text);
}

static void install(size_t n)
{
	struct netlink nl = {};
	struct error err;
	struct guest *guests = xcalloc(n, sizeof(*guests));
	struct firewall_port *ports = xcalloc(n, sizeof(*ports));
	for (size_t i = 0; i < n; i++) {
		make_guest(&guests[i], i);
		ports[i].port = &guests[i].port;
	}
	const struct firewall_request request = {
		.policy = &policy, .ports = ports, .n = n, .is_all = true
	};
	if (nft_open(&nl, &err) < 0 || firewall_install(&nl, &request, &err) < 0)
		give_up(err.text);
	/* The kernel has them now, and this process ends with the measurement. */
	netlink_done(&nl);
}

/* ---- packets ---- */

static int open_guest(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), yes = 1;
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex("g-web.0"),
	};
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
			setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) < 0)
		give_up("no guest");
	return fd;
}

static long n_arrived(void)
{
	char line[512];
	long n_bytes, packets = -1;
	FILE *file = fopen("/proc/net/dev", "re");
	while (file && packets < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, " g-peer.0: %ld %ld", &n_bytes, &packets) != 2)
			packets = -1;
	if (file)
		fclose(file);
	return packets;
}

/* Nanoseconds of processor time for a packet. */
static double burst(int fd, struct mmsghdr *messages)
{
	struct timespec begin, end;
	long before = n_arrived();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	for (int n = 0; n < N_BURST; n += N_AT_ONCE)
		if (sendmmsg(fd, messages, N_AT_ONCE, 0) != N_AT_ONCE)
			give_up("cannot send");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	if (n_arrived() - before != N_BURST)
		give_up("packets have been lost: no measurement");
	double nsec = (double)(end.tv_sec - begin.tv_sec) * 1e9 +
		      (double)(end.tv_nsec - begin.tv_nsec);
	return nsec / (double)N_BURST;
}

static struct mmsghdr *make_messages(void)
{
	const struct packet packet = {
		.from_mac = mac_web,
		.to_mac = mac_peer,
		.family = AF_INET,
		.from = BYTES(10, 0, 0, 1),
		.to = BYTES(10, 0, 0, 2),
		.protocol = IPPROTO_UDP,
		.from_port = 4000,
		.to_port = 80,
	};
	static struct frame frame;
	static struct iovec part;
	static struct mmsghdr messages[N_AT_ONCE];
	frame = frame_ip(&packet);
	part = (struct iovec){ .iov_base = frame.data, .iov_len = frame.len };
	for (size_t i = 0; i < N_AT_ONCE; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	return messages;
}

/* ---- worlds ---- */

struct world {
	int ask, answer;
};

static void live(size_t n, int asked, int answer)
{
	const char *reason = frames_begin();
	double spent;
	char byte;
	if (reason)
		give_up(reason);
	for (size_t i = 0; i < N_PORTS; i++)
		close(port_fds[i]);
	/* Guests of a network know each other; the bridge need not ask all ports. */
	if (!frames_run("bridge fdb replace 52:54:00:00:00:02 dev peer.0 master static"))
		give_up("no address can be given to a port");
	if (n)
		install(n);
	int fd = open_guest();
	struct mmsghdr *messages = make_messages();
	while (read(asked, &byte, 1) == 1) {
		spent = burst(fd, messages);
		if (write(answer, &spent, sizeof(spent)) != sizeof(spent))
			break;
	}
	exit(0);
}

static struct world make_world(size_t n)
{
	int asked[2], answer[2];
	if (pipe2(asked, O_CLOEXEC) < 0 || pipe2(answer, O_CLOEXEC) < 0)
		give_up("no pipe");
	pid_t child = fork();
	if (child < 0)
		give_up("no process");
	if (child == 0) {
		close(asked[1]);
		close(answer[0]);
		live(n, asked[0], answer[1]);
	}
	close(asked[0]);
	close(answer[1]);
	return (struct world){ .ask = asked[1], .answer = answer[0] };
}

static double measure(const struct world *world)
{
	double spent;
	if (write(world->ask, "", 1) != 1 ||
			read(world->answer, &spent, sizeof(spent)) != sizeof(spent))
		exit(1);
	return spent;
}

int main(int argc, char **argv)
{
	struct world worlds[MAX_WORLDS];
	int n = argc - 1;
	if (n < 1 || n > MAX_WORLDS)
		return 2;
	for (int i = 0; i < n; i++)
		worlds[i] = make_world(strtoul(argv[i + 1], NULL, 10));
	for (int round = 0; round < N_ROUNDS; round++) {
		double spent[MAX_WORLDS];
		/* Each is first as often as any other. */
		for (int i = 0; i < n; i++)
			spent[(i + round) % n] = measure(&worlds[(i + round) % n]);
		for (int i = 0; i < n; i++)
			printf("%.1f%c", spent[i], i + 1 < n ? ' ' : '\n');
	}
	return 0;
}
