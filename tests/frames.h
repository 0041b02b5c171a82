/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge in a network namespace of this process, and frames made by hand.
 *
 *	const char *reason = frames_begin();	// NULL, or why not; once
 *	struct frame f = frame_ip(...);
 *	CHECK(frame_passes(PORT_WEB, PORT_UP, &f));
 *
 * Each port of the bridge is one end of a veth pair; what a guest would send and get is sent and
 * got at the other end. Nobody has an address, so that nothing is on the way but what a test sends.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "util/mem.h"
#include "util/strv.h"

/* The ports "web.0" and "peer.0", which filters are for, and two others. */
enum { PORT_WEB, PORT_PEER, PORT_UP, PORT_OTHER, N_PORTS };
static const char *const port_names[] = { "web.0", "peer.0", "uplink", "other" };
static int port_fds[N_PORTS];

/* Runs a program, whose words are divided by spaces. Without a shell: that of a small guest has an
 * "ip" of its own. */
static inline bool frames_run(const char *command)
{
	CLEANUP(strv_done) struct strv words = {};
	CLEANUP(freep) char *copy = xstrdup(command);
	char *rest = copy;
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		strv_push(&words, word);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null_fd, 1);
		dup2(null_fd, 2);
		execvp(words.items[0], words.items);
		_exit(127);
	}
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

#define FRAMES_RUN(...)                                                                            \
	({                                                                                         \
		CLEANUP(freep) char *command_ = xasprintf(__VA_ARGS__);                            \
		frames_run(command_);                                                              \
	})

static inline bool frames_make_port(size_t i)
{
	const char *name = port_names[i];
	if (!FRAMES_RUN("ip link add %s type veth peer name g-%s", name, name) ||
			!FRAMES_RUN("ip link set %s master br0 up", name) ||
			!FRAMES_RUN("ip link set g-%s arp off up", name))
		return false;
	CLEANUP(freep) char *end = xasprintf("g-%s", name);
	port_fds[i] = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(end),
	};
	return port_fds[i] >= 0 && bind(port_fds[i], (const struct sockaddr *)&at, sizeof(at)) == 0;
}

static inline const char *frames_begin(void)
{
	static const char *reason = "";
	static cpu_set_t one;
	if (!reason || reason[0])
		return reason;
	reason = NULL;
	if (geteuid() != 0)
		return reason = "only root makes interfaces";
	if (unshare(CLONE_NEWNET) < 0)
		return reason = "no network namespace can be made";
	/* On one processor frames can't overtake each other. */
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	CLEANUP(closep)
	int ipv6_fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	if (ipv6_fd >= 0 && write(ipv6_fd, "1", 1) != 1)
		return reason = "IPv6 can't be turned off";
	if (!frames_run("ip link add br0 type bridge mcast_snooping 0") ||
			!frames_run("ip link set br0 up"))
		return reason = "no bridge can be made here";
	for (size_t i = 0; i < N_PORTS; i++)
		if (!frames_make_port(i))
			return reason = "no veth pair can be made here";
	return NULL;
}

/* ---- frames ---- */

struct frame {
	uint8_t data[256];
	size_t len;
};

/* Each frame ends in bytes of its own, so that it is known wherever it comes out. */
#define MARK_LEN 8

typedef const uint8_t *bytes;
#define BYTES(...) ((const uint8_t[]){ __VA_ARGS__ })

static const uint8_t mac_web[] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t mac_peer[] = { 0x52, 0x54, 0, 0, 0, 2 };
static const uint8_t mac_up[] = { 0x52, 0x54, 0, 0, 0, 3 };
static const uint8_t mac_all[] = { 255, 255, 255, 255, 255, 255 };

