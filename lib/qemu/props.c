/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's "driver,key=value,..." arguments. */
#include "qemu/props.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "util/mem.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static bool is_name(const char *text)
{
	return *text && !text[strspn(text, NAME_CHARS)];
}

void props_done(struct props *p)
{
	buf_done(&p->text);
}

void props_init(struct props *p, const char *driver)
{
	assert(!driver || is_name(driver));
	buf_clear(&p->text);
	if (driver)
		buf_puts(&p->text, driver);
}

void props_add(struct props *p, const char *key, const char *value)
{
	assert(is_name(key));
	buf_printf(&p->text, "%s%s=", p->text.len ? "," : "", key);
	for (const char *at = value; *at; at++) {
		if (*at == ',')
			buf_putc(&p->text, ',');
		buf_putc(&p->text, *at);
	}
}

void props_addf(struct props *p, const char *key, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	CLEANUP(freep) char *value = xvasprintf(format, ap);
	va_end(ap);
	props_add(p, key, value);
}

void props_bool(struct props *p, const char *key, bool value)
{
	props_add(p, key, value ? "on" : "off");
}

void props_take(struct props *p, const char *option, struct strv *argv)
{
	strv_push(argv, option);
	strv_push_take(argv, buf_take(&p->text));
}
