/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables in patterns. */
#include "model/vars.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "model/arith.h"
#include "util/mem.h"
#include "util/parse.h"

/* "$((" inside "$((" may be this deep: the expansion calls itself. */
#define NESTING_MAX 8

/* A part of a pattern. */
struct part {
	const char *text;
	size_t len;
};

/* What stands behind a '$'. */
struct reference {
	struct part name;
	bool braces;
	size_t len; /* bytes behind the '$'; 0: it is text */
};

struct expansion {
	const struct vars *vars;
	struct buf *ret;
	struct error *err;
	unsigned depth;
};

static bool is_special(char c)
{
	return c && strchr("*#$@!?-0123456789", c);
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* @p: behind the '$', not at the end. The rules are those of Go's os.Expand. */
static struct reference read_reference(const char *p, const char *end)
{
	if (*p == '{') {
		const char *close = memchr(p, '}', (size_t)(end - p));
		if (!close)
			return (struct reference){ .braces = true, .len = 1 };
		return (struct reference){
			.name = { p + 1, (size_t)(close - p - 1) },
			.braces = true,
			.len = (size_t)(close - p + 1),
		};
	}
	size_t len = 0;
	if (is_special(*p))
		len = 1;
	else
		while (p + len < end && is_name_char(p[len]))
			len++;
	return (struct reference){ .name = { p, len }, .len = len };
}

const char *vars_find(const struct vars *vars, const char *name, size_t name_len)
{
	for (size_t i = 0; i < vars->n; i++)
		if (!strncmp(vars->rows[i].name, name, name_len) && !vars->rows[i].name[name_len])
			return vars->rows[i].value;
	return NULL;
}

/*
 * The variable that was probably meant, or NULL. The usual slip is "$machine-name", which reads the
 * variable "machine"; else it is the one with the fewest letters to change.
 */
static const char *suggest(const struct vars *vars, const struct reference *ref)
{
	CLEANUP(freep) char *name = xstrndup(ref->name.text, ref->name.len);
	const char *nearest = NULL;
	unsigned best = (unsigned)strlen(name) / 3;

	for (size_t i = 0; i < vars->n; i++) {
		const char *known = vars->rows[i].name;
		size_t known_len = strlen(known);
		if (!ref->braces && known_len > ref->name.len &&
				!strncmp(ref->name.text, known, known_len))
			return known;
		unsigned distance = edit_distance(name, known);
		if (distance < best || (distance == best && !nearest)) {
			best = distance;
			nearest = known;
		}
	}
	return nearest;
}

static int unknown(const struct expansion *x, const struct reference *ref)
{
	const char *meant = suggest(x->vars, ref);
	int len = (int)ref->name.len;

	if (meant)
		return error_set(x->err, EINVAL, "unknown variable '%.*s'; did you mean \"${%s}\"?",
				len, ref->name.text, meant);
	return error_set(x->err, EINVAL,
			"unknown variable '%.*s': set it in \"vars\", or if it may be missing, "
			"write \"${%.*s:-}\"",
			len, ref->name.text, len, ref->name.text);
}

static int add_variable(const struct expansion *x, struct reference ref)
{
	const char *value = vars_find(x->vars, ref.name.text, ref.name.len);
	const char *mark = ref.braces ? memmem(ref.name.text, ref.name.len, ":-", 2) : NULL;

	if (value || !mark) {
		if (!value)
			return unknown(x, &ref);
		buf_puts(x->ret, value);
		return 0;
	}
	struct part fallback = { mark + 2, (size_t)(ref.name.text + ref.name.len - mark - 2) };
	if (memchr(fallback.text, '$', fallback.len))
		return error_set(x->err, EINVAL, "the default in \"${%.*s}\" may not hold '$'",
				(int)ref.name.len, ref.name.text);
	value = vars_find(x->vars, ref.name.text, (size_t)(mark - ref.name.text));
	if (value && *value)
		buf_puts(x->ret, value);
	else
		buf_add(x->ret, fallback.text, fallback.len);
	return 0;
}

/* The "))" that ends the arithmetic whose expression begins at @p, or NULL. */
static const char *find_arithmetic_end(const char *p, const char *end)
{
	size_t depth = 0;

	for (; p < end; p++) {
		const char *close = p[0] == '$' && p + 1 < end && p[1] == '{'
						    ? memchr(p, '}', (size_t)(end - p))
						    : NULL;
		if (close) {
			p = close;
		} else if (*p == '(') {
			depth++;
		} else if (*p == ')') {
			if (depth == 0)
				return p + 1 < end && p[1] == ')' ? p : NULL;
			depth--;
		}
	}
	return NULL;
}

static int expand(const struct expansion *x, const char *p, const char *end);

/* @expression: what stands between "$((" and "))". */
static int add_arithmetic(const struct expansion *x, struct part expression)
{
	CLEANUP(buf_done) struct buf text = {};
	struct expansion inner = *x;
	int64_t value;

	if (++inner.depth > NESTING_MAX)
		return error_set(x->err, EINVAL, "\"$((\" is more than %d deep", NESTING_MAX);
	inner.ret = &text;
	int r = expand(&inner, expression.text, expression.text + expression.len);
	if (r < 0)
		return r;
	r = arith_eval(buf_text(&text), &value, x->err);
	if (r < 0) {
		error_wrap(x->err, "\"$((%s))\"", buf_text(&text));
		return r;
	}
	buf_printf(x->ret, "%" PRId64, value);
	return 0;
}

static int expand(const struct expansion *x, const char *p, const char *end)
{
	while (p < end) {
		const char *dollar = memchr(p, '$', (size_t)(end - p));
		if (!dollar || dollar + 1 == end) {
			buf_add(x->ret, p, (size_t)(end - p));
			return 0;
		}
		buf_add(x->ret, p, (size_t)(dollar - p));
		p = dollar + 1;
		int r = 0;
		if (end - p >= 2 && p[0] == '(' && p[1] == '(') {
			const char *close = find_arithmetic_end(p + 2, end);
			if (!close)
				return error_set(x->err, EINVAL,
						"\"$((\" without \"))\", or parentheses that do "
						"not match");
			r = add_arithmetic(x, (struct part){ p + 2, (size_t)(close - p - 2) });
			p = close + 2;
		} else {
			struct reference ref = read_reference(p, end);
			if (ref.name.len > 0)
				r = add_variable(x, ref);
			else if (ref.len == 0)
				buf_putc(x->ret, '$');
			p += ref.len;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Like vars_expand(), with the pattern called @what in the error. */
static int expand_pattern(const struct vars *vars, const char *what, const char *pattern,
		struct buf *ret, struct error *err)
{
	struct expansion x = { .vars = vars, .ret = ret, .err = err };
	size_t len = ret->len;

	int r = expand(&x, pattern, pattern + strlen(pattern));
	if (r < 0) {
		buf_truncate(ret, len);
		error_wrap(err, "%s \"%s\"", what, pattern);
	}
	return r;
}

int vars_expand(const struct vars *vars, const char *pattern, struct buf *ret, struct error *err)
{
	return expand_pattern(vars, "pattern", pattern, ret, err);
}

int vars_port(const struct vars *vars, const char *pattern, uint16_t *ret, struct error *err)
{
	CLEANUP(buf_done) struct buf text = {};
	int64_t port;

	int r = expand_pattern(vars, "port pattern", pattern, &text, err);
	if (r < 0)
		return r;
	/* The Go program took a sign as well, and "+7" for 7. */
	r = parse_i64(buf_text(&text), &port);
	if (r == -ERANGE || (r == 0 && (port < 1 || port > UINT16_MAX)))
		return error_set(err, EINVAL,
				"port pattern \"%s\": invalid resulting port number %s: ports are "
				"1 to 65535",
				pattern, buf_text(&text));
	if (r < 0)
		return error_set(err, EINVAL, "port pattern \"%s\": \"%s\" is not a number",
				pattern, buf_text(&text));
	*ret = (uint16_t)port;
	return 0;
}
