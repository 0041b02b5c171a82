/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines as they are shown. */
#include "setup/print-argv.h"

#include <stdio.h>

#include "qemu/argv.h"
#include "util/shell.h"

void print_qemu_argv(const struct strv *argv, const struct strv *redirections)
{
	CLEANUP(buf_done) struct buf text = {};
	shell_quote_program(&text, argv->items[0]);
	size_t option = 1;
	for (size_t i = 1; i < argv->n; i++) {
		buf_puts(&text, i == option ? " \\\n    " : " ");
		if (i == option)
			option += qemu_option_length(argv, i);
		shell_quote(&text, argv->items[i]);
	}
	for (size_t i = 0; redirections && i < redirections->n; i++)
		buf_printf(&text, " \\\n    %s", redirections->items[i]);
	puts(buf_text(&text));
}

void print_argv(const struct strv *argv)
{
	CLEANUP(buf_done) struct buf text = {};
	shell_quote_program(&text, argv->items[0]);
	for (size_t i = 1; i < argv->n; i++) {
		buf_putc(&text, ' ');
		shell_quote(&text, argv->items[i]);
	}
	puts(buf_text(&text));
}
