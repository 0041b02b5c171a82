/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the machines that run would be changed by a restart. */
#include "observe/pending.h"

#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/os/clock.h"
#include "host/os/process.h"
#include "host/systemd/bus-unit.h"
#include "lifecycle/monitor.h"
#include "model/plan.h"
#include "observe/drift.h"
#include "unit/service.h"
#include "util/file.h"
#include "util/mem.h"

#define NSEC_PER_USEC UINT64_C(1000)
/* Of the distribution's QEMU. */
#define PROGRAM_DIR "/usr/bin"

/* What is alike for all machines. */
struct search {
	const struct config_paths *paths;
	uint64_t inputs_nsec; /* the last change of the host's config and of this program */
	uint64_t code_nsec;   /* of what has the distribution's programs and libraries */
	struct config config; /* loaded when it is needed */
	bool is_loaded, is_usable;
};

/* By its ctime, which nobody can set. */
static void add_change(const char *path, uint64_t *last_nsec)
{
	struct stat st;
	if (stat(path, &st) == 0 && clock_timespec_nsec(&st.st_ctim) > *last_nsec)
		*last_nsec = clock_timespec_nsec(&st.st_ctim);
}

static uint64_t last_input(const struct config_paths *paths)
{
	CLEANUP(freep) char *main_file = path_join(paths->config_dir, CONFIG_MAIN_NAME);
	CLEANUP(freep) char *dir = path_join(paths->config_dir, "machina.conf.d");
	CLEANUP(strv_done) struct strv names = {};
	struct error unused;
	uint64_t last = 0;
	add_change(main_file, &last);
	add_change("/proc/self/exe", &last);
	add_change(dir, &last);
	int r = dir_list(dir, &names, &unused);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP(freep) char *path = path_join(dir, names.items[i]);
		add_change(path, &last);
	}
	return last;
}

/* Where the libraries of this program are is where those of others are; QEMU's modules are below.
 */
static int add_library(struct dl_phdr_info *info, size_t unused, void *data)
{
	(void)unused;
	const char *slash = strrchr(info->dlpi_name, '/');
	if (!slash)
		return 0;
	CLEANUP(freep) char *dir = xstrndup(info->dlpi_name, (size_t)(slash - info->dlpi_name));
	CLEANUP(freep) char *modules = path_join(dir, "qemu");
	add_change(dir, data);
	add_change(modules, data);
	return 0;
}

static uint64_t last_code(void)
{
	uint64_t last = 0;
	add_change(PROGRAM_DIR, &last);
	add_change("/etc/ld.so.cache", &last);
	dl_iterate_phdr(add_library, &last);
	return last;
}

/*
 * In the time of files. 0: it can't be found out. If the clock was put forward since, what comes of
 * it is too late, and the time of a socket that prepare has made is not.
 */
static uint64_t start_of(const struct config_paths *paths, const struct pending *p)
{
	CLEANUP(freep) char *path = plan_qmp_path(paths->run_dir, p->machine, MONITOR_COMMANDS);
	struct timespec now, since_boot;
	struct stat made;
	uint64_t ticks;
	if (process_start_ticks(p->pid, &ticks, NULL) < 0)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &since_boot);
	uint64_t start = clock_timespec_nsec(&now) - clock_timespec_nsec(&since_boot) +
			 ticks * (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
	if (stat(path, &made) < 0)
		return start;
	uint64_t made_nsec = clock_timespec_nsec(&made.st_mtim);
	return made_nsec < start ? made_nsec : start;
}

/* Without doubt the config would generate what runs. */
static bool is_generated(const struct pending *p, uint64_t inputs_nsec, uint64_t start_nsec)
{
	return p->config_nsec && p->config_nsec < p->unit_nsec && inputs_nsec < p->unit_nsec &&
	       p->unit_nsec < start_nsec;
}

/* Without doubt the files are those that were started. */
static bool is_as_started(const struct search *s, pid_t pid, uint64_t start_nsec)
{
	static const char dir[] = PROGRAM_DIR "/", deleted[] = " (deleted)";
	CLEANUP(freep) char *path = xasprintf("/proc/%d/exe", pid);
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = '\0';
	const char *name = target + strlen(dir);
	return !strncmp(target, dir, strlen(dir)) && !strchr(name, '/') && !strstr(name, deleted) &&
	       s->code_nsec < start_nsec;
}

static bool load_config(struct search *s)
{
	struct error unused;
	if (!s->is_loaded)
		s->is_usable = config_load(&s->config, s->paths, &unused) == 0;
	s->is_loaded = true;
	return s->is_usable;
}

static void compare(struct search *s, struct pending *p)
{
	CLEANUP(drift_done) struct drift drift = {};
	struct error unused;
	p->has_faults = !load_config(s);
	if (p->has_faults)
		return;
	int r = drift_compare(&s->config, p->machine, p->pid, &drift, &unused);
	p->has_faults = r == 1;
	if (r != 0)
		return;
	p->is_compared = true;
	p->is_replaced = drift.replaced[0] != '\0';
	p->is_different = drift.diff.n > 0;
	p->has_to_stop = drift.has_to_stop;
}

static void look(struct search *s, struct pending *p)
{
	uint64_t start = start_of(s->paths, p);
	if (!is_generated(p, s->inputs_nsec, start)) {
		compare(s, p);
		return;
	}
	p->is_compared = true;
	if (is_as_started(s, p->pid, start))
		return;
	CLEANUP(freep) char *replaced = NULL;
	drift_find_replaced(p->pid, &replaced);
	p->is_replaced = replaced[0] != '\0';
}

void pending_find(const struct config_paths *paths, struct pending *machines, size_t n)
{
	struct search search = { .paths = paths };
	/* Others can't see what a process has mapped. */
	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!machines[i].pid)
			continue;
		if (!search.code_nsec) {
			search.inputs_nsec = last_input(paths);
			search.code_nsec = last_code();
		}
		look(&search, &machines[i]);
	}
	config_done(&search.config);
}

const char *pending_note(const struct config_paths *paths, struct bus *bus, const char *machine,
		uint64_t since_usec)
{
	CLEANUP(freep) char *unit = unit_name(UNIT_QEMU, machine);
	CLEANUP(freep) char *unit_path = path_join(paths->unit_dir, unit);
	CLEANUP(freep) char *config = config_machine_path(paths, machine);
	CLEANUP(unit_info_done) struct unit_info info = {};
	struct stat config_stat, unit_stat;
	if (stat(config, &config_stat) < 0 || stat(unit_path, &unit_stat) < 0)
		return "";
	struct pending pending = {
		.machine = machine,
		.config_nsec = clock_timespec_nsec(&config_stat.st_ctim),
		.unit_nsec = clock_timespec_nsec(&unit_stat.st_mtim),
	};
	/* Of a machine that was started later than @since_usec nobody has to look for the process.
	 */
	if (since_usec && is_generated(&pending, last_input(paths), since_usec * NSEC_PER_USEC))
		return "";
	if (bus_get_unit(bus, unit, &info, NULL) < 0 || !info.main_pid)
		return "";
	pending.pid = info.main_pid;
	pending_find(paths, &pending, 1);
	return pending.has_faults ? " as it was generated; its config has faults by now ('machina "
				    "validate')"
	       : pending.is_different ? " as it was generated; its config says something else by "
					"now ('machina diff' tells what)"
				      : "";
}
