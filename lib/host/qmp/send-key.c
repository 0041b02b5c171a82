/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys for a guest's keyboard. */
#include "host/qmp/send-key.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "host/os/clock.h"
#include "json/jnames.h"
#include "json/jtree.h"
#include "util/mem.h"
#include "util/visible.h"

#define CALL_USEC (10 * USEC_PER_SEC)

const char *const send_key_names[] = { "shift", "shift_r", "alt", "alt_r", "ctrl", "ctrl_r", "menu",
	"esc", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "minus", "equal", "backspace",
	"tab", "q", "w", "e", "r", "t", "y", "u", "i", "o", "p", "bracket_left", "bracket_right",
	"ret", "a", "s", "d", "f", "g", "h", "j", "k", "l", "semicolon", "apostrophe",
	"grave_accent", "backslash", "z", "x", "c", "v", "b", "n", "m", "comma", "dot", "slash",
	"asterisk", "spc", "caps_lock", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10",
	"num_lock", "scroll_lock", "kp_divide", "kp_multiply", "kp_subtract", "kp_add", "kp_enter",
	"kp_decimal", "sysrq", "kp_0", "kp_1", "kp_2", "kp_3", "kp_4", "kp_5", "kp_6", "kp_7",
	"kp_8", "kp_9", "less", "f11", "f12", "print", "home", "pgup", "pgdn", "end", "left", "up",
	"down", "right", "insert", "delete", "stop", "again", "props", "undo", "front", "copy",
	"open", "paste", "find", "cut", "lf", "help", "meta_l", "meta_r", "compose", "pause", "ro",
	"hiragana", "henkan", "yen", "muhenkan", "katakanahiragana", "kp_comma", "kp_equals",
	"power", "sleep", "wake", "audionext", "audioprev", "audiostop", "audioplay", "audiomute",
	"volumeup", "volumedown", "mediaselect", "mail", "calculator", "computer", "ac_home",
	"ac_back", "ac_forward", "ac_refresh", "ac_bookmarks", "lang1", "lang2", NULL };

const struct send_key_alias send_key_aliases[] = {
	{ "altgr", "alt_r" },
	{ "bksp", "backspace" },
	{ "control", "ctrl" },
	{ "del", "delete" },
	{ "enter", "ret" },
	{ "escape", "esc" },
	{ "ins", "insert" },
	{ "meta", "meta_l" },
	{ "pagedown", "pgdn" },
	{ "pageup", "pgup" },
	{ "plus", "kp_add" },
	{ "printscreen", "print" },
	{ "return", "ret" },
	{ "space", "spc" },
	{ "super", "meta_l" },
	{ "win", "meta_l" },
	{},
};

/* A US keyboard: the characters of each key without and with shift. */
static const struct {
	const char *key;
	char plain, shifted;
} us_keys[] = {
	{ "1", '1', '!' },
	{ "2", '2', '@' },
	{ "3", '3', '#' },
	{ "4", '4', '$' },
	{ "5", '5', '%' },
	{ "6", '6', '^' },
	{ "7", '7', '&' },
	{ "8", '8', '*' },
	{ "9", '9', '(' },
	{ "0", '0', ')' },
	{ "minus", '-', '_' },
	{ "equal", '=', '+' },
	{ "bracket_left", '[', '{' },
	{ "bracket_right", ']', '}' },
	{ "semicolon", ';', ':' },
	{ "apostrophe", '\'', '"' },
	{ "grave_accent", '`', '~' },
	{ "backslash", '\\', '|' },
	{ "comma", ',', '<' },
	{ "dot", '.', '>' },
	{ "slash", '/', '?' },
	{ "spc", ' ', ' ' },
	{ "ret", '\n', '\n' },
	{ "tab", '\t', '\t' },
};

