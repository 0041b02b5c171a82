/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pause, resume, reset, NMI: what is said to QEMU in which state, and a real QEMU. */
#include "host/qmp/control.h"

#include <signal.h>
#include <stdlib.h>

#include "host/qmp/run-state.h"
#include "qmp-script.h"
#include "util/mem.h"

#define DONE "\"return\": {}"

struct row {
	const char *state;
	enum control_verb verb;
	const char *commands[3]; /* after query-status */
	int result;
	const char *text; /* part of the error's; NULL: none */
};

static const struct row rows[] = {
	{ "running", CONTROL_PAUSE, { "stop" }, CONTROL_DONE, NULL },
	{ "paused", CONTROL_PAUSE, {}, CONTROL_WAS_SO, NULL },
	{ "prelaunch", CONTROL_PAUSE, {}, CONTROL_WAS_SO, NULL },
	{ "suspended", CONTROL_PAUSE, {}, -EBUSY, "can't be paused: the guest sleeps" },
	{ "guest-panicked", CONTROL_PAUSE, {}, -EBUSY, "the guest has panicked (guest-panicked)" },
	{ "postmigrate", CONTROL_PAUSE, {}, -EBUSY, "moved away" },
	{ "running", CONTROL_RESUME, {}, CONTROL_WAS_SO, NULL },
	{ "paused", CONTROL_RESUME, { "cont" }, CONTROL_DONE, NULL },
	{ "prelaunch", CONTROL_RESUME, { "cont" }, CONTROL_DONE, NULL },
	{ "io-error", CONTROL_RESUME, { "cont" }, CONTROL_DONE, NULL },
	{ "watchdog", CONTROL_RESUME, { "cont" }, CONTROL_DONE, NULL },
	{ "suspended", CONTROL_RESUME, { "system_wakeup" }, CONTROL_DONE, NULL },
	{ "guest-panicked", CONTROL_RESUME, {}, -EBUSY, "a reset makes it begin anew" },
	{ "internal-error", CONTROL_RESUME, {}, -EBUSY, "a reset makes it begin anew" },
	{ "shutdown", CONTROL_RESUME, {}, -EBUSY, "a reset makes it begin anew" },
	/* Two of one guest. */
	{ "postmigrate", CONTROL_RESUME, {}, -EBUSY, "can't be resumed: the guest has moved away" },
	{ "finish-migrate", CONTROL_RESUME, {}, -EBUSY, "being moved" },
	{ "inmigrate", CONTROL_RESUME, {}, -EBUSY, "awaited from elsewhere" },
	{ "save-vm", CONTROL_RESUME, {}, -EBUSY, "saved" },
	{ "restore-vm", CONTROL_RESUME, {}, -EBUSY, "restored" },
	{ "running", CONTROL_RESET, { "system_reset" }, CONTROL_DONE, NULL },
	{ "paused", CONTROL_RESET, { "system_reset" }, CONTROL_DONE, NULL },
	{ "guest-panicked", CONTROL_RESET, { "system_reset", "cont" }, CONTROL_DONE, NULL },
	{ "io-error", CONTROL_RESET, { "system_reset", "cont" }, CONTROL_DONE, NULL },
	{ "shutdown", CONTROL_RESET, { "system_reset", "cont" }, CONTROL_DONE, NULL },
	{ "suspended", CONTROL_RESET, { "system_reset", "cont" }, CONTROL_DONE, NULL },
	{ "postmigrate", CONTROL_RESET, {}, -EBUSY, "can't be reset" },
	{ "inmigrate", CONTROL_RESET, {}, -EBUSY, "can't be reset" },
	{ "running", CONTROL_NMI, { "inject-nmi" }, CONTROL_DONE, NULL },
	{ "paused", CONTROL_NMI, { "inject-nmi" }, CONTROL_DONE, NULL },
	{ "guest-panicked", CONTROL_NMI, {}, -EBUSY, "can't be interrupted" },
	/* Of a QEMU that is newer than this program. */
	{ "dreaming", CONTROL_PAUSE, { "stop" }, CONTROL_DONE, NULL },
};

