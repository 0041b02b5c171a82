/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what was said in a run that failed to its cause. */
#include <ctype.h>
#include <regex.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/machine/cause.h"
#include "host/systemd/journal.h"
#include "test.h"
#include "util/mem.h"

#define TIME "Nov 21 08:51:13 "
#define BY_HOOK TIME "machina[7]: machina: error: "
#define BY_QEMU TIME "qemu-system-x86_64[8]: qemu-system-x86_64: "
#define BY_SYSTEMD TIME "systemd[1]: machina-qemu-web.service: "
#define STARTED TIME "systemd[1]: Started machina-qemu-web.service."

struct run {
	const char *result;
	const char *setting; /* of the step that failed; NULL: none */
	const char *argument;
	int status;
	const char *lines[5];
};

static void find(const struct run *run, struct cause *ret, char **ret_phase)
{
	CLEANUP(strv_done) struct strv lines = {};
	for (size_t i = 0; i < ARRAY_SIZE(run->lines) && run->lines[i]; i++)
		strv_push(&lines, run->lines[i]);
	struct exec_step step = {
		.setting = run->setting,
		.path = xstrdup("/usr/bin/it"),
		.end_usec = 1,
		.code = !strcmp(run->result, "signal") ? CLD_KILLED : CLD_EXITED,
		.status = run->status,
	};
	strv_push(&step.argv, "/usr/bin/it");
	if (run->argument)
		strv_push(&step.argv, run->argument);
	CLEANUP(freep) char *loaded = xstrdup("loaded");
	CLEANUP(freep) char *none = xstrdup("");
	CLEANUP(freep) char *result = xstrdup(run->result);
	struct unit_info info = {
		.load_state = loaded,
		.load_error = none,
		.result = result,
		.steps = &step,
		.n_steps = run->setting ? 1 : 0,
	};
	cause_find(&info, &lines, ret);
	if (ret_phase)
		*ret_phase = xstrdup(cause_phase(&info, &lines));
	free(step.path);
	strv_done(&step.argv);
}

static void check(const struct run *run, const char *id, const char *sentence)
{
	struct cause cause;
	find(run, &cause, NULL);
	CHECK_STR(cause.id, id);
	CHECK_STR(cause.sentence, sentence);
	CHECK(cause.advice && cause.message);
	cause_done(&cause);
}

TEST(a_limit_that_was_met_is_named)
{
	check(&(struct run){ "core-dump", "ExecStart", NULL, SIGXFSZ,
			      { STARTED, BY_SYSTEMD "Main process exited, code=dumped, "
						    "status=25/XFSZ" } },
			"file-limit",
			"the program was ended for a file that it had grow beyond the unit's "
			"LimitFSIZE=");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { STARTED, BY_QEMU "APIC ID 255 requires x2APIC feature in CPU" } },
			"cpu-count", "APIC ID 255 requires x2APIC feature in CPU");
}

/* Only of a volume's file the pool is to be looked at. */
TEST(advice_is_of_what_was_named)
{
	static const struct {
		const char *line, *advice;
	} rows[] = {
		{ BY_HOOK "cannot prepare machine 'web': volume 'a' (pool 'b'): '/c' is a "
			  "directory, not a file",
				"look at the pool and \"name\" of the volume" },
		{ BY_HOOK "cannot prepare machine 'web': '/etc' is a directory, not a file", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cause cause;
		find(&(struct run){ "exit-code", "ExecStartPre", NULL, 1, { rows[i].line } },
				&cause, NULL);
		CHECK_STR(cause.id, "file-odd");
		CHECK_STR(cause.advice, rows[i].advice);
		cause_done(&cause);
	}
}

TEST(a_port_that_qemu_cannot_have_is_named)
{
	struct cause cause;
	find(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			     { BY_QEMU "-netdev user,id=net.0,hostfwd=tcp:127.0.0.1:2222-:22: "
				       "Could "
				       "not set up host forwarding rule "
				       "'tcp:127.0.0.1:2222-:22'" } },
			&cause, NULL);
	CHECK_STR(cause.id, "port-taken");
	CHECK_STR(cause.sentence,
			"QEMU can't listen at the host's tcp port 127.0.0.1:2222, which the "
			"network's \"forward\" names");
	cause_done(&cause);
}

