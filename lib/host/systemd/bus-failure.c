/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the state of a unit to the reason why its last run failed. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "host/systemd/bus-unit.h"
#include "util/visible.h"

#define WORD_MAX 100

/* Ends of a process before it became what was to be run: systemd.exec(5), "Process Exit Codes". */
static const char *const exec_failures[] = {
	[200] = "CHDIR",
	[201] = "NICE",
	[202] = "FDS",
	[203] = "EXEC",
	[204] = "MEMORY",
	[205] = "LIMITS",
	[206] = "OOM_ADJUST",
	[207] = "SIGNAL_MASK",
	[208] = "STDIN",
	[209] = "STDOUT",
	[210] = "CHROOT",
	[211] = "IOPRIO",
	[212] = "TIMERSLACK",
	[213] = "SECUREBITS",
	[214] = "SETSCHEDULER",
	[215] = "CPUAFFINITY",
	[216] = "GROUP",
	[217] = "USER",
	[218] = "CAPABILITIES",
	[219] = "CGROUP",
	[220] = "SETSID",
	[221] = "CONFIRM",
	[222] = "STDERR",
	[224] = "PAM",
	[225] = "NETWORK",
	[226] = "NAMESPACE",
	[227] = "NO_NEW_PRIVILEGES",
	[228] = "SECCOMP",
	[229] = "SELINUX_CONTEXT",
	[230] = "PERSONALITY",
	[231] = "APPARMOR",
	[232] = "ADDRESS_FAMILIES",
	[233] = "RUNTIME_DIRECTORY",
	[235] = "CHOWN",
	[236] = "SMACK_PROCESS_LABEL",
	[237] = "KEYRING",
	[238] = "STATE_DIRECTORY",
	[239] = "CACHE_DIRECTORY",
	[240] = "LOGS_DIRECTORY",
	[241] = "CONFIGURATION_DIRECTORY",
	[242] = "NUMA_POLICY",
	[243] = "CREDENTIALS",
	[245] = "BPF",
};

/* Property Result in org.freedesktop.systemd1(5). %s: the step, or "it" where none is known. */
static const struct {
	const char *result;
	const char *text; /* NULL: what became of the step says it all */
} results[] = {
	{ "core-dump", NULL },
	{ "exec-condition", "%s says that it is not to be started" },
	{ "exit-code", NULL },
	{ "oom-kill", "%s was killed because memory ran out" },
	{ "protocol", "%s did not do what its service type promises" },
	{ "resources", "systemd could not run %s: a resource or a file was missing" },
	{ "signal", NULL },
	{ "start-limit-hit", "it was started too often in a short time" },
	{ "timeout", "%s did not end within its time limit" },
	{ "watchdog", "%s gave no sign of life in time" },
};

/* As systemd counts: what runs for long may be ended by these (is_clean_exit() in
 * src/shared/exit-status.c). */
static bool is_clean_signal(int signal)
{
	return signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGPIPE;
}

static bool has_failed(const struct exec_step *s)
{
	if (!s->end_usec || !s->code)
		return false;
	if (s->code == CLD_EXITED)
		return s->status != 0;
	return s->code != CLD_KILLED || strcmp(s->setting, "ExecStart") != 0 ||
	       !is_clean_signal(s->status);
}

const struct exec_step *unit_failed_step(const struct unit_info *info)
{
	const struct exec_step *first = NULL;
	for (size_t i = 0; i < info->n_steps; i++) {
		const struct exec_step *s = &info->steps[i];
		if (has_failed(s) && !s->ignore_failure &&
				(!first || s->end_usec < first->end_usec))
			first = s;
	}
	/* A line that is run because another one has failed follows it in the same setting. */
	for (size_t i = 0; first && i < info->n_steps; i++)
		if (has_failed(&info->steps[i]) &&
				strcmp(info->steps[i].setting, "ExecStop") == 0 &&
				strcmp(first->setting, "ExecStop") == 0 &&
				info->steps[i].end_usec < first->end_usec)
			first = &info->steps[i];
	return first;
}

