/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start the real QEMU, paused, with what a sample's plan names: files, sockets, descriptors.
 *
 *	CLEANUP(sample_done) struct sample s;
 *	qemu_start_init(&s);
 *	sample_volume(&s, "os", "raw");
 *	qemu_start_check(&s);
 *
 * Runs as anybody, without KVM. What is made lies in a directory of its own, which is removed at
 * the end.
 */
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "qemu/argv.h"
#include "test.h"
#include "util/file.h"
#include "vm-sample.h"

#define LIMIT_SECONDS 60
#define MIB ((off_t)1 << 20)
/* More than any plan of a test has, and less than a process may have by default. */
#define N_FDS_MAX 512

static char *work_dir;

/* --- the host's side: what prepare would do ------------------------------------------------- */

static inline void put_be(uint8_t *at, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> 8 * (n - 1 - i));
}

/* Header, refcount table, refcount block and an empty L1 table, a cluster each
 * (docs/interop/qcow2.txt of QEMU). */
static inline void write_qcow2(int fd)
{
	static const unsigned cluster = 1 << 16;
	uint8_t header[72] = { 'Q', 'F', 'I', 0xfb };
	put_be(header + 4, 2, 4);	     /* version */
	put_be(header + 20, 16, 4);	     /* cluster bits */
	put_be(header + 24, MIB, 8);	     /* virtual size */
	put_be(header + 36, 1, 4);	     /* L1 entries */
	put_be(header + 40, 3 * cluster, 8); /* L1 table */
	put_be(header + 48, cluster, 8);     /* refcount table */
	put_be(header + 56, 1, 4);	     /* its clusters */
	uint8_t table[8], block[8];
	put_be(table, 2 * cluster, 8);
	for (size_t i = 0; i < 4; i++)
		put_be(block + 2 * i, 1, 2);
	CHECK(ftruncate(fd, 4 * cluster) == 0);
	CHECK(pwrite(fd, header, sizeof(header), 0) == sizeof(header));
	CHECK(pwrite(fd, table, sizeof(table), cluster) == sizeof(table));
	CHECK(pwrite(fd, block, sizeof(block), 2 * cluster) == sizeof(block));
}

/* As little of a Linux kernel as QEMU looks at (Documentation/arch/x86/boot.rst of Linux). */
static inline void write_kernel(int fd)
{
	uint8_t image[16384] = {};
	image[0x1f1] = 4;
	memcpy(image + 0x1fe, "\x55\xaaxxHdrS\x0c\x02", 10);
	image[0x211] = 1;
	memcpy(image + 0x22c, "\xff\xff\xff\x7f", 4);
	CHECK(write(fd, image, sizeof(image)) == sizeof(image));
}

/* Images grow by a MiB from one to the next, so that each can be recognized. Devices are there. */
static inline void make_file(const struct plan_fd *fd, size_t index)
{
	if (!strncmp(fd->path, "/dev/", strlen("/dev/")))
		return;
	CLEANUP(closep) int made = open(fd->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(made >= 0);
	if (fd->kind == PLAN_FD_COPY)
		write_kernel(made);
	else if (fd->format == PLAN_FORMAT_QCOW2)
		write_qcow2(made);
	else if (fd->kind == PLAN_FD_FILE)
		CHECK(ftruncate(made, (off_t)(index + 1) * MIB) == 0);
}

static inline int listen_on(const struct plan_fd *fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool tcp = fd->kind == PLAN_FD_LISTEN_TCP;
	int made = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (!tcp) {
		unlink(fd->path);
		memcpy(at.sun_path, fd->path, strlen(fd->path) + 1);
	}
	CHECK(bind(made, tcp ? (struct sockaddr *)&in : (struct sockaddr *)&at,
			      tcp ? sizeof(in) : sizeof(at)) == 0);
	CHECK(listen(made, 1) == 0);
	return made;
}

/* The tap that was made last. */
static struct ifreq qemu_start_tap;

/* One more descriptor of it. */
static inline int qemu_start_open_queue(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &qemu_start_tap) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static inline int qemu_start_open_tap(bool is_many)
{
	int queues = is_many ? IFF_MULTI_QUEUE : 0;
	qemu_start_tap = (struct ifreq){
		.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | queues),
	};
	return qemu_start_open_queue();
}

