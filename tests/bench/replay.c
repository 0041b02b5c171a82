/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What preparing a machine and tearing it down takes from the kernel alone, and a stand-in for
 * systemd's store of descriptors:
 *
 *	replay store SOCKET	keep what is given, close what is to be forgotten, answer barriers
 *	replay hoard SOCKET	the same, but forget nothing: machines have the same names
 *	replay send FILE	do again what a file lists, one word and its argument a line:
 *		tap NAME	make this tap; its index goes into all messages to rtnetlink
 *		link NAME	take the index of an interface that is there
 *		route HEX	a message to rtnetlink, whose answer is waited for
 *		nft HEX		a transaction of nftables, likewise
 *		push NAME	give the tap to $NOTIFY_SOCKET, and wait until it has it
 *		forget NAME	tell $NOTIFY_SOCKET to forget it, likewise
 *		gone NAME	wait until the interface of "link" has gone
 *
 * Nothing is read but the file, nothing is decided and nothing is undone: no program that does the
 * work can be quicker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of struct ifinfomsg and struct ndmsg alike. */
#define INDEX_OFFSET (NLMSG_HDRLEN + 4)
#define LINE_BYTES (1 << 20)
#define MAX_KEPT 8192

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- messages with a descriptor ---- */

union passed {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static int open_socket(const char *path, bool listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die(path);
	strcpy(address.sun_path, path);
	int r = listens ? bind(fd, (struct sockaddr *)&address, sizeof(address))
			: connect(fd, (struct sockaddr *)&address, sizeof(address));
	if (r < 0)
		die(path);
	return fd;
}

static void tell(int socket, const char *what, const char *name, int passed_fd)
{
	char text[128];
	int len = snprintf(text, sizeof(text), name ? "%s\nFDNAME=%s" : "%s", what, name);
	union passed control = {};
	struct iovec part = { .iov_base = text, .iov_len = (size_t)len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	if (passed_fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.space);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof(int));
	}
	if (sendmsg(socket, &message, 0) < 0)
		die("sendmsg");
}

static void wait_for_store(int socket)
{
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		die("pipe");
	tell(socket, "BARRIER=1", NULL, pipe_fds[1]);
	close(pipe_fds[1]);
	if (poll(&(struct pollfd){ .fd = pipe_fds[0] }, 1, 30000) != 1)
		die("poll");
}

/* ---- the store ---- */

static struct {
	char name[64];
	int fd;
} kept[MAX_KEPT];
static size_t n_kept;

/* A tap takes its time to go, and systemd does not wait for it either. */
static void *close_kept(void *data)
{
	close((int)(intptr_t)data);
	return NULL;
}

static void forget(const char *name)
{
	for (size_t i = n_kept; i-- > 0;) {
		pthread_t thread;
		if (strcmp(kept[i].name, name) != 0)
			continue;
		if (pthread_create(&thread, NULL, close_kept, (void *)(intptr_t)kept[i].fd) != 0 ||
				pthread_detach(thread) != 0)
			die("pthread_create");
		kept[i] = kept[--n_kept];
	}
}

static void keep(const char *name, int fd)
{
	if (n_kept == MAX_KEPT || strlen(name) >= sizeof(kept[0].name))
		die(name);
	strcpy(kept[n_kept].name, name);
	kept[n_kept++].fd = fd;
}

static void take_message(int socket, bool forgets)
{
	char text[4096];
	union passed control;
	struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	if (len < 0)
		die("recvmsg");
	text[len] = '\0';
	int fd = -1;
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	char *name = strstr(text, "FDNAME=");
	if (name) {
		name += strlen("FDNAME=");
		name[strcspn(name, "\n")] = '\0';
	}
	if (name && !strncmp(text, "FDSTORE=1", 9))
		keep(name, fd);
	else if (name && forgets)
		forget(name);
	else if (fd >= 0)
		close(fd);
}

/* ---- doing it again ---- */

struct state {
	int tap, index, route, nft, store;
};

static int netlink(int protocol)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("netlink");
	return fd;
}

static void make_tap(struct state *s, const char *name)
{
	struct ifreq want = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	strncpy(want.ifr_name, name, sizeof(want.ifr_name) - 1);
	s->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (s->tap < 0 || ioctl(s->tap, TUNSETIFF, &want) < 0)
		die(name);
}

static void find_link(struct state *s, const char *name)
{
	s->index = (int)if_nametoindex(name);
	if (s->index == 0)
		die(name);
}

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* In place. Returns how many bytes. */
static size_t from_hex(char *text)
{
	size_t n = 0;
	for (; text[2 * n]; n++)
		text[n] = (char)(digit(text[2 * n]) << 4 | digit(text[2 * n + 1]));
	return n;
}

static void expect_answer(int fd)
{
	static char answer[1 << 16];
	ssize_t len = recv(fd, answer, sizeof(answer), 0);
	const struct nlmsghdr *header = (const void *)answer;
	const struct nlmsgerr *error = (const void *)(answer + NLMSG_HDRLEN);
	if (len < 0)
		die("recv");
	if (header->nlmsg_type == NLMSG_ERROR) {
		errno = -error->error;
		/* A tap that is closed at the same time goes by itself. */
		if (errno && errno != ENODEV)
			die("netlink");
	}
}

static void send_message(int fd, char *text, int index)
{
	size_t len = from_hex(text);
	/* A copy that is aligned. */
	char *data = malloc(len);
	memcpy(data, text, len);
	if (index)
		memcpy(data + INDEX_OFFSET, &index, sizeof(index));
	int room = (int)len + 4096;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (send(fd, data, len, 0) < 0)
		die("send");
	free(data);
	expect_answer(fd);
}

/* One that the kernel deletes meanwhile has gone when this has its lock. */
static void delete_link(const struct state *s)
{
	const struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_DELLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.link = { .ifi_index = s->index },
	};
	if (send(s->route, &request, sizeof(request), 0) < 0)
		die("send");
	expect_answer(s->route);
}

static void do_line(struct state *s, const char *word, char *rest)
{
	if (!strcmp(word, "tap"))
		make_tap(s, rest);
	if (!strcmp(word, "tap") || !strcmp(word, "link"))
		find_link(s, rest);
	else if (!strcmp(word, "route"))
		send_message(s->route, rest, s->index);
	else if (!strcmp(word, "nft"))
		send_message(s->nft, rest, 0);
	else if (!strcmp(word, "gone"))
		delete_link(s);
	else
		tell(s->store, !strcmp(word, "push") ? "FDSTORE=1" : "FDSTOREREMOVE=1", rest,
				!strcmp(word, "push") ? s->tap : -1);
	if (!strcmp(word, "push") || !strcmp(word, "forget"))
		wait_for_store(s->store);
}

static int do_again(const char *path)
{
	static char line[LINE_BYTES];
	const char *socket = getenv("NOTIFY_SOCKET");
	FILE *file = fopen(path, "re");
	if (!file || !socket)
		die(path);
	struct state s = { .tap = -1,
		.route = netlink(NETLINK_ROUTE),
		.nft = netlink(NETLINK_NETFILTER),
		.store = open_socket(socket, false) };
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		char *space = strchr(line, ' ');
		if (!space)
			die(line);
		*space = '\0';
		do_line(&s, line, space + 1);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "send"))
		return do_again(argv[2]);
	bool forgets = argc == 3 && !strcmp(argv[1], "store");
	if (argc != 3 || (!forgets && strcmp(argv[1], "hoard") != 0))
		return 2;
	int socket = open_socket(argv[2], true);
	for (;;)
		take_message(socket, forgets);
}
