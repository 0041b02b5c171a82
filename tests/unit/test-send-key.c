/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys: names, chords, the US keyboard, and what a real QEMU knows. */
#include "host/qmp/send-key.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/jtree.h"
#include "qmp-script.h"
#include "util/mem.h"

static char *joined(const struct chord *chord)
{
	CLEANUP(buf_done) struct buf text = {};
	for (size_t i = 0; i < chord->n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", chord->keys[i]);
	return buf_take(&text);
}

TEST(chords_are_read)
{
	static const struct {
		const char *text, *keys;
	} rows[] = {
		{ "a", "a" },
		{ "ret", "ret" },
		{ "ctrl-alt-delete", "ctrl alt delete" },
		{ "Ctrl-Alt-Del", "ctrl alt delete" },
		{ "win-r", "meta_l r" },
		{ "minus", "minus" },
		{ "-", "minus" },
		{ "ctrl--", "ctrl minus" },
		{ "shift-f12", "shift f12" },
		{ "alt_r-ENTER", "alt_r ret" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chord chord;
		struct error err = {};
		CHECK_INT(chord_parse(rows[i].text, &chord, &err), 0);
		CLEANUP(freep) char *keys = joined(&chord);
		CHECK_STR(keys, rows[i].keys);
	}
}

TEST(what_is_no_chord_is_told)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} rows[] = {
		{ "", -EINVAL, "there is no key ''" },
		{ "ctrl-", -EINVAL, "there is no key ''; their names" },
		{ "delte", -EINVAL, "did you mean 'delete'?" },
		{ "ctrl-alt-nothing", -EINVAL, "there is no key 'nothing'" },
		{ "a b", -EINVAL, "names are those of QEMU's QKeyCode" },
		{ "\033[31m", -EINVAL, "'\\x1b[31m'" },
		{ "a-b-c-d-e-f-g-h-i", -E2BIG, "more than 8 keys" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct chord chord;
		struct error err = {};
		CHECK_INT(chord_parse(rows[i].text, &chord, &err), rows[i].code);
		if (!strstr(err.text, rows[i].says))
			test_note("%s", err.text);
		CHECK(strstr(err.text, rows[i].says));
	}
}

TEST(each_printable_character_has_its_keys)
{
	static const struct {
		char c;
		const char *keys;
	} rows[] = { { 'a', "a" }, { 'Z', "shift z" }, { '!', "shift 1" }, { '7', "7" },
		{ '"', "shift apostrophe" }, { '\\', "backslash" }, { '\n', "ret" },
		{ '\t', "tab" }, { ' ', "spc" }, { '_', "shift minus" } };
	struct chord chord;
	for (char c = ' '; c <= '~'; c++)
		CHECK_INT(chord_of_char(c, &chord), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_INT(chord_of_char(rows[i].c, &chord), 0);
		CLEANUP(freep) char *keys = joined(&chord);
		CHECK_STR(keys, rows[i].keys);
	}
	CHECK_INT(chord_of_char('\0', &chord), -EINVAL);
	CHECK_INT(chord_of_char('\177', &chord), -EINVAL);
	CHECK_INT(chord_of_char((char)0xc3, &chord), -EINVAL);
}

TEST(a_text_with_another_character_is_refused_as_a_whole)
{
	struct error err = {};
	CHECK_INT(send_key_check_text("abc\n", 4, &err), 0);
	CHECK_INT(send_key_check_text("M\xc3\xbcll", 5, &err), -EINVAL);
	CHECK_STR(err.text, "a US keyboard has no key for '\xc3\xbc' (byte 2)");
}

TEST(keys_are_sent_in_their_order)
{
	static const struct script_step steps[] = {
		{ "send-key", "\"return\": {}",
				.arguments = "{\"keys\":[{\"type\":\"qcode\",\"data\":\"ctrl\"},"
					     "{\"type\":\"qcode\",\"data\":\"c\"}],\"hold-time\":"
					     "1}" },
		{ "send-key", "\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}" },
		{},
	};
	struct script script = script_start(steps);
	struct chord chord;
	struct error err = {};
	CHECK_INT(chord_parse("ctrl-c", &chord, &err), 0);
	CHECK_INT(send_key_chord(script.qmp, &chord, 1, &err), 0);
	CHECK_INT(send_key_chord(script.qmp, &chord, 1, &err), -EREMOTEIO);
	CHECK(script_finish(&script));
}

/* QEMU's own list, from its schema: the enumeration that has "kp_multiply". */
static struct json_object *find_enumeration(struct json_object *schema)
{
	for (size_t i = 0; i < jtree_length(schema); i++) {
		struct json_object *values = jtree_get(jtree_at(schema, i), "values");
		for (size_t k = 0; k < jtree_length(values); k++)
			if (!strcmp(jtree_text(jtree_at(values, k)), "kp_multiply"))
				return values;
	}
	return NULL;
}

static bool is_key(const char *name)
{
	for (size_t i = 0; send_key_names[i]; i++)
		if (!strcmp(send_key_names[i], name))
			return true;
	return false;
}

TEST(the_names_are_those_of_qemu)
{
	/* QEMU ends when all has come: a "quit" would cut off what it has not yet written. */
	FILE *qemu = popen("exec bash -s 2>/dev/null <<'EOT'\n"
			   "coproc exec qemu-system-x86_64 -M none -display none -qmp stdio -S\n"
			   "echo \"{'execute':'qmp_capabilities'} {'execute':'query-qmp-schema'}\" "
			   ">&${COPROC[1]}\n"
			   "while read -r line; do\n"
			   "	case $line in '{\"return\": ['*) echo \"$line\"; break;; esac\n"
			   "done <&${COPROC[0]}\n"
			   "kill $COPROC_PID\n"
			   "EOT\n",
			"r");
	CLEANUP(freep) char *line = NULL;
	size_t size = 0;
	ssize_t len = getline(&line, &size, qemu);
	pclose(qemu);
	if (len <= 0)
		SKIP("qemu-system-x86_64 is not installed");
	CLEANUP(jtree_putp) struct json_object *reply = json_tokener_parse(line);
	struct json_object *values = find_enumeration(jtree_get(reply, "return"));
	CHECK(values);
	size_t n_known = 0;
	for (size_t k = 0; k < jtree_length(values); k++) {
		const char *name = jtree_text(jtree_at(values, k));
		n_known += is_key(name);
		if (!is_key(name) && strcmp(name, "unmapped") != 0)
			test_note("QEMU's key '%s' is not known here", name);
	}
	/* A newer QEMU may know more; none of ours may be unknown to it. */
	size_t n_ours = 0;
	while (send_key_names[n_ours])
		n_ours++;
	CHECK_INT((int)n_known, (int)n_ours);
	for (size_t i = 0; send_key_aliases[i].name; i++) {
		CHECK(is_key(send_key_aliases[i].key));
		CHECK(!is_key(send_key_aliases[i].name));
	}
}

TEST_MAIN()