static uint64_t limit(void)
{
	return clock_deadline_usec(SCRIPT_LIMIT_USEC);
}

static void steps_of(const struct row *row, char *status, size_t size, struct script_step *steps)
{
	snprintf(status, size, "\"return\": {\"status\": \"%s\"}", row->state);
	steps[0] = (struct script_step){ "query-status", status };
	for (size_t i = 0; i < ARRAY_SIZE(row->commands) && row->commands[i]; i++)
		steps[1 + i] = (struct script_step){ row->commands[i], DONE,
			.event = strcmp(row->commands[i], "system_reset") == 0
						 ? "{\"event\": \"RESET\", \"data\": {}}"
						 : NULL };
}

TEST(each_verb_does_what_the_state_allows)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct script_step steps[ARRAY_SIZE(row->commands) + 2] = {};
		char status[100];
		enum control_outcome outcome = CONTROL_DONE;
		struct error err = {};
		steps_of(row, status, sizeof(status), steps);
		struct script script = script_start(steps);
		int r = control_guest(script.qmp, row->verb, limit(), &outcome, &err);
		if (r != row->result && (int)outcome != row->result)
			test_note("%s, verb %d: %s", row->state, row->verb, err.text);
		CHECK_INT(r < 0 ? r : (int)outcome, row->result);
		if (row->text)
			CHECK(strstr(err.text, row->text));
		CHECK(script_finish(&script));
	}
}

TEST(a_look_changes_nothing)
{
	static const struct script_step steps[] = {
		{ "query-status", "\"return\": {\"status\": \"running\"}" },
		{ "query-status", "\"return\": {\"status\": \"running\"}" },
		{ "query-status", "\"return\": {\"status\": \"postmigrate\"}" },
		{},
	};
	struct script script = script_start(steps);
	enum control_outcome outcome = CONTROL_DONE;
	struct error err = {};
	CHECK_INT(control_check(script.qmp, CONTROL_RESUME, limit(), &outcome, &err), 0);
	CHECK_INT(outcome, CONTROL_WAS_SO);
	CHECK_INT(control_check(script.qmp, CONTROL_RESET, limit(), &outcome, &err), 0);
	CHECK_INT(outcome, CONTROL_DONE);
	CHECK_INT(control_check(script.qmp, CONTROL_RESET, limit(), &outcome, &err), -EBUSY);
	CHECK(script_finish(&script));
}

TEST(what_qemu_refuses_is_an_error)
{
	static const struct script_step steps[] = {
		{ "query-status", "\"return\": {\"status\": \"running\"}" },
		{ "inject-nmi", "\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}" },
		{ "query-status", "\"return\": {}" },
		{ "query-status", "\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}" },
		{},
	};
	struct script script = script_start(steps);
	enum control_outcome outcome;
	struct error err = {};
	CHECK_INT(control_guest(script.qmp, CONTROL_NMI, limit(), &outcome, &err), -EREMOTEIO);
	CHECK(strstr(err.text, "QEMU refuses 'inject-nmi': no"));
	CHECK_INT(control_guest(script.qmp, CONTROL_NMI, limit(), &outcome, &err), -EPROTO);
	CHECK_INT(control_guest(script.qmp, CONTROL_NMI, limit(), &outcome, &err), -EREMOTEIO);
	CHECK(script_finish(&script));
}

TEST(a_reset_that_never_comes_is_told)
{
	static const struct script_step steps[] = {
		{ "query-status", "\"return\": {\"status\": \"running\"}" },
		{ "system_reset", DONE },
		{},
	};
	struct script script = script_start(steps);
	enum control_outcome outcome;
	struct error err = {};
	CHECK_INT(control_guest(script.qmp, CONTROL_RESET, clock_deadline_usec(USEC_PER_SEC),
				  &outcome, &err),
			-ETIMEDOUT);
	CHECK_STR(err.text, "QEMU did not reset it in time");
	CHECK(script_finish(&script));
}

TEST_MAIN()
