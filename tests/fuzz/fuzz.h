/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz targets: each fuzz-NAME.c is one function that is fed with any bytes and calls abort() when
 * a claim does not hold. libFuzzer (option "fuzzing", clang) looks for bytes that break it;
 * replay.c feeds it the corpus in every test run.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/parse.h"

/* Returns 0. @data: exactly @size bytes, NULL or not when there are none. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(claim)                                                                          \
	do {                                                                                       \
		if (!(claim)) {                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static inline bool fuzz_is_utf8(const char *text, size_t len)
{
	for (size_t n; len; text += n, len -= n)
		if (!(n = utf8_length(text, len)))
			return false;
	return true;
}
