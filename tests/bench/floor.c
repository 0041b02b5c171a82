/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be undercut: "floor libraries" is loaded with the libraries that the program loads,
 * and ends; "floor write FROM TO" writes the files of one directory into a new one, flushes the
 * file system once, and prints how many milliseconds the writing took (reading does not count).
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct text {
	char *name;
	char *data;
	size_t len;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static size_t read_all(const char *dir, struct text *texts, size_t n_max)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	if (!d)
		die(dir);
	for (struct dirent *e; n < n_max && (e = readdir(d));) {
		struct stat st;
		int fd = openat(dirfd(d), e->d_name, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) < 0)
			die(e->d_name);
		if (S_ISREG(st.st_mode)) {
			texts[n] = (struct text){ strdup(e->d_name), malloc((size_t)st.st_size),
				(size_t)st.st_size };
			if (read(fd, texts[n].data, texts[n].len) != st.st_size)
				die(e->d_name);
			n++;
		}
		close(fd);
	}
	closedir(d);
	return n;
}

static void write_all_files(const char *dir, const struct text *texts, size_t n)
{
	int d = mkdir(dir, 0755) == 0 ? open(dir, O_RDONLY | O_DIRECTORY) : -1;
	if (d < 0)
		die(dir);
	for (size_t i = 0; i < n; i++) {
		int fd = openat(d, texts[i].name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, texts[i].data, texts[i].len) != (ssize_t)texts[i].len)
			die(texts[i].name);
		close(fd);
	}
	if (syncfs(d) < 0)
		die("syncfs");
	close(d);
}

static int print_memory(char **command)
{
	struct rusage usage;
	int status;
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execv(command[0], command);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		die("wait4");
	printf("%ld\n", usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	static struct text texts[4096];
	if (argc > 2 && !strcmp(argv[1], "memory"))
		return print_memory(argv + 2);
	if (argc != 4 || strcmp(argv[1], "write") != 0)
		return 0;
	size_t n = read_all(argv[2], texts, sizeof(texts) / sizeof(texts[0]));
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	write_all_files(argv[3], texts, n);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.3f\n", (double)(end.tv_sec - begin.tv_sec) * 1e3 +
					 (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	return 0;
}
