/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest writes to its console, made fit for a terminal. */
#include "util/terminal.h"

#include <stdint.h>
#include <string.h>

#define ESC '\x1b'
/* A string that has no end would swallow all that follows. */
#define STRING_MAX 4096

enum state {
	STATE_TEXT,
	STATE_C2,	  /* the first byte of U+0080 to U+00BF */
	STATE_ESCAPE,	  /* behind ESC: intermediate bytes, then the final one */
	STATE_CSI,	  /* behind ESC [: parameters, intermediates, final */
	STATE_STRING,	  /* behind ESC ] and the like: dropped up to its end */
	STATE_STRING_ESC, /* ESC in it: the end, if a backslash follows */
};

/* Finals of CSI without prefix and intermediate. Not among them: i (print), t (window and title),
 * x, y and z (reports of the screen and the terminal's settings), q (lights), p. */
static const char csi_finals[] = "@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrsu";
/* Behind "?": modes, erasing what is not protected, questions for the cursor. */
static const char csi_private_finals[] = "hlJKnsr";
/* Behind ">": the kind of terminal, keys with modifiers. */
static const char csi_greater_finals[] = "cmn";
/* Behind ESC alone: the cursor and the tabs, the keypad, a reset. */
static const char escape_finals[] = "78DEHM=>c";
/* Designations of character sets. */
static const char escape_intermediates[] = "()*+";

static void begin_sequence(struct terminal_filter *f, enum state state)
{
	f->state = (unsigned char)state;
	f->n_sequence = 0;
	f->n_string = 0;
}

static bool is_in(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool is_intermediate(char c)
{
	return c >= ' ' && c <= '/';
}

/* Among the numbers between ";"? */
static bool has_parameter(const char *text, size_t len, unsigned wanted)
{
	unsigned value = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			value = value < 100000 ? value * 10 + (unsigned)(text[i] - '0') : value;
		} else {
			if (value == wanted)
				return true;
			value = 0;
		}
	}
	return false;
}

/* Is a sequence of CSI fit, from the byte behind "[" to its final? */
static bool is_fit_csi(const char *text, size_t len)
{
	const char final = text[len - 1], before = len > 1 ? text[len - 2] : '\0';
	if (is_intermediate(before))
		/* The cursor's shape; a soft reset. */
		return (final == 'q' && before == ' ') || (final == 'p' && before == '!');
	/* Mode 2 locks the keyboard, and with "?" makes a VT52 of the terminal. */
	if ((final == 'h' || final == 'l') && has_parameter(text, len, 2))
		return false;
	switch (text[0]) {
	case '?':
		return is_in(csi_private_finals, final);
	case '>':
		return is_in(csi_greater_finals, final);
	case '<':
	case '=':
		return false;
	default:
		return is_in(csi_finals, final);
	}
}

/* "?1049h" and its kin. */
static void note_screen(struct terminal_filter *f)
{
	static const unsigned modes[] = { 1049, 1047, 47 };
	const char final = f->sequence[f->n_sequence - 1];
	if (f->sequence[0] != '?' || (final != 'h' && final != 'l'))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (has_parameter(f->sequence, f->n_sequence, modes[i]))
			f->alternate = final == 'h';
}

static void end_csi(struct terminal_filter *f, struct buf *out)
{
	if (f->mode == TERMINAL_SCREEN && is_fit_csi(f->sequence, f->n_sequence)) {
		buf_puts(out, "\x1b[");
		buf_add(out, f->sequence, f->n_sequence);
		note_screen(f);
	}
	f->state = STATE_TEXT;
}

static void end_escape(struct terminal_filter *f, struct buf *out)
{
	const char final = f->sequence[f->n_sequence - 1];
	const bool is_fit = f->n_sequence == 1
					    ? is_in(escape_finals, final)
					    : f->n_sequence == 2 && is_in(escape_intermediates,
										    f->sequence[0]);
	if (f->mode == TERMINAL_SCREEN && is_fit) {
		buf_putc(out, ESC);
		buf_add(out, f->sequence, f->n_sequence);
	}
	f->state = STATE_TEXT;
}

static void add_control(const struct terminal_filter *f, struct buf *out, char c)
{
	/* Not NUL, which fills, nor ENQ, which is answered. */
	static const char screen[] = "\a\b\t\n\v\f\r\x0e\x0f";
	if (is_in(f->mode == TERMINAL_SCREEN ? screen : "\t\n", c))
		buf_putc(out, c);
}

