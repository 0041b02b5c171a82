/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a failed check prints is valid TAP, whatever the texts hold that it shows. */
#include "test.h"

/* What @fail prints; its failures don't count. */
static char *output_of(void (*fail)(void))
{
	char *text = NULL;
	size_t len;
	FILE *terminal = stdout;
	stdout = open_memstream(&text, &len);
	fail();
	fclose(stdout);
	stdout = terminal;
	return text;
}

static void fail_with_lines(void)
{
	unsigned failures = test_failures;
	CHECK_STR("up web.dmz 1\nok 1\n", "not ok 1\n");
	TEST_FAIL("\n1..9\n\nBail out!\n");
	test_note("%s", "a\nok 2");
	if (test_failures != failures + 2)
		printf("ok, all of it\n");
	test_failures = failures;
}

TEST(each_line_of_an_explanation_is_a_comment)
{
	char *text = output_of(fail_with_lines);
	CHECK(strstr(text, "test-test.c:"));
	CHECK(strstr(text, "# ok 1\n"));
	CHECK(strstr(text, "# Bail out!\n"));
	char *rest = text;
	unsigned n = 0;
	for (const char *line; (line = strsep(&rest, "\n")) != NULL; n++)
		if (*line && strncmp(line, "# ", 2) != 0)
			TEST_FAIL("line %u is no comment: '%s'", n, line);
	CHECK_INT(n, 11);
	free(text);
}

TEST_MAIN()