/* "ExecStartPre (machina prepare)": the program's name and its first word, if that is a verb. */
static void add_step(struct buf *text, const struct exec_step *step)
{
	const char *slash = strrchr(step->path, '/');
	const char *program = slash ? slash + 1 : step->path;
	buf_printf(text, "%s (", step->setting);
	visible_add(text, program, strlen(program), WORD_MAX);
	if (step->argv.n > 1 && step->argv.items[1][0] != '-' && step->argv.items[1][0] != '/') {
		buf_putc(text, ' ');
		visible_add(text, step->argv.items[1], strlen(step->argv.items[1]), WORD_MAX);
	}
	buf_putc(text, ')');
}

static void add_end(struct buf *text, const struct exec_step *step)
{
	size_t status = (size_t)step->status;
	const char *name = NULL;
	if (step->code == CLD_EXITED) {
		if (status < ARRAY_SIZE(exec_failures))
			name = exec_failures[status];
		if (name)
			buf_printf(text, " could not be run (status %zu/%s)", status, name);
		else
			buf_printf(text, " failed with status %zu", status);
		return;
	}
	name = sigabbrev_np(step->status);
	buf_printf(text, " was %s by signal %zu%s%s", step->code == CLD_DUMPED ? "ended" : "killed",
			status, name ? "/" : "", name ? name : "");
	if (step->code == CLD_DUMPED)
		buf_puts(text, ", leaving a core dump");
}

/* Is it the end of a process that a result speaks of? */
static bool is_told_by(const char *result, const struct exec_step *step)
{
	return (!strcmp(result, "signal") && step->code == CLD_KILLED) ||
	       (!strcmp(result, "core-dump") && step->code == CLD_DUMPED) ||
	       (!strcmp(result, "exit-code") && step->code == CLD_EXITED && step->status);
}

/* Insert the step into a row's text. */
static void add_sentence(struct buf *text, const char *sentence, const struct exec_step *step)
{
	const char *gap = strstr(sentence, "%s");
	if (!gap) {
		buf_puts(text, sentence);
		return;
	}
	buf_add(text, sentence, (size_t)(gap - sentence));
	if (step)
		add_step(text, step);
	else
		buf_puts(text, "it");
	buf_puts(text, gap + 2);
}

bool unit_is_refused(const char *load_state)
{
	return load_state[0] && strcmp(load_state, "loaded") != 0 &&
	       strcmp(load_state, "not-found") != 0;
}

bool unit_explain_failure(const struct unit_info *info, struct buf *text)
{
	if (strcmp(info->load_state, "loaded") != 0) {
		size_t len = strlen(info->load_error);
		len -= len > 0 && info->load_error[len - 1] == '.';
		visible_add(text, info->load_error, len, ERROR_TEXT_MAX);
		if (len == 0)
			buf_printf(text, "the unit is %s", info->load_state);
		return true;
	}
	if (strcmp(info->result, "success") == 0 || *info->result == '\0')
		return false;

	const struct exec_step *step = unit_failed_step(info);
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		if (strcmp(results[i].result, info->result) == 0 && results[i].text) {
			add_sentence(text, results[i].text, step);
			return true;
		}
	/* systemd forgets the steps when it reads its units anew, but not the end of QEMU. */
	const struct exec_step main = { .code = info->exec_main_code,
		.status = info->exec_main_status };
	if (step) {
		add_step(text, step);
		add_end(text, step);
	} else if (is_told_by(info->result, &main)) {
		buf_puts(text, "its main process");
		add_end(text, &main);
	} else {
		buf_puts(text, "its result is '");
		visible_add(text, info->result, strlen(info->result), WORD_MAX);
		buf_putc(text, '\'');
	}
	return true;
}
