/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic by recursive descent. */
#include "model/arith.h"

#include <stdbool.h>
#include <string.h>

#include "util/parse.h"

struct arith {
	const char *at;
	unsigned depth;
	struct error *err;
};

static int read_sum(struct arith *a, int64_t *ret);

static char peek(struct arith *a)
{
	a->at += strspn(a->at, " \t");
	return *a->at;
}

static int unexpected(struct arith *a, const char *wanted)
{
	if (!peek(a))
		return error_set(a->err, EINVAL, "%s is missing at the end", wanted);
	return error_set(a->err, EINVAL, "expected %s, found \"%s\"", wanted, a->at);
}

static int too_large(struct arith *a)
{
	return error_set(a->err, EINVAL, "a value does not fit into 64 bits");
}

static int read_number(struct arith *a, int64_t *ret)
{
	char digits[40];
	size_t len = strspn(a->at, "0123456789"), zeros = strspn(a->at, "0");
	if (len > 0 && zeros == len)
		zeros--;
	if (len - zeros >= sizeof(digits))
		return too_large(a);
	memcpy(digits, a->at + zeros, len - zeros);
	digits[len - zeros] = '\0';
	a->at += len;
	return parse_i64(digits, ret) < 0 ? too_large(a) : 0;
}

/* A number or a parenthesis, with any signs before it. */
static int read_operand(struct arith *a, int64_t *ret)
{
	bool negative = false;
	int r;

	for (; peek(a) == '-' || *a->at == '+'; a->at++)
		negative ^= *a->at == '-';
	if (*a->at == '(') {
		if (++a->depth > ARITH_DEPTH_MAX)
			return error_set(a->err, EINVAL, "parentheses are more than %d deep",
					ARITH_DEPTH_MAX);
		a->at++;
		r = read_sum(a, ret);
		if (r < 0)
			return r;
		if (peek(a) != ')')
			return unexpected(a, "an operator or ')'");
		a->at++;
		a->depth--;
	} else if (*a->at >= '0' && *a->at <= '9') {
		r = read_number(a, ret);
		if (r < 0)
			return r;
	} else {
		return unexpected(a, "a number");
	}
	return negative && __builtin_sub_overflow(0, *ret, ret) ? too_large(a) : 0;
}

static int read_product(struct arith *a, int64_t *ret)
{
	int64_t right = 0;
	int r = read_operand(a, ret);

	while (r == 0 && peek(a) && strchr("*/%", *a->at)) {
		char op = *a->at++;
		r = read_operand(a, &right);
		if (r < 0)
			return r;
		if (op != '*' && right == 0)
			return error_set(a->err, EINVAL, "division by zero");
		/* The CPU traps when the smallest number is divided by -1. */
		if (op == '%')
			*ret = right == -1 ? 0 : *ret % right;
		else if (op == '/' && right != -1)
			*ret /= right;
		else if (__builtin_mul_overflow(*ret, right, ret))
			return too_large(a);
	}
	return r;
}

static int read_sum(struct arith *a, int64_t *ret)
{
	int64_t right = 0;
	int r = read_product(a, ret);

	while (r == 0 && (peek(a) == '+' || *a->at == '-')) {
		bool minus = *a->at++ == '-';
		r = read_product(a, &right);
		if (r == 0 && (minus ? __builtin_sub_overflow(*ret, right, ret)
				     : __builtin_add_overflow(*ret, right, ret)))
			return too_large(a);
	}
	return r;
}

int arith_eval(const char *text, int64_t *ret, struct error *err)
{
	struct arith a = { .at = text, .err = err };
	int64_t value = 0;

	int r = read_sum(&a, &value);
	if (r < 0)
		return r;
	if (peek(&a))
		return unexpected(&a, "an operator");
	*ret = value;
	return 0;
}
