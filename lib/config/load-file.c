/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read one file of the config, or list a directory of such. */
#include <fcntl.h>
#include <unistd.h>

#include "config/load.h"
#include "util/file.h"
#include "util/mem.h"

/* @found: what @path leads to */
static void report_unread(struct report *report, const char *path, const char *found, int code)
{
	CLEANUP(freep)
	char *reason = code == EFBIG ? xasprintf("it is larger than %zu MiB", JDOC_SIZE_MAX >> 20)
				     : file_reason(AT_FDCWD, code == ENOENT ? path : found, code);
	report_add(report, SEVERITY_ERROR, (struct where){ .file = path }, NULL, NULL,
			"it can't be read: %s%s", reason,
			code == EACCES && geteuid() != 0 ? "; root may do that" : "");
}

/* Also a link that leads nowhere. */
static bool is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int config_load_file(const struct config_paths *paths, const char *path, struct jdoc *ret,
		struct report *report)
{
	struct error err = {};
	CLEANUP(freep) char *found = NULL;
	*ret = (struct jdoc){};
	int r = config_follow(paths, path, &found, &err);
	if (r == 0)
		r = jdoc_load_at(AT_FDCWD, found, path, ret, report, &err);
	if (r >= 0)
		return 0;

	jdoc_done(ret);
	if (err.code == ENOENT && !is_there(path))
		return 1;
	*ret = (struct jdoc){ .name = xstrdup(path), .text = xstrdup("") };
	report_unread(report, path, found ? found : path, err.code);
	return 0;
}

bool config_list_dir(const struct config_paths *paths, const char *path, struct strv *ret_names,
		struct report *report)
{
	struct error err = {};
	CLEANUP(freep) char *found = NULL;
	int r = config_follow(paths, path, &found, &err);
	if (r == 0)
		r = dir_list(found, ret_names, &err);
	if (r == 1 && is_there(path))
		r = error_set(&err, ENOENT, "%s", path);
	if (r < 0)
		report_unread(report, path, found ? found : path, err.code);
	return r >= 0;
}
