/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks of a host say, and what they have in common. */
#include "host/doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/shell.h"

/* So many machines are named; of others there is the number. */
#define NAMES_MAX 3

const char *const doctor_level_names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARNING] = "warning",
	[DOCTOR_FAULT] = "fault",
	NULL,
};

void doctor_group_done(struct doctor_group *g)
{
	strv_done(&g->names);
}

void doctor_done(struct doctor *d)
{
	for (size_t i = 0; i < d->n; i++) {
		strv_done(&d->findings[i].cures);
		strv_done(&d->findings[i].machines);
	}
	free(d->findings);
	strv_done(&d->named);
	for (size_t i = 0; i < d->n_lacks; i++) {
		strv_done(&d->lacks[i].machines);
		strv_done(&d->lacks[i].networks);
	}
	free(d->lacks);
	strv_done(&d->outdated);
	arena_done(&d->arena);
}

/* ---- what checks say ---- */

void doctor_begin(struct doctor *d, const char *check)
{
	d->check = check;
	d->note = d->left_out = NULL;
}

/* The text of a variable argument list, in the arena. */
#define TEXT(d, format)                                                                            \
	({                                                                                         \
		va_list ap;                                                                        \
		va_start(ap, format);                                                              \
		const char *text_ = arena_vprintf(&(d)->arena, format, ap);                        \
		va_end(ap);                                                                        \
		text_;                                                                             \
	})

void doctor_about(struct doctor *d, const char *machine)
{
	struct strv *machines = &d->findings[d->n - 1].machines;
	if (!strv_contains(machines, machine))
		strv_push(machines, machine);
}

static void take_named(struct doctor *d)
{
	for (size_t i = 0; i < d->named.n; i++)
		doctor_about(d, d->named.items[i]);
	strv_done(&d->named);
}

void doctor_add(struct doctor *d, enum doctor_level level, const char *format, ...)
{
	d->findings = grow_array(d->findings, &d->n_alloc, d->n, sizeof(*d->findings));
	struct doctor_finding *f = &d->findings[d->n++];
	*f = (struct doctor_finding){ .check = d->check, .level = level };
	f->what = TEXT(d, format);
	take_named(d);
}

void doctor_why(struct doctor *d, const char *format, ...)
{
	d->findings[d->n - 1].why = TEXT(d, format);
	take_named(d);
}

void doctor_cure(struct doctor *d, const char *format, ...)
{
	strv_push(&d->findings[d->n - 1].cures, TEXT(d, format));
}

void doctor_cure_restart(struct doctor *d, const struct strv *names)
{
	doctor_cure(d, "machina restart%s", doctor_words(d, names));
	d->findings[d->n - 1].restarts = true;
}

void doctor_hold_restarts(struct doctor *d)
{
	bool has_fault = false;
	for (size_t i = 0; i < d->n; i++)
		has_fault |= d->findings[i].level == DOCTOR_FAULT && !d->findings[i].restarts;
	for (size_t i = 0; has_fault && i < d->n; i++) {
		struct doctor_finding *f = &d->findings[i];
		if (!f->restarts)
			continue;
		char **last = &f->cures.items[f->cures.n - 1];
		*last = arena_printf(&f->cures.texts, "# once the faults are mended: %s", *last);
		f->restarts = false;
	}
}

void doctor_note(struct doctor *d, const char *format, ...)
{
	d->note = TEXT(d, format);
}

void doctor_leave_out(struct doctor *d, const char *format, ...)
{
	d->left_out = TEXT(d, format);
}

enum doctor_level doctor_worst(const struct doctor *d, const char *check)
{
	enum doctor_level worst = DOCTOR_OK;
	for (size_t i = 0; i < d->n; i++)
		if ((!check || !strcmp(d->findings[i].check, check)) &&
				d->findings[i].level > worst)
			worst = d->findings[i].level;
	return worst;
}

/* ---- machines ---- */

static bool is_urgent(const struct doctor_machine *m)
{
	return m->enabled || m->running || m->failed;
}

bool doctor_is_lenient(const struct doctor *d)
{
	bool is_lenient = false;
	for (size_t i = 0; i < d->n_machines; i++)
		is_lenient |= !is_urgent(&d->machines[i]);
	return is_lenient;
}

void doctor_group_add(struct doctor_group *g, const struct doctor_machine *machine)
{
	if (!strv_contains(&g->names, machine->vm->name))
		strv_push(&g->names, machine->vm->name);
	g->urgent |= is_urgent(machine);
}

