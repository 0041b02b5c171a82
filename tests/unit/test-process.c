/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running other programs. */
#include "host/os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "scratch.h"
#include "test.h"
#include "util/file.h"

static int run_shell(const char *script, struct error *err)
{
	const char *argv[] = { "/bin/sh", "-c", script, "sh", scratch_dir, NULL };
	return process_run(&(struct process){ .argv = argv }, err);
}

static void check_fails(const char *script, const char *text)
{
	struct error err = {};
	CHECK_INT(run_shell(script, &err), -EIO);
	CHECK_STR(err.text, text);
}

TEST(arguments_arrive_unchanged)
{
	scratch_begin();
	CLEANUP(freep) char *out = xasprintf("%s/a b;$(c)\\'\"", scratch_dir);
	const char *argv[] = { "touch", "--", out, NULL };
	struct error err = {};
	CHECK_INT(process_run(&(struct process){ .argv = argv }, &err), 0);
	CHECK_INT(access(out, F_OK), 0);
	scratch_end();
}

TEST(the_end_of_a_program_is_told)
{
	scratch_begin();
	check_fails("exit 3", "'/bin/sh' has failed with status 3");
	check_fails("exit 127", "'/bin/sh' has failed with status 127");
	check_fails("kill -KILL $$", "'/bin/sh' was ended by signal 9 (Killed)");
	struct error err = {};
	CHECK_INT(run_shell("exit 0", &err), 0);
	scratch_end();
}

TEST(a_program_that_is_missing_is_named)
{
	scratch_begin();
	struct error err = {};
	const char *argv[] = { "/no/such/program", NULL };
	CHECK_INT(process_run(&(struct process){ .argv = argv }, &err), -ENOENT);
	CHECK_STR(err.text, "cannot run '/no/such/program': No such file or directory");
	CLEANUP(freep) char *path = xstrdup(getenv("PATH"));
	setenv("PATH", "/usr/bin:/bin", 1);
	argv[0] = "no-such-program-in-the-path";
	CHECK_INT(process_run(&(struct process){ .argv = argv }, &err), -ENOENT);
	setenv("PATH", path, 1);
	put_file("script", "#!/bin/sh\n");
	argv[0] = scratch_path("script");
	CHECK_INT(process_run(&(struct process){ .argv = argv }, &err), -EACCES);
	scratch_end();
}

TEST(the_environment_is_ours_but_for_what_is_systemds)
{
	scratch_begin();
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("MACHINA_TEST", "kept", 1);
	struct error err = {};
	CHECK_INT(run_shell("echo \"${NOTIFY_SOCKET-}${LISTEN_FDS-}$MACHINA_TEST\" >$1/out", &err),
			0);
	check_file("out", "kept\n");
	CHECK_STR(getenv("NOTIFY_SOCKET"), "/run/x");

	const char *const environment[] = { "ONLY=this", NULL };
	const char *argv[] = { "/bin/sh", "-c", "echo \"$ONLY${MACHINA_TEST-}\" >$0/out",
		scratch_dir, NULL };
	CHECK_INT(process_run(&(struct process){ .argv = argv, .environment = environment }, &err),
			0);
	check_file("out", "this\n");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("MACHINA_TEST");
	scratch_end();
}

TEST(as_many_descriptors_are_allowed_as_we_were_given)
{
	struct rlimit before, few;
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 100, .rlim_max = before.rlim_max };
	scratch_begin();
	struct error err = {};
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	file_allow_many();
	/* That was enough before, and is now: what was given is not forgotten. */
	file_allow_many();
	CHECK_INT(run_shell("ulimit -n >$1/out", &err), 0);
	check_file("out", "100\n");
	struct rlimit ours;
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &ours), 0);
	CHECK(ours.rlim_cur == ours.rlim_max);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
	scratch_end();
}

TEST(input_is_empty_and_no_descriptor_is_added)
{
	scratch_begin();
	struct error err = {};
	CHECK_INT(run_shell("cat >$1/out; ls /proc/self/fd | wc -l >$1/ours", &err), 0);
	check_file("out", "");
	CLEANUP(freep)
	char *command = xasprintf("ls /proc/self/fd | wc -l >%s/theirs", scratch_dir);
	CHECK_INT(system(command), 0);
	CLEANUP(buf_done) struct buf theirs = {};
	CHECK_INT(file_read(scratch_path("theirs"), 16, &theirs, NULL), 0);
	check_file("ours", buf_text(&theirs));
	scratch_end();
}

static int refuse(const void *data, struct error *err)
{
	return error_set(err, EXDEV, "not today: %s", (const char *)data);
}