/* @is_many: a tap that has several queues */
static inline int open_fd(const struct plan_fd *fd, bool is_many)
{
	switch (fd->kind) {
	case PLAN_FD_TAP:
	case PLAN_FD_MACVTAP:
		return qemu_start_open_tap(is_many);
	case PLAN_FD_QUEUE:
		return qemu_start_open_queue();
	case PLAN_FD_FILE:
		return open(fd->path, (fd->writable ? O_RDWR : O_RDONLY) |
						      (fd->direct ? O_DIRECT : 0) | O_CLOEXEC);
	case PLAN_FD_COPY:
	case PLAN_FD_CREDENTIAL:
		return open(fd->path, O_RDONLY | O_CLOEXEC);
	case PLAN_FD_LOG:
		return open(fd->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	case PLAN_FD_LISTEN:
	case PLAN_FD_LISTEN_TCP:
		return listen_on(fd);
	case PLAN_FD_VSOCK:
	case PLAN_FD_VHOST:
		return open(fd->path, O_RDWR | O_CLOEXEC);
	case PLAN_FD_SEED:
	case PLAN_FD_CONNECT:
	case PLAN_FD_STATE:
	case PLAN_FD_TREE:
	case PLAN_FD_USERNS:
	case PLAN_FD_USB:
		break;
	}
	return -1;
}

/* --- QEMU ------------------------------------------------------------------------------------ */

static const char question[] = "{\"execute\":\"qmp_capabilities\"}\n"
			       "{\"execute\":\"query-named-block-nodes\",\"id\":\"nodes\"}\n";
static const char answer_end[] = "\"id\": \"nodes\"}";
/* QEMU does not write the rest of an answer any more when it is told this. */
static const char farewell[] = "{\"execute\":\"quit\"}\n";

static inline bool was_answered(const struct buf *out)
{
	return strstr(buf_text(out), answer_end) != NULL;
}

/* In the child: the plan's descriptors get their numbers, everything else stays close-on-exec. */
static inline void become_qemu(const struct sample *s, char **argv, const int *fds, int in, int out)
{
	int moved[N_FDS_MAX];
	for (size_t i = 0; i < s->plan.n_fds; i++)
		moved[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, N_FDS_MAX);
	in = fcntl(in, F_DUPFD_CLOEXEC, N_FDS_MAX);
	out = fcntl(out, F_DUPFD_CLOEXEC, N_FDS_MAX);
	CLEANUP(freep) char *errors = xasprintf("%s/stderr", work_dir);
	int err = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (moved[i] >= 0)
			dup2(moved[i], s->plan.fds[i].number);
	execv(argv[0], argv);
	_exit(127);
}

/* What QEMU says; it is told to quit when it has answered. */
static inline void read_until_end(int to, int fd, pid_t pid, struct buf *out)
{
	time_t end = time(NULL) + LIMIT_SECONDS;
	bool answered = false;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int left = (int)(end - time(NULL));
		if (left <= 0 || poll(&p, 1, left * 1000) <= 0) {
			TEST_FAIL("QEMU did not end within %d seconds", LIMIT_SECONDS);
			kill(pid, SIGKILL);
			return;
		}
		char part[4096];
		ssize_t n = read(fd, part, sizeof(part));
		if (n <= 0)
			return;
		buf_add(out, part, (size_t)n);
		if (answered || !was_answered(out))
			continue;
		answered = true;
		CHECK(write(to, farewell, strlen(farewell)) == (ssize_t)strlen(farewell));
	}
}

