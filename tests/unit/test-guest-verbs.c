/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screenshot, dump, balloon: what is said to QEMU, and what comes of its answers. */
#include <stdlib.h>
#include <sys/mman.h>

#include "host/qmp/balloon.h"
#include "host/qmp/dump.h"
#include "host/qmp/screenshot.h"
#include "qmp-script.h"
#include "util/mem.h"

#define DONE "\"return\": {}"
#define REFUSED "\"error\": {\"class\": \"GenericError\", \"desc\": \"no screen\"}"
#define PNG "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\x80\0\0\1\xe0\b\2\0\0\0"
#define ADDED "\"return\": {\"fdset-id\": 7, \"fd\": 20}"

static uint64_t limit(void)
{
	return clock_deadline_usec(SCRIPT_LIMIT_USEC);
}

/* ---- screenshot ---- */

static int take(const struct script_step *steps, const struct screenshot *what, struct buf *png,
		uint32_t *width, uint32_t *height, struct error *err)
{
	struct script script = script_start(steps);
	int r = screenshot_take(script.qmp, what, limit(), png, width, height, err);
	return script_finish(&script) ? r : -ENOTRECOVERABLE;
}

TEST(a_screenshot_goes_through_a_set)
{
	static const struct script_step steps[] = {
		{ "add-fd", ADDED, .written = PNG, .n_written = sizeof(PNG) - 1 },
		{ "screendump", DONE,
				.arguments = "{\"filename\":\"/dev/fdset/"
					     "7\",\"format\":\"png\","
					     "\"device\":\"vga.0\",\"head\":1}" },
		{ "remove-fd", DONE, .arguments = "{\"fdset-id\":7}" },
		{},
	};
	CLEANUP(buf_done) struct buf png = {};
	uint32_t width = 0, height = 0;
	struct error err = {};
	CHECK_INT(take(steps, &(struct screenshot){ "vga.0", 1 }, &png, &width, &height, &err), 0);
	CHECK_INT(width, 640);
	CHECK_INT(height, 480);
	CHECK_INT((int)png.len, (int)sizeof(PNG) - 1);
}

TEST(what_is_no_picture_is_refused)
{
	static const struct script_step steps[] = {
		{ "add-fd", ADDED, .written = "P6 640 480 255" },
		{ "screendump", DONE },
		{ "remove-fd", DONE },
		{},
	};
	static const struct script_step no_screen[] = {
		{ "add-fd", ADDED, .written = "" },
		{ "screendump", REFUSED },
		{ "remove-fd", DONE },
		{},
	};
	static const struct script_step no_display[] = {
		{ "add-fd", ADDED, .written = "" },
		{ "screendump", "\"error\": {\"class\": \"GenericError\", \"desc\": \"There is no "
				"console to take a screendump from\"}" },
		{ "remove-fd", DONE },
		{},
	};
	static const struct script_step no_set[] = {
		{ "add-fd", "\"return\": {\"fdset-id\": -1}", .written = "" },
		{},
	};
	const struct screenshot first = {};
	CLEANUP(buf_done) struct buf png = {};
	uint32_t width, height;
	struct error err = {};
	CHECK_INT(take(steps, &first, &png, &width, &height, &err), -EPROTO);
	CHECK_INT(take(no_screen, &first, &png, &width, &height, &err), -EREMOTEIO);
	CHECK(strstr(err.text, "no screen"));
	CHECK_INT(take(no_display, &first, &png, &width, &height, &err), -ENODEV);
	CHECK(strstr(err.text, "it has no display: \"display\": \"virtio\" in its \"attrs\""));
	CHECK_INT(take(no_set, &first, &png, &width, &height, &err), -EPROTO);
	CHECK_INT((int)png.len, 0);
}

/* ---- dump ---- */

#define FORMATS "\"return\": {\"formats\": [\"elf\", \"kdump-zlib\"]}"
#define IDLE "\"return\": {\"status\": \"none\", \"completed\": 0, \"total\": 0}"
#define ACTIVE "\"return\": {\"status\": \"active\", \"completed\": 1, \"total\": 4}"
#define ENDED                                                                                      \
	"{\"event\": \"DUMP_COMPLETED\", \"data\": {\"result\": {\"status\": \"completed\", "      \
	"\"completed\": 4, \"total\": 4}}}"
#define FAILED                                                                                     \
	"{\"event\": \"DUMP_COMPLETED\", \"data\": {\"result\": {\"status\": \"failed\"}, "        \
	"\"error\": \"dump: No space left\"}}"

struct watch {
	uint64_t done, total;
	bool cancels;
};

static void note_progress(void *data, uint64_t done, uint64_t total)
{
	struct watch *watch = data;
	watch->done = done;
	watch->total = total;
}

static bool wants_end(void *data)
{
	return ((struct watch *)data)->cancels;
}

static int dump(const struct script_step *steps, enum dump_format format, struct watch *watch,
		struct error *err)
{
	CLEANUP(closep) int fd = memfd_create("dump", MFD_CLOEXEC);
	const struct dump_request request = { fd, format, note_progress, wants_end, watch };
	struct script script = script_start(steps);
	int r = dump_guest(script.qmp, &request, err);
	return script_finish(&script) ? r : -ENOTRECOVERABLE;
}

