/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process in systemd's place, which keeps descriptors for the units of a test.
 *
 *	scratch_begin();
 *	start_systemd();
 *	... options.notify_socket = scratch_path("notify") ...
 *	stop_systemd();
 *	scratch_end();
 */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "scratch.h"

static pid_t systemd_pid;

/*
 * Keeps descriptors by name, newest first, and lists them in "store" after each message: name,
 * what it is, flags. All messages are added to "said". Both come before a barrier is answered.
 */
static inline void be_systemd(int fd)
{
	static struct {
		char name[64];
		int fd;
	} kept[64];
	size_t n = 0;
	for (;;) {
		union {
			struct cmsghdr header;
			char space[CMSG_SPACE(sizeof(int))];
		} control;
		char text[256];
		struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
		if (len < 0)
			_exit(1);
		text[len] = '\0';
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		int passed = -1;
		if (header)
			memcpy(&passed, CMSG_DATA(header), sizeof(passed));

		FILE *said = fopen(scratch_path("said"), "ae");
		for (char *c = text; *c; c++)
			fputc(*c == '\n' ? ' ' : *c, said);
		fputc('\n', said);
		fclose(said);
		char name[64] = "";
		const char *at = strstr(text, "FDNAME=");
		if (at)
			sscanf(at, "FDNAME=%63[^\n]", name);
		if (!strncmp(text, "FDSTORE=1", 9)) {
			for (size_t i = n++; i > 0; i--)
				kept[i] = kept[i - 1];
			memcpy(kept[0].name, name, sizeof(name));
			kept[0].fd = passed;
		} else if (!strncmp(text, "FDSTOREREMOVE=1", 15)) {
			for (size_t i = n; i-- > 0;) {
				if (strcmp(kept[i].name, name) != 0)
					continue;
				close(kept[i].fd);
				n--;
				for (size_t k = i; k < n; k++)
					kept[k] = kept[k + 1];
			}
		}
		FILE *store = fopen(scratch_path("store"), "we");
		for (size_t i = 0; i < n; i++) {
			char path[64], target[256] = "";
			snprintf(path, sizeof(path), "/proc/self/fd/%d", kept[i].fd);
			if (readlink(path, target, sizeof(target) - 1) < 0)
				_exit(1);
			/* Sockets have numbers that nobody knows before. */
			const char *shown = without_scratch(target);
			fprintf(store, "%zu %s %.*s %s\n", 3 + i, kept[i].name,
					(int)strcspn(shown, "["), shown,
					fcntl(kept[i].fd, F_GETFL) & O_ACCMODE ? "rw" : "ro");
		}
		fclose(store);
		if (!strcmp(text, "BARRIER=1"))
			close(passed);
	}
}

static inline void start_systemd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, scratch_path("notify"));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		TEST_FAIL("cannot listen: %m");
	systemd_pid = fork();
	if (systemd_pid == 0)
		be_systemd(fd);
	close(fd);
}

/* Waits until it has read what was sent to it: who could not send a barrier has not waited. */
static inline void wait_for_systemd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, scratch_path("notify"));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		TEST_FAIL("cannot make a pipe: %m");
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				      .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS } };
	memcpy(CMSG_DATA(&control.header), &ends[1], sizeof(int));
	struct iovec part = { .iov_base = (char[]){ "BARRIER=1" }, .iov_len = 9 };
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	if (sendmsg(fd, &message, 0) < 0)
		TEST_FAIL("cannot send a barrier: %m");
	close(ends[1]);
	if (read(ends[0], &(char){ 0 }, 1) != 0)
		TEST_FAIL("the barrier was not answered");
	close(ends[0]);
	close(fd);
}

static inline void stop_systemd(void)
{
	kill(systemd_pid, SIGKILL);
	waitpid(systemd_pid, NULL, 0);
}
