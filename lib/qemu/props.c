/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's "driver,key=value,..." arguments. */
#include "qemu/props.h"

#include <stdarg.h>
#include <string.h>

#include "util/mem.h"

void props_done(struct props *p)
{
	buf_done(&p->text);
}

void props_init(struct props *p, const char *driver)
{
	buf_done(&p->text);
	buf_borrow(&p->text, p->room, sizeof(p->room));
	if (driver)
		buf_puts(&p->text, driver);
}

static void add_key(struct props *p, const char *key)
{
	if (p->text.len)
		buf_putc(&p->text, ',');
	buf_puts(&p->text, key);
	buf_putc(&p->text, '=');
}

void props_add(struct props *p, const char *key, const char *value)
{
	add_key(p, key);
	for (const char *comma; (comma = strchr(value, ',')); value = comma + 1) {
		buf_add(&p->text, value, (size_t)(comma - value));
		buf_puts(&p->text, ",,");
	}
	buf_puts(&p->text, value);
}

void props_addf(struct props *p, const char *key, const char *format, ...)
{
	size_t before = p->text.len;
	add_key(p, key);
	size_t start = p->text.len;
	va_list ap;
	va_start(ap, format);
	buf_vprintf(&p->text, format, ap);
	va_end(ap);

	/* Mostly numbers and names: what has a comma is written again. */
	if (!memchr(p->text.text + start, ',', p->text.len - start))
		return;
	CLEANUP(freep) char *value = xstrdup(p->text.text + start);
	buf_truncate(&p->text, before);
	props_add(p, key, value);
}

void props_add_variable(struct props *p, const char *name)
{
	buf_printf(&p->text, "%s${%s}", p->text.len ? "," : "", name);
}

void props_take(struct props *p, const char *option, struct strv *argv)
{
	strv_push_static(argv, option);
	strv_push(argv, buf_text(&p->text));
	props_done(p);
}