TEST(rows_are_in_order)
{
	for (size_t i = 0; i < n_cause_rows; i++) {
		const struct cause_row *row = &cause_rows[i];
		regex_t pattern;
		CHECK_INT(regcomp(&pattern, row->pattern, REG_EXTENDED), 0);
		CHECK(pattern.re_nsub <= 3);
		/* Nothing is named that the pattern does not have. */
		for (const char *c = row->sentence ? row->sentence : ""; *c; c++)
			if (*c == '%')
				CHECK(isdigit(c[1]) && (size_t)(c[1] - '0') <= pattern.re_nsub);
		regfree(&pattern);
		CHECK(row->speakers != 0);
		CHECK(row->id[0] && !strchr(row->id, ' '));
		const char *texts[] = { row->sentence, row->advice };
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			CHECK(!texts[k] || texts[k][strlen(texts[k]) - 1] != '.');
	}
}

TEST(lines_are_taken_apart)
{
	struct journal_words words;
	journal_split(BY_HOOK "no: good", &words);
	CHECK_INT(words.speaker_len, 7);
	CHECK(!strncmp(words.speaker, "machina", 7));
	CHECK_STR(words.message, "machina: error: no: good");
	journal_split(TIME "kernel: text", &words);
	CHECK(words.speaker_len == 6 && !strncmp(words.speaker, "kernel", 6));
	CHECK_STR(words.message, "text");
	journal_split("", &words);
	CHECK_STR(words.message, "");
	journal_split("no form at all", &words);
	CHECK_STR(words.message, "no form at all");
	CHECK_INT(words.speaker_len, 0);
	journal_split(TIME, &words);
	CHECK_STR(words.message, TIME);
}

TEST(prepare_says_it_itself)
{
	check(&(struct run){ "exit-code", "ExecStartPre", NULL, 1,
			      { BY_HOOK "cannot prepare machine 'web': '/x' does not exist",
					      BY_SYSTEMD "Control process exited, code=exited" } },
			"file-missing", "'/x' does not exist");
	/* What no row knows is told as it was said; what came later is a consequence. */
	check(&(struct run){ "exit-code", "ExecStartPre", NULL, 1,
			      { BY_HOOK "something new", BY_HOOK "not cleaned up" } },
			"", "something new");
}

/* Names and paths may hold any word. */
TEST(a_tpm_is_not_to_blame_for_its_name)
{
	check(&(struct run){ "exit-code", "ExecStartPre", NULL, 1,
			      { BY_HOOK "cannot prepare machine 'tpm1': cannot listen at "
					"'/run/machina/tpm1/guest.socket'" } },
			"socket-taken", "cannot listen at '/run/machina/tpm1/guest.socket'");
	check(&(struct run){ "exit-code", "ExecStartPre", NULL, 1,
			      { BY_HOOK "cannot prepare machine 'web': TPM in '/data/web': "
					"cannot open 'x': No such file or directory" } },
			"tpm-state",
			"TPM in '/data/web': cannot open 'x': No such file or directory");
}

/* swtpm gives the same answer for a file that AppArmor keeps from it. */
TEST(a_tpm_that_does_not_start_need_not_be_lost)
{
	struct cause cause;
	find(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			     { BY_QEMU "tpm-emulator: TPM result for CMD_INIT: 0x9 operation "
				       "failed" } },
			&cause, NULL);
	CHECK_STR(cause.id, "tpm-init");
	CHECK(strstr(cause.advice, "journalctl -u 'machina-swtpm-*'") != NULL);
	CHECK(strstr(cause.advice, "new TPM") == NULL);
	cause_done(&cause);
}

TEST(scripts_of_hooks_are_not_the_hook)
{
	check(&(struct run){ "exit-code", "ExecStartPre", NULL, 1,
			      { TIME "machina[7]: Permission denied, Address already in use",
					      BY_HOOK "something new" } },
			"", "something new");
}

