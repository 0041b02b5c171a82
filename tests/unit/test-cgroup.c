/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts for a control group. */
#include "host/systemd/cgroup.h"

#include "scratch.h"
#include "test.h"

#define GROUP "/machine.slice/machina-qemu-web.service"

TEST(peak_is_read)
{
	uint64_t bytes = 7;
	scratch_begin();
	put_file("machine.slice/machina-qemu-web.service/memory.peak", "123456789\n");
	CHECK(cgroup_memory_peak(scratch_dir, GROUP, &bytes));
	CHECK_INT(bytes, 123456789);
	scratch_end();
}

TEST(what_is_not_counted_is_not_known)
{
	static const char *const groups[] = { "", "/", GROUP, "/no.slice" };
	uint64_t bytes = 7;
	scratch_begin();
	/* As in the root of all groups, which is none of a unit. */
	put_file("memory.peak", "1\n");
	put_file("machine.slice/machina-qemu-web.service/memory.peak", "max\n");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		CHECK(!cgroup_memory_peak(scratch_dir, groups[i], &bytes));
	CHECK_INT(bytes, 7);
	scratch_end();
}

TEST_MAIN()
