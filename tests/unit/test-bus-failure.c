/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a run of a unit failed, and the words where there is no systemd at all. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "host/systemd/bus-unit.h"
#include "test.h"
#include "util/mem.h"

/* A step that has ended; the texts stay the caller's. */
static struct exec_step step(
		const char *setting, const char *path, uint64_t end_usec, int code, int status)
{
	struct exec_step s = {
		.setting = setting,
		.path = xstrdup(path),
		.end_usec = end_usec,
		.code = code,
		.status = status,
	};
	strv_push(&s.argv, path);
	return s;
}

static void check(const char *result, struct exec_step *steps, size_t n_steps, const char *expected)
{
	struct unit_info info = {
		.load_state = xstrdup("loaded"),
		.load_error = xstrdup(""),
		.result = xstrdup(result),
		.steps = xcalloc(n_steps + 1, sizeof(*steps)),
		.n_steps = n_steps,
	};
	for (size_t i = 0; i < n_steps; i++)
		info.steps[i] = steps[i];
	CLEANUP(buf_done) struct buf text = {};
	CHECK_INT(unit_explain_failure(&info, &text), *expected != '\0');
	CHECK_STR(buf_text(&text), expected);
	unit_info_done(&info);
}

static void check_step(struct exec_step s, const char *expected)
{
	check("exit-code", &s, 1, expected);
}

TEST(success_has_no_reason)
{
	check("success", NULL, 0, "");
	check("", NULL, 0, "");
	/* A stop by signal is one. */
	struct exec_step s = step("ExecStart", "/bin/x", 5, CLD_KILLED, SIGTERM);
	check("success", &s, 1, "");
}

TEST(step_is_told_by_its_program_and_verb)
{
	check_step(step("ExecStart", "/usr/bin/qemu", 5, CLD_EXITED, 1),
			"ExecStart (qemu) failed with status 1");
	struct exec_step s = step("ExecStartPre", "/usr/bin/machina", 5, CLD_EXITED, 1);
	strv_push(&s.argv, "prepare");
	strv_push(&s.argv, "qemu");
	check_step(s, "ExecStartPre (machina prepare) failed with status 1");
	s = step("ExecStart", "/usr/bin/qemu", 5, CLD_EXITED, 1);
	strv_push(&s.argv, "-name");
	check_step(s, "ExecStart (qemu) failed with status 1");
	s = step("ExecStart", "x", 5, CLD_EXITED, 1);
	strv_push(&s.argv, "\033[31m");
	check_step(s, "ExecStart (x \\x1b[31m) failed with status 1");
}

TEST(end_is_told_by_status_or_signal)
{
	check_step(step("ExecStart", "/x", 5, CLD_EXITED, 203),
			"ExecStart (x) could not be run (status 203/EXEC)");
	check_step(step("ExecStart", "/x", 5, CLD_EXITED, 245),
			"ExecStart (x) could not be run (status 245/BPF)");
	/* No meaning of systemd's. */
	check_step(step("ExecStart", "/x", 5, CLD_EXITED, 199),
			"ExecStart (x) failed with status 199");
	check_step(step("ExecStart", "/x", 5, CLD_EXITED, 234),
			"ExecStart (x) failed with status 234");
	check_step(step("ExecStart", "/x", 5, CLD_EXITED, 255),
			"ExecStart (x) failed with status 255");
	check_step(step("ExecStart", "/x", 5, CLD_KILLED, SIGKILL),
			"ExecStart (x) was killed by signal 9/KILL");
	check_step(step("ExecStart", "/x", 5, CLD_DUMPED, SIGSEGV),
			"ExecStart (x) was ended by signal 11/SEGV, leaving a core dump");
	check_step(step("ExecStart", "/x", 5, CLD_KILLED, 40),
			"ExecStart (x) was killed by signal 40");
}

TEST(first_failure_in_time_is_the_reason)
{
	struct exec_step steps[] = {
		step("ExecStartPre", "/fine", 2, CLD_EXITED, 0),
		step("ExecStartPre", "/ignored", 3, CLD_EXITED, 1),
		step("ExecStart", "/late", 9, CLD_KILLED, SIGTERM),
		step("ExecStartPost", "/first", 7, CLD_EXITED, 4),
		step("ExecStop", "/runs", 0, 0, 0),
		step("ExecStopPost", "/last", 11, CLD_EXITED, 1),
	};
	steps[1].ignore_failure = true;
	check("exit-code", steps, ARRAY_SIZE(steps), "ExecStartPost (first) failed with status 4");
}

TEST(a_program_that_was_told_to_end_has_not_failed)
{
	/* A hook ends what it refuses to wait for, and then itself. */
	struct exec_step refused[] = {
		step("ExecStart", "/told", 5, CLD_KILLED, SIGTERM),
		step("ExecStartPost", "/refuses", 7, CLD_EXITED, 1),
	};
	check("exit-code", refused, ARRAY_SIZE(refused),
			"ExecStartPost (refuses) failed with status 1");
	struct exec_step stopped[] = {
		step("ExecStart", "/told", 5, CLD_KILLED, SIGTERM),
		step("ExecStartPost", "/told", 7, CLD_KILLED, SIGTERM),
	};
	check("signal", stopped, ARRAY_SIZE(stopped),
			"ExecStartPost (told) was killed by signal 15/TERM");
	check_step(step("ExecStart", "/told", 5, CLD_DUMPED, SIGTERM),
			"ExecStart (told) was ended by signal 15/TERM, leaving a core dump");
}

