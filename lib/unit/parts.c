/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the units of a machine have in common, and the plan that they carry. */
#include "unit/parts.h"

#include <string.h>

#include "util/mem.h"

const char *const unit_name_patterns[] = {
	UNIT_QEMU,
	UNIT_SWTPM,
	UNIT_SPICE_SOCKET,
	UNIT_SPICE_SERVICE,
	UNIT_VNC_SOCKET,
	UNIT_VNC_SERVICE,
	NULL,
};
const struct unit_screen unit_screens[UNIT_SCREENS] = {
	{ "spice", UNIT_SPICE_SOCKET, UNIT_SPICE_SERVICE },
	{ "vnc", UNIT_VNC_SOCKET, UNIT_VNC_SERVICE },
};

int unit_screen_port(const struct unit_screen *screen, const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_sockets; i++)
		if (!strcmp(plan->sockets[i].name, screen->name))
			return plan->sockets[i].port;
	return 0;
}

char *unit_name(const char *pattern, const char *machine)
{
	const char *at = strstr(pattern, "%s");
	return xasprintf("%.*s%s%s", (int)(at - pattern), pattern, machine, at + 2);
}

char *unit_name_subject(const char *pattern, const char *name)
{
	size_t before = (size_t)(strstr(pattern, "%s") - pattern);
	const char *after = pattern + before + 2;
	size_t len = strlen(name);
	if (len <= before + strlen(after) || strncmp(name, pattern, before) != 0 ||
			strcmp(name + len - strlen(after), after) != 0)
		return NULL;
	return xstrndup(name + before, len - before - strlen(after));
}

char *unit_share_instance(const char *machine, const char *share)
{
	return xasprintf("%s@%s", machine, share);
}

void units_done(struct units *units)
{
	for (size_t i = 0; i < units->n; i++) {
		free(units->items[i].name);
		free(units->items[i].text);
	}
	*units = (struct units){};
}

int units_add(struct units *units, struct unitfile *u, const char *pattern, const char *machine,
		struct error *err)
{
	struct unit *unit = &units->items[units->n];
	int r = unitfile_finish(u, &unit->text, err);
	CLEANUP(freep) char *name = unit_name(pattern, machine);
	if (r < 0)
		return error_wrap(err, "making the unit '%s'", name);
	unit->len = strlen(unit->text);
	unit->name = take_ptr(name);
	units->n++;
	return 0;
}

void unit_begin(struct unitfile *u, const struct strv *sources)
{
	unit_begin_of(u, sources, "machina generate");
}

void unit_begin_of(struct unitfile *u, const struct strv *sources, const char *command)
{
	/* Most units are shorter than this. */
	buf_reserve(&u->text, 8000);
	CLEANUP(buf_done) struct buf text = {};
	buf_puts(&text, &UNIT_MARK[strlen("# ")]);
	buf_puts(&text, "from");
	for (size_t i = 0; i < sources->n; i++)
		buf_printf(&text, "%s %s", i ? "," : "", sources->items[i]);
	buf_printf(&text, "; '%s' replaces it.", command);
	unitfile_comment(u, buf_text(&text));
}

static void add_hook(struct unitfile *u, const char *program, const char *key, const char *prefix,
		const char *const *words, const char *name)
{
	CLEANUP(strv_done) struct strv argv = {};
	strv_push_static(&argv, program);
	for (; *words; words++)
		strv_push_static(&argv, *words);
	strv_push_static(&argv, name);
	unitfile_exec(u, key, prefix, &argv);
}

void unit_hook_of(struct unitfile *u, const char *program, const char *key,
		const char *const *words, const char *name)
{
	add_hook(u, program, key, "+", words, name);
}

void unit_hook(struct unitfile *u, const struct unit_input *in, const char *key,
		const char *const *words)
{
	unit_hook_of(u, in->program, key, words, in->vm->name);
}

void unit_let_hooks_notify(struct unitfile *u)
{
	/* Hooks see the host's files: "+" in systemd.service(5). */
	unitfile_add_lines(u, "NotifyAccess=exec\n"
			      "InaccessiblePaths=-/run/systemd/notify\n");
}

void unit_hook_ignored(struct unitfile *u, const struct unit_input *in, const char *key,
		const char *const *words)
{
	add_hook(u, in->program, key, "-+", words, in->vm->name);
}

void unit_after_storage(struct unitfile *u)
{
	unitfile_add_lines(u,
			"After=remote-fs.target blk-availability.service multipathd.service "
			"iscsid.service open-iscsi.service zfs-mount.service zfs-volumes.target\n");
}

void unit_add_rows(struct unitfile *u, const struct buf *rows)
{
	unitfile_section(u, "X-Machina");
	unitfile_set_rows(u, "Plan", rows);
}

void unit_add_plan(struct unitfile *u, const struct plan *plan)
{
	CLEANUP(buf_done) struct buf rows = {};
	buf_reserve(&rows, 2000); /* Most plans are shorter than this. */
	plan_put_rows(plan, &rows);
	unit_add_rows(u, &rows);
}

int unit_plan_text(const struct plan *plan, char **ret, struct error *err)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	unit_add_plan(&u, plan);
	return unitfile_finish(&u, ret, err);
}

int unit_put_plan(const char *text, const struct plan *plan, char **ret, struct error *err)
{
	static const char section[] = "\n[X-Machina]\n";
	CLEANUP(freep) char *rows = NULL;
	/* Alone it has no line before it. */
	const char *end = strstr(text, section);
	int r = unit_plan_text(plan, &rows, err);
	if (r < 0)
		return r;
	*ret = end ? xasprintf("%.*s\n%s", (int)(end - text), text, rows) : take_ptr(rows);
	return 0;
}

int unit_read_rows(const char *name, const char *text, size_t len, unit_row_reader *reader,
		void *data, struct error *err)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	int r = unitfile_parse(name, text, len, &doc, err);
	if (r < 0)
		return r;
	const struct unitdoc_entry *entry = NULL;
	while ((entry = unitdoc_next(&doc, "X-Machina", "Plan", entry))) {
		CLEANUP(strv_done) struct strv words = {};
		r = unitfile_split_words(entry->value, &words, err);
		if (r >= 0)
			r = reader(data, &words, err);
		if (r < 0)
			return error_wrap(err, "'%s', line %zu", name, entry->line);
	}
	r = reader(data, NULL, err);
	return r < 0 ? error_wrap(err, "'%s'", name) : 0;
}

static int read_row(void *data, const struct strv *words, struct error *err)
{
	return words ? plan_parse_row(data, words, err) : plan_parse_end(data, err);
}

int unit_read_plan(
		const char *name, const char *text, size_t len, struct plan *ret, struct error *err)
{
	*ret = (struct plan){};
	return unit_read_rows(name, text, len, read_row, ret, err);
}
