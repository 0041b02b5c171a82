/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading units. */
#include "setup/unit-load.h"

#include <string.h>

#include "unit/network.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

int unit_load(const struct config_paths *paths, const char *pattern, const char *machine,
		char **ret_path, struct buf *ret_text, struct error *err)
{
	CLEANUP(freep) char *name = unit_name(pattern, machine);
	CLEANUP(freep) char *path = path_join(paths->unit_dir, name);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, UNIT_SIZE_MAX, &text, err);
	if (!strcmp(pattern, UNIT_NETWORK))
		machine = "--all";
	/* Of "MACHINE@SHARE". */
	int len = (int)strcspn(machine, "@");
	if (r == -ENOENT)
		return error_set(err, ENOENT,
				"there is no unit '%s' ('machina generate %.*s' makes it)", path,
				len, machine);
	if (r < 0)
		return r;
	if (strncmp(buf_text(&text), UNIT_MARK, strlen(UNIT_MARK)) != 0)
		return error_set(err, EINVAL,
				"the unit '%s' was not made by this program ('machina generate "
				"--force %.*s' makes it anew)",
				path, len, machine);
	*ret_path = take_ptr(path);
	*ret_text = text;
	text = (struct buf){};
	return 0;
}