static inline void put(struct frame *f, const void *data, size_t len)
{
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

static inline void put16(struct frame *f, unsigned value)
{
	put(f, BYTES((uint8_t)(value >> 8), (uint8_t)value), 2);
}

static inline void put_mark(struct frame *f)
{
	static uint32_t number;
	number++;
	put(f, "mark", 4);
	put(f, &number, 4);
}

static inline struct frame frame_ether(bytes from, bytes to, unsigned type)
{
	struct frame f = {};
	put(&f, to, 6);
	put(&f, from, 6);
	put16(&f, type);
	return f;
}

/* The same frame with a tag. */
static inline struct frame frame_tagged(const struct frame *from, unsigned type, unsigned vlan)
{
	struct frame f = { .len = 12 };
	memcpy(f.data, from->data, 12);
	put16(&f, type);
	put16(&f, vlan);
	put(&f, from->data + 12, from->len - 12);
	return f;
}

static inline struct frame frame_arp(bytes from, bytes sender_mac, bytes sender, bytes target)
{
	struct frame f = frame_ether(from, mac_all, ETH_P_ARP);
	put(&f, BYTES(0, 1, 8, 0, 6, 4, 0, 1), 8);
	put(&f, sender_mac, 6);
	put(&f, sender, 4);
	put(&f, BYTES(0, 0, 0, 0, 0, 0), 6);
	put(&f, target, 4);
	put_mark(&f);
	return f;
}

static inline uint32_t sum_of(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

static inline void put_checksum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum;
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}

/* A packet of one of the families, with a payload that is a mark. */
struct packet {
	bytes from_mac, to_mac;
	int family; /* AF_INET, AF_INET6 */
	bytes from, to;
	uint8_t protocol;
	uint16_t from_port, to_port;
	uint8_t type;  /* ICMP */
	bytes target;  /* of neighbour discovery: 16 bytes */
	bytes headers; /* IPv6: extension headers, the first one of type @header */
	size_t headers_len;
	uint8_t header;
};

/* The transport header and the payload. Returns where the checksum belongs; 0: there is none. */
static inline size_t put_transport(struct frame *f, const struct packet *p)
{
	size_t begin = f->len, checksum = 0;
	uint8_t header[32] = {};
	size_t n = 8;
	header[0] = (uint8_t)(p->from_port >> 8);
	header[1] = (uint8_t)p->from_port;
	header[2] = (uint8_t)(p->to_port >> 8);
	header[3] = (uint8_t)p->to_port;
	if (p->protocol == IPPROTO_UDP) {
		header[5] = 16;
		checksum = 6;
	} else if (p->protocol == IPPROTO_TCP) {
		n = 20;
		header[12] = 0x50;
		header[13] = 2; /* SYN */
		checksum = 16;
	} else if (p->protocol == IPPROTO_SCTP) {
		n = 12;
	} else {
		memset(header, 0, 4);
		header[0] = p->type;
		header[4] = (uint8_t)(p->from_port >> 8);
		header[5] = (uint8_t)p->from_port;
		checksum = 2;
		if (p->target) {
			memcpy(header + 8, p->target, 16);
			n = 24;
		}
	}
	put(f, header, n);
	put_mark(f);
	return checksum ? begin + checksum : 0;
}

static inline struct frame frame_ip(const struct packet *p)
{
	bool six = p->family == AF_INET6;
	struct frame f = frame_ether(p->from_mac, p->to_mac, six ? ETH_P_IPV6 : ETH_P_IP);
	size_t header = f.len, size = six ? 16 : 4, addresses;
	if (six) {
		put(&f, BYTES(0x60, 0, 0, 0, 0, 0, p->headers_len ? p->header : p->protocol, 255),
				8);
		addresses = f.len;
	} else {
		put(&f, BYTES(0x45, 0, 0, 0, 0, 1, 0, 0, 64, p->protocol, 0, 0), 12);
		addresses = f.len;
	}
	put(&f, p->from, size);
	put(&f, p->to, size);
	if (p->headers_len)
		put(&f, p->headers, p->headers_len);
	size_t begin = f.len, at = put_transport(&f, p);
	size_t len = f.len - begin, total = f.len - header - (six ? 40 : 0);
	f.data[header + (six ? 4 : 2)] = (uint8_t)(total >> 8);
	f.data[header + (six ? 5 : 3)] = (uint8_t)total;
	if (!six)
		put_checksum(f.data + header + 10, sum_of(f.data + header, 20));
	uint32_t sum = sum_of(f.data + begin, len);
	if (p->protocol != IPPROTO_ICMP)
		sum += sum_of(f.data + addresses, 2 * size) + p->protocol + (uint32_t)len;
	if (at)
		put_checksum(f.data + at, sum);
	return f;
}

/* ---- sending ---- */

static inline void send_frame(int port, const struct frame *f)
{
	if (send(port_fds[port], f->data, f->len, 0) != (ssize_t)f->len)
		TEST_FAIL("cannot send to %s: %s", port_names[port], strerror(errno));
}

/* Is @frame among what arrives at @port before @last does? */
static inline bool arrives(int port, const struct frame *frame, const struct frame *last)
{
	bool found = false;
	for (;;) {
		struct pollfd poll_fd = { .fd = port_fds[port], .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t from_len = sizeof(from);
		uint8_t data[2048];
		if (poll(&poll_fd, 1, 5000) != 1) {
			TEST_FAIL("nothing arrives at %s", port_names[port]);
			return found;
		}
		ssize_t n = recvfrom(port_fds[port], data, sizeof(data), 0,
				(struct sockaddr *)&from, &from_len);
		if (n < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		size_t len = (size_t)n;
		if (len == last->len && !memcmp(data, last->data, len))
			return found;
		/* A tag may have been taken off, so that only the end counts. */
		found |= memmem(data, len, frame->data + frame->len - MARK_LEN, MARK_LEN) != NULL;
	}
}

/* What nobody has looked at. */
static inline void forget_frames(int port)
{
	uint8_t data[1];
	while (recv(port_fds[port], data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		;
}

/* Send it from one port; does it arrive at the other? */
static inline bool frame_passes(int from, int to, const struct frame *f)
{
	/* ARP passes every filter on the way to a guest. */
	static const uint8_t mac_last[] = { 0x52, 0x54, 0, 0, 0, 9 };
	struct frame last = frame_arp(mac_last, mac_last, BYTES(10, 0, 0, 99), BYTES(10, 0, 0, 98));
	forget_frames(to);
	send_frame(from, f);
	/* From a port without a filter. */
	send_frame(to == PORT_OTHER ? PORT_UP : PORT_OTHER, &last);
	return arrives(to, f, &last);
}
