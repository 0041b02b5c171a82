/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work in processes of its own: its result, or that there is none. */
#include "util/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "test.h"

static bool count(void *context, struct buf *result)
{
	for (int i = 0; i < *(int *)context; i++)
		buf_printf(result, "%d\n", i);
	return true;
}

TEST(results_come_back_behind_what_was_there)
{
	int little = 3, much = 200000, nothing = 0;
	struct worker w[3];
	worker_start(&w[0], count, &little);
	worker_start(&w[1], count, &much);
	worker_start(&w[2], count, &nothing);
	CLEANUP(buf_done) struct buf result = {};
	buf_puts(&result, "x\n");
	CHECK_INT(worker_finish(&w[0], &result), 1);
	CHECK_STR(result.text, "x\n0\n1\n2\n");
	CHECK_INT(worker_finish(&w[1], &result), 1);
	CHECK(result.len > 1000000 && !strcmp(result.text + result.len - 7, "199999\n"));
	size_t len = result.len;
	CHECK_INT(worker_finish(&w[2], &result), 1);
	CHECK_INT(result.len, len);
}

static bool refuse(void *context, struct buf *result)
{
	(void)context;
	buf_puts(result, "half of it");
	return false;
}

static bool crash(void *context, struct buf *result)
{
	(void)context;
	buf_puts(result, "half of it");
	raise(SIGKILL);
	return true;
}

TEST(without_a_result_nothing_is_added)
{
	struct worker refuses, crashes, absent = { .fd = -1 };
	worker_start(&refuses, refuse, NULL);
	worker_start(&crashes, crash, NULL);
	CLEANUP(buf_done) struct buf result = {};
	CHECK_INT(worker_finish(&refuses, &result), 0);
	CHECK_INT(worker_finish(&crashes, &result), 0);
	CHECK_INT(worker_finish(&absent, &result), 0);
	CHECK_INT(result.len, 0);
	/* None is left. */
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

/* What waits in the streams is written once, by the process that put it there. */
TEST(streams_are_not_flushed_twice)
{
	int pipes[2], status;
	CHECK_INT(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int little = 1;
		struct worker w;
		CLEANUP(buf_done) struct buf result = {};
		dup2(pipes[1], STDOUT_FILENO);
		fputs("once", stdout);
		worker_start(&w, count, &little);
		int r = worker_finish(&w, &result);
		fflush(stdout);
		_exit(r != 1);
	}
	close(pipes[1]);
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	char text[20];
	CHECK_INT(read(pipes[0], text, sizeof(text)), 4);
	close(pipes[0]);
}

static bool wait_forever(void *context, struct buf *result)
{
	(void)result;
	CHECK_INT(write(*(int *)context, "x", 1), 1);
	while (pause() < 0)
		;
	return true;
}

TEST(they_go_when_their_parent_is_killed)
{
	int pipes[2];
	char c;
	CHECK_INT(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct worker w;
		close(pipes[0]);
		worker_start(&w, wait_forever, &pipes[1]);
		close(pipes[1]);
		for (;;)
			pause();
	}
	close(pipes[1]);
	CHECK_INT(read(pipes[0], &c, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* The last writer has gone. */
	CHECK_INT(read(pipes[0], &c, 1), 0);
	close(pipes[0]);
}

TEST(there_is_a_cpu)
{
	CHECK(worker_cpus() >= 1);
}
TEST_MAIN()
