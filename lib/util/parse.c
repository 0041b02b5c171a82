/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to values: the whole string or an error. */
#include "util/parse.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* ctype.h's isdigit() takes an int in the range of unsigned char and looks at the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Decimal digits at *@at, which moves behind them. */
static int read_u64(const char **at, uint64_t *ret)
{
	const char *p = *at;
	uint64_t value = 0;

	if (!is_digit(*p))
		return -EINVAL;
	bool fits = true;
	for (; is_digit(*p); p++)
		fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
		       !__builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
	*at = p;
	if (!fits)
		return -ERANGE;
	*ret = value;
	return 0;
}

/* A bad form wins over a number that does not fit: "99999999999999999999x" is not a number. */
static int at_end(int r, const char *p)
{
	return *p ? -EINVAL : r;
}

int parse_u64(const char *text, uint64_t *ret)
{
	uint64_t value;
	int r = read_u64(&text, &value);
	r = at_end(r, text);
	if (r == 0)
		*ret = value;
	return r;
}

int parse_i64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t magnitude = 0;

	int r = parse_u64(text + (*text == '-' || *text == '+'), &magnitude);
	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	/* Negated as unsigned, where the smallest number is no special case. */
	*ret = (int64_t)(negative ? -magnitude : magnitude);
	return 0;
}

int parse_int(const char *text, int min, int max, int *ret)
{
	int64_t value;
	if (*text == '+' || (*text == '-' && min >= 0))
		return -EINVAL;
	int r = parse_i64(text, &value);
	if (r < 0)
		return r;
	if (value < min || value > max)
		return -ERANGE;
	*ret = (int)value;
	return 0;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	uint64_t value;

	int r = read_u64(&text, &value);
	if (r == -EINVAL)
		return r;
	unsigned shift = 0;
	const char *unit = *text ? strchr(units, *text) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		text++;
		if (!strcmp(text, "iB") || !strcmp(text, "B"))
			text += strlen(text);
	}
	r = at_end(r, text);
	if (r < 0)
		return r;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret_bytes = value << shift;
	return 0;
}

static const struct span_unit {
	const char *name;
	uint64_t nsec;
} span_units[] = {
	/* A unit comes before those that it begins with. */
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* U+00B5 and U+03BC: Go prints and reads "µs" */
	{ "\xce\xbcs", 1000 },
	{ "ms", 1000000 },
	{ "min", 60000000000 },
	{ "m", 60000000000 },
	{ "s", 1000000000 },
	{ "h", 3600000000000 },
};

static const struct span_unit *find_span_unit(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(span_units); i++)
		if (!strncmp(text, span_units[i].name, strlen(span_units[i].name)))
			return &span_units[i];
	return NULL;
}

/* Digits behind a decimal point as a fraction of 10^18; what lies below that is dropped. */
static uint64_t read_fraction(const char **at)
{
	uint64_t value = 0;
	unsigned n = 0;

	for (; is_digit(**at); (*at)++)
		if (n < 18) {
			value = value * 10 + (uint64_t)(**at - '0');
			n++;
		}
	for (; n < 18; n++)
		value *= 10;
	return value;
}

/* One "1.5h" at *@at, in nanoseconds added to *@sum. -ERANGE is found after the form is known. */
static int read_span_part(const char **at, uint64_t *sum)
{
	uint64_t whole = 0, fraction = 0;
	int r = 0;
	bool digits_before = is_digit(**at), digits_behind = false;

	if (digits_before)
		r = read_u64(at, &whole);
	if (**at == '.') {
		(*at)++;
		digits_behind = is_digit(**at);
		fraction = read_fraction(at);
	}
	const struct span_unit *unit = find_span_unit(*at);
	if (!unit || (!digits_before && !digits_behind))
		return -EINVAL;
	*at += strlen(unit->name);
	if (r < 0 || __builtin_mul_overflow(whole, unit->nsec, &whole) ||
			__builtin_add_overflow(*sum, whole, sum))
		return -ERANGE;
	uint64_t part = (uint64_t)((unsigned __int128)fraction * unit->nsec / 1000000000000000000);
	return __builtin_add_overflow(*sum, part, sum) ? -ERANGE : 0;
}

