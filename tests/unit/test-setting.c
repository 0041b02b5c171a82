/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of settings against what the installed systemd says of itself. */
#include "unit/setting.h"

#include "config/limits.h"
#include "test.h"
#include "util/buf.h"

#define SYSTEMD "/lib/systemd/systemd"

/*
 * The types in "systemd --dump-configuration-items", which stand for the functions that read
 * them, and the syntaxes that go with them. "OTHER" says nothing.
 */
static const struct {
	const char *type;
	enum setting_syntax syntax, or_else;
} types[] = {
	{ "UNIT [...]", SETTING_UNITS, SETTING_UNKNOWN },
	{ "PATH [ARGUMENT [...]]", SETTING_EXEC, SETTING_UNKNOWN },
	{ "PATH [...]", SETTING_WORDS, SETTING_UNKNOWN },
	{ "PATH[:PATH[:OPTIONS]] [...]", SETTING_BIND, SETTING_UNKNOWN },
	{ "ENVIRON", SETTING_WORDS, SETTING_UNKNOWN },
	{ "FILE", SETTING_GLOB, SETTING_UNKNOWN },
	{ "DEVICE", SETTING_DEVICE, SETTING_UNKNOWN },
	{ "DEVICEWEIGHT", SETTING_DEVICE, SETTING_UNKNOWN },
	{ "DEVICELATENCY", SETTING_DEVICE, SETTING_UNKNOWN },
	{ "LIMIT", SETTING_PLAIN, SETTING_DEVICE },
	{ "URL", SETTING_NAMES, SETTING_UNKNOWN },
	{ "SOCKETS", SETTING_NAMES, SETTING_UNKNOWN },
	{ "STRING", SETTING_TEXT, SETTING_UNKNOWN },
	{ "PATH", SETTING_TEXT, SETTING_UNKNOWN },
	{ "CONDITION", SETTING_TEXT, SETTING_UNKNOWN },
	{ "OUTPUT", SETTING_TEXT, SETTING_UNKNOWN },
	{ "SLICE", SETTING_TEXT, SETTING_UNKNOWN },
	{ "SERVICE", SETTING_TEXT, SETTING_UNKNOWN },
	{ "LABEL", SETTING_TEXT, SETTING_UNKNOWN },
	{ "SOCKET [...]", SETTING_TEXT, SETTING_UNKNOWN },
};

/* Settings of a later systemd than 252. */
static const char *const newer[] = { "MemoryZSwapMax", NULL };

static bool contains(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void check_type(const char *key, const char *type)
{
	enum setting_syntax syntax = setting_find(key);
	if (syntax == SETTING_UNKNOWN || !strcmp(type, "OTHER") || !strcmp(type, "NOTSUPPORTED"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].type, type)) {
			if (syntax != types[i].syntax && syntax != types[i].or_else)
				TEST_FAIL("%s is read as '%s', not as in row %d", key, type,
						syntax);
			return;
		}
	if (syntax != SETTING_PLAIN)
		TEST_FAIL("%s is read as '%s', not as in row %d", key, type, syntax);
}

/* "\nKey=type\n..." of the sections that we write; empty if there is no systemd. */
static void dump_items(struct buf *ret)
{
	FILE *f = popen(SYSTEMD " --dump-configuration-items 2>/dev/null", "re");
	char line[512];
	bool ours = false;
	while (f && fgets(line, sizeof(line), f)) {
		if (line[0] == '[')
			ours = strstr("[Unit]\n[Service]\n[Socket]\n[Install]\n", line);
		else if (ours && strchr(line, '='))
			buf_printf(ret, "\n%s", line);
	}
	if (f)
		pclose(f);
}

TEST(settings_are_read_as_the_table_says)
{
	CLEANUP(buf_done) struct buf items = {};
	dump_items(&items);
	if (items.len == 0)
		SKIP(SYSTEMD " does not run here");
	CLEANUP(freep) char *text = buf_take(&items);
	char *rest = text;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char *type = line, *key = strsep(&type, "=");
		if (type)
			check_type(key, type);
	}
}

TEST(every_setting_exists)
{
	CLEANUP(buf_done) struct buf items = {};
	dump_items(&items);
	if (items.len == 0)
		SKIP(SYSTEMD " does not run here");
	for (const struct setting *row = settings; row->key; row++) {
		CLEANUP(buf_done) struct buf line = {};
		buf_printf(&line, "\n%s=", row->key);
		if (!strstr(items.text, line.text) && !contains(newer, row->key))
			TEST_FAIL("this systemd has no setting %s", row->key);
	}
}

TEST(settings_are_sorted_and_found)
{
	for (const struct setting *row = settings; row->key; row++) {
		if (row[1].key && strcmp(row[0].key, row[1].key) >= 0)
			TEST_FAIL("%s stands before %s", row[0].key, row[1].key);
		CHECK_INT(setting_find(row->key), row->syntax);
	}
	CHECK_INT(setting_find("execstart"), SETTING_UNKNOWN);
	CHECK_INT(setting_find(""), SETTING_UNKNOWN);
}

TEST(every_limit_of_a_machine_can_be_written)
{
	for (const char *const *name = limit_names; *name; name++) {
		enum setting_syntax syntax = setting_find(*name);
		if (syntax != SETTING_PLAIN && syntax != SETTING_DEVICE)
			TEST_FAIL("%s has no row", *name);
	}
}

TEST_MAIN()
