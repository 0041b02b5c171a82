/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

void config_paths_init(struct config_paths *ret, const char *root, const char *config_dir)
{
	*ret = (struct config_paths){};
	ret->offline = root && root[0];
	CLEANUP(freep) char *top = path_clean(ret->offline ? root : "/");
	/* Of "." nothing would stand in front of the paths. */
	char *here = strcmp(top, ".") == 0 ? getcwd(NULL, 0) : NULL;
	if (here) {
		free(top);
		top = here;
	}
	ret->root_len = strcmp(top, "/") != 0 ? strlen(top) : 0;
	if (!config_dir || !config_dir[0])
		config_dir = "/etc/machina";
	ret->config_dir = ret->offline ? path_join(top, config_dir) : xstrdup(config_dir);
	ret->machine_dir = path_join(ret->config_dir, "machine.conf.d");
	ret->unit_dir = path_join(top, "/etc/systemd/system");
	ret->run_dir = path_join(top, "/run/machina");
	ret->state_dir = path_join(top, CONFIG_STATE_DIR);
	ret->saved_dir = path_join(top, CONFIG_SAVED_DIR);
}

size_t config_stem_length(const char *file_name)
{
	return file_name[0] == '.' ? 0 : stem_length(file_name, CONFIG_SUFFIX);
}

char *config_machine_path(const struct config_paths *paths, const char *machine)
{
	return xasprintf("%s/%s" CONFIG_SUFFIX, paths->machine_dir, machine);
}

void config_paths_done(struct config_paths *paths)
{
	free(paths->config_dir);
	free(paths->machine_dir);
	free(paths->unit_dir);
	free(paths->run_dir);
	free(paths->state_dir);
	free(paths->saved_dir);
	*paths = (struct config_paths){};
}
