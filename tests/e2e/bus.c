/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lib/host asks of systemd and of the journal, with the systemd that runs here. Started by
 * test-bus in a system of its own: it writes units, starts them and lets them fail.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/systemd/bus-file.h"
#include "host/systemd/bus-job.h"
#include "host/systemd/bus-unit.h"
#include "host/systemd/journal.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

#define UNITS "/run/systemd/system"
/* In the environment of this program when it is a service that talks to the journal. */
#define SPEAKER "BUS_TEST_SPEAKER"
#define LIMIT_USEC (300 * USEC_PER_SEC)
/* While it is there, it is 40 seconds later. */
#define LATER "/run/later"

static struct bus *bus;

int __real_clock_gettime(clockid_t id, struct timespec *ret);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret);

int __wrap_clock_gettime(clockid_t id, struct timespec *ret)
{
	int r = __real_clock_gettime(id, ret);
	if (id == CLOCK_MONOTONIC && access(LATER, F_OK) == 0)
		ret->tv_sec += 40;
	return r;
}

/* Write a service; systemd reads it when it is first asked for. */
static void service(const char *name, const char *text)
{
	CLEANUP(freep) char *path = xasprintf(UNITS "/%s.service", name);
	struct error err = {};
	if (file_replace(path, text, strlen(text), 0644, &err) < 0)
		TEST_FAIL("%s", err.text);
}

static void reload(void)
{
	struct error err = {};
	if (bus_reload(bus, &err) < 0)
		TEST_FAIL("%s", err.text);
}

struct finished {
	struct strv lines; /* "NAME RESULT TEXT" in the order of their ends */
};

static void note(void *data, size_t i, const struct bus_job *job)
{
	struct finished *f = data;
	strv_pushf(&f->lines, "%zu %s %d %s", i, job->unit, (int)job->result, job->text);
}

/* Run jobs on units given as "a b c"; the ends, in their order, one a line. Caller frees. */
static char *run(enum bus_verb verb, const char *names, int expected)
{
	CLEANUP(strv_done) struct strv units = {};
	CLEANUP(freep) char *copy = xstrdup(names);
	for (char *rest = copy, *name; (name = strsep(&rest, " "));)
		strv_pushf(&units, "%s.service", name);

	struct finished f = {};
	struct error err = {};
	int r = bus_run_jobs(bus, verb, &units, note, &f, clock_deadline_usec(LIMIT_USEC), &err);
	CHECK_INT(r, expected);
	if (r < 0)
		test_note("%s", err.text);
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < f.lines.n; i++)
		buf_printf(&text, "%s\n", f.lines.items[i]);
	strv_done(&f.lines);
	return buf_take(&text);
}

static void run_one(enum bus_verb verb, const char *name, int expected, const char *expected_text)
{
	CLEANUP(freep) char *ends = run(verb, name, expected);
	CLEANUP(freep) char *line = xasprintf("0 %s.service %s\n", name, expected_text);
	CHECK_STR(ends, line);
}

static struct unit_info get(const char *name)
{
	struct unit_info info = {};
	struct error err = {};
	CLEANUP(freep) char *full = xasprintf("%s.service", name);
	if (bus_get_unit(bus, full, &info, &err) < 0) {
		TEST_FAIL("%s", err.text);
		exit(1);
	}
	return info;
}

static void check_failure(const char *name, const char *expected)
{
	CLEANUP(unit_info_done) struct unit_info info = get(name);
	CLEANUP(buf_done) struct buf text = {};
	CHECK_INT(unit_explain_failure(&info, &text), expected != NULL);
	CHECK_STR(buf_text(&text), expected ? expected : "");
}

/* ---- jobs ---- */

