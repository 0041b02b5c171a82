/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of model/vars.h: Go's os.Expand corner by corner, then what was added to it. */
#include "model/vars.h"

#include "model/arith.h"
#include "test.h"
#include "util/mem.h"

static const struct var rows[] = {
	{ "machine-name", "web" },
	{ "machine-id", "00000000-0000-0000-0000-000000000000" },
	{ "volume", "os" },
	/* From here on the user's. */
	{ "machine-name", "shadow" },
	{ "machine", "M" },
	{ "employee-id", "1234" },
	{ "a b", "spaces" },
	{ "1", "one" },
	{ "12", "twelve" },
	{ "$", "dollar" },
	{ "*", "star" },
	{ "#", "hash" },
	{ "@", "at" },
	{ "!", "bang" },
	{ "?", "question" },
	{ "-", "dash" },
	{ "empty", "" },
	{ "nested", "${volume} $((1+1))" },
	{ "sum", "1 + 2" },
	{ "_x9Z", "word" },
	{ "{", "brace" },
	{ "odd:-name", "whole" },
	{ "(", "paren" },
	{ "port", "5901" },
	{ "large", "70000" },
	{ "gr\xc3\xb6\xc3\x9f"
	  "e",
			"utf8" },
};
static const struct vars vars = { rows, ARRAY_SIZE(rows) };

static void check(const char *pattern, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	buf_puts(&text, "<");
	if (vars_expand(&vars, pattern, &text, &err) != 0)
		TEST_FAIL("'%s': %s", pattern, err.text);
	else if (strcmp(text.text + 1, expected) != 0)
		TEST_FAIL("'%s': expected '%s', got '%s'", pattern, expected, text.text + 1);
}

/* @expected: the text behind 'pattern "…": '. */
static void check_error(const char *pattern, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep) char *whole = xasprintf("pattern \"%s\": %s", pattern, expected);
	struct error err = {};
	buf_puts(&text, "kept");
	CHECK_INT(vars_expand(&vars, pattern, &text, &err), -EINVAL);
	CHECK_STR(err.text, whole);
	CHECK_STR(buf_text(&text), "kept");
	CHECK_INT(vars_expand(&vars, pattern, &text, NULL), -EINVAL);
}

TEST(text_without_variables_stays)
{
	check("", "");
	check("plain", "plain");
	check("{machine}", "{machine}");
	check("a}b{c", "a}b{c");
	check("\xff\xfe $", "\xff\xfe $");
}

TEST(braces)
{
	check("${machine-name}-${volume}.raw", "web-os.raw");
	check("${a b}", "spaces");
	check("${1}", "one");
	check("${12}", "twelve");
	check("${{}", "brace");
	check("${{}}", "brace}");
	check("${volume}}", "os}");
	check("${gr\xc3\xb6\xc3\x9f"
	      "e}",
			"utf8");
	check("${empty}", "");
	check("${*}${#}${$}${@}${!}${?}${-}", "starhashdollaratbangquestiondash");
}

TEST(braces_that_vanish)
{
	check("a${}b", "ab");
	check("${}", "");
	check("${}}", "}");
	check("${", "");
	check("a${b", "ab");
	check("${machine-name", "machine-name");
	check("${$volume", "os");
	check("${${", "");
	check("${${volume", "volume");
	check("x${-", "x-");
}

TEST(names_without_braces)
{
	check("$machine-name", "M-name");
	check("$volume.raw", "os.raw");
	check("$volume$machine", "osM");
	check("$_x9Z", "word");
	check("$_x9Z\xc3\xa4", "word\xc3\xa4");
	check("/$volume/", "/os/");
}

TEST(names_of_one_character)
{
	check("$12", "one2");
	check("$1", "one");
	check("$$", "dollar");
	check("$$volume", "dollarvolume");
	check("$*$#$@$!$?$-", "starhashatbangquestiondash");
	check("$-name", "dashname");
}

TEST(dollars_that_are_text)
{
	check("$", "$");
	check("a$", "a$");
	check("$.", "$.");
	check("$/x", "$/x");
	check("$ volume", "$ volume");
	check("$(volume)", "$(volume)");
	check("$(1+1)", "$(1+1)");
	check("$(", "$(");
	check("$}", "$}");
	check("$\xc3\xa4", "$\xc3\xa4");
	check("volume$", "volume$");
}

TEST(values_are_not_expanded_again)
{
	check("${nested}", "${volume} $((1+1))");
}

TEST(builtin_variables_win)
{
	check("${machine-name}", "web");
	CHECK_STR(vars_find(&vars, "machine-name", 12), "web");
	CHECK_STR(vars_find(&vars, "machine-name", 7), "M");
	CHECK_STR(vars_find(&vars, "machine-nam", 11), NULL);
	CHECK_STR(vars_find(&vars, "", 0), NULL);
}