int parse_span(const char *text, uint64_t *ret_usec)
{
	uint64_t value, sum = 0;

	int r = parse_u64(text, &value);
	if (r == 0 || r == -ERANGE) {
		if (r < 0 || __builtin_mul_overflow(value, 1000000, &sum))
			return -ERANGE;
		*ret_usec = sum;
		return 0;
	}
	if (!*text)
		return -EINVAL;
	bool fits = true;
	while (*text) {
		r = read_span_part(&text, &sum);
		if (r == -EINVAL)
			return r;
		fits = fits && r == 0;
	}
	if (!fits)
		return -ERANGE;
	*ret_usec = sum / 1000;
	return 0;
}

int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two hex digits; never reads behind a NUL. */
static bool read_hex_byte(const char *text, uint8_t *ret)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);
	if (low < 0)
		return false;
	*ret = (uint8_t)(high << 4 | low);
	return true;
}

int parse_uuid(const char *text, uint8_t ret[16])
{
	static const char urn[] = "urn:uuid:";
	uint8_t value[16];
	bool dashes = true;

	switch (strlen(text)) {
	case 36:
		break;
	case 36 + sizeof(urn) - 1:
		if (strncasecmp(text, urn, sizeof(urn) - 1) != 0)
			return -EINVAL;
		text += sizeof(urn) - 1;
		break;
	case 38:
		text++;
		break;
	case 32:
		dashes = false;
		break;
	default:
		return -EINVAL;
	}
	for (size_t i = 0; i < 16; i++) {
		if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -EINVAL;
		if (!read_hex_byte(text, &value[i]))
			return -EINVAL;
		text += 2;
	}
	memcpy(ret, value, sizeof(value));
	return 0;
}

char *format_hex(const uint8_t *data, size_t n, const char *digits, char *ret)
{
	for (size_t i = 0; i < n; i++) {
		*ret++ = digits[data[i] >> 4];
		*ret++ = digits[data[i] & 0xf];
	}
	*ret = '\0';
	return ret;
}

void format_uuid(const uint8_t uuid[16], char ret[UUID_TEXT_MAX])
{
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*ret++ = '-';
		ret = format_hex(&uuid[i], 1, HEX_LOWER, ret);
	}
}

int parse_mac(const char *text, uint8_t ret[6])
{
	uint8_t value[6];

	for (size_t i = 0; i < 6; i++) {
		if (i > 0 && *text++ != ':')
			return -EINVAL;
		if (!read_hex_byte(text, &value[i]))
			return -EINVAL;
		text += 2;
	}
	if (*text)
		return -EINVAL;
	memcpy(ret, value, sizeof(value));
	return 0;
}

void format_mac(const uint8_t mac[6], char ret[MAC_TEXT_MAX])
{
	for (size_t i = 0; i < 6; i++) {
		if (i > 0)
			*ret++ = ':';
		ret = format_hex(&mac[i], 1, HEX_LOWER, ret);
	}
}

void mac_use_colons(char *mac)
{
	for (; *mac; mac++)
		if (*mac == '-')
			*mac = ':';
}

size_t utf8_length(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	/* Limits of the second byte keep out overlong forms, surrogates and what is past U+10FFFF.
	 */
	size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	unsigned low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	unsigned high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	if (n == 0 || n > len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

size_t stem_length(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len > end_len && !strcmp(text + len - end_len, end) ? len - end_len : 0;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;
	return ab < c ? ab : c;
}

unsigned edit_distance(const char *a, const char *b)
{
	/* Rows of the usual matrix: i-2 (for swaps), i-1 and i, used in turn. */
	unsigned rows[3][EDIT_DISTANCE_MAX + 1];
	size_t n_a = strnlen(a, EDIT_DISTANCE_MAX + 1), n_b = strnlen(b, EDIT_DISTANCE_MAX + 1);

	if (n_a > EDIT_DISTANCE_MAX || n_b > EDIT_DISTANCE_MAX)
		return strcmp(a, b) ? EDIT_DISTANCE_MAX : 0;
	for (size_t j = 0; j <= n_b; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n_a; i++) {
		unsigned *now = rows[i % 3];
		const unsigned *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= n_b; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
					last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
					before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[n_a % 3][n_b];
}
