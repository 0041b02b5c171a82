/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CD drives: their names, and what is said to QEMU about them. */
#include "host/qmp/cd.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "qmp-script.h"
#include "util/mem.h"

#define DONE "\"return\": {}"
#define REFUSED "\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}"
#define DRIVE(rest)                                                                                \
	"{\"device\": \"\", \"qdev\": \"scsi.0.1\", \"removable\": true, \"type\": "               \
	"\"unknown\", " rest "}"
#define FULL                                                                                       \
	"\"inserted\": {\"node-name\": \"disk-cd\", \"file\": \"/dev/fdset/4\"}, \"locked\": "     \
	"false, \"tray_open\": false"
#define OPEN                                                                                       \
	"\"inserted\": {\"node-name\": \"disk-cd\", \"file\": \"/dev/fdset/4\"}, \"locked\": "     \
	"false, \"tray_open\": true"
#define LOCKED                                                                                     \
	"\"inserted\": {\"node-name\": \"disk-cd\", \"file\": \"/dev/fdset/4\"}, \"locked\": "     \
	"true, \"tray_open\": false"
#define EMPTY "\"locked\": false, \"tray_open\": true"
#define DISK                                                                                       \
	"{\"device\": \"\", \"qdev\": \"scsi.0.0\", \"removable\": false, \"inserted\": "          \
	"{\"node-name\": \"disk-os\"}}"
#define BLOCKS(...) "\"return\": [" DISK ", " __VA_ARGS__ "]"
#define LIST(drive)                                                                                \
	{                                                                                          \
		"query-block", BLOCKS(DRIVE(drive))                                                \
	}
#define MOVED                                                                                      \
	"{\"event\": \"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"\", \"id\": \"scsi.0.1\", "   \
	"\"tray-open\": true}}"

static struct strv argv_of_two(void)
{
	struct strv argv = {};
	strv_push(&argv, "qemu");
	strv_push(&argv, "-device");
	strv_push(&argv, "scsi-hd,id=scsi.0.0,bus=scsi.0,drive=disk-os");
	strv_push(&argv, "-device");
	strv_push(&argv, "scsi-cd,id=scsi.0.1,bus=scsi.0,drive=disk-install");
	return argv;
}

/* What a test does with the drive "install". */
static int with_drive(const struct script_step *steps, bool inserts, bool force, uint64_t wait_usec,
		struct error *err)
{
	CLEANUP(strv_done) struct strv argv = argv_of_two();
	CLEANUP(cd_drives_done) struct cd_drives drives = {};
	CLEANUP(closep) int fd = memfd_create("cd", MFD_CLOEXEC);
	struct script script = script_start(steps);
	int r = cd_list(script.qmp, &argv, &drives, err);
	const struct cd_drive *drive = r == 0 ? cd_find(&drives, "install", err) : NULL;
	const struct cd_request request = { drive, force, wait_usec };
	if (drive)
		r = inserts ? cd_insert(script.qmp, &request,
					      &(struct cd_file){ fd, "/cd.iso", false }, err)
			    : cd_eject(script.qmp, &request, err);
	else if (r == 0)
		r = -err->code;
	if (r < 0)
		test_note("%s", err->text);
	return script_finish(&script) ? r : -ENOTRECOVERABLE;
}

/* Prepare makes a CD for cloud-init: it is nobody's to take out, and not one of several. */
TEST(a_cd_for_cloud_init_is_left_alone)
{
#define SEED(rest) "{\"qdev\": \"scsi.0.2\", \"removable\": true" rest "}"
	static const struct script_step steps[] = {
		{ "query-block", BLOCKS(DRIVE(FULL) ", " SEED(", \"inserted\": {\"node-name\": "
							      "\"cloud-init\"}")) },
		{ "query-block", BLOCKS(DRIVE(FULL) ", " SEED("")) },
		{},
	};
	CLEANUP(strv_done) struct strv argv = argv_of_two(), none = {};
	struct script script = script_start(steps);
	struct error err = {};
	strv_push(&argv, "-device");
	strv_push(&argv, "scsi-cd,id=scsi.0.2,bus=scsi.0,drive=cloud-init");
	const struct strv *const argvs[] = { &none, &argv };
	for (size_t i = 0; i < ARRAY_SIZE(argvs); i++) {
		CLEANUP(cd_drives_done) struct cd_drives drives = {};
		CHECK_INT(cd_list(script.qmp, argvs[i], &drives, &err), 0);
		CHECK_INT(drives.n, 1);
		const struct cd_drive *only = cd_find(&drives, NULL, &err);
		CHECK(only && !strcmp(only->id, "scsi.0.1"));
	}
	CHECK(script_finish(&script));
}

TEST(drives_have_the_names_of_their_volumes)
{
	static const struct script_step steps[] = { LIST(EMPTY), LIST(FULL), {} };
	CLEANUP(strv_done) struct strv argv = argv_of_two(), none = {};
	struct script script = script_start(steps);
	struct error err = {};
	CLEANUP(cd_drives_done) struct cd_drives drives = {}, others = {};
	CHECK_INT(cd_list(script.qmp, &argv, &drives, &err), 0);
	CHECK_INT((int)drives.n, 1);
	CHECK_STR(drives.items[0].name, "install");
	CHECK(!drives.items[0].node && drives.items[0].set == -1 && drives.items[0].is_open);
	CHECK(cd_find(&drives, NULL, &err) == drives.items);
	CHECK(cd_find(&drives, "install", &err) == drives.items);
	CHECK(cd_find(&drives, "scsi.0.1", &err) == drives.items);
	CHECK(!cd_find(&drives, "instal", &err));
	CHECK_INT(err.code, ENOENT);
	CHECK(strstr(err.text, "it has no CD drive 'instal'; did you mean 'install'?"));
	/* Without the arguments, by what is in it. */
	CHECK_INT(cd_list(script.qmp, &none, &others, &err), 0);
	CHECK_STR(others.items[0].name, "cd");
	CHECK_INT(others.items[0].set, 4);
	CHECK(script_finish(&script));
}