TEST(defaults)
{
	check("${absent:-}", "");
	check("[${absent:-text}]", "[text]");
	check("${absent:-a b:-c}", "a b:-c");
	check("${volume:-data}", "os");
	check("${empty:-data}", "data");
	check("${empty:-}", "");
	check("${odd:-name}", "whole");
	check("${-:-x}", "dash");
	check("${:-}", "");
	check("${:-x}", "x");
	check("${absent:-{}", "{");
	check_error("${absent:-$volume}", "the default in \"${absent:-$volume}\" may not hold '$'");
	check_error("${absent:-${volume}}",
			"the default in \"${absent:-${volume}\" may not hold '$'");
	check_error("${volume:-$x}", "the default in \"${volume:-$x}\" may not hold '$'");
}

TEST(unknown_variables_are_errors)
{
	check_error("x${absent}", "unknown variable 'absent': set it in \"vars\", or if it may be "
				  "missing, write \"${absent:-}\"");
	check_error("$9", "unknown variable '9': set it in \"vars\", or if it may be missing, "
			  "write \"${9:-}\"");
	check_error("${ volume}", "unknown variable ' volume'; did you mean \"${volume}\"?");
	check_error("${volum}.raw", "unknown variable 'volum'; did you mean \"${volume}\"?");
	check_error("$(($nope+1))", "unknown variable 'nope': set it in \"vars\", or if it may be "
				    "missing, write \"${nope:-}\"");
	check_error("${absent:=x}", "unknown variable 'absent:=x': set it in \"vars\", or if it "
				    "may be missing, write "
				    "\"${absent:=x:-}\"");
}

/* "$employee-id" reads the variable "employee". */
TEST(unknown_variable_that_ends_at_a_dash)
{
	check_error("$employee-id",
			"unknown variable 'employee'; did you mean \"${employee-id}\"?");
	check_error("${employee}-id", "unknown variable 'employee': set it in \"vars\", or if it "
				      "may be missing, write "
				      "\"${employee:-}\"");
}

TEST(arithmetic)
{
	check("$((1))", "1");
	check("$((5900 + ${employee-id} % 1000))", "6134");
	check("a$(( 1 + 2 * 3 ))b", "a7b");
	check("$(((1 + 2) * 3))", "9");
	check("$((2*(3+4)))", "14");
	check("$((10-2-3))", "5");
	check("$((100/7/2))", "7");
	check("$((7%4*2))", "6");
	check("$((-7/2))", "-3");
	check("$((-7%3))", "-1");
	check("$((7%-3))", "1");
	check("$((- 5))", "-5");
	check("$((+-+5))", "-5");
	check("$((- -5))", "5");
	check("$((2--3))", "5");
	check("$((-(2+3)))", "-5");
	check("$((\t1\t+\t1\t))", "2");
	check("$((010))", "10");
	check("$((00000000000000000000000000000000000000000000000000000000000007))", "7");
	check("$((0))$((000))", "00");
	check("$((9223372036854775807))", "9223372036854775807");
	check("$((-9223372036854775807-1))", "-9223372036854775808");
	check("$(((-9223372036854775807-1)%-1))", "0");
	check("$(($port+1))", "5902");
	check("$((${absent:-7}))", "7");
	check("$(($(( 1+2 ))*3))", "9");
	/* Values are text: no parentheses around them. */
	check("$((${sum}*3))", "7");
	check("$(((${sum})*3))", "9");
	/* Parentheses in a name are not the expression's. */
	check("$((${absent(:-1}))", "1");
	check("$((${absent):-1}))", "1");
	check("$((1))$((2)) $((3))", "12 3");
}

TEST(arithmetic_that_is_no_such)
{
	check_error("$((1)", "\"$((\" without \"))\", or parentheses that do not match");
	check_error("$((", "\"$((\" without \"))\", or parentheses that do not match");
	check_error("$((1)+2)", "\"$((\" without \"))\", or parentheses that do not match");
	check_error("$((1+(2))", "\"$((\" without \"))\", or parentheses that do not match");
	check_error("$(())", "\"$(())\": a number is missing at the end");
	check_error("$(( ))", "\"$(( ))\": a number is missing at the end");
	check_error("$((1+))", "\"$((1+))\": a number is missing at the end");
	check_error("$((1 2))", "\"$((1 2))\": expected an operator, found \"2\"");
	check_error("$((x+1))", "\"$((x+1))\": expected a number, found \"x+1\"");
	check_error("$((1 ** 2))", "\"$((1 ** 2))\": expected a number, found \"* 2\"");
	check_error("$((1.5))", "\"$((1.5))\": expected an operator, found \".5\"");
	check_error("$((0x10))", "\"$((0x10))\": expected an operator, found \"x10\"");
	check_error("$((1_000))", "\"$((1_000))\": expected an operator, found \"_000\"");
	check_error("$((()))", "\"$((()))\": expected a number, found \")\"");
	check_error("$(((1 2)))", "\"$(((1 2)))\": expected an operator or ')', found \"2)\"");
	check_error("$((1\n))", "\"$((1\n))\": expected an operator, found \"\n\"");
	check_error("$((5$))", "\"$((5$))\": expected an operator, found \"$\"");
	check_error("$((\xff))", "\"$((\xff))\": expected a number, found \"\xff\"");
	check_error("$(($volume))", "\"$((os))\": expected a number, found \"os\"");
	check_error("$((${empty}))", "\"$(())\": a number is missing at the end");
	check_error("$(($((1/0))))", "\"$((1/0))\": division by zero");
}

