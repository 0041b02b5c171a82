/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files beside the config that look like a part of it and are not read. */
#include <string.h>

#include "config/load.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* "web.json" and "web.conf" were meant; "web.conf.json.old" and "web.conf.json~" are put away. */
static bool is_misnamed(const char *name)
{
	return name[0] != '.' && !config_stem_length(name) &&
	       (stem_length(name, ".json") || stem_length(name, ".conf"));
}

/* "web.conf.json" beside the host's file. */
static bool is_misplaced(const char *name)
{
	return config_stem_length(name) && strcmp(name, CONFIG_MAIN_NAME) != 0;
}

static void check_dir(const char *dir, bool is_unread(const char *name), const char *reason,
		struct report *report)
{
	CLEANUP(strv_done) struct strv names = {};
	if (dir_list(dir, &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (!is_unread(names.items[i]))
			continue;
		CLEANUP(freep) char *path = path_join(dir, names.items[i]);
		report_add(report, SEVERITY_ADVICE, (struct where){ .file = path }, NULL, NULL,
				"it is not read: %s", reason);
	}
}

void config_check_unread(const struct config_paths *paths, struct report *report)
{
	static const char misnamed[] = "its name does not end in '" CONFIG_SUFFIX "'";
	CLEANUP(freep) char *drop_ins = path_join(paths->config_dir, "machina.conf.d");
	check_dir(paths->config_dir, is_misplaced,
			"machines are in 'machine.conf.d', more of the host's config in "
			"'machina.conf.d'",
			report);
	check_dir(drop_ins, is_misnamed, misnamed, report);
	check_dir(paths->machine_dir, is_misnamed, misnamed, report);
}