TEST(which_drive_is_meant_must_be_clear)
{
	struct cd_drive two[] = { { .id = xstrdup("a") }, { .id = xstrdup("b") } };
	const struct cd_drives drives = { two, 2 }, none = {};
	struct error err = {};
	CHECK(!cd_find(&drives, NULL, &err));
	CHECK_STR(err.text, "it has several CD drives, and one has to be named: 'a' and 'b'");
	CHECK(!cd_find(&none, NULL, &err));
	CHECK_INT(err.code, ENODEV);
	free(two[0].id);
	free(two[1].id);
}

TEST(eject_takes_the_node_and_the_descriptor_along)
{
	static const struct script_step steps[] = {
		LIST(FULL),
		{ "blockdev-open-tray", DONE,
				.arguments = "{\"id\":\"scsi.0.1\",\"force\":false}" },
		LIST(OPEN),
		{ "blockdev-remove-medium", DONE, .arguments = "{\"id\":\"scsi.0.1\"}" },
		{ "blockdev-del", DONE, .arguments = "{\"node-name\":\"disk-cd\"}" },
		{ "remove-fd", DONE, .arguments = "{\"fdset-id\":4}" },
		{},
	};
	static const struct script_step empty[] = { LIST(EMPTY), {} };
	/* Somebody else's job uses the node: it is not taken from under it. */
	static const struct script_step in_use[] = {
		LIST(OPEN),
		{ "blockdev-open-tray", DONE },
		LIST(OPEN),
		{ "blockdev-remove-medium", DONE },
		{ "blockdev-del", REFUSED },
		{},
	};
	struct error err = {};
	CHECK_INT(with_drive(steps, false, false, 0, &err), 0);
	CHECK_INT(with_drive(empty, false, false, 0, &err), 1);
	CHECK_INT(with_drive(in_use, false, false, 0, &err), 0);
}

TEST(a_guest_may_keep_its_drive_locked)
{
	static const struct script_step keeps[] = {
		LIST(LOCKED),
		{ "blockdev-open-tray", DONE },
		LIST(LOCKED),
		{},
	};
	static const struct script_step lets_go[] = {
		LIST(LOCKED),
		{ "blockdev-open-tray", DONE },
		{ "query-block", BLOCKS(DRIVE(LOCKED)), .event = MOVED },
		LIST(OPEN),
		{ "blockdev-remove-medium", DONE },
		{ "blockdev-del", DONE },
		{ "remove-fd", DONE },
		{},
	};
	static const struct script_step forced[] = {
		LIST(LOCKED),
		{ "blockdev-open-tray", DONE, .arguments = "\"force\":true" },
		LIST(OPEN),
		{ "blockdev-remove-medium", DONE },
		{ "blockdev-del", DONE },
		{ "remove-fd", DONE },
		{},
	};
	struct error err = {};
	CHECK_INT(with_drive(keeps, false, false, 0, &err), -EBUSY);
	CHECK(strstr(err.text, "the guest has locked the CD drive 'install'"));
	CHECK(strstr(err.text, "--force"));
	CHECK_INT(with_drive(lets_go, false, false, SCRIPT_LIMIT_USEC, &err), 0);
	CHECK_INT(with_drive(forced, false, true, 0, &err), 0);
}

#define ADDED                                                                                      \
	{ "add-fd", "\"return\": {\"fdset-id\": 9, \"fd\": 20}", .written = "x" },                 \
	{                                                                                          \
		"blockdev-add", DONE,                                                              \
				.arguments = "{\"driver\":\"file\",\"node-name\":\"medium.9\","    \
					     "\"filename\":\"/dev/fdset/9\",\"read-only\":true}"   \
	}

TEST(insert_makes_the_new_one_before_it_takes_the_old_one)
{
	static const struct script_step steps[] = {
		LIST(FULL),
		ADDED,
		{ "blockdev-open-tray", DONE },
		LIST(OPEN),
		{ "blockdev-remove-medium", DONE },
		{ "blockdev-del", DONE },
		{ "remove-fd", DONE, .arguments = "{\"fdset-id\":4}" },
		{ "blockdev-insert-medium", DONE,
				.arguments = "{\"id\":\"scsi.0.1\",\"node-name\":\"medium.9\"}" },
		{ "blockdev-close-tray", DONE },
		{},
	};
	static const struct script_step refused[] = {
		LIST(FULL),
		{ "add-fd", "\"return\": {\"fdset-id\": 9, \"fd\": 20}", .written = "x" },
		{ "blockdev-add", REFUSED },
		{ "remove-fd", DONE, .arguments = "{\"fdset-id\":9}" },
		{},
	};
	static const struct script_step locked[] = {
		LIST(LOCKED),
		ADDED,
		{ "blockdev-open-tray", DONE },
		LIST(LOCKED),
		{ "blockdev-del", DONE, .arguments = "{\"node-name\":\"medium.9\"}" },
		{ "remove-fd", DONE, .arguments = "{\"fdset-id\":9}" },
		{},
	};
	struct error err = {};
	CHECK_INT(with_drive(steps, true, false, 0, &err), 0);
	CHECK_INT(with_drive(refused, true, false, 0, &err), -EREMOTEIO);
	CHECK_INT(with_drive(locked, true, false, 0, &err), -EBUSY);
}

TEST_MAIN()
