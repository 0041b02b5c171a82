/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target of model/vars.h: the first line is the pattern, each other line "NAME=VALUE" (or a
 * name without a value) a variable.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "model/vars.h"
#include "util/mem.h"

#define ROWS_MAX 8

static size_t split_rows(char *text, struct var *rows)
{
	size_t n = 0;
	for (char *line = strsep(&text, "\n"); line && n < ROWS_MAX; line = strsep(&text, "\n")) {
		char *value = line;
		rows[n].name = strsep(&value, "=");
		rows[n++].value = value ? value : "";
	}
	return n;
}

/* Either text was added, or there is an error with a text and nothing has changed. */
static bool expand(const struct vars *vars, const char *pattern, struct buf *ret)
{
	struct error err = {};
	size_t len = ret->len;
	int r = vars_expand(vars, pattern, ret, &err);

	FUZZ_CHECK(ret->len >= len && !memcmp(ret->text, "kept", 4));
	FUZZ_CHECK(strlen(ret->text) == ret->len);
	if (r == 0)
		return true;
	FUZZ_CHECK(r == -EINVAL && err.code == EINVAL && ret->len == len);
	FUZZ_CHECK(!strncmp(err.text, "pattern \"", 9));
	return false;
}

static void check_port(const struct vars *vars, const char *pattern, const char *expanded)
{
	struct error err = {};
	uint16_t port = 0;
	int r = vars_port(vars, pattern, &port, &err);

	FUZZ_CHECK(r == 0 || (r == -EINVAL && err.code == EINVAL && port == 0));
	if (r < 0)
		return;
	FUZZ_CHECK(expanded && port == strtol(expanded, NULL, 10) && port > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct var rows[ROWS_MAX];
	CLEANUP(freep) char *text = xmalloc(size + 1);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	char *rest = text;
	const char *pattern = strsep(&rest, "\n");
	struct vars vars = { rows, split_rows(rest, rows) };

	CLEANUP(buf_done) struct buf once = {}, twice = {};
	buf_puts(&once, "kept");
	buf_puts(&twice, "kept");
	bool good = expand(&vars, pattern, &once);
	FUZZ_CHECK(expand(&vars, pattern, &twice) == good && !strcmp(once.text, twice.text));
	if (!strchr(pattern, '$'))
		FUZZ_CHECK(good && !strcmp(once.text + 4, pattern));
	check_port(&vars, pattern, good ? once.text + 4 : NULL);
	return 0;
}