static int enter(const void *data, struct error *err)
{
	return chdir(data) < 0 ? error_errno(err, "cannot enter") : 0;
}

TEST(the_child_is_prepared)
{
	scratch_begin();
	const char *argv[] = { "/bin/sh", "-c", "pwd >out", NULL };
	struct error err = {};
	struct process process = { .argv = argv, .prepare = enter, .data = scratch_dir };
	CHECK_INT(process_run(&process, &err), 0);
	CLEANUP(freep) char *text = xasprintf("%s\n", scratch_dir);
	check_file("out", text);

	CHECK_INT(unlink(scratch_path("out")), 0);
	process.prepare = refuse;
	process.data = "because";
	CHECK_INT(process_run(&process, &err), -EXDEV);
	CHECK_STR(err.text, "not today: because");
	check_tree("", "");
	scratch_end();
}

static int open_text(const char *name, const char *text)
{
	put_file(name, text);
	return open(scratch_path(name), O_RDONLY | O_CLOEXEC);
}

/* Wherever they are in this process: also where their numbers are those of others. */
TEST(descriptors_are_handed_over_in_order)
{
	scratch_begin();
	const int low = dup(STDERR_FILENO);
	close(low);
	int fds[] = { open_text("a", "A"), open_text("b", "B"), open_text("c", "C"), -1 };
	/* At home low, low + 1, low + 2; given in an order that moves each to another's place. */
	CHECK_INT(fds[0], low);
	const int given[] = { fds[2], fds[0], fds[1] };
	int log = open(scratch_path("log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int stray = open("/dev/null", O_RDONLY);
	const char *argv[] = { "/bin/sh", "-c",
		"cat <&3; cat <&4; cat <&5; echo >&2; [ -e /proc/self/fd/6 ] || echo none", NULL };
	const struct process process = {
		.argv = argv, .fds = given, .n_fds = 3, .output_fd = &log
	};
	struct error err = {};
	CHECK_INT(process_run(&process, &err), 0);
	check_file("log", "CAB\nnone\n");
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	close(log);
	close(stray);
	scratch_end();
}

TEST(output_may_be_one_of_the_numbers)
{
	scratch_begin();
	int log = open(scratch_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK_INT(log, 3);
	const int given[] = { open_text("a", "A"), log };
	const char *argv[] = { "/bin/sh", "-c", "cat <&3; echo to 4 >&4", NULL };
	const struct process process = {
		.argv = argv, .fds = given, .n_fds = 2, .output_fd = &log
	};
	struct error err = {};
	CHECK_INT(process_run(&process, &err), 0);
	check_file("log", "Ato 4\n");
	close(given[0]);
	close(log);
	scratch_end();
}

TEST(what_we_ignore_and_block_is_not_inherited)
{
	scratch_begin();
	sigset_t set, before;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	signal(SIGPIPE, SIG_IGN);
	check_fails("kill $$; exit 3", "'/bin/sh' was ended by signal 15 (Terminated)");
	check_fails("kill -PIPE $$; exit 3", "'/bin/sh' was ended by signal 13 (Broken pipe)");
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	scratch_end();
}

TEST(a_program_can_go_on_beside_us)
{
	int ends[2];
	CHECK_INT(pipe(ends), 0);
	const char *argv[] = { "/bin/sh", "-c", "read line <&3; exit 7", NULL };
	const struct process process = { .argv = argv, .fds = &ends[0], .n_fds = 1 };
	struct error err = {};
	pid_t pid = 0;
	int status;
	CHECK_INT(process_start(&process, &pid, &err), 0);
	CHECK_INT(waitpid(pid, &status, WNOHANG), 0);
	CHECK_INT(write(ends[1], "\n", 1), 1);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(process_check(status, "it", &err), -EIO);
	CHECK_STR(err.text, "'it' has failed with status 7");
	close(ends[0]);
	close(ends[1]);

	argv[0] = "/no/such/program";
	const struct process missing = { .argv = argv };
	CHECK_INT(process_start(&missing, &pid, &err), -ENOENT);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
}

/* Nothing goes on behind the back of a hook that was killed. */
TEST(the_child_ends_with_us)
{
	scratch_begin();
	int said[2];
	CHECK_INT(pipe(said), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(said[1], STDOUT_FILENO);
		close(said[0]);
		close(said[1]);
		(void)!run_shell("echo ready; exec sleep 1000", NULL);
		_exit(1);
	}
	close(said[1]);
	char c;
	CHECK_INT(read(said[0], &c, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* The end of the pipe comes when nobody has it open any more. */
	while (read(said[0], &c, 1) > 0)
		continue;
	close(said[0]);
	scratch_end();
}

TEST_MAIN()
