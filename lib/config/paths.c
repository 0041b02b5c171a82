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
	ret->root = xstrdup(strcmp(top, "/") != 0 ? top : "");
	if (!config_dir || !config_dir[0])
		config_dir = "/etc/machina";
	ret->config_dir = ret->offline ? path_join(top, config_dir) : xstrdup(config_dir);
	ret->machine_dir = path_join(ret->config_dir, "machine.conf.d");
	ret->known_config_dir = xstrdup(ret->config_dir + strlen(ret->root));
	ret->known_machine_dir = xstrdup(ret->machine_dir + strlen(ret->root));
	ret->unit_dir = path_join(top, "/etc/systemd/system");
	ret->run_dir = path_join(top, "/run/machina");
	ret->state_dir = path_join(top, CONFIG_STATE_DIR);
	ret->saved_dir = path_join(top, CONFIG_SAVED_DIR);
}

/* What is behind @dir and a slash, or NULL. */
static const char *below(const char *dir, const char *path)
{
	size_t len = strlen(dir);
	return !strncmp(path, dir, len) && path[len] == '/' ? path + len + 1 : NULL;
}

static bool is_link(const char *path)
{
	char first;
	return readlink(path, &first, sizeof(first)) >= 0;
}

/* A file of the machines' directory, which was followed: there may be a thousand, and few links. */
static bool is_found(const struct config_paths *paths, const char *path)
{
	const char *file = below(paths->machine_dir, path);
	return file && !strchr(file, '/') && !is_link(path);
}

int config_follow(const struct config_paths *paths, const char *path, char **ret, struct error *err)
{
	if (!paths->offline || is_found(paths, path)) {
		*ret = xstrdup(path);
		return 0;
	}
	return path_in_root(paths->root, path + strlen(paths->root), ret, err);
}

int config_paths_follow(struct config_paths *paths, struct error *err)
{
	char **const dirs[] = { &paths->config_dir, &paths->machine_dir, &paths->unit_dir,
		&paths->run_dir, &paths->state_dir, &paths->saved_dir };
	for (size_t i = 0; paths->offline && i < ARRAY_SIZE(dirs); i++) {
		char *followed = NULL;
		int r = config_follow(paths, *dirs[i], &followed, err);
		if (r < 0)
			return r;
		free(*dirs[i]);
		*dirs[i] = followed;
	}
	return 0;
}

char *config_known_path(const struct config_paths *paths, const char *path)
{
	const char *of_machine = below(paths->machine_dir, path);
	const char *of_host = below(paths->config_dir, path);
	if (of_machine)
		return xasprintf("%s/%s", paths->known_machine_dir, of_machine);
	return of_host ? xasprintf("%s/%s", paths->known_config_dir, of_host) : xstrdup(path);
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
	free(paths->known_config_dir);
	free(paths->known_machine_dir);
	free(paths->root);
	*paths = (struct config_paths){};
}
