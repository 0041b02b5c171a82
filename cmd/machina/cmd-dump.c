/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machina dump: the memory of a guest, in a file. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "host/os/clock.h"
#include "host/qmp/dump.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/monitor.h"
#include "util/mem.h"
#include "util/newfile.h"

#define OPEN_USEC (10 * USEC_PER_SEC)

struct dump_options {
	int format;
	bool force;
	bool dry_run;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signo)
{
	(void)signo;
	is_interrupted = 1;
}

static bool is_canceled(void *data)
{
	(void)data;
	return is_interrupted;
}

static void progress(void *data, uint64_t done_bytes, uint64_t total_bytes)
{
	if (total_bytes)
		progress_show("dumping %s: %.0f %%", (const char *)data,
				100.0 * (double)done_bytes / (double)total_bytes);
}

/* A file that is not whole must not stay, whoever ends this. */
static void watch_signals(void)
{
	const struct sigaction action = { .sa_handler = interrupt };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static int dump_to(struct monitor *monitor, int fd, const struct dump_options *options,
		struct error *err)
{
	const char *machine = monitor->plan.machine;
	CLEANUP(freep) char *name = xstrdup(machine);
	const struct dump_request request = {
		.fd = fd,
		.format = (enum dump_format)options->format,
		.progress = progress,
		.is_canceled = is_canceled,
		.data = name,
	};
	watch_signals();
	int r = dump_guest(monitor->qmp, &request, err);
	progress_clear();
	return r < 0 ? error_wrap(err, "machine '%s'", machine) : 0;
}

static int dump_to_file(struct monitor *monitor, const char *path,
		const struct dump_options *options, struct error *err)
{
	/* Memory holds secrets. */
	CLEANUP(newfile_done) struct newfile file = {};
	int r = offer_force(newfile_open(path, options->force, &file, err), err);
	if (r == 0)
		r = dump_to(monitor, file.fd, options, err);
	return r < 0 ? r : offer_force(newfile_commit(&file, err), err);
}

static int dump_run(const struct call *call, struct error *err)
{
	const struct dump_options *options = call->options;
	const char *path = call->words.items[1];
	bool is_pipe = !strcmp(path, "-");
	CLEANUP(monitor_done) struct monitor monitor = {};
	if (is_pipe && isatty(STDOUT_FILENO))
		return misuse(call->command,
				"standard output is a terminal, and a dump is no text");
	if (is_pipe && options->format != DUMP_ELF)
		return misuse(call->command, "only the format 'elf' goes to standard output");
	int r = monitor_open_first(call, clock_deadline_usec(OPEN_USEC), &monitor, err);
	if (r < 0)
		return r;
	const char *machine = monitor.plan.machine;
	if (options->dry_run) {
		r = dump_check(monitor.qmp, (enum dump_format)options->format, err);
		if (r == 0)
			printf("would dump the memory of %s to %s\n", machine,
					is_pipe ? "standard output" : path);
		return r < 0 ? error_wrap(err, "machine '%s'", machine) : STATUS_DONE;
	}
	r = is_pipe ? dump_to(&monitor, STDOUT_FILENO, options, err)
		    : dump_to_file(&monitor, path, options, err);
	if (r == 0 && !is_pipe)
		printf("%s: its memory is in %s\n", machine, path);
	return r < 0 ? r : STATUS_DONE;
}

static const struct argument arguments[] = {
	{ "MACHINE", 0, complete_machines_up },
	{ "FILE", 0, complete_files },
	{},
};

static const struct option_spec options[] = {
	{ 'f', "format", "FORMAT", OPT_CHOICE(struct dump_options, format, dump_format_names),
			"Format of the file" },
	{ 0, "force", NULL, OPT_FLAG(struct dump_options, force), "Replace a file that is there" },
	OPTION_DRY_RUN(struct dump_options, dry_run),
	{},
};

static const struct example examples[] = {
	{ "machina dump web web.core", "Write web's memory as an ELF core file." },
	{ "machina dump --format kdump-zlib web web.kdump",
			"The same compressed, without pages of zeros, for crash(8)." },
	{ "machina dump web - | zstd > web.core.zst", "Compress it on its way." },
	{},
};

const struct command cmd_dump = {
	.name = "dump",
	.group = GROUP_RUN,
	.flags = COMMAND_FILES | COMMAND_LIVE,
	.arguments = arguments,
	.summary = "Write a guest's memory to a file",
	.description = "For crash(8), gdb(1) or a vendor's support. The guest stands still while "
		       "it is written, and runs on then. FILE is made for its owner alone, as "
		       "memory holds passwords and keys, and has its name only when it is whole; "
		       "'-' is standard output.\n\n"
		       "win-dmp needs a guest that has told QEMU where its kernel keeps its data "
		       "(the driver of a vmcoreinfo device). When this command is interrupted, "
		       "QEMU goes on to the end: until then the guest stands still.",
	.options = options,
	.options_size = sizeof(struct dump_options),
	.examples = examples,
	.run = dump_run,
};
