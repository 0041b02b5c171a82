/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina init: the directories that hold the config. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/output.h"
#include "util/file.h"

/* Whose members may use the machines' control sockets. */
#define GROUP_NAME "machina"

struct init_options {
	bool dry_run;
};

static int init_directory(const char *path, bool dry_run, struct error *err)
{
	struct stat st;
	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			return error_set(err, ENOTDIR, "'%s' is there but is no directory", path);
		printf("is there    %s\n", path);
		return 0;
	}
	if (errno != ENOENT)
		return error_errno(err, "cannot look at '%s'", path);
	if (dry_run) {
		printf("would make  %s\n", path);
		return 0;
	}
	/* Not secret: the files name no password, and completion reads them as any user. */
	int r = mkdir_all(path, 0755, err);
	if (r < 0)
		return r;
	printf("made        %s\n", path);
	return 0;
}

static int init_run(const struct call *call, struct error *err)
{
	const struct init_options *options = call->options;
	int r = init_directory(call->paths.config_dir, options->dry_run, err);
	if (r == 0)
		r = init_directory(call->paths.machine_dir, options->dry_run, err);
	if (r < 0)
		return r;
	if (!call->paths.offline && !getgrnam(GROUP_NAME))
		puts("There is no group '" GROUP_NAME
		     "'. Its members may use the control sockets of all machines;\nroot always "
		     "may. To make it: systemd-sysusers");
	return STATUS_DONE;
}

static const struct option_spec options[] = {
	OPTION_DRY_RUN(struct init_options, dry_run),
	{},
};

static const struct example examples[] = {
	{ "machina init", "Make /etc/machina and /etc/machina/machine.conf.d." },
	{ "machina init --root /mnt", "The same in the system that is mounted there." },
	{},
};

const struct command cmd_init = {
	.name = "init",
	.group = GROUP_CONFIGURE,
	.flags = COMMAND_FILES,
	.summary = "Make the directories that hold the config",
	.description = "What is there is left alone, so that it may be run again. No config is "
		       "written: machina.conf(5) and machina-machine(5) say what the files "
		       "hold.\n\n"
		       "Says so if the group '" GROUP_NAME
		       "' does not exist: its members may use the machines' control sockets.",
	.options = options,
	.options_size = sizeof(struct init_options),
	.examples = examples,
	.run = init_run,
};