TEST(a_dump_is_waited_for)
{
	static const struct script_step steps[] = {
		{ "query-dump-guest-memory-capability", FORMATS },
		{ "query-dump", IDLE },
		{ "getfd", DONE, .arguments = "{\"fdname\":\"machina-dump\"}", .written = "x" },
		{ "dump-guest-memory", DONE,
				.arguments = "{\"paging\":false,\"protocol\":\"fd:machina-dump\","
					     "\"format\":\"kdump-zlib\",\"detach\":true}" },
		{ "query-dump", ACTIVE, .event = ENDED },
		{},
	};
	struct watch watch = {};
	struct error err = {};
	CHECK_INT(dump(steps, DUMP_KDUMP_ZLIB, &watch, &err), 0);
	CHECK_INT((int)watch.done, 1);
	CHECK_INT((int)watch.total, 4);
}

TEST(a_dump_that_fails_says_why)
{
	static const struct script_step fails[] = {
		{ "query-dump-guest-memory-capability", FORMATS },
		{ "query-dump", IDLE },
		{ "getfd", DONE, .written = "x" },
		{ "dump-guest-memory", DONE, .event = FAILED },
		{},
	};
	static const struct script_step other[] = {
		{ "query-dump-guest-memory-capability", FORMATS },
		{},
	};
	static const struct script_step busy[] = {
		{ "query-dump-guest-memory-capability", FORMATS },
		{ "query-dump", ACTIVE },
		{},
	};
	struct watch watch = {};
	struct error err = {};
	CHECK_INT(dump(fails, DUMP_ELF, &watch, &err), -EREMOTEIO);
	CHECK_STR(err.text, "QEMU could not write the dump: dump: No space left");
	CHECK_INT(dump(other, DUMP_WIN, &watch, &err), -ENOTSUP);
	CHECK_STR(err.text, "this QEMU can't write the format 'win-dmp', but 'elf' and "
			    "'kdump-zlib'");
	CHECK_INT(dump(busy, DUMP_ELF, &watch, &err), -EBUSY);
}

TEST(a_dump_may_be_given_up)
{
	static const struct script_step steps[] = {
		{ "query-dump-guest-memory-capability", FORMATS },
		{ "query-dump", IDLE },
		{ "getfd", DONE, .written = "x" },
		{ "dump-guest-memory", DONE },
		{ "query-dump", ACTIVE },
		{},
	};
	struct watch watch = { .cancels = true };
	struct error err = {};
	CHECK_INT(dump(steps, DUMP_ELF, &watch, &err), -ECANCELED);
}

/* ---- balloon ---- */

#define ACTUAL(n) "\"return\": {\"actual\": " #n "}"
#define SUMMARY "\"return\": {\"base-memory\": 268435456, \"plugged-memory\": 0}"

static int set_memory(const struct script_step *steps, uint64_t bytes, struct balloon_size *size,
		struct error *err)
{
	const struct balloon_request request = { .bytes = bytes, .patience_usec = 0 };
	struct script script = script_start(steps);
	int r = balloon_set(script.qmp, &request, size, err);
	return script_finish(&script) ? r : -ENOTRECOVERABLE;
}

TEST(memory_is_asked_for_and_waited_for)
{
	static const struct script_step steps[] = {
		{ "query-balloon", ACTUAL(268435456) },
		{ "query-memory-size-summary", SUMMARY },
		{ "balloon", DONE, .arguments = "{\"value\":134217728}" },
		{ "query-balloon", ACTUAL(134217728) },
		{},
	};
	static const struct script_step all[] = {
		{ "query-balloon", ACTUAL(134217728) },
		{ "query-memory-size-summary", SUMMARY },
		{ "balloon", DONE, .arguments = "{\"value\":268435456}" },
		{ "query-balloon", ACTUAL(268435456) },
		{},
	};
	static const struct script_step slow[] = {
		{ "query-balloon", ACTUAL(268435456) },
		{ "query-memory-size-summary", SUMMARY },
		{ "balloon", DONE, .arguments = "{\"value\":134217728}" },
		{ "query-balloon", ACTUAL(201326592) },
		{},
	};
	struct balloon_size size;
	struct error err = {};
	CHECK_INT(set_memory(steps, (UINT64_C(128) << 20) + 7, &size, &err), 0);
	CHECK_INT((int)(size.now_bytes >> 20), 128);
	CHECK_INT((int)(size.before_bytes >> 20), 256);
	CHECK_INT(set_memory(all, BALLOON_ALL, &size, &err), 0);
	CHECK_INT(set_memory(slow, UINT64_C(128) << 20, &size, &err), 1);
	CHECK_INT((int)(size.now_bytes >> 20), 192);
}

TEST(memory_that_can_not_be_is_refused)
{
	static const struct script_step none[] = {
		{ "query-balloon",
				"\"error\": {\"class\": \"DeviceNotActive\", \"desc\": \"none\"}" },
		{},
	};
	static const struct script_step look[] = {
		{ "query-balloon", ACTUAL(268435456) },
		{ "query-memory-size-summary", SUMMARY },
		{},
	};
	static const struct script_step nonsense[] = { { "query-balloon", ACTUAL(-4) }, {} };
	struct balloon_size size;
	struct error err = {};
	CHECK_INT(set_memory(none, BALLOON_ALL, &size, &err), -ENODEV);
	CHECK(strstr(err.text, "\"balloon\": { \"enabled\": true }"));
	CHECK_INT(set_memory(look, UINT64_C(257) << 20, &size, &err), -ERANGE);
	CHECK(strstr(err.text, "it was started with 256 MiB"));
	CHECK_INT(set_memory(look, 512, &size, &err), -ERANGE);
	CHECK(strstr(err.text, "a size is written as in 512MiB"));
	CHECK_INT(set_memory(nonsense, BALLOON_ALL, &size, &err), -EPROTO);
}

TEST_MAIN()
