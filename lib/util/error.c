/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One failure and its chain of context. */
#include "util/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that does not fit is cut; the end says so. */
static void store(struct error *err, int code, const char *text)
{
	static const char cut[] = "...";
	size_t len = strlen(text);

	err->code = code;
	if (len < sizeof(err->text)) {
		memcpy(err->text, text, len + 1);
		return;
	}
	memcpy(err->text, text, sizeof(err->text) - sizeof(cut));
	memcpy(err->text + sizeof(err->text) - sizeof(cut), cut, sizeof(cut));
}

PRINTF(4, 0)
static int set_code(struct error *err, int code, const char *suffix, const char *format, va_list ap)
{
	assert(code > 0);
	if (!err)
		return -code;

	char text[ERROR_TEXT_MAX + 256];
	int n = vsnprintf(text, sizeof(text), format, ap);
	if (n < 0)
		n = 0;
	if (suffix && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", suffix);
	err->at = (struct where){};
	store(err, code, text);
	return -code;
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int r = set_code(err, code, NULL, format, ap);
	va_end(ap);
	return r;
}

int error_errno(struct error *err, const char *format, ...)
{
	int code = errno ? errno : EIO;
	va_list ap;
	va_start(ap, format);
	int r = set_code(err, code, strerror(code), format, ap);
	va_end(ap);
	return r;
}

int error_code(struct error *err, int negative_errno, const char *format, ...)
{
	int code = negative_errno < 0 ? -negative_errno : EIO;
	va_list ap;
	va_start(ap, format);
	int r = set_code(err, code, strerror(code), format, ap);
	va_end(ap);
	return r;
}

int error_wrap(struct error *err, const char *format, ...)
{
	if (!err)
		return -EIO;
	assert(err->code > 0);

	char text[2 * ERROR_TEXT_MAX];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, ": %s", err->text);
	store(err, err->code, text);
	return -err->code;
}

int error_at(struct error *err, struct where at)
{
	if (!err)
		return -EIO;
	err->at = at;
	return -err->code;
}
