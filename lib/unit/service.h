/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The systemd units of one machine, as text. Pure: the same machine gives the same bytes.
 *
 *	machina-qemu-NAME.service	QEMU, with the hooks that prepare the host and clean up
 *	machina-swtpm-NAME.service	the TPM, if there is one
 *	machina-virtiofsd-NAME@SHARE.service	a shared directory
 *	machina-passt-NAME@I.service	passt, for connection I of mode user
 *	machina-spice-NAME.socket	TCP to SPICE's unix socket, and the service that forwards it
 *	machina-spice-NAME.service
 *	machina-vnc-NAME.socket		the same for VNC
 *	machina-vnc-NAME.service
 *
 * QEMU's unit carries its plan (model/plan.h) in the section [X-Machina], which systemd ignores.
 */
#pragma once

#include "model/plan.h"
#include "unit/unitfile.h"

/* The beginning of the first line of every unit made here. */
#define UNIT_MARK "# Made by machina "
/* A longer file is none of ours. */
#define UNIT_SIZE_MAX ((size_t)4 << 20)

struct unit {
	char *name; /* "machina-qemu-web.service" */
	char *text;
	size_t len;
};

#define UNITS_MAX (6 + VM_SHARES_MAX + VM_PASST_MAX)
struct units {
	struct unit items[UNITS_MAX]; /* QEMU's first */
	size_t n;
};

/* The variable that adds words to QEMU's arguments for one start; set in RUN_DIR/environment. */
#define UNIT_RUNTIME_ARGS "MACHINA_RUNTIME_ARGS"

/* What starts machines whose config says so ("autostart"): a unit that is installed with the
 * program. */
#define UNIT_GUESTS_TARGET "machina-guests.target"
/* The same of those that are enabled by hand. */
#define UNIT_ENABLED_TARGET "multi-user.target"

void units_done(struct units *units);

struct unit_input {
	const struct vm *vm;
	const struct plan *plan;
	const struct plan *tpm_plan;	/* NULL without a TPM */
	const struct plan *share_plans; /* vm->n_shares */
	const struct strv *argv;	/* of qemu_argv() in QEMU_FORM_UNIT */
	const char *program;		/* absolute path of this program, for the hooks */
	const struct strv *sources;	/* config files it was made from, for the first line */
};

/* @ret: released with units_done() in every case. Errors: EINVAL for text that no unit can hold. */
MUST_CHECK int units_build(const struct unit_input *input, struct units *ret, struct error *err);

/* All unit names that a machine may have but those of its shares and of passt; NULL-terminated.
 * "%s" stands for the machine. */
extern const char *const unit_name_patterns[];
/* The name from a pattern of the table. The caller frees it. */
char *unit_name(const char *pattern, const char *machine);
/* The other way round: what stands for "%s" in a unit's name, or NULL: it is no name of this
 * pattern. The caller frees it. */
char *unit_name_subject(const char *pattern, const char *name);
#define UNIT_QEMU "machina-qemu-%s.service"
#define UNIT_SWTPM "machina-swtpm-%s.service"
/* "%s" stands for "MACHINE@SHARE": no machine's name has that sign. */
#define UNIT_SHARE "machina-virtiofsd-%s.service"
/* The command of this program that becomes a share's program, the word behind "--". */
#define UNIT_SERVE "_serve"
/* "%s" stands for "MACHINE@I", where I is the connection's index. */
#define UNIT_PASST "machina-passt-%s.service"
#define UNIT_SPICE_SOCKET "machina-spice-%s.socket"
#define UNIT_SPICE_SERVICE "machina-spice-%s.service"
#define UNIT_VNC_SOCKET "machina-vnc-%s.socket"
#define UNIT_VNC_SERVICE "machina-vnc-%s.service"
/* What a screen is called in plan->sockets, and the units by which TCP leads to it. */
struct unit_screen {
	const char *name;
	const char *socket, *service;
};
#define UNIT_SCREENS 2
extern const struct unit_screen unit_screens[UNIT_SCREENS];
/* 0: TCP does not lead there */
int unit_screen_port(const struct unit_screen *screen, const struct plan *plan) PURE;
/* The caller frees them. */
char *unit_passt_name(const char *machine, size_t i);
char *unit_share_instance(const char *machine, const char *share);

/* How the TPM is started, with the descriptors of its plan. Appended to @ret, the program first. */
void unit_swtpm_argv(const struct plan *tpm_plan, struct strv *ret);

/* A plan as a text of its own, that unit_read_plan() reads. The caller frees it. */
MUST_CHECK int unit_plan_text(const struct plan *plan, char **ret, struct error *err);

/*
 * A machine's unit, or what unit_plan_text() has made, with another plan in it, and nothing behind
 * that: neither "[Install]" nor a comment at the end. The caller frees it.
 */
MUST_CHECK int unit_put_plan(
		const char *text, const struct plan *plan, char **ret, struct error *err);

/* The plan in a unit's text. @ret: released with plan_done() in every case. */
MUST_CHECK int unit_read_plan(const char *name, const char *text, size_t len, struct plan *ret,
		struct error *err);

/* The units that a machine's unit requires, appended. */
MUST_CHECK int unit_read_required(const char *name, const char *text, size_t len,
		struct strv *ret_units, struct error *err);

/*
 * Does a machine or TPM that was started by the unit @started have to be started again for the unit
 * @now? Not for a description, nor for limits that systemd changes while a unit runs.
 */
bool unit_needs_restart(const struct unitdoc *started, const struct unitdoc *now);
