/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU is asked before it is started: scripts answer in its place. */
#include "host/os/emulator.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"
#include "util/mem.h"

static const char *program(const char *script)
{
	CLEANUP(freep) char *text = xasprintf("#!/bin/sh\n%s\n", script);
	put_file("qemu", text);
	CHECK_INT(chmod(scratch_path("qemu"), 0755), 0);
	return scratch_path("qemu");
}

static void check_pair(const char *script, const char *expected)
{
	const struct account self = { .uid = geteuid(), .gid = getegid() };
	struct error err = {};
	const char *pair = NULL;
	if (emulator_reconnect(program(script), &self, &pair, &err) < 0)
		TEST_FAIL("%s", err.text);
	CHECK_STR(pair, expected);
}

#define SAYS(version) "[ \"$*\" = --version ] && echo 'QEMU emulator version " version "'"

TEST(the_version_decides_how_it_connects_again)
{
	scratch_begin();
	check_pair(SAYS("7.2.22 (Debian 1:7.2+dfsg-7)"), "reconnect=1");
	check_pair(SAYS("8.9"), "reconnect=1");
	check_pair(SAYS("9.1.3"), "reconnect=1");
	check_pair(SAYS("9.2.0"), "reconnect-ms=1000");
	check_pair(SAYS("10.0.13 (Debian 1:10.0.13+ds-0)"), "reconnect-ms=1000");
	check_pair(SAYS("11.1.0"), "reconnect-ms=1000");
	check_pair("echo something of our own", "reconnect-ms=1000");
	scratch_end();
}

TEST(what_cannot_be_asked_is_told)
{
	const struct account self = { .uid = geteuid(), .gid = getegid() };
	struct error err = {};
	const char *pair = NULL;
	scratch_begin();
	CHECK_INT(emulator_reconnect(program("exit 3"), &self, &pair, &err), -EIO);
	CHECK(strstr(err.text, "asking QEMU for its version: "));
	CHECK(strstr(err.text, "status 3"));
	CHECK_INT(unlink(scratch_path("qemu")), 0);
	CHECK_INT(emulator_reconnect(scratch_path("qemu"), &self, &pair, &err), -ENOENT);
	CHECK(!pair);
	scratch_end();
}

TEST_MAIN()
