/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text as man(7) source: the only place that escapes it.
 */
#pragma once

#include <stdio.h>

/* Plain text; an empty line between paragraphs begins a new one. Ends its line. */
void roff_text(FILE *to, const char *text);

/* The same in the middle of a line, without paragraphs. */
void roff_word(FILE *to, const char *text);

/* "machina start [OPTION...] MACHINE...": what is typed in bold, what stands for something in
 * italics. */
void roff_synopsis(FILE *to, const char *text);