TEST(of_several_tries_to_stop_the_first_is_the_reason)
{
	struct exec_step steps[] = {
		step("ExecStart", "/qemu", 20, CLD_EXITED, 0),
		step("ExecStop", "/first", 7, CLD_KILLED, SIGKILL),
		step("ExecStop", "/second", 9, CLD_EXITED, 1),
		step("ExecStopPost", "/ignored", 3, CLD_EXITED, 1),
	};
	steps[1].ignore_failure = true;
	steps[3].ignore_failure = true;
	check("exit-code", steps, ARRAY_SIZE(steps),
			"ExecStop (first) was killed by signal 9/KILL");
	/* The other one did it. */
	struct unit_info info = { .steps = steps, .n_steps = ARRAY_SIZE(steps) };
	steps[2].status = 0;
	CHECK(!unit_failed_step(&info));
}

TEST(the_end_of_the_main_process_is_known_without_steps)
{
	static const struct {
		const char *result;
		int code, status;
		const char *text;
	} rows[] = {
		{ "signal", CLD_KILLED, SIGKILL, "its main process was killed by signal 9/KILL" },
		{ "exit-code", CLD_EXITED, 1, "its main process failed with status 1" },
		{ "core-dump", CLD_DUMPED, SIGSEGV,
				"its main process was ended by signal 11/SEGV, leaving a core "
				"dump" },
		/* A hook was it: systemd has ended QEMU since. */
		{ "exit-code", CLD_KILLED, SIGTERM, "its result is 'exit-code'" },
		{ "exit-code", CLD_EXITED, 0, "its result is 'exit-code'" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buf_done) struct buf text = {};
		char loaded[] = "loaded";
		CLEANUP(freep) char *result = xstrdup(rows[i].result);
		const struct unit_info info = { .load_state = loaded,
			.result = result,
			.exec_main_code = rows[i].code,
			.exec_main_status = rows[i].status };
		CHECK(unit_explain_failure(&info, &text));
		CHECK_STR(buf_text(&text), rows[i].text);
	}
}

TEST(results_of_systemd_have_words)
{
	static const struct {
		const char *result, *with_step, *without;
	} rows[] = {
		{ "timeout", "ExecStart (x) did not end within its time limit",
				"it did not end within its time limit" },
		{ "oom-kill", "ExecStart (x) was killed because memory ran out",
				"it was killed because memory ran out" },
		{ "start-limit-hit", "it was started too often in a short time",
				"it was started too often in a short time" },
		{ "signal", "ExecStart (x) was killed by signal 9/KILL", "its result is 'signal'" },
		{ "brand-new", "ExecStart (x) was killed by signal 9/KILL",
				"its result is 'brand-new'" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exec_step s = step("ExecStart", "/bin/x", 5, CLD_KILLED, SIGKILL);
		check(rows[i].result, &s, 1, rows[i].with_step);
		check(rows[i].result, NULL, 0, rows[i].without);
	}
}

TEST(unit_that_was_not_loaded_says_why)
{
	struct unit_info info = {
		.load_state = xstrdup("not-found"),
		.load_error = xstrdup("Unit x.service not found."),
		.result = xstrdup("success"),
	};
	CLEANUP(buf_done) struct buf text = {};
	CHECK(unit_explain_failure(&info, &text));
	CHECK_STR(buf_text(&text), "Unit x.service not found");
	buf_clear(&text);
	info.load_error[0] = '\0';
	CHECK(unit_explain_failure(&info, &text));
	CHECK_STR(buf_text(&text), "the unit is not-found");
	unit_info_done(&info);
}

TEST(each_state_has_begun_at_some_moment)
{
	static const struct {
		char state[16];
		uint64_t since;
		bool is_up, is_down;
	} rows[] = {
		{ "active", 1, true, false },
		{ "reloading", 1, true, false },
		{ "deactivating", 2, false, false },
		{ "inactive", 3, false, true },
		{ "failed", 3, false, true },
		{ "activating", 4, false, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *state = xstrdup(rows[i].state);
		const struct unit_info info = {
			.active_state = state,
			.active_enter_usec = 1,
			.active_exit_usec = 2,
			.inactive_enter_usec = 3,
			.inactive_exit_usec = 4,
		};
		CHECK_INT(unit_since_usec(&info), rows[i].since);
		CHECK_INT(unit_is_up(rows[i].state), rows[i].is_up);
		CHECK_INT(unit_is_down(rows[i].state), rows[i].is_down);
	}
}

TEST(where_systemd_does_not_run_it_is_said)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		/* A /run with nothing in it. */
		if (unshare(CLONE_NEWNS) < 0 ||
				mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
				mount("none", "/run", "tmpfs", 0, NULL) < 0)
			_exit(77);
		struct bus *bus = NULL;
		struct error err = {};
		int r = bus_open(&bus, &err);
		_exit(r == -EHOSTDOWN && err.code == EHOSTDOWN &&
								strncmp(err.text,
										"systemd is not "
										"running here (",
										29) == 0
						? 0
						: 1);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("no right to mount");
	CHECK_INT(status, 0);
}

TEST_MAIN()
