/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds a fuzz target with each file of a corpus, and with every beginning of the short ones; one
 * TAP result a file. What breaks the target ends the program, which the missing plan tells.
 */
#include <fcntl.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "util/file.h"
#include "util/mem.h"

/* A longer file is fed whole only: the cost is the square of this. */
#define CUT_MAX ((size_t)1024)

/* In memory of exactly this size, so that the sanitizer sees a read behind the end. */
static void feed(const char *text, size_t len)
{
	CLEANUP(freep) uint8_t *copy = xmalloc(len);
	if (len)
		memcpy(copy, text, len);
	LLVMFuzzerTestOneInput(copy, len);
}

static int replay(const char *dir, const char *name, struct error *err)
{
	CLEANUP(freep) char *path = path_join(dir, name);
	CLEANUP(buf_done) struct buf text = {};
	int r = file_read(path, (size_t)16 << 20, &text, err);
	if (r < 0)
		return r;
	feed(buf_text(&text), text.len);
	for (size_t len = 0; text.len <= CUT_MAX && len < text.len; len++)
		feed(buf_text(&text), len);
	return 0;
}

int main(int argc, char *argv[])
{
	CLEANUP(strv_done) struct strv names = {};
	struct error err = {};
	unsigned n = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	int r = dir_list(argv[1], &names, &err);
	if (r != 0 || names.n == 0) {
		printf("Bail out! no corpus in %s: %s\n", argv[1],
				r < 0 ? err.text : "it is empty");
		return 1;
	}
	for (size_t i = 0; i < names.n; i++) {
		r = replay(argv[1], names.items[i], &err);
		if (r < 0)
			printf("# %s\n", err.text);
		failed += r < 0;
		printf("%sok %u - %s\n", r < 0 ? "not " : "", ++n, names.items[i]);
	}
	printf("1..%u\n", n);
	return failed ? 1 : 0;
}
