/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of unit/unitfile.h. The first byte selects: 'a' arguments of a command, one a line;
 * 'v' the same with a variable at the end; 's' a setting's name, then its value; else the text of
 * a unit file.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "qemu/argv.h"
#include "unit/quote.h"
#include "unit/unitfile.h"
#include "util/mem.h"

static void check_same(const struct strv *a, const struct strv *b)
{
	FUZZ_CHECK(a->n == b->n);
	for (size_t i = 0; i < a->n; i++)
		FUZZ_CHECK(!strcmp(a->items[i], b->items[i]));
}

/*
 * What was written must read back as one assignment, and nothing else may have become of the text
 * around it. Returns the value's entry, NULL if the writer refused.
 */
static const struct unitdoc_entry *read_back(struct unitfile *u, struct unitdoc *doc)
{
	struct error err = {};
	CLEANUP(freep) char *text = NULL;
	unitfile_section(u, "X-End");
	int r = unitfile_finish(u, &text, &err);
	if (r < 0) {
		FUZZ_CHECK(r == -EINVAL || r == -E2BIG);
		FUZZ_CHECK(err.code == -r && err.text[0] && !text);
		return NULL;
	}
	FUZZ_CHECK(unitfile_parse("u", text, strlen(text), doc, &err) == 0);
	FUZZ_CHECK(doc->n == 1 && doc->entries[0].line == 2);
	return &doc->entries[0];
}

static void check_command(const struct strv *argv, const char *variable)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(unit_exec_done) struct unit_exec exec = {};
	struct error err = {};

	unitfile_section(&u, "Service");
	if (variable)
		unitfile_exec_inside(
				&u, "ExecStart", "+", argv, qemu_option_length, variable, NULL);
	else
		unitfile_exec(&u, "ExecStart", "+", argv);
	const struct unitdoc_entry *entry = read_back(&u, &doc);
	if (!entry)
		return;
	FUZZ_CHECK(!strcmp(entry->section, "Service") && !strcmp(entry->key, "ExecStart"));
	FUZZ_CHECK(unitfile_split_exec(entry->value, &exec, &err) == 0);
	check_same(&exec.argv, argv);
	FUZZ_CHECK(!strcmp(exec.path, argv->items[0]) && exec.prefix[0] == '+');
	FUZZ_CHECK(!exec.variable == !variable);
}

static void check_words(const struct strv *words)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	CLEANUP(strv_done) struct strv got = {};
	bool writable = true;

	for (size_t i = 0; i < words->n; i++)
		writable = writable && quote_check(words->items[i], NULL) == 0;
	unitfile_section(&u, "X-Words");
	unitfile_set_words(&u, "Words", words);
	const struct unitdoc_entry *entry = read_back(&u, &doc);
	FUZZ_CHECK(writable == (entry != NULL));
	if (!entry)
		return;
	FUZZ_CHECK(unitfile_split_words(entry->value, &got, NULL) == 0);
	check_same(&got, words);
}

static void check_setting(const char *key, const char *value)
{
	CLEANUP(unitfile_done) struct unitfile u = {};
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	unitfile_section(&u, "Service");
	unitfile_set(&u, key, value);
	const struct unitdoc_entry *entry = read_back(&u, &doc);
	if (entry)
		FUZZ_CHECK(!strcmp(entry->key, key) && !*value == !*entry->value);
}

static void check_text(const char *text, size_t len)
{
	CLEANUP(unitdoc_done) struct unitdoc doc = {};
	struct error err = {};
	int r = unitfile_parse("u", text, len, &doc, &err);
	FUZZ_CHECK(r == 0 || (r == -EINVAL && err.at.line > 0 && err.text[0] && doc.n == 0));
	for (size_t i = 0; i < doc.n; i++) {
		const struct unitdoc_entry *entry = &doc.entries[i];
		CLEANUP(unit_exec_done) struct unit_exec exec = {};
		CLEANUP(strv_done) struct strv words = {};
		FUZZ_CHECK(entry->section[0] && entry->key[0] && entry->line > 0);
		FUZZ_CHECK(!strpbrk(entry->key, "=\n") && !strchr(entry->value, '\n'));
		FUZZ_CHECK(unitdoc_next(&doc, entry->section, NULL, i ? entry - 1 : NULL));
		const struct unitdoc_entry *last = unitdoc_get(&doc, entry->section, entry->key);
		FUZZ_CHECK(!last || !strcmp(last->key, entry->key));
		if (unitfile_split_words(entry->value, &words, &err) == 0 && words.n)
			check_words(&words);
		if (unitfile_split_exec(entry->value, &exec, &err) == 0 && exec.argv.n &&
				!strcmp(exec.path, exec.argv.items[0]))
			check_command(&exec.argv, exec.variable);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = xmalloc(size + 1);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';

	if (size == 0 || !strchr("avs", text[0]) || !text[0]) {
		check_text(text, size);
		return 0;
	}
	CLEANUP(strv_done) struct strv lines = {};
	char *rest = text + 1;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		strv_push(&lines, line);
	if (text[0] == 's') {
		check_setting(lines.items[0], lines.n > 1 ? lines.items[1] : "");
	} else {
		check_words(&lines);
		check_command(&lines, text[0] == 'v' ? "ARGS" : NULL);
	}
	return 0;
}
