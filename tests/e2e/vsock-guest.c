/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first program of a guest that does over vsock(7) what a guest with systemd does: sshd at port
 * 22, and READY=1 to the place that the credential vmm.notify_socket names, in a connection of its
 * own. Told so with a connection to its port 99, since a test wants to look before. Much quicker
 * than a shell script, which counts where the guest's processor is emulated within a guest.
 */
#include <arpa/inet.h> /* struct sockaddr, without which linux/vm_sockets.h can't be read */
#include <fcntl.h>
#include <glob.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GO_PORT 99
/* What vsock-serve closes when it listens. */
#define VSOCK_SERVE_READY_FD 3
#define CREDENTIAL "io.systemd.credential:vmm.notify_socket="

static void load_modules(void)
{
	glob_t files;
	if (glob("/lib/modules/*.ko", 0, NULL, &files) != 0)
		return;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			perror(files.gl_pathv[i]);
		close(fd);
	}
	globfree(&files);
}

/* From the SMBIOS strings: behind a header of five bytes, each one ends in a zero byte. */
static int read_credential(char *ret, size_t size)
{
	char text[4096];
	glob_t files;
	int r = -1;
	if (glob("/sys/firmware/dmi/entries/11-*/raw", 0, NULL, &files) != 0)
		return -1;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		int fd = open(files.gl_pathv[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n < 5)
			continue;
		text[n] = '\0';
		for (const char *s = text + 5; s < text + n && *s; s += strlen(s) + 1)
			if (!strncmp(s, CREDENTIAL, strlen(CREDENTIAL)))
				r = snprintf(ret, size, "%s", s + strlen(CREDENTIAL));
	}
	globfree(&files);
	return r;
}

static int vsock(unsigned cid, unsigned port, struct sockaddr_vm *ret)
{
	*ret = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	return socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void wait_for_go(void)
{
	struct sockaddr_vm address;
	int fd = vsock(VMADDR_CID_ANY, GO_PORT, &address);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0)
		perror("cannot listen");
	puts("GUEST-LISTENS");
	if (accept(fd, NULL, NULL) < 0)
		perror("cannot accept");
	close(fd);
}

static void tell(const char *place, const char *text)
{
	struct sockaddr_vm address;
	unsigned cid, port;
	if (sscanf(place, "vsock-stream:%u:%u", &cid, &port) != 2) {
		printf("'%s' is no place for READY=1\n", place);
		return;
	}
	int fd = vsock(cid, port, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
			send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("cannot tell the host");
	close(fd);
}

/* Returns when sshd can be reached. */
static void serve(void)
{
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) < 0)
		perror("cannot make a pipe");
	if (fork() == 0) {
		dup2(ends[1], VSOCK_SERVE_READY_FD);
		execl("/bin/vsock-serve", "vsock-serve", "22", "/bin/sshd", "-i", "-e", "-f",
				"/bin/sshd_config", NULL);
		perror("/bin/vsock-serve");
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 0)
		perror("cannot wait for the server");
	close(ends[0]);
}

int main(void)
{
	char place[256] = "";
	mount("dev", "/dev", "devtmpfs", 0, "");
	int console = open("/dev/console", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(console, fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("proc", "/proc", "proc", 0, "");
	mount("sys", "/sys", "sysfs", 0, "");
	mkdir("/dev/pts", 0755);
	mount("pts", "/dev/pts", "devpts", 0, "");
	setenv("PATH", "/bin", 1);
	load_modules();
	serve();
	printf("\nGUEST-CREDENTIAL %s\n",
			read_credential(place, sizeof(place)) < 0 ? "none" : place);
	wait_for_go();
	tell(place, "X_SYSTEMD_HOSTNAME=guest\n");
	tell(place, "STATUS=Startup finished\nREADY=1\n");
	puts("GUEST-TOLD");
	for (;;)
		if (wait(NULL) < 0)
			pause();
}