TEST(what_is_busy_need_not_be_an_interface)
{
	static const struct {
		const char *line, *id;
	} table[] = {
		{ BY_HOOK "cannot make tap 'web.lan': Device or resource busy", "tap-taken" },
		{ BY_HOOK "cannot open macvtap 'web.lan': Device or resource busy", "tap-taken" },
		{ BY_HOOK "cannot make tap 'web.lan': Operation not permitted", "" },
		{ BY_HOOK "'/usr/share/OVMF/OVMF_CODE_4M.fd' cannot be copied to memory: Device or "
			  "resource busy",
				"" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cause cause;
		find(&(struct run){ "exit-code", "ExecStartPre", NULL, 1, { table[i].line } },
				&cause, NULL);
		CHECK_STR(cause.id, table[i].id);
		CHECK(!!strstr(cause.advice, "ip -d link") == !!table[i].id[0]);
		cause_done(&cause);
	}
}

TEST(qemu_is_understood)
{
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "warning: No space left on device",
					      BY_QEMU "-foo: invalid option" } },
			"option-unknown", "this QEMU has no option '-foo'");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "-spice unix=on: There is no option group 'spice'",
					      BY_QEMU "-spice unix=on: Perhaps you want to install "
						      "qemu-system-modules-spice package?" } },
			"module-missing", "this QEMU has no 'spice': its module is missing");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "-device scsi-hd,serial=0123: The serial number can't be "
					"longer than 20 characters" } },
			"unit-old",
			"the unit was written for an older QEMU: -device scsi-hd,serial=0123: The "
			"serial number can't be longer than 20 characters");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "-chardev socket,id=qmp.0,fd=5: File descriptor '5' is not "
					"a socket" } },
			"unit-unread",
			"QEMU got other descriptors than its arguments tell it, since the unit on "
			"disk is not the one that systemd has started: -chardev "
			"socket,id=qmp.0,fd=5: File descriptor '5' is not a socket");
	/* QEMU gives up with an assertion, and the fault is not its own. */
	check(&(struct run){ "signal", "ExecStart", NULL, SIGABRT,
			      { BY_QEMU "error: failed to set MSR 0x10a to 0x69",
					      BY_QEMU "../kvm.c:3183: kvm_buf_set_msrs: Assertion "
						      "`ret == n' failed." } },
			"kvm-processor",
			"KVM refuses the processor that QEMU asks it for: failed to set MSR "
			"0x10a to 0x69");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "kernel doesn't allow setting HyperV VP_INDEX" } },
			"kvm-processor",
			"KVM refuses the processor that QEMU asks it for: kernel doesn't allow "
			"setting HyperV VP_INDEX");
	/* The line with the file counts, wherever it stands. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "Failed to get \"write\" lock",
					      TIME "qemu-system-x86_64[8]: Is another process "
						   "using the image [/dev/fdset/1]?" } },
			"disk-locked", "the disk '/dev/fdset/1' is in use by another process");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "Failed to get \"write\" lock" } },
			"disk-locked",
			"a disk is in use by another process: Failed to get \"write\" lock");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1, { BY_QEMU "never heard of" } }, "",
			"ExecStart (it) failed with status 1; the last words before that were: "
			"never heard of");
	/* What stands behind an error is a hint. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "-m abc: Parameter 'size' expects a size",
					      TIME "qemu-system-x86_64[8]: and exabytes, "
						   "respectively." } },
			"",
			"ExecStart (it) failed with status 1; the last words before that were: "
			"-m abc: Parameter 'size' expects a size");
	/* The user's "features", not an argument. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "can't apply global max-x86_64-cpu.odd=on: Property "
					"'max-x86_64-cpu.odd' not found" } },
			"property-unknown",
			"the processors of this QEMU have no feature 'odd': can't apply global "
			"max-x86_64-cpu.odd=on: Property 'max-x86_64-cpu.odd' not found");
	/* A file that is named is missing, whatever memory the host has. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1,
			      { BY_QEMU "can't open backing store /none for guest RAM: No such "
					"file or directory" } },
			"",
			"ExecStart (it) failed with status 1; the last words before that were: "
			"can't open backing store /none for guest RAM: No such file or directory");
}

/* What QEMU 7.2 says (hw/vfio/common.c); the kernel alone knows why. */
TEST(devices_of_the_host_are_understood)
{
	static const struct {
		const char *line, *name;
	} rows[] = {
		{ "-device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: group 14 is not viable",
				"vfio-group" },
		{ "VFIO_MAP_DMA failed: Cannot allocate memory", "vfio-memory" },
		{ "VFIO_MAP_DMA failed: Invalid argument", "vfio-address" },
		{ "vfio_container_dma_map(0x1, 0x0, 0x8000, 0x2) = -12 (Cannot allocate memory)",
				"vfio-memory" },
		{ "vfio_container_dma_map(0x1, 0x0, 0x8000, 0x2) = -22 (Invalid argument)",
				"vfio-address" },
		{ "-device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: failed to setup "
		  "container for group 14: Failed to set iommu for container: Operation not "
		  "permitted",
				"vfio-iommu" },
		{ "-device vfio-pci,host=0000:01:00.0: vfio 0000:01:00.0: error getting device "
		  "from group 14: No such device",
				"vfio" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep) char *said = xasprintf(BY_QEMU "%s", rows[i].line);
		CLEANUP(freep) char *sentence = xstrdup(rows[i].line);
		check(&(struct run){ "exit-code", "ExecStart", NULL, 1, { said } }, rows[i].name,
				sentence);
	}
}