/* QEMU's name for what a person calls a key, or NULL. */
static const char *find_key(const char *name)
{
	for (size_t i = 0; send_key_names[i]; i++)
		if (!strcasecmp(send_key_names[i], name))
			return send_key_names[i];
	for (size_t i = 0; send_key_aliases[i].name; i++)
		if (!strcasecmp(send_key_aliases[i].name, name))
			return send_key_aliases[i].key;
	return NULL;
}

static int unknown(const char *name, struct error *err)
{
	CLEANUP(buf_done) struct buf hint = {}, shown = {};
	size_t n = 0;
	while (send_key_names[n])
		n++;
	visible_add(&shown, name, strlen(name), 40);
	jnames_hint(&hint, name, send_key_names, n);
	return error_set(err, EINVAL, "there is no key '%s'%s", buf_text(&shown),
			hint.len ? buf_text(&hint)
				 : "; their names are those of QEMU's QKeyCode, as 'ctrl', 'f1', "
				   "'ret'");
}

int chord_parse(const char *text, struct chord *ret, struct error *err)
{
	const char *at = text;
	*ret = (struct chord){};
	do {
		/* Never empty: the key '-' itself ends a chord. */
		size_t len = *at ? 1 + strcspn(at + 1, "-") : 0;
		CLEANUP(freep)
		char *name = len == 1 && *at == '-' ? xstrdup("minus") : xstrndup(at, len);
		const char *key = find_key(name);
		if (!key)
			return unknown(name, err);
		if (ret->n == CHORD_KEYS_MAX)
			return error_set(err, E2BIG, "'%s' has more than %d keys", text,
					CHORD_KEYS_MAX);
		ret->keys[ret->n++] = key;
		at += len;
		if (*at == '-')
			at++;
		else
			return 0;
	} while (true);
}

int chord_of_char(char c, struct chord *ret)
{
	*ret = (struct chord){};
	if (isascii(c) && isupper(c))
		ret->keys[ret->n++] = "shift";
	if (isascii(c) && isalpha(c)) {
		const char name[] = { (char)tolower(c), '\0' };
		ret->keys[ret->n++] = find_key(name);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(us_keys); i++) {
		if (c != us_keys[i].plain && c != us_keys[i].shifted)
			continue;
		if (c != us_keys[i].plain)
			ret->keys[ret->n++] = "shift";
		ret->keys[ret->n++] = us_keys[i].key;
		return 0;
	}
	return -EINVAL;
}

int send_key_check_text(const char *text, size_t len, struct error *err)
{
	struct chord chord;
	for (size_t i = 0; i < len; i++) {
		if (chord_of_char(text[i], &chord) == 0)
			continue;
		CLEANUP(buf_done) struct buf shown = {};
		size_t n = 1;
		while (i + n < len && ((unsigned char)text[i + n] & 0xc0) == 0x80)
			n++;
		visible_add(&shown, text + i, n, 20);
		return error_set(err, EINVAL, "a US keyboard has no key for '%s' (byte %zu)",
				buf_text(&shown), i + 1);
	}
	return 0;
}

int send_key_chord(
		struct qmp *qmp, const struct chord *chord, unsigned hold_msec, struct error *err)
{
	CLEANUP(jtree_putp) struct json_object *arguments = jtree_object();
	struct json_object *keys = jtree_list();
	jtree_set(arguments, "keys", keys);
	jtree_set(arguments, "hold-time", jtree_int(hold_msec));
	for (size_t i = 0; i < chord->n; i++) {
		struct json_object *key = jtree_object();
		jtree_set(key, "type", jtree_string("qcode"));
		jtree_set(key, "data", jtree_string(chord->keys[i]));
		jtree_push(keys, key);
	}
	int r = qmp_call(qmp, "send-key", arguments, clock_deadline_usec(CALL_USEC), NULL, err);
	uint64_t span_usec = 2 * chord->n * hold_msec * USEC_PER_MSEC;
	/* QEMU works at it after its reply. */
	return r < 0 ? r : qmp_pass_time(qmp, clock_deadline_usec(span_usec), err);
}
