/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's events as sentences. */
#include <json-c/json_tokener.h>

#include "host/qmp/event-text.h"
#include "test.h"
#include "util/mem.h"

static void check(const char *name, const char *data, const char *expected)
{
	struct json_object *json = data ? json_tokener_parse(data) : NULL;
	CLEANUP(buf_done) struct buf text = {};
	CHECK(!data || json);
	event_text(name, json, &text);
	CHECK_STR(buf_text(&text), expected);
	json_object_put(json);
}

TEST(each_name_once_and_in_order)
{
	size_t cursor = 0, n = 0;
	const char *last = "", *name;
	for (; (name = event_text_name(&cursor)); n++, last = name)
		CHECK(strcmp(last, name) < 0);
	CHECK(n > 40);
	CHECK_STR(last, "WATCHDOG");
}

TEST(known_events_are_sentences)
{
	static const char *const events[][3] = {
		{ "SHUTDOWN", "{\"guest\":true,\"reason\":\"guest-shutdown\"}",
				"guest has shut down" },
		{ "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}",
				"QEMU was told to quit" },
		{ "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-ui\"}", "ends (host-ui)" },
		{ "RESET", "{\"guest\":true,\"reason\":\"guest-reset\"}", "guest restarts" },
		{ "RESET", "{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}",
				"machine was reset (host-qmp-system-reset)" },
		{ "STOP", NULL, "stands still" },
		{ "BALLOON_CHANGE", "{\"actual\":536870912}",
				"memory of the guest is now 512 MiB" },
		{ "DEVICE_TRAY_MOVED", "{\"device\":\"\",\"id\":\"cd.0\",\"tray-open\":true}",
				"CD tray 'cd.0' opened" },
		{ "DEVICE_TRAY_MOVED", "{\"device\":\"cd\",\"id\":\"\",\"tray-open\":false}",
				"CD tray 'cd' closed" },
		{ "BLOCK_IO_ERROR",
				"{\"device\":\"\",\"node-name\":\"disk-os\",\"nospace\":false,"
				"\"operation\":\"write\",\"reason\":\"Input/output error\","
				"\"action\":\"stop\"}",
				"disk disk-os: I/O error on write: Input/output error (stop)" },
		{ "BLOCK_IO_ERROR",
				"{\"node-name\":\"disk-os\",\"nospace\":true,"
				"\"operation\":\"write\",\"action\":\"stop\"}",
				"disk disk-os: no space left for a write (stop)" },
		{ "BLOCK_JOB_COMPLETED", "{\"type\":\"mirror\",\"device\":\"j\"}",
				"mirror of disk j is done" },
		{ "BLOCK_JOB_COMPLETED", "{\"type\":\"mirror\",\"device\":\"j\",\"error\":\"x\"}",
				"mirror of disk j failed: x" },
		{ "VNC_CONNECTED", "{\"client\":{\"host\":\"::1\"}}", "VNC: ::1 connects" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		check(events[i][0], events[i][1], events[i][2]);
}

TEST(unknown_events_are_told_as_they_are)
{
	check("NEW_THING", NULL, "NEW_THING");
	check("NEW_THING", "{}", "NEW_THING");
	check("NEW_THING", "{\"a\":[1,\"/x\"]}", "NEW_THING {\"a\":[1,\"/x\"]}");
	check("", NULL, "");
}

TEST(data_of_another_form_leave_gaps)
{
	check("BALLOON_CHANGE", NULL, "memory of the guest is now ");
	check("BALLOON_CHANGE", "{\"actual\":\"much\"}", "memory of the guest is now much");
	check("SHUTDOWN", "[1]", "ends ()");
	check("VNC_CONNECTED", "{\"client\":7}", "VNC:  connects");
	check("ACPI_DEVICE_OST", "{\"info\":{\"slot\":\"3\",\"status\":1}}",
			"guest reports the state of device '3': status 1");
}

TEST(nothing_reaches_the_terminal)
{
	check("\033[2J", NULL, "\\x1b[2J");
	check("SHUTDOWN", "{\"reason\":\"\\u001b[2J\\n\"}", "ends (\\x1b[2J\\x0a)");
}

TEST_MAIN()
