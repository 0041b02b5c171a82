/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's option lists as text; test-props-qemu.c shows them to QEMU itself. */
#include "qemu/props.h"

#include "test.h"
#include "util/mem.h"

static void check_take(struct props *p, const char *expected)
{
	CLEANUP(strv_done) struct strv argv = {};
	props_take(p, "-device", &argv);
	CHECK_INT(argv.n, 2);
	CHECK_STR(argv.items[0], "-device");
	CHECK_STR(argv.items[1], expected);
	props_done(p);
}

TEST(properties_follow_the_driver)
{
	struct props p = {};
	props_init(&p, "virtio-blk-pci");
	props_addf(&p, "id", "disk.%d", 7);
	props_add(&p, "share-rw", "on");
	props_add(&p, "write-cache", "off");
	props_add(&p, "serial", "AB");
	check_take(&p, "virtio-blk-pci,id=disk.7,share-rw=on,write-cache=off,serial=AB");
}

TEST(commas_are_doubled_and_nothing_else_is_changed)
{
	struct props p = {};
	props_init(&p, "file");
	props_add(&p, "filename", ",a,,b=c \"d\" 'e' \\ $F %g,");
	props_addf(&p, "server.path", "%s", "x,y");
	check_take(&p, "file,filename=,,a,,,,b=c \"d\" 'e' \\ $F %g,,,server.path=x,,y");
}

/* Around the length from which on memory is allocated. */
TEST(values_are_of_any_length)
{
	for (size_t len = 150; len < 450; len++) {
		CLEANUP(strv_done) struct strv argv = {};
		CLEANUP(freep) char *value = xcalloc(1, len + 1);
		memset(value, 'x', len);
		struct props p = {};
		props_init(&p, "file");
		props_add(&p, "a", value);
		props_addf(&p, "b", "%s", value);
		props_take(&p, "-blockdev", &argv);
		CHECK_INT(strlen(argv.items[1]), 2 * len + strlen("file,a=,b="));
		CHECK(!strncmp(argv.items[1] + strlen("file,a="), value, len));
		CHECK_STR(argv.items[1] + strlen("file,a=,b=") + len, value);
	}
}

TEST(without_a_driver_the_first_key_is_written)
{
	struct props p = {};
	props_init(&p, NULL);
	props_add(&p, "guest", "a=b");
	props_add(&p, "process", "");
	check_take(&p, "guest=a=b,process=");
}

TEST(a_list_can_be_used_again)
{
	CLEANUP(strv_done) struct strv argv = {};
	struct props p = {};
	props_init(&p, "a");
	props_add(&p, "b", "c");
	props_take(&p, "-x", &argv);
	props_init(&p, "d");
	check_take(&p, "d");
	props_init(&p, "lost");
	props_init(&p, "e");
	check_take(&p, "e");
	CHECK_STR(argv.items[1], "a,b=c");
}

TEST_MAIN()