static void add_text(struct terminal_filter *f, struct buf *out, char c)
{
	const uint8_t byte = (uint8_t)c;
	const bool is_more = f->n_more > 0 && byte >= 0x80 && byte < 0xc0;
	f->n_more = is_more ? (unsigned char)(f->n_more - 1) : 0;
	if (is_more) {
		buf_putc(out, c);
	} else if (c == ESC) {
		begin_sequence(f, STATE_ESCAPE);
	} else if (byte < ' ' || byte == 0x7f) {
		add_control(f, out, c);
	} else if (byte == 0xc2) {
		f->state = STATE_C2;
	} else if (byte < 0x80 || byte >= 0xa0) {
		/* Of the others, single bytes are control characters to terminals of 8 bits. */
		f->n_more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : byte >= 0xc3;
		buf_putc(out, c);
	}
}

static void add_sequence(struct terminal_filter *f, struct buf *out, char c)
{
	const bool is_csi = f->state == STATE_CSI;
	if (c == ESC) {
		begin_sequence(f, STATE_ESCAPE);
	} else if (c == '\x18' || c == '\x1a' || (uint8_t)c >= 0x7f ||
			f->n_sequence == TERMINAL_SEQUENCE_MAX) {
		f->state = STATE_TEXT;
	} else if ((uint8_t)c < ' ') {
		/* Terminals obey these in the middle of a sequence. */
		add_control(f, out, c);
	} else if (!is_csi && f->n_sequence == 0 && c == '[') {
		begin_sequence(f, STATE_CSI);
	} else if (!is_csi && f->n_sequence == 0 && is_in("]PX^_", c)) {
		begin_sequence(f, STATE_STRING);
	} else {
		f->sequence[f->n_sequence++] = c;
		if (is_csi && c >= '@')
			end_csi(f, out);
		else if (!is_csi && c >= '0')
			end_escape(f, out);
	}
}

/* Its end is ESC \ or BEL; a line's end as well, which no honest one has. */
static void add_string(struct terminal_filter *f, struct buf *out, char c)
{
	if (f->state == STATE_STRING_ESC && c != '\\') {
		/* Another sequence begins. */
		begin_sequence(f, STATE_ESCAPE);
		add_sequence(f, out, c);
	} else if (f->state == STATE_STRING_ESC || c == '\a' || c == '\x18' || c == '\x1a' ||
			++f->n_string > STRING_MAX) {
		f->state = STATE_TEXT;
	} else if (c == '\n' || c == '\r') {
		f->state = STATE_TEXT;
		add_text(f, out, c);
	} else if (c == ESC) {
		f->state = STATE_STRING_ESC;
	}
}

/* U+0080 to U+009F are control characters as well: each is ESC and a letter in one. */
static void add_pair(struct terminal_filter *f, struct buf *out, char c)
{
	const uint8_t byte = (uint8_t)c;
	if (byte >= 0x80 && byte < 0xa0) {
		begin_sequence(f, STATE_ESCAPE);
		add_sequence(f, out, (char)(byte - 0x40));
	} else if (byte >= 0xa0 && byte < 0xc0) {
		buf_putc(out, '\xc2');
		buf_putc(out, c);
	} else {
		add_text(f, out, c);
	}
}

void terminal_filter_add(struct terminal_filter *f, struct buf *out, const char *data, size_t len)
{
	if (f->mode == TERMINAL_RAW) {
		buf_add(out, data, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		const char c = data[i];
		switch ((enum state)f->state) {
		case STATE_C2:
			f->state = STATE_TEXT;
			add_pair(f, out, c);
			break;
		case STATE_ESCAPE:
		case STATE_CSI:
			add_sequence(f, out, c);
			break;
		case STATE_STRING:
		case STATE_STRING_ESC:
			add_string(f, out, c);
			break;
		case STATE_TEXT:
		default:
			add_text(f, out, c);
			break;
		}
	}
}

void terminal_filter_end(const struct terminal_filter *f, struct buf *out)
{
	/* A sequence that a raw guest has left open ends here. */
	buf_puts(out, "\x18\x1b\\");
	if (f->alternate)
		buf_puts(out, "\x1b[?1049l");
	/* The whole screen scrolls (the cursor would go home: it is kept), no insert mode, lines
	 * wrap, no mouse, no marks around pastes, plain keys, the cursor shows, plain letters. */
	buf_puts(out, "\x1b"
		      "7\x1b[r\x1b"
		      "8\x1b[4l\x1b[?7h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b["
		      "?2004l\x1b[?1l\x1b>\x1b[?25h\x1b(B\x0f\x1b[0m");
}
