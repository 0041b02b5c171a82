/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts for a control group. */
#include "host/systemd/cgroup.h"

#include "host/os/sysfs.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

bool cgroup_memory_peak(const char *root, const char *group, uint64_t *ret_bytes)
{
	CLEANUP(buf_done) struct buf content = {};
	/* That of the root would be the host's. */
	if (!*group || !group[1])
		return false;
	CLEANUP(freep) char *dir = path_join(root, group);
	return sysfs_read(dir, "memory.peak", &content, NULL) == 0 &&
	       parse_u64(buf_text(&content), ret_bytes) == 0;
}
