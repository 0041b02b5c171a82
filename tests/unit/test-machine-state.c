/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States of machines whose QEMUs were asked before systemd has told what their units are at. */
#include "observe/state.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/machine/saved.h"
#include "host/os/clock.h"
#include "lifecycle/monitor.h"
#include "setup/hookplan.h"
#include "test.h"
#include "util/file.h"
#include "util/mem.h"

/* All of this test's machines are prepared. */
int hookplan_list(const struct config_paths *paths, struct strv *ret, struct error *err)
{
	(void)paths;
	(void)err;
	strv_push(ret, "web");
	return 0;
}

/* A QEMU that tells another state to each client, or nothing at all. */
static const char *const states[] = { "prelaunch", "running", "paused" };

static void serve(int listen_fd, bool is_silent)
{
	alarm(300);
	/* A client may be gone before it is served. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0;; i++) {
		int fd = accept(listen_fd, NULL, NULL);
		const char *state = states[i < ARRAY_SIZE(states) ? i : ARRAY_SIZE(states) - 1];
		if (!is_silent)
			dprintf(fd,
					"{\"QMP\": {}}\r\n{\"return\": {}}\r\n{\"return\": "
					"{\"status\": \"%s\"}, \"id\": \"1\"}\r\n",
					state);
		/* Kept open: a silent one is one that serves somebody else. */
	}
}

struct scene {
	char *dir;
	struct config_paths paths;
	struct strv machines;
	pid_t qemu;
};

static void scene_begin(struct scene *scene, bool is_silent)
{
	char *dir = test_directory();
	*scene = (struct scene){ .dir = dir, .paths = { .run_dir = dir, .saved_dir = dir } };
	strv_push(&scene->machines, "web");
	CLEANUP(freep) char *path = plan_qmp_path(dir, "web", MONITOR_COMMANDS);
	CLEANUP(freep) char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	CHECK_INT(mkdir_all(parent, 0755, NULL), 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_INT(listen(fd, 1), 0);
	fflush(stdout);
	scene->qemu = fork();
	if (scene->qemu == 0)
		serve(fd, is_silent);
}

static void scene_end(struct scene *scene)
{
	kill(scene->qemu, SIGKILL);
	waitpid(scene->qemu, NULL, 0);
	CHECK_INT(remove_tree(scene->dir, NULL), 0);
	freep(&scene->dir);
	strv_done(&scene->machines);
}

/* The guest's state, of a unit that is in its own since some moment before or after the question.
 */
static const char *ask_around(const struct scene *scene, bool is_after)
{
	uint64_t before = clock_real_usec() - 1;
	struct states_asked *asked = states_ask(&scene->paths, &scene->machines);
	struct machine_state state = {
		.machine = "web",
		.active = "active",
		.sub = "running",
		.since_usec = is_after ? clock_real_usec() + 1 : before,
	};
	states_find(&scene->paths, asked, &state, 1);
	const char *name = state.in_qemu ? state.in_qemu->name : "none";
	states_done(&state, 1);
	return name;
}

TEST(an_answer_counts_where_the_unit_was_up_before)
{
	struct scene scene;
	scene_begin(&scene, false);
	CHECK_STR(ask_around(&scene, false), "prelaunch");
	scene_end(&scene);
}

TEST(who_has_come_up_since_is_asked_again)
{
	struct scene scene;
	scene_begin(&scene, false);
	CHECK_STR(ask_around(&scene, true), "running");
	scene_end(&scene);
}

/* Nothing is prepared for "idle", which so is none in the foreground. */
TEST(a_unit_that_systemd_refuses_is_not_just_off)
{
	static const struct {
		const char *active, *refusal, *word, *reason;
	} cases[] = {
		{ "inactive", NULL, "off", NULL },
		{ "inactive", "it has no ExecStart=", "refused", "it has no ExecStart=" },
		{ "inactive", "", "refused", NULL },
		{ "failed", "it has no ExecStart=", "failed", NULL },
	};
	static char nowhere[] = "/nonexistent";
	const struct config_paths paths = { .run_dir = nowhere, .saved_dir = nowhere };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine_state state = {
			.machine = "idle",
			.active = cases[i].active,
			.sub = "dead",
			.refusal = cases[i].refusal,
		};
		states_find(&paths, NULL, &state, 1);
		CHECK_STR(state.word, cases[i].word);
		CHECK_STR(state.reason ? state.reason : "", cases[i].reason ? cases[i].reason : "");
		states_done(&state, 1);
	}
}

TEST(what_is_prepared_is_in_the_foreground_where_no_unit_has_it)
{
	static const struct {
		const char *active, *sub;
		bool expected;
	} cases[] = {
		{ "inactive", "dead", true },
		{ "failed", "failed", true },
		{ "activating", "auto-restart", true },
		{ "", "", true },
		{ "activating", "start-pre", false },
		{ "activating", "start-post", false },
		{ "active", "running", false },
		{ "deactivating", "stop", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_INT(state_leaves_foreground(cases[i].active, cases[i].sub),
				cases[i].expected);
}

TEST(nobody_waits_for_the_qemu_of_a_unit_that_goes_down)
{
	struct scene scene;
	scene_begin(&scene, true);
	struct states_asked *asked = states_ask(&scene.paths, &scene.machines);
	struct machine_state state = { .machine = "web", .active = "deactivating", .sub = "stop" };
	states_find(&scene.paths, asked, &state, 1);
	CHECK_STR(state.word, "shutting down");
	/* It would say that QEMU does not answer. */
	CHECK(!state.reason);
	states_done(&state, 1);
	scene_end(&scene);
}

TEST(nobody_waits_for_the_monitor_of_a_machine_that_is_being_saved)
{
	struct scene scene;
	struct lock lock = {};
	struct error err = {};
	scene_begin(&scene, true);
	CLEANUP(freep) char *saved = path_join(scene.dir, "saved");
	CLEANUP(freep) char *saving = saved_path(saved, "web", SAVED_UNFINISHED);
	scene.paths.saved_dir = saved;
	CHECK_INT(mkdir_all(saving, 0700, NULL), 0);
	CHECK_INT(saved_lock(saved, "web", 0, &lock, &err), 0);
	struct machine_state state = { .machine = "web", .active = "active", .sub = "running" };
	states_find(&scene.paths, NULL, &state, 1);
	CHECK_STR(state.word, "saving");
	CHECK(!state.reason && !state.is_stranded);
	states_done(&state, 1);
	lock_done(&lock);
	scene_end(&scene);
}

TEST(a_guest_whose_save_broke_off_is_told_from_one_that_was_paused)
{
	struct scene scene;
	scene_begin(&scene, false);
	CLEANUP(freep) char *saved = path_join(scene.dir, "saved");
	CLEANUP(freep) char *saving = saved_path(saved, "web", SAVED_UNFINISHED);
	scene.paths.saved_dir = saved;
	CHECK_INT(mkdir_all(saving, 0700, NULL), 0);
	static const char *const words[] = { "paused", "running", "paused" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct machine_state state = {
			.machine = "web", .active = "active", .sub = "running"
		};
		states_find(&scene.paths, NULL, &state, 1);
		CHECK_STR(state.word, words[i]);
		/* The first was never started, and that is why it stands still. */
		CHECK_INT(state.is_stranded, i == 2);
		CHECK(!state.is_stranded ||
				!strcmp(state.reason,
						"its save broke off: 'machina resume' lets it "
						"run on"));
		states_done(&state, 1);
	}
	scene_end(&scene);
}

TEST_MAIN()