TEST(systemd_is_understood)
{
	check(&(struct run){ "signal", NULL, NULL, 0,
			      { BY_SYSTEMD "Control process exited, code=killed, status=15/TERM",
					      BY_SYSTEMD "Failed with result 'signal'." } },
			"start-stopped",
			"one of its commands was ended (signal 15/TERM), as it is when a unit is "
			"stopped before it has come up");
	/* The kernel's kill is seen by systemd in any order. */
	check(&(struct run){ "signal", NULL, NULL, 0,
			      { STARTED,
					      BY_SYSTEMD
					      "Main process exited, code=killed, status=9/KILL",
					      BY_SYSTEMD
					      "A process of this unit has been killed by the "
					      "OOM killer.",
					      BY_SYSTEMD "Failed with result 'signal'." } },
			"oom",
			"memory ran out, and the kernel has killed a process of the machine for "
			"it");
	check(&(struct run){ "timeout", NULL, NULL, 0,
			      { BY_SYSTEMD "start-pre operation timed out. Terminating.",
					      BY_SYSTEMD "Control process exited, code=killed, "
							 "status=15/TERM" } },
			"start-late",
			"the start took longer than the unit allows (TimeoutStartSec=)");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 203,
			      { TIME "(it)[9]: machina-qemu-web.service: Failed at step EXEC "
				     "spawning /usr/bin/it: No such file or directory" } },
			"exec",
			"the program '/usr/bin/it' could not be run: No such file or "
			"directory");
	/* In its last steps systemd's child is the unit's user, as the program is. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 203,
			      { TIME "program[9]: machina-qemu-web.service: Failed at step EXEC "
				     "spawning /usr/bin/it: Exec format error" } },
			"exec", "the program '/usr/bin/it' could not be run: Exec format error");
	check(&(struct run){ "exit-code", "ExecStart", NULL, 226, {} }, "",
			"ExecStart (it) could not be run (status 226/NAMESPACE)");
}

#define TAKE_IT_OUT                                                                                \
	"install it, or take it out: 'systemctl cat' shows the line of the unit or of its "        \
	"drop-ins that runs it"

/* The emulator's setting is no help with another program. */
TEST(advice_is_of_the_program)
{
	static const struct {
		const char *unit, *setting, *advice, *reason;
	} cases[] = {
		{ "qemu-web", "ExecStart",
				"install it; \"qemu\" of \"machine\" says which one is used" },
		{ "qemu-web", "ExecStartPre", TAKE_IT_OUT },
		{ "qemu-web", "ExecStop", TAKE_IT_OUT },
		{ "swtpm-web", "ExecStart", "install it (Debian: package swtpm)" },
		{ "swtpm-web", "ExecStartPre", TAKE_IT_OUT },
		{ "passt-web@lan", "ExecStart", "install it (Debian: package passt)" },
		{ "virtiofsd-web@home", "ExecStart",
				"install it; \"program\" of the share says which one is used" },
		{ "network-lan", "ExecStart", "install it (Debian: package dnsmasq-base)" },
		/* It is there. */
		{ "qemu-web", "ExecStart",
				"its mode forbids it, or NoExecPaths= of the unit, which lets QEMU "
				"and what the machine needs be run: ExecPaths= in a drop-in allows "
				"another",
				"Permission denied" },
		{ "qemu-web", "ExecStartPre",
				"its mode forbids it, or NoExecPaths= of the unit, which lets QEMU "
				"and what the machine needs be run: ExecPaths= in a drop-in allows "
				"another",
				"Permission denied" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cause cause;
		CLEANUP(freep)
		char *line = xasprintf(TIME "(it)[9]: machina-%s.service: Failed at step EXEC "
					    "spawning /usr/bin/it: %s",
				cases[i].unit,
				cases[i].reason ? cases[i].reason : "No such file or directory");
		find(&(struct run){ "exit-code", cases[i].setting, NULL, 203, { line } }, &cause,
				NULL);
		CHECK_STR(cause.id, "exec");
		CHECK_STR(cause.advice, cases[i].advice);
		cause_done(&cause);
	}
}

TEST(what_was_survived_is_no_cause)
{
	const struct run run = { "signal", NULL, NULL, 0,
		{ BY_QEMU "No space left on device", STARTED, BY_QEMU "Too many open files",
				BY_SYSTEMD "Main process exited, code=killed, status=9/KILL" } };
	struct cause cause;
	CLEANUP(freep) char *phase = NULL;
	find(&run, &cause, &phase);
	CHECK_STR(cause.id, "killed");
	CHECK_STR(phase, "while it ran");
	cause_done(&cause);
}

TEST(panic_has_no_words)
{
	check(&(struct run){ "exit-code", "ExecStart", "panic=exit-failure", 1, { STARTED } },
			"guest-panicked",
			"the guest's kernel has panicked: QEMU ended with status 1 and without a "
			"word, as its unit tells it to then");
	struct cause panic;
	find(&(struct run){ "exit-code", "ExecStart", "panic=exit-failure", 1, { STARTED } },
			&panic, NULL);
	CHECK(strstr(panic.advice, "\"serial\""));
	cause_done(&panic);
	/* Teardown, which reads the console's log, has told; it is the guest that speaks, whatever
	 * it says. */
	check(&(struct run){ "exit-code", "ExecStart", "panic=exit-failure", 1,
			      { STARTED, TIME "machina[7]: " CAUSE_LAST_WORDS
					      "No space left on device" } },
			"guest-panicked",
			"the guest's kernel has panicked: QEMU ended with status 1 and without a "
			"word, as its unit tells it to then; its last words were: No space left on "
			"device");
	/* Not without the option, not with another status, not where QEMU never came up. */
	check(&(struct run){ "exit-code", "ExecStart", NULL, 1, { STARTED } }, "",
			"ExecStart (it) failed with status 1");
	check(&(struct run){ "exit-code", "ExecStart", "panic=exit-failure", 2, { STARTED } }, "",
			"ExecStart (it panic=exit-failure) failed with status 2");
	check(&(struct run){ "exit-code", "ExecStart", "panic=exit-failure", 1, {} }, "",
			"ExecStart (it panic=exit-failure) failed with status 1");
}

TEST(only_systemd_says_that_it_has_given_up)
{
	static const char said[] = "Start request repeated too quickly.";
	static const struct {
		const char *before;
		bool is_so;
	} rows[] = {
		{ BY_SYSTEMD, true },
		{ TIME "machina[7]: " CAUSE_LAST_WORDS, false },
		{ BY_QEMU, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(strv_done) struct strv lines = {};
		strv_push(&lines, STARTED);
		strv_pushf(&lines, "%s%s", rows[i].before, said);
		CHECK_INT(cause_is_given_up(&lines), rows[i].is_so);
	}
	CHECK(cause_is_of_guest(CAUSE_LAST_WORDS "pressed the power button"));
	CHECK(!cause_is_of_guest("pressed the power button"));
}

TEST(phase_is_that_of_the_step)
{
	static const char *const settings[][2] = {
		{ "ExecStartPre", "while the host was prepared for it" },
		{ "ExecStart", "when it was started" },
		{ "ExecStartPost", "while it was waited for" },
		{ "ExecStop", "while it was stopped" },
		{ "ExecStopPost", "while the host was cleaned up behind it" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct cause cause;
		CLEANUP(freep) char *phase = NULL;
		find(&(struct run){ "exit-code", settings[i][0], NULL, 1, {} }, &cause, &phase);
		CHECK_STR(phase, settings[i][1]);
		cause_done(&cause);
	}
}

TEST(a_stop_in_the_middle_of_a_start_is_no_fault)
{
	static const char said[] = "it was stopped while it was being started";
	check(&(struct run){ "signal", "ExecStartPost", NULL, SIGTERM, {} }, "", said);
	check(&(struct run){ "signal", "ExecStartPre", NULL, SIGTERM, {} }, "", said);
	check(&(struct run){ "signal", "ExecStartPost", NULL, SIGSEGV, {} }, "",
			"ExecStartPost (it) was killed by signal 11/SEGV");
	check(&(struct run){ "timeout", "ExecStartPost", NULL, SIGTERM, {} }, "",
			"ExecStartPost (it) did not end within its time limit");
}

TEST(nothing_is_pretended)
{
	check(&(struct run){ "success", NULL, NULL, 0, {} }, "", "systemd does not say why");
	check(&(struct run){ "odd", NULL, NULL, 0, { "", "%1 %0", TIME } }, "",
			"its result is 'odd'; the last words before that were: " TIME);
}

TEST_MAIN()