const char *doctor_names(struct doctor *d, const struct strv *names)
{
	CLEANUP(buf_done) struct buf text = {};
	/* One more costs no more than to say that there is one more. */
	size_t n = names->n <= NAMES_MAX + 1 ? names->n : NAMES_MAX;
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s'%s'", i ? ", " : "", names->items[i]);
	if (n < names->n)
		buf_printf(&text, " and %zu more", names->n - n);
	return arena_strdup(&d->arena, buf_text(&text));
}

const char *doctor_machines(struct doctor *d, const struct strv *names)
{
	strv_extend(&d->named, names);
	return arena_join(&d->arena, names->n == 1 ? "machine" : "machines", " ",
			doctor_names(d, names));
}

enum doctor_level doctor_level_of(bool urgent)
{
	return urgent ? DOCTOR_FAULT : DOCTOR_WARNING;
}

const char *doctor_quote(struct doctor *d, const char *word)
{
	CLEANUP(buf_done) struct buf text = {};
	shell_quote(&text, word);
	return arena_strdup(&d->arena, buf_text(&text));
}

const char *doctor_words(struct doctor *d, const struct strv *names)
{
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < names->n; i++) {
		buf_putc(&text, ' ');
		shell_quote(&text, names->items[i]);
	}
	return arena_strdup(&d->arena, buf_text(&text));
}

/* ---- what they lack ---- */

struct taker {
	struct doctor *doctor;
	const struct doctor_machine *machine;
};

/* Several networks may be on what is missing, which is told once. */
static struct doctor_lack *find_lack(struct doctor *d, const struct lack *lack)
{
	for (size_t i = 0; i < d->n_lacks; i++)
		if (d->lacks[i].kind == lack->kind && !strcmp(d->lacks[i].text, lack->text))
			return &d->lacks[i];
	return NULL;
}

static void take_lack(void *data, const struct lack *lack)
{
	const struct taker *taker = data;
	struct doctor *d = taker->doctor;
	const struct doctor_machine *m = taker->machine;
	struct doctor_lack *known = find_lack(d, lack);
	if (!known) {
		d->lacks = grow_array(d->lacks, &d->n_lacks_alloc, d->n_lacks, sizeof(*d->lacks));
		known = &d->lacks[d->n_lacks++];
		*known = (struct doctor_lack){
			.kind = lack->kind,
			.subject = arena_strdup(&d->arena, lack->subject),
			.text = arena_strdup(&d->arena, lack->text),
			.code = lack->code,
		};
	}
	if (!strv_contains(&known->machines, m->vm->name))
		strv_push(&known->machines, m->vm->name);
	if (lack->network && !strv_contains(&known->networks, lack->network))
		strv_push(&known->networks, lack->network);
	known->urgent |= is_urgent(m);
}

const struct doctor_lack *doctor_lacks(struct doctor *d, enum lack_kind kind, size_t *first)
{
	for (size_t i = 0; !d->has_lacks && i < d->n_machines; i++) {
		struct taker taker = { .doctor = d, .machine = &d->machines[i] };
		lacks_find(d->machines[i].vm, take_lack, &taker);
	}
	d->has_lacks = true;
	for (; *first < d->n_lacks; (*first)++)
		if (d->lacks[*first].kind == kind)
			return &d->lacks[(*first)++];
	return NULL;
}

const char *doctor_lack_text(struct doctor *d, const struct doctor_lack *lack)
{
	if (!lack->networks.n)
		return lack->text;
	return arena_printf(&d->arena, "network%s %s: %s", lack->networks.n == 1 ? "" : "s",
			doctor_names(d, &lack->networks), lack->text);
}

void doctor_add_lack(struct doctor *d, const struct doctor_lack *lack)
{
	doctor_add(d, doctor_level_of(lack->urgent), "%s", doctor_lack_text(d, lack));
	doctor_why(d, "%s cannot start", doctor_machines(d, &lack->machines));
}

/* ---- /proc/meminfo ---- */

uint64_t doctor_meminfo(const struct doctor *d, const char *key)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *path = path_join(d->proc, "meminfo");
	CLEANUP(freep) char *wanted = xasprintf("\n%s:", key);
	uint64_t number = 0;
	buf_putc(&text, '\n');
	if (file_read(path, 65536, &text, NULL) < 0)
		return 0;
	const char *line = strstr(buf_text(&text), wanted);
	if (!line)
		return 0;
	line += strlen(wanted);
	line += strspn(line, " ");
	CLEANUP(freep) char *digits = xstrndup(line, strcspn(line, " \n"));
	return parse_u64(digits, &number) < 0 ? 0 : number;
}