TEST(arithmetic_that_has_no_result)
{
	check_error("$((1/0))", "\"$((1/0))\": division by zero");
	check_error("$((1%(2-2)))", "\"$((1%(2-2)))\": division by zero");
	static const char *const overflows[] = {
		"9223372036854775808",
		"99999999999999999999999999999999999999999999999999",
		"9223372036854775807+1",
		"-9223372036854775807-2",
		"9223372036854775807*2",
		"(-9223372036854775807-1)/-1",
		"-(-9223372036854775807-1)",
		"(-9223372036854775807-1)*-1",
		"4294967296*4294967296",
	};
	for (size_t i = 0; i < ARRAY_SIZE(overflows); i++) {
		CLEANUP(freep) char *pattern = xasprintf("$((%s))", overflows[i]);
		CLEANUP(freep)
		char *expected = xasprintf("\"%s\": a value does not fit into 64 bits", pattern);
		check_error(pattern, expected);
	}
}

/* @n times @open, a 1, @n times @close. */
static char *nest(const char *open, const char *close, size_t n)
{
	struct buf text = {};
	for (size_t i = 0; i < n; i++)
		buf_puts(&text, open);
	buf_puts(&text, "1");
	for (size_t i = 0; i < n; i++)
		buf_puts(&text, close);
	return buf_take(&text);
}

TEST(depth_has_a_limit)
{
	CLEANUP(buf_done) struct buf text = {};
	CLEANUP(freep)
	char *fits = nest("$((", "))", 8), *deep = nest("$((", "))", 9),
	     *abyss = nest("$((", "))", 100000), *open = nest("$((", "", 100000);
	struct error err = {};
	check(fits, "1");
	check_error(deep, "\"$((\" is more than 8 deep");
	CHECK_INT(vars_expand(&vars, abyss, &text, &err), -EINVAL);
	CHECK_INT(vars_expand(&vars, open, &text, &err), -EINVAL);

	CLEANUP(freep) char *in = nest("(", ")", ARITH_DEPTH_MAX);
	CLEANUP(freep) char *out = nest("(", ")", ARITH_DEPTH_MAX + 1);
	CLEANUP(freep) char *far_out = nest("(", ")", 100000);
	CLEANUP(freep) char *beside = nest("(1)+", "", (size_t)10 * ARITH_DEPTH_MAX);
	int64_t value = 0;
	CHECK_INT(arith_eval(in, &value, &err), 0);
	CHECK_INT(value, 1);
	CHECK_INT(arith_eval(beside, &value, &err), 0);
	CHECK_INT(value, 10 * ARITH_DEPTH_MAX + 1);
	CHECK_INT(arith_eval(out, &value, &err), -EINVAL);
	CHECK_STR(err.text, "parentheses are more than 64 deep");
	CHECK_INT(arith_eval(far_out, &value, &err), -EINVAL);
}

static void check_port(const char *pattern, unsigned expected)
{
	uint16_t port = 0;
	struct error err = {};
	if (vars_port(&vars, pattern, &port, &err) != 0)
		TEST_FAIL("'%s': %s", pattern, err.text);
	else
		CHECK_INT(port, expected);
}

static void check_port_error(const char *pattern, const char *expected)
{
	CLEANUP(freep) char *whole = xasprintf("port pattern \"%s\": %s", pattern, expected);
	uint16_t port = 42;
	struct error err = {};
	CHECK_INT(vars_port(&vars, pattern, &port, &err), -EINVAL);
	CHECK_STR(err.text, whole);
	CHECK_INT(port, 42);
}

TEST(ports)
{
	check_port("5900", 5900);
	check_port("${port}", 5901);
	check_port("1${employee-id}", 11234);
	check_port("$((5900 + ${employee-id} % 1000))", 6134);
	check_port("+7", 7);
	check_port("007", 7);
	check_port("1", 1);
	check_port("65535", 65535);
}

TEST(ports_that_are_none)
{
	check_port_error("0", "invalid resulting port number 0: ports are 1 to 65535");
	check_port_error("-1", "invalid resulting port number -1: ports are 1 to 65535");
	check_port_error("65536", "invalid resulting port number 65536: ports are 1 to 65535");
	check_port_error("${large}", "invalid resulting port number 70000: ports are 1 to 65535");
	check_port_error("99999999999999999999",
			"invalid resulting port number 99999999999999999999: ports are 1 to 65535");
	check_port_error("", "\"\" is not a number");
	check_port_error("${volume}", "\"os\" is not a number");
	check_port_error(" 5900", "\" 5900\" is not a number");
	check_port_error("5_900", "\"5_900\" is not a number");
	check_port_error("0x1f", "\"0x1f\" is not a number");
	check_port_error("5900.0", "\"5900.0\" is not a number");
	check_port_error("${absent}", "unknown variable 'absent': set it in \"vars\", or if it may "
				      "be missing, write \"${absent:-}\"");
	check_port_error("$((1/0))", "\"$((1/0))\": division by zero");
}
TEST_MAIN()
