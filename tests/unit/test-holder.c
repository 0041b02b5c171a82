/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that have files open, as the running kernel tells of them. */
#include "host/os/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "scratch.h"
#include "test.h"

static bool find(const char *first, const char *second, size_t *ret_file, struct buf *ret)
{
	CLEANUP(strv_done) struct strv paths = {};
	strv_push(&paths, first);
	strv_push(&paths, second);
	buf_clear(ret);
	return holder_find("/proc", &paths, ret_file, ret);
}

TEST(a_writer_is_found_and_a_reader_is_not)
{
	scratch_begin();
	put_file("disk", "");
	CLEANUP(freep) char *disk = xstrdup(scratch_path("disk"));
	CLEANUP(freep) char *other = xstrdup(scratch_path("other"));
	CLEANUP(freep)
	char *self = xasprintf("%s (pid %d)", program_invocation_short_name, getpid());
	CLEANUP(buf_done) struct buf process = {};
	CLEANUP(closep) int reader = open(disk, O_RDONLY | O_CLOEXEC);
	size_t file = 7;
	CHECK(!find(other, disk, &file, &process));
	CHECK_INT(file, 7);
	CLEANUP(closep) int writer = open(disk, O_RDWR | O_CLOEXEC);
	CHECK(find(other, disk, &file, &process));
	CHECK_INT(file, 1);
	/* The kernel keeps 15 letters of a name. */
	CHECK(!strncmp(buf_text(&process), self, 10));
	CHECK(strstr(buf_text(&process), strrchr(self, '(')));
	closep(&writer);
	CHECK(!find(other, disk, &file, &process));
	scratch_end();
}

TEST_MAIN()