static inline void say_why(const struct sample *s)
{
	CLEANUP(buf_done) struct buf errors = {};
	CLEANUP(freep) char *path = xasprintf("%s/stderr", work_dir);
	struct error err;
	if (file_read(path, 1 << 20, &errors, &err) == 0)
		test_note("QEMU says: %s", buf_text(&errors));
	for (size_t i = 0; i < s->argv.n && i < 200; i++)
		test_note("  %s", s->argv.items[i]);
}

/* Start QEMU, ask it for its block nodes, let it quit. @fds: by the plan's order; -1: not given. */
static inline void run(struct sample *s, const int *fds, struct buf *out)
{
	static const char *const more[] = { "-S", "-qmp", "stdio" };
	CLEANUP(strv_done) struct strv argv = {};
	strv_extend(&argv, &s->argv);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		strv_push(&argv, more[i]);

	int in[2], output[2], status;
	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(output, O_CLOEXEC) == 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		become_qemu(s, argv.items, fds, in[0], output[1]);
	close(in[0]);
	close(output[1]);
	CHECK(write(in[1], question, strlen(question)) == (ssize_t)strlen(question));
	read_until_end(in[1], output[0], pid, out);
	close(output[0]);
	close(in[1]);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (status || !was_answered(out)) {
		TEST_FAIL("QEMU failed with status %#x", status);
		say_why(s);
	}
}

static inline void make_surroundings(const struct sample *s)
{
	struct error err;
	CLEANUP(freep) char *qmp = xasprintf("%s/qmp", s->plan.run_dir);
	CHECK(mkdir_all(qmp, 0755, &err) == 0);
	CHECK(mkdir_all(s->plan.socket_dir, 0755, &err) == 0);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (s->plan.fds[i].kind == PLAN_FD_FILE || s->plan.fds[i].kind == PLAN_FD_COPY)
			make_file(&s->plan.fds[i], i);
	for (size_t i = 0; i < s->plan.n_directories; i++)
		CHECK(mkdir_all(s->plan.directories[i].path, 0755, &err) == 0);
}

static inline void qemu_start(struct sample *s, enum qemu_form form, struct buf *out)
{
	int fds[N_FDS_MAX];
	CHECK_INT(sample_build(s, form), 0);
	CHECK(s->plan.n_fds < N_FDS_MAX / 2);
	for (size_t i = 0; i < s->report.n; i++)
		if (s->report.items[i].severity == SEVERITY_ERROR)
			TEST_FAIL("%s: %s", s->report.items[i].pointer, s->report.items[i].text);
	make_surroundings(s);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		fds[i] = form == QEMU_FORM_UNIT
					 ? open_fd(&s->plan.fds[i], plan_n_queues(&s->plan, i) > 1)
					 : -1;
	run(s, fds, out);
	for (size_t i = 0; i < s->plan.n_fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static inline void qemu_start_check_as(struct sample *s, enum qemu_form form)
{
	CLEANUP(buf_done) struct buf out = {};
	qemu_start(s, form, &out);
}

static inline void qemu_start_check(struct sample *s)
{
	qemu_start_check_as(s, QEMU_FORM_UNIT);
	qemu_start_check_as(s, QEMU_FORM_STANDALONE);
}

static inline void qemu_start_init(struct sample *s)
{
	sample_init(s);
	s->dir = arena_printf(&s->vm.arena, "%s/disks", work_dir);
	s->run_dir = arena_printf(&s->vm.arena, "%s/run", work_dir);
	struct error err;
	CHECK(mkdir_all(s->dir, 0755, &err) == 0);
}

__attribute__((constructor)) static inline void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	work_dir = test_directory();
}

__attribute__((destructor)) static inline void tear_down(void)
{
	struct error err;
	if (remove_tree(work_dir, &err) < 0)
		test_note("%s", err.text);
	freep(&work_dir);
}