TEST(unit_is_started_and_its_state_read)
{
	service("sleeper", "[Unit]\nDescription=A sleeper\n"
			   "[Service]\nType=exec\nExecStart=/bin/sleep "
			   "1000\nFileDescriptorStoreMax=4\n"
			   "[Install]\nWantedBy=multi-user.target\n");
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	run_one(BUS_START, "sleeper", 0, "0 ");

	CLEANUP(unit_info_done) struct unit_info info = get("sleeper");
	CHECK_STR(info.description, "A sleeper");
	CHECK_STR(info.load_state, "loaded");
	CHECK_STR(info.load_error, "");
	CHECK_STR(info.active_state, "active");
	CHECK_STR(info.sub_state, "running");
	CHECK_STR(info.unit_file_state, "disabled");
	CHECK_STR(info.result, "success");
	CHECK(!info.need_daemon_reload);
	CHECK(info.main_pid > 1 && kill(info.main_pid, 0) == 0);
	CHECK_INT(strspn(info.invocation_id, "0123456789abcdef"), 32);
	CHECK(info.active_enter_usec >= (uint64_t)now.tv_sec * USEC_PER_SEC);
	CHECK(info.active_enter_usec < (uint64_t)(now.tv_sec + 60) * USEC_PER_SEC);
	CHECK_INT(info.active_exit_usec, 0);
	CHECK_INT(info.n_restarts, 0);
	CHECK_INT(info.n_steps, 1);
	CHECK_STR(info.steps[0].setting, "ExecStart");
	CHECK_INT(info.steps[0].pid, info.main_pid);
	CHECK_INT(info.steps[0].end_usec, 0);
	check_failure("sleeper", NULL);
	/* Started, it starts no more. */
	run_one(BUS_START, "sleeper", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info again = get("sleeper");
	CHECK_INT(again.main_pid, info.main_pid);
}

TEST(unit_is_restarted_and_stopped)
{
	CLEANUP(unit_info_done) struct unit_info first = get("sleeper");
	run_one(BUS_RESTART, "sleeper", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info second = get("sleeper");
	CHECK(second.main_pid > 1 && second.main_pid != first.main_pid);
	CHECK(strcmp(second.invocation_id, first.invocation_id) != 0);

	run_one(BUS_STOP, "sleeper", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info third = get("sleeper");
	CHECK_STR(third.active_state, "inactive");
	CHECK_INT(third.main_pid, 0);
	CHECK_INT(third.memory_current, UINT64_MAX);
	CHECK(kill(second.main_pid, 0) < 0);
	/* SIGTERM ended it, and that is how it should be. */
	check_failure("sleeper", NULL);
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

TEST(resources_are_told_where_they_are_counted)
{
	service("counted", "[Service]\nType=exec\nCPUAccounting=yes\nExecStartPre=/bin/sh -c "
			   "'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done'\n"
			   "ExecStart=/bin/sleep 1000\n");
	run_one(BUS_START, "counted", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info info = get("counted");
	CHECK(info.cpu_usage_nsec > 0 && info.cpu_usage_nsec < UINT64_C(60000000000));
	run_one(BUS_STOP, "counted", 0, "0 ");
}

TEST(several_units_run_at_once_and_end_in_their_own_order)
{
	/* Each waits for the end of the job named behind it, so that they end the other way round.
	 */
	service("third", "[Service]\nType=oneshot\nExecStart=/bin/sh -c "
			 "'until systemctl -q is-active second; do sleep 0.01; done'\n");
	service("second", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "
			  "'until systemctl -q is-active first; do sleep 0.01; done'\n");
	service("first", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n");
	CLEANUP(freep) char *ends = run(BUS_START, "third second first no-such fail", 2);
	CHECK_INT(strncmp(ends, "3 no-such.service 12 Unit no-such.service not found\n", 52), 0);
	char *first = strstr(ends, "2 first.service 0 \n");
	char *second = strstr(ends, "1 second.service 0 \n");
	char *third = strstr(ends, "0 third.service 0 \n");
	CHECK(first && second && third && first < second && second < third);
	CHECK(strstr(ends, "4 fail.service 12 "));
}

TEST(unit_named_twice_is_one_job_with_two_ends)
{
	CLEANUP(freep) char *ends = run(BUS_START, "sleeper sleeper", 0);
	CHECK_STR(ends, "0 sleeper.service 0 \n1 sleeper.service 0 \n");
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

TEST(no_unit_is_no_work)
{
	struct strv none = {};
	CHECK_INT(bus_run_jobs(bus, BUS_START, &none, NULL, NULL, DEADLINE_NEVER, NULL), 0);
	CLEANUP(unit_list_done) struct unit_list list = {};
	CHECK_INT(bus_list_units(bus, &none, &list, NULL), 0);
	CHECK_INT(list.n, 0);
}

TEST(masked_unit_and_bad_name_are_refused)
{
	CHECK_INT(symlink("/dev/null", UNITS "/masked.service"), 0);
	run_one(BUS_START, "masked", 1, "12 Unit masked.service is masked");
	CLEANUP(freep) char *ends = run(BUS_START, "a/b", 1);
	CHECK_INT(strncmp(ends, "0 a/b.service 12 Unit name a/b.service is ", 42), 0);
	check_failure("masked", "Unit masked.service is masked");
	check_failure("no-such", "Unit no-such.service not found");
}

TEST(broken_unit_says_what_is_wrong)
{
	service("broken", "[Service]\nType=oneshot\n");
	CLEANUP(freep) char *ends = run(BUS_START, "broken", 1);
	/* systemd sends people to systemctl; other versions do not. */
	CHECK_INT(strncmp(ends,
				  "0 broken.service 12 Unit broken.service has a bad unit file "
				  "setting",
				  67),
			0);
	CLEANUP(unit_info_done) struct unit_info info = get("broken");
	CHECK_STR(info.load_state, "bad-setting");
}

TEST(contrary_job_cancels_the_one_that_waits)
{
	service("endless", "[Service]\nType=oneshot\nExecStart=/bin/sleep 1000\n");
	pid_t pid = fork();
	if (pid == 0) {
		struct bus *own = NULL;
		struct strv units = {};
		int r = bus_open(&own, NULL);
		strv_push(&units, "endless.service");
		/* Until the other job is there. */
		struct unit_list list = {};
		while (r == 0 && (list.n == 0 || strcmp(list.rows[0].job_type, "start") != 0)) {
			unit_list_done(&list);
			r = bus_list_units(own, &units, &list, NULL);
			sched_yield();
		}
		if (r == 0)
			r = bus_run_jobs(own, BUS_STOP, &units, NULL, NULL, DEADLINE_NEVER, NULL);
		_exit(r == 0 ? 0 : 1);
	}
	run_one(BUS_START, "endless", 1, "1 the job was canceled");
	int status;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

TEST(deadline_ends_the_wait)
{
	CLEANUP(strv_done) struct strv units = {};
	strv_push(&units, "endless.service");
	struct error err = {};
	CHECK_INT(bus_run_jobs(bus, BUS_START, &units, NULL, NULL,
				  clock_deadline_usec(50 * USEC_PER_MSEC), &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "1 of 1 units are not done in time");
	CHECK_INT(bus_run_jobs(bus, BUS_START, &units, NULL, NULL, 0, &err), -ETIMEDOUT);
	/* The connection is as good as before, and what was given up does not call back. */
	run_one(BUS_STOP, "endless", 0, "0 ");
}

/* As it does when its package is upgraded: it ends all connections, and keeps its jobs. */
TEST(systemd_may_execute_itself_anew_meanwhile)
{
	struct stat st = {};
	service("anew", "[Service]\nType=exec\nExecStartPre=/bin/sh -c 'echo >>/run/starts'\n"
			"ExecStartPre=/usr/bin/systemctl daemon-reexec\n"
			"ExecStart=/bin/sleep 1000\n"
			"ExecStopPost=/usr/bin/systemctl daemon-reexec\n");
	run_one(BUS_START, "anew", 0, "0 ");
	run_one(BUS_RESTART, "anew", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info up = get("anew");
	CHECK_STR(up.active_state, "active");
	run_one(BUS_STOP, "anew", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info down = get("anew");
	CHECK_STR(down.active_state, "inactive");
	CHECK_INT(stat("/run/starts", &st), 0);
	CHECK_INT(st.st_size, 2);
}

/* As in an upgrade of several packages: longer after the first time than that may take. */
TEST(systemd_may_execute_itself_anew_once_more)
{
	service("more", "[Service]\nType=exec\nExecStartPre=/usr/bin/systemctl daemon-reexec\n"
			"ExecStartPre=/bin/sh -c 'until grep -q \" 03 .*/run/systemd/private\" "
			"/proc/net/unix; do sleep 0.01; done; >" LATER "'\n"
			"ExecStartPre=/usr/bin/systemctl daemon-reexec\n"
			"ExecStart=/bin/sleep 1000\n");
	run_one(BUS_START, "more", 0, "0 ");
	CHECK_INT(unlink(LATER), 0);
	run_one(BUS_STOP, "more", 0, "0 ");
}

TEST(unit_whose_need_fails_fails)
{
	service("need", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
	service("needy", "[Unit]\nRequires=need.service\nAfter=need.service\n"
			 "[Service]\nExecStart=/bin/sleep 1000\n");
	run_one(BUS_START, "needy", 1, "4 a unit that it needs has failed");
}

/* ---- failures ---- */

TEST(failing_step_is_named)
{
	static const struct {
		const char *name, *text, *expected;
	} rows[] = {
		{ "f-pre",
				"Type=exec\nExecStartPre=/bin/true\nExecStartPre=-/bin/false\n"
				"ExecStartPre=+/bin/sh -c 'exit 3'\nExecStart=/bin/sleep 1000\n"
				"ExecStopPost=/bin/false\n",
				"ExecStartPre (sh) failed with status 3" },
		{ "f-verb", "Type=exec\nExecStartPre=/usr/bin/env false web\nExecStart=/bin/true\n",
				"ExecStartPre (env false) failed with status 1" },
		{ "f-main", "Type=oneshot\nExecStart=/bin/sh -c 'exit 7'\n",
				"ExecStart (sh) failed with status 7" },
		/* The hook fails because QEMU did: that came first. */
		{ "f-both",
				"Type=exec\nExecStart=/bin/sh -c 'exit 1'\n"
				"ExecStartPost=/bin/sh -c 'while kill -0 $MAINPID; do sleep 0.01; "
				"done; "
				"exit 2'\n",
				"ExecStart (sh) failed with status 1" },
		{ "f-post", "Type=exec\nExecStart=/bin/sleep 1000\nExecStartPost=/bin/false\n",
				"ExecStartPost (false) failed with status 1" },
		{ "f-exec", "Type=exec\nExecStart=/no/such/program\n",
				"ExecStart (program) could not be run (status 203/EXEC)" },
		{ "f-user", "Type=exec\nUser=no-such-user\nExecStart=/bin/true\n",
				"ExecStart (true) could not be run (status 217/USER)" },
		{ "f-signal", "Type=oneshot\nLimitCORE=0\nExecStart=/bin/sh -c 'kill -SEGV $$$$'\n",
				"ExecStart (sh) was killed by signal 11/SEGV" },
		{ "f-slow",
				"Type=exec\nTimeoutStartSec=100ms\nExecStartPre=/bin/sleep 1000\n"
				"ExecStart=/bin/true\n",
				"ExecStartPre (sleep 1000) did not end within its time limit" },
		{ "f-condition",
				"Type=exec\nExecCondition=/bin/sh -c 'exit "
				"255'\nExecStart=/bin/true\n",
				"ExecCondition (sh) failed with status 255" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *text = xasprintf("[Service]\n%s", rows[i].text);
		service(rows[i].name, text);
		run_one(BUS_START, rows[i].name, 1, "3 the unit has failed");
		check_failure(rows[i].name, rows[i].expected);
	}
}

TEST(failure_is_reported_although_a_restart_is_planned)
{
	service("again", "[Service]\nType=exec\nRestart=on-failure\nRestartSec=1000\n"
			 "ExecStartPre=/bin/false\nExecStart=/bin/true\n");
	run_one(BUS_START, "again", 1, "3 the unit has failed");
	CLEANUP(unit_info_done) struct unit_info info = get("again");
	CHECK_STR(info.active_state, "activating");
	CHECK_STR(info.sub_state, "auto-restart");
	check_failure("again", "ExecStartPre (false) failed with status 1");
	run_one(BUS_STOP, "again", 0, "0 ");
}

TEST(what_waits_for_others_to_be_started_again_is_called_so)
{
	service("crasher", "[Service]\nType=exec\nRestart=on-failure\nRestartSec=1ms\n"
			   "ExecStart=/bin/sleep 1000\n");
	service("needs-it", "[Unit]\nRequires=crasher.service\nAfter=crasher.service\n"
			    "[Service]\nType=exec\nTimeoutStopSec=300\nExecStart=/bin/sleep 1000\n"
			    "ExecStop=/bin/sh -c 'until [ -e /run/go-on ]; do sleep 0.1; done'\n");
	run_one(BUS_START, "needs-it", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info info = get("crasher");
	CHECK_INT(kill(info.main_pid, SIGKILL), 0);
	const uint64_t deadline = clock_deadline_usec(LIMIT_USEC);
	do {
		unit_info_done(&info);
		info = get("crasher");
	} while (!info.job_id && clock_now_usec() < deadline);
	CHECK(info.job_id != 0);
	CHECK_STR(info.active_state, "activating");
	CHECK_STR(info.sub_state, "auto-restart");
	CLEANUP(strv_done) struct strv names = {};
	CLEANUP(unit_list_done) struct unit_list list = {};
	strv_push(&names, "crasher.service");
	CHECK_INT(bus_list_units(bus, &names, &list, NULL), 0);
	CHECK_STR(list.rows[0].sub_state, "auto-restart");
	CHECK_INT(file_replace("/run/go-on", "", 0, 0644, NULL), 0);
	run_one(BUS_STOP, "crasher", 0, "0 ");
}

TEST(old_failure_is_forgotten_by_a_good_run)
{
	service("once", "[Service]\nType=exec\nExecStartPre=/bin/test -e /run/once\n"
			"ExecStart=/bin/sleep 1000\n");
	run_one(BUS_START, "once", 1, "3 the unit has failed");
	struct error err = {};
	CHECK_INT(file_replace("/run/once", "", 0, 0644, &err), 0);
	run_one(BUS_START, "once", 0, "0 ");
	check_failure("once", NULL);
	CLEANUP(unit_info_done) struct unit_info info = get("once");
	CHECK(!unit_failed_step(&info));
	run_one(BUS_STOP, "once", 0, "0 ");
}

TEST(start_limit_is_named_and_can_be_lifted)
{
	service("limited", "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=1\n"
			   "[Service]\nType=oneshot\nExecStart=/bin/true\n");
	/* What nothing needs is forgotten when it has ended, and its starts with it. */
	service("keeper", "[Unit]\nWants=limited.service\nAfter=limited.service\n"
			  "[Service]\nType=exec\nExecStart=/bin/sleep 1000\n");
	run_one(BUS_START, "keeper", 0, "0 ");
	run_one(BUS_START, "limited", 1, "3 the unit has failed");
	check_failure("limited", "it was started too often in a short time");

	CLEANUP(strv_done) struct strv units = {};
	strv_push(&units, "no-such.service");
	strv_push(&units, "limited.service");
	CHECK_INT(bus_reset_failed(bus, &units, NULL), 0);
	run_one(BUS_START, "limited", 0, "0 ");
	check_failure("limited", NULL);
}

TEST(slow_stop_is_waited_for_and_its_failure_named)
{
	service("slow", "[Service]\nType=exec\nTimeoutStopSec=100ms\nExecStart=/bin/sh -c "
			"'trap \"\" TERM; : >/run/slow; while :; do sleep 0.1; done'\n"
			"ExecStartPost=/bin/sh -c 'until [ -e /run/slow ]; do sleep 0.01; done'\n");
	run_one(BUS_START, "slow", 0, "0 ");
	run_one(BUS_STOP, "slow", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info info = get("slow");
	CHECK_STR(info.active_state, "failed");
	check_failure("slow", "ExecStart (sh) did not end within its time limit");
}

TEST(arguments_arrive_as_written)
{
	service("words", "[Service]\nType=oneshot\nExecStart=/bin/echo \"a b\" 'c\"d' e\\x20f %% "
			 "$$x "
			 "${Y} \\\"\n"
			 "ExecStart=/bin/echo two\n");
	CLEANUP(unit_info_done) struct unit_info info = get("words");
	static const char *const expected[] = { "/bin/echo", "a b", "c\"d", "e f", "%", "$$x",
		"${Y}", "\"" };
	CHECK_INT(info.n_steps, 2);
	CHECK_STR(info.steps[0].path, "/bin/echo");
	CHECK_INT(info.steps[0].argv.n, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected) && i < info.steps[0].argv.n; i++)
		CHECK_STR(info.steps[0].argv.items[i], expected[i]);
	CHECK_STR(info.steps[1].argv.items[1], "two");
}

/* ---- lists and files ---- */

TEST(many_units_are_listed_in_the_order_asked_for)
{
	CHECK_INT(symlink("sleeper.service", UNITS "/alias.service"), 0);
	run_one(BUS_START, "sleeper", 0, "0 ");
	CLEANUP(strv_done) struct strv names = {};
	for (int i = 0; i < 300; i++)
		strv_pushf(&names, "nothing-%d.service", i);
	strv_push(&names, "sleeper.service");
	strv_push(&names, "im possible.service");
	strv_push(&names, "f-pre.service");
	strv_push(&names, "alias.service");
	CLEANUP(unit_list_done) struct unit_list list = {};
	CHECK_INT(bus_list_units(bus, &names, &list, NULL), 0);
	CHECK_INT(list.n, 304);
	for (size_t i = 0; i < list.n; i++) {
		bool known = i == 300 || i == 302;
		CHECK_STR(list.rows[i].name, names.items[i]);
		CHECK_STR(list.rows[i].load_state, known ? "loaded" : "not-found");
		CHECK_STR(list.rows[i].job_type, "");
	}
	CHECK_STR(list.rows[300].active_state, "active");
	CHECK_STR(list.rows[300].sub_state, "running");
	CHECK_STR(list.rows[302].active_state, "failed");
	CHECK_INT(unlink(UNITS "/alias.service"), 0);
	reload();
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

TEST(units_in_memory_are_listed_with_their_times)
{
	service("resting", "[Service]\nExecStart=/bin/true\n");
	run_one(BUS_START, "sleeper", 0, "0 ");
	CLEANUP(strv_done) struct strv names = {};
	strv_push(&names, "sleeper.service");
	strv_push(&names, "resting.service");
	strv_push(&names, "sleeper.service");
	for (int i = 0; i < 200; i++)
		strv_push(&names, "f-pre.service");
	CLEANUP(unit_list_done) struct unit_list list = {};
	CHECK_INT(bus_list_loaded_units(bus, "[sf]*.service", &names, &list, NULL), 0);
	CHECK_INT(list.n, names.n);
	CHECK_STR(list.rows[0].active_state, "active");
	CHECK_STR(list.rows[0].load_state, "loaded");
	CHECK_STR(list.rows[1].active_state, "inactive");
	CHECK_STR(list.rows[1].load_state, "");
	CHECK_STR(list.rows[2].active_state, "active");
	CHECK_STR(list.rows[202].active_state, "failed");
	struct unit_run runs[203];
	CHECK_INT(bus_get_runs(bus, &list, UNIT_MAIN_PID | UNIT_SINCE, runs, NULL), 0);
	CHECK(runs[0].cpu_usage_nsec == UINT64_MAX && runs[0].memory_current == UINT64_MAX);
	CHECK_INT(bus_get_runs(bus, &list, ~0U, runs, NULL), 0);
	CLEANUP(unit_info_done) struct unit_info active = get("sleeper"), failed = get("f-pre");
	CLEANUP(unit_info_done) struct unit_info brief = {};
	unit_info_of_row(&list.rows[0], &runs[0], &brief);
	CHECK_STR(brief.load_state, active.load_state);
	CHECK_STR(brief.active_state, active.active_state);
	CHECK_STR(brief.sub_state, active.sub_state);
	CHECK_INT(brief.main_pid, active.main_pid);
	CHECK_INT(brief.active_enter_usec, active.active_enter_usec);
	CHECK_INT(brief.n_restarts, active.n_restarts);
	/* Read earlier, and the unit may have worked since. */
	CHECK(brief.cpu_usage_nsec > 0 && brief.cpu_usage_nsec <= active.cpu_usage_nsec);
	CHECK_INT(brief.memory_current == UINT64_MAX, active.memory_current == UINT64_MAX);
	CHECK(runs[202].cpu_usage_nsec == UINT64_MAX && runs[202].memory_current == UINT64_MAX);
	CHECK_INT(runs[0].since_usec, unit_since_usec(&active));
	CHECK_INT(runs[0].main_pid, active.main_pid);
	CHECK(active.main_pid > 0);
	CHECK_INT(runs[1].since_usec, 0);
	CHECK_INT(runs[2].since_usec, runs[0].since_usec);
	CHECK_INT(runs[202].since_usec, unit_since_usec(&failed));
	CHECK_INT(runs[202].main_pid, 0);
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

TEST(units_are_enabled_and_disabled)
{
	run_one(BUS_START, "sleeper", 0, "0 ");
	CLEANUP(unit_info_done) struct unit_info before = get("sleeper");
	CHECK_STR(before.unit_file_state, "disabled");
	CLEANUP(strv_done) struct strv names = {}, changes = {};
	strv_push(&names, "sleeper.service");
	CHECK_INT(bus_enable(bus, &names, &changes, NULL), 0);
	CHECK_INT(changes.n, 1);
	CHECK_STR(changes.n ? changes.items[0] : "",
			"created '/etc/systemd/system/multi-user.target.wants/sleeper.service' -> "
			"'" UNITS "/sleeper.service'");
	CLEANUP(unit_info_done) struct unit_info enabled = get("sleeper");
	CHECK_STR(enabled.unit_file_state, "enabled");

	strv_clear(&changes);
	CHECK_INT(bus_enable(bus, &names, &changes, NULL), 0);
	CHECK_INT(changes.n, 0);
	CHECK_INT(bus_disable(bus, &names, &changes, NULL), 0);
	CHECK_STR(changes.n ? changes.items[0] : "",
			"removed '/etc/systemd/system/multi-user.target.wants/sleeper.service'");
	CLEANUP(unit_info_done) struct unit_info disabled = get("sleeper");
	CHECK_STR(disabled.unit_file_state, "disabled");
	CHECK_INT(bus_disable(bus, &names, NULL, NULL), 0);
	run_one(BUS_STOP, "sleeper", 0, "0 ");

	strv_clear(&names);
	strv_push(&names, "endless.service");
	CHECK_INT(bus_enable(bus, &names, NULL, NULL), 1);
	strv_push(&names, "no-such.service");
	struct error err = {};
	CHECK_INT(bus_enable(bus, &names, NULL, &err), -ENOENT);
	/* Newer systemds leave out "file". */
	CHECK(!strcmp(err.text, "cannot enable units: Unit file no-such.service does not exist") ||
			!strcmp(err.text, "cannot enable units: Unit no-such.service does not "
					  "exist"));
}

TEST(changed_file_is_seen_after_a_reload)
{
	run_one(BUS_START, "sleeper", 0, "0 ");
	service("sleeper", "[Unit]\nDescription=Another one\n[Service]\nType=exec\n"
			   "ExecStart=/bin/sleep 2000\n");
	CLEANUP(unit_info_done) struct unit_info before = get("sleeper");
	CHECK(before.need_daemon_reload);
	CHECK_STR(before.description, "A sleeper");
	reload();
	CLEANUP(unit_info_done) struct unit_info after = get("sleeper");
	CHECK(!after.need_daemon_reload);
	CHECK_STR(after.description, "Another one");
	CHECK_STR(after.active_state, "active");
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

/* ---- the journal ---- */

static struct strv tail(const char *name, size_t n_max)
{
	CLEANUP(unit_info_done) struct unit_info info = get(name);
	struct strv lines = {};
	struct error err = {};
	CLEANUP(freep) char *full = xasprintf("%s.service", name);
	if (journal_tail(full, info.invocation_id, n_max, &lines, &err) < 0)
		TEST_FAIL("%s", err.text);
	return lines;
}

static size_t count_lines(const struct strv *lines, const char *part)
{
	size_t n = 0;
	for (size_t i = 0; i < lines->n; i++)
		n += strstr(lines->items[i], part) != NULL;
	return n;
}

static bool has_line(const struct strv *lines, const char *part)
{
	return count_lines(lines, part) > 0;
}

TEST(journal_has_the_words_of_hooks_and_of_systemd)
{
	/* They end at once, so that journald may not be able to tell of which run they are. */
	service("talker", "[Unit]\nStartLimitIntervalSec=0\n"
			  "[Service]\nType=exec\nSyslogIdentifier=talker\n"
			  "ExecStartPre=+/bin/sh -c 'echo one $INVOCATION_ID; printf "
			  "\"two\\\\033[31m\\\\n\"; "
			  "echo three >&2; "
			  "exit 4'\nExecStart=/bin/true\n");
	/* Each time the words of this run, although they were sent just before. */
	for (int i = 0; i < 20; i++) {
		run_one(BUS_START, "talker", 1, "3 the unit has failed");
		CLEANUP(unit_info_done) struct unit_info info = get("talker");
		CLEANUP(strv_done) struct strv lines = tail("talker", 100);
		CLEANUP(freep) char *one = xasprintf("]: one %s", info.invocation_id);
		CHECK_INT(count_lines(&lines, " systemd[1]: Starting "), 1);
		CHECK_INT(count_lines(&lines, one), 1);
		CHECK(has_line(&lines, "]: two\\x1b[31m"));
		CHECK(has_line(&lines, "]: three"));
		CHECK(has_line(&lines, "Control process exited, code=exited, status=4"));
		CHECK(has_line(&lines,
				" systemd[1]: talker.service: Failed with result 'exit-code'."));
		for (size_t k = 0; k < lines.n; k++) {
			int at = 0;
			if (sscanf(lines.items[k], "%*3c %*2u %*2u:%*2u:%*2u %n", &at) < 0 ||
					at != 16)
				TEST_FAIL("no time: %s", lines.items[k]);
		}
	}
}

TEST(journal_has_what_systemd_says_in_the_place_of_a_program)
{
	for (int i = 0; i < 20; i++) {
		CLEANUP(strv_done) struct strv units = {};
		strv_push(&units, "f-exec.service");
		CHECK_INT(bus_reset_failed(bus, &units, NULL), 0);
		run_one(BUS_START, "f-exec", 1, "3 the unit has failed");
		CLEANUP(strv_done) struct strv lines = tail("f-exec", 10);
		CHECK(has_line(&lines, "/no/such/program"));
		CHECK(has_line(&lines, "status=203/EXEC"));
	}
}

TEST(journal_gives_the_last_lines_oldest_first)
{
	service("counter", "[Service]\nType=oneshot\nSyslogIdentifier=counter\n"
			   "ExecStart=/bin/sh -c 'i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo "
			   "line $i; "
			   "done; exit 1'\n");
	run_one(BUS_START, "counter", 1, "3 the unit has failed");
	CLEANUP(strv_done) struct strv all = tail("counter", 1000), last = tail("counter", 8);
	CHECK_INT(last.n, 8);
	for (size_t i = 0; i < last.n && all.n > 8; i++)
		CHECK_STR(last.items[i], all.items[all.n - 8 + i]);
	unsigned next = 1, number;
	for (size_t i = 0; i < all.n; i++) {
		const char *at = strstr(all.items[i], "]: line ");
		if (at && sscanf(at, "]: line %u", &number) == 1)
			CHECK_INT(number, next++);
	}
	CHECK_INT(next, 51);
}

TEST(lines_of_other_runs_are_left_out)
{
	/* They stay until journald has seen whose line it is. */
	service("runs", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\n"
			"ExecStart=/bin/sh -c 'echo run $(cat /run/number); until journalctl "
			"_SYSTEMD_INVOCATION_ID=$INVOCATION_ID | grep -q run; do sleep 0.01; done; "
			"exit 1'\n");
	char ids[3][UNIT_ID_MAX];
	for (int i = 0; i < 3; i++) {
		char number[2] = { (char)('0' + i), '\0' };
		CHECK_INT(file_replace("/run/number", number, 1, 0644, NULL), 0);
		run_one(BUS_START, "runs", 1, "3 the unit has failed");
		CLEANUP(unit_info_done) struct unit_info info = get("runs");
		memcpy(ids[i], info.invocation_id, sizeof(ids[i]));
	}
	for (int i = 0; i < 3; i++) {
		CLEANUP(strv_done) struct strv lines = {};
		CHECK_INT(journal_tail("runs.service", ids[i], 100, &lines, NULL), 0);
		char own[16];
		snprintf(own, sizeof(own), "]: run %d", i);
		CHECK_INT(count_lines(&lines, own), 1);
		CHECK_INT(count_lines(&lines, "]: run "), 1);
		CHECK_INT(count_lines(&lines, " Starting "), 1);
	}
}

/* What root says of a unit without naming the run. */
static int stray(const char *number)
{
	return sd_journal_send("MESSAGE=stray %s", number, "UNIT=strays.service", NULL);
}

/* In the middle of a run: the service waits for it. */
static void stray_during_run(const char *number)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		while (access("/run/begun", F_OK) < 0)
			sched_yield();
		_exit(stray(number) < 0 || file_replace("/run/go", "", 0, 0644, NULL) < 0);
	}
	run_one(BUS_START, "strays", 1, "3 the unit has failed");
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
}

TEST(message_without_a_run_belongs_to_the_runs_around_it)
{
	/* systemd says that it starts a process when it has done so: that is waited for. */
	service("strays", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\n"
			  "ExecStart=/bin/sh -c 'until journalctl INVOCATION_ID=$INVOCATION_ID | "
			  "grep -q Starting; do sleep 0.01; done; "
			  ": >/run/begun; until [ -e /run/go ]; do sleep 0.01; done; "
			  "rm -f /run/begun /run/go; exit 1'\n");
	stray_during_run("one");
	CHECK_INT(stray("two"), 0);
	CLEANUP(unit_info_done) struct unit_info first = get("strays");
	stray_during_run("three");
	for (int i = 0; i < 3; i++)
		CHECK_INT(stray("four"), 0);

	CLEANUP(strv_done) struct strv of_first = {}, of_second = tail("strays", 100);
	CHECK_INT(journal_tail("strays.service", first.invocation_id, 100, &of_first, NULL), 0);
	CHECK_INT(count_lines(&of_first, "]: stray "), 2);
	CHECK_INT(count_lines(&of_first, "]: stray one"), 1);
	CHECK_INT(count_lines(&of_first, "]: stray two"), 1);
	CHECK_INT(count_lines(&of_second, "]: stray "), 5);
	CHECK_INT(count_lines(&of_second, "]: stray one"), 0);
	CLEANUP(strv_done) struct strv end = tail("strays", 2);
	CHECK_INT(end.n, 2);
}

TEST(message_of_several_lines_is_several)
{
	char self[4096] = "";
	CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	CLEANUP(freep)
	char *text = xasprintf(
			"[Service]\nType=notify\nEnvironment=" SPEAKER "=1\nExecStart=%s\n", self);
	service("lines", text);
	run_one(BUS_START, "lines", 0, "0 ");
	CLEANUP(strv_done) struct strv lines = tail("lines", 100);
	run_one(BUS_STOP, "lines", 0, "0 ");
	size_t i = 0;
	while (i < lines.n && !strstr(lines.items[i], "]: first"))
		i++;
	CHECK(i + 3 < lines.n && strstr(lines.items[i + 1], "]: second \\xff") &&
			strstr(lines.items[i + 2], "]: ") &&
			strstr(lines.items[i + 3], "]: fourth"));
}

/* Of root alone is believed what it says of a unit; everybody can send to the journal. */
TEST(others_cannot_speak_for_systemd)
{
	CLEANUP(unit_info_done) struct unit_info info = get("counter");
	CLEANUP(freep) char *id = xasprintf("INVOCATION_ID=%s", info.invocation_id);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(setuid(65534) < 0 || sd_journal_send("MESSAGE=forged", "UNIT=counter.service",
							   id, NULL) < 0);
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	CLEANUP(strv_done) struct strv lines = tail("counter", 1000);
	CHECK(lines.n > 0 && !has_line(&lines, "forged"));
}

TEST(unknown_run_has_no_lines)
{
	CLEANUP(strv_done) struct strv lines = {};
	CHECK_INT(journal_tail("counter.service", "00000000000000000000000000000001", 10, &lines,
				  NULL),
			0);
	CHECK_INT(lines.n, 0);
}

static uint64_t processor_usec(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * USEC_PER_SEC + (uint64_t)used.tv_nsec / 1000;
}

/* What this process computes for it, whatever else runs. */
static uint64_t time_of_tail(void)
{
	uint64_t best = UINT64_MAX;
	for (int i = 0; i < 5; i++) {
		uint64_t begin = processor_usec();
		CLEANUP(strv_done) struct strv lines = tail("counter", 10);
		uint64_t took = processor_usec() - begin;
		best = took < best ? took : best;
	}
	return best;
}

TEST(big_journal_is_not_read_through)
{
	uint64_t small = time_of_tail();
	service("flood", "[Service]\nType=oneshot\nLogRateLimitIntervalSec=0\n"
			 "ExecStart=/bin/sh -c 'seq 100000; exit 1'\n");
	run_one(BUS_START, "flood", 1, "3 the unit has failed");
	/* All of it has to be there, and journald at rest. */
	const uint64_t limit = clock_deadline_usec(LIMIT_USEC);
	bool there = false;
	while (!there && clock_now_usec() < limit) {
		CLEANUP(strv_done) struct strv lines = tail("flood", 10);
		there = has_line(&lines, "]: 100000");
	}
	CHECK(there);
	uint64_t big = time_of_tail();
	printf("# last lines: %.1f ms, behind 100000 others: %.1f ms\n", (double)small / 1000,
			(double)big / 1000);
	/* To read them all takes some hundred milliseconds. */
	CHECK(big < small + 50 * USEC_PER_MSEC);
}

/* ---- the way to systemd ---- */

/* In a process with other rights; the status says what came of it. */
static int in_child(int (*what)(void))
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(what());
	int status = -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int list_as_nobody(void)
{
	struct bus *own = NULL;
	struct strv names = {};
	struct unit_list list = {};
	strv_push(&names, "sleeper.service");
	if (setgid(65534) < 0 || setuid(65534) < 0 || bus_open(&own, NULL) < 0)
		return 1;
	if (bus_list_units(own, &names, &list, NULL) < 0)
		return 2;
	struct unit_info info = {};
	if (bus_get_unit(own, "sleeper.service", &info, NULL) < 0)
		return 3;
	/* Without rights: refused for each unit, not a failure of the connection. */
	if (bus_run_jobs(own, BUS_START, &names, NULL, NULL, DEADLINE_NEVER, NULL) != 1)
		return 4;
	return strcmp(list.rows[0].load_state, "loaded") == 0 ? 0 : 5;
}

TEST(others_than_root_take_the_system_bus)
{
	if (access("/run/dbus/system_bus_socket", F_OK) < 0)
		SKIP("there is no system bus");
	CHECK_INT(in_child(list_as_nobody), 0);
}

/* More calls than the message bus lets wait. */
static int restart_many_over_the_bus(void)
{
	struct bus *own = NULL;
	struct strv names = {};
	if (rename("/run/systemd/private", "/run/systemd/public") < 0)
		return 1;
	int r = bus_open(&own, NULL);
	if (rename("/run/systemd/public", "/run/systemd/private") < 0 || r < 0)
		return 2;
	for (int i = 0; i < 300; i++)
		strv_push(&names, "sleeper.service");
	return bus_run_jobs(own, BUS_RESTART, &names, NULL, NULL, clock_deadline_usec(LIMIT_USEC),
			       NULL) == 0
			       ? 0
			       : 3;
}

TEST(hundreds_of_jobs_fit_the_limits_of_the_message_bus)
{
	if (access("/run/dbus/system_bus_socket", F_OK) < 0)
		SKIP("there is no system bus");
	CHECK_INT(in_child(restart_many_over_the_bus), 0);
	run_one(BUS_STOP, "sleeper", 0, "0 ");
}

TEST(what_ends_while_systemd_executes_itself_anew_is_known)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct strv units = {};
		struct bus *own = NULL;
		struct unit_list list = {};
		int r = bus_open(&own, NULL);
		strv_push(&units, "endless.service");
		while (r == 0 && (list.n == 0 || strcmp(list.rows[0].job_type, "start") != 0)) {
			unit_list_done(&list);
			r = bus_list_units(own, &units, &list, NULL);
		}
		kill(1, SIGTERM);
		/* Before or after the other one hears of systemd again. */
		_exit(r < 0 || bus_run_jobs(own, BUS_STOP, &units, NULL, NULL, DEADLINE_NEVER,
					       NULL) != 0);
	}
	CLEANUP(freep) char *ends = run(BUS_START, "endless", 1);
	CHECK_INT(strncmp(ends, "0 endless.service ", 18), 0);
	int status;
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	CLEANUP(unit_info_done) struct unit_info info = get("endless");
	CHECK(unit_is_down(info.active_state));
}

/* Stay until stopped: journald looks up whose process a sender is, while that is there. */
static void speak(void)
{
	if (sd_journal_send("MESSAGE=first\nsecond \xff\n\nfourth\n", NULL) < 0 ||
			sd_notify(0, "READY=1") <= 0)
		exit(1);
	for (;;)
		pause();
}

/* Before the first test: a connection, and no doubt that this system may be changed. */
__attribute__((constructor(101))) static void prepare(void)
{
	struct error err = {};
	if (getenv(SPEAKER))
		speak();
	if (access(UNITS "/with-systemd.target", F_OK) < 0) {
		printf("1..0 # SKIP it writes units and starts them: run test-bus\n");
		exit(0);
	}
	if (bus_open(&bus, &err) < 0) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
}

__attribute__((destructor)) static void release(void)
{
	bus_free(bus);
}

TEST_MAIN()
