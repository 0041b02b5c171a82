/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printf(3) into growing text.
 *
 * Nearly all formats of this program join texts and whole numbers, and where a host has a thousand
 * machines there are some hundred thousand of them: printf(3), with its streams and locales, was a
 * fifth of the time then. The plain conversions are therefore made here; from the first other one
 * on, vsnprintf(3) does the rest.
 */
#include "util/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/mem.h"

static void put_number(struct buf *b, uint64_t number, unsigned base)
{
	char digits[20]; /* of UINT64_MAX */
	char *at = digits + sizeof(digits);
	do
		*--at = "0123456789abcdef"[number % base];
	while (number /= base);
	buf_add(b, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_signed(struct buf *b, int64_t number)
{
	if (number < 0)
		buf_putc(b, '-');
	put_number(b, number < 0 ? -(uint64_t)number : (uint64_t)number, 10);
}

/* One conversion, @at behind its '%'. Returns what follows; NULL for one that is not made here. */
static const char *put_conversion(struct buf *b, const char *at, va_list *args)
{
	const char *text;
	int len_max;

	switch (*at) {
	case 's':
		text = va_arg(*args, const char *);
		buf_puts(b, text ? text : "(null)");
		break;
	case 'd':
		put_signed(b, va_arg(*args, int));
		break;
	case 'u':
		put_number(b, va_arg(*args, unsigned), 10);
		break;
	case 'x':
		put_number(b, va_arg(*args, unsigned), 16);
		break;
	case 'c':
		buf_putc(b, (char)va_arg(*args, int));
		break;
	case '%':
		buf_putc(b, '%');
		break;
	case '.':
		if (at[1] != '*' || at[2] != 's')
			return NULL;
		at += 2;
		len_max = va_arg(*args, int);
		text = va_arg(*args, const char *);
		buf_add(b, text, len_max < 0 ? strlen(text) : strnlen(text, (size_t)len_max));
		break;
	case 'l':
		if (*++at == 'd')
			put_signed(b, va_arg(*args, long));
		else if (*at == 'u')
			put_number(b, va_arg(*args, unsigned long), 10);
		else
			return NULL;
		break;
	case 'z':
		if (*++at != 'u')
			return NULL;
		put_number(b, va_arg(*args, size_t), 10);
		break;
	default:
		return NULL;
	}
	return at + 1;
}

/* The format is the end of one that the compiler has checked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_rest(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	if (n < 0)
		out_of_memory();
	vsnprintf(buf_reserve(b, (size_t)n), (size_t)n + 1, format, again);
	va_end(again);
	b->len += (size_t)n;
}

#pragma GCC diagnostic pop

void buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	/* A parameter of this type is a pointer on some machines, and can't be passed on by
	 * address. */
	va_list args;
	va_copy(args, ap);
	while (*format) {
		const char *percent = strchrnul(format, '%');
		buf_add(b, format, (size_t)(percent - format));
		format = percent;
		if (!*format)
			break;
		const char *next = put_conversion(b, format + 1, &args);
		if (!next) {
			put_rest(b, format, args);
			break;
		}
		format = next;
	}
	va_end(args);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}
