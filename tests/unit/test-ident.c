/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of model/ident.h. identifiers.tsv of the vectors holds what the Go program printed: kind,
 * machine id (empty: not set), machine name, item name, device class, identifier.
 */
#include "model/ident.h"

#include "test.h"
#include "util/file.h"
#include "util/mem.h"
#include "util/parse.h"

/* The identifier of @kind as text, "" for a kind that there is not. */
static char *make(
		const char *kind, const struct ident *id, const char *item, const char *class_name)
{
	char text[IDENT_LINK_MAX] = "";
	uint8_t uuid[16];

	if (!strcmp(kind, "group-name"))
		return ident_group_name(id->machine_name);
	if (!strcmp(kind, "group-id"))
		snprintf(text, sizeof(text), "%" PRIu32, ident_group_id(id));
	else if (!strcmp(kind, "cid"))
		snprintf(text, sizeof(text), "%" PRIu32, ident_cid(id));
	else if (!strcmp(kind, "mac"))
		ident_mac(id, item, text);
	else if (!strcmp(kind, "wwn"))
		ident_wwn(id, item, text);
	else if (!strcmp(kind, "serial"))
		ident_serial(id, item, text);
	else if (!strcmp(kind, "link-name"))
		ident_link(id->machine_name, item, text);
	else if (!strcmp(kind, "device-id")) {
		ident_device(id, class_name, item, uuid);
		format_uuid(uuid, text);
	}
	return xstrdup(text);
}

static void check_row(char *row)
{
	char *cells[6] = {};
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		cells[i] = strsep(&row, "\t");
	if (!cells[5]) {
		TEST_FAIL("a row has too few cells");
		return;
	}
	uint8_t uuid[16] = {};
	if (*cells[1])
		CHECK_INT(parse_uuid(cells[1], uuid), 0);
	struct ident id = { .machine_id = uuid, .machine_name = cells[2] };
	CLEANUP(freep) char *got = make(cells[0], &id, cells[3], cells[4]);
	if (strcmp(got, cells[5]) != 0)
		TEST_FAIL("%s of '%s' in '%s': expected %s, got %s", cells[0], cells[3], cells[2],
				cells[5], got);
}

TEST(identifiers_are_those_of_the_go_program)
{
	CLEANUP(buf_done) struct buf text = {};
	struct error err = {};
	if (file_read(TEST_VECTORS "/identifiers.tsv", 1 << 20, &text, &err) < 0) {
		TEST_FAIL("%s", err.text);
		return;
	}
	size_t n = 0;
	char *rest = text.text;
	strsep(&rest, "\n"); /* the header */
	for (char *row = strsep(&rest, "\n"); row && *row; row = strsep(&rest, "\n"), n++)
		check_row(row);
	CHECK_INT(n, 60);
}

static const uint8_t test_vm_id[16] = { 0x8b, 0x18, 0x19, 0x1a, 0x23, 0x4f, 0x45, 0xce, 0xb4, 0x3c,
	0xb4, 0x6e, 0x28, 0xcd, 0x2f, 0x70 };
static const struct ident test_vm = { test_vm_id, "test-vm" };

static void check(const char *kind, const struct ident *id, const char *item,
		const char *class_name, const char *expected)
{
	CLEANUP(freep) char *got = make(kind, id, item, class_name);
	CHECK_STR(got, expected);
}

TEST(worked_examples)
{
	check("mac", &test_vm, "0", "", "52:54:00:26:77:fa");
	check("wwn", &test_vm, "os", "", "0x5525400908FE6258");
	check("serial", &test_vm, "os", "", "9IQ4PUV68QOCNS2C75OKUS04I4");
	check("device-id", &test_vm, "vgpu", "cad-standard",
			"3e2cee4d-1002-4989-af98-3e03b8ad3197");
	check("group-id", &test_vm, "", "", "2584257136");
	check("cid", &test_vm, "", "", "984483145");
	struct ident id = { test_vm_id, "a-long-machine-name" };
	check("link-name", &id, "a", "", "ZhrPDKDAF9WNFcs");
}

/* Values from another implementation of SHAKE128. */
TEST(names_may_be_long_empty_or_no_utf8)
{
	CLEANUP(freep) char *name = xcalloc(1, 1001);
	memset(name, 'n', 1000);
	struct ident id = { test_vm_id, name };
	check("mac", &id, name, "", "52:54:00:37:f5:80");
	check("serial", &id, name, "", "I8A40ADJ692IIBNMNT5JTH181C");
	id.machine_name = "";
	check("mac", &id, "", "", "52:54:00:35:d2:eb");
	check("device-id", &id, "", "", "cd4c6253-d65d-43b4-a8bf-4342c8cecf05");
	id.machine_name = "\xff\xfe";
	check("wwn", &id, "\x80", "", "0x5525400541352A18");
}

TEST(wwn_that_is_derived_reads_as_one)
{
	static const char *const names[] = { "", "os", "data", "x y", "a-long-name-of-a-volume" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char wwn[IDENT_WWN_MAX], again[IDENT_WWN_MAX];
		ident_wwn(&test_vm, names[i], wwn);
		CHECK_INT(wwn_parse(wwn, again, NULL), 0);
		CHECK_STR(again, wwn);
	}
}

TEST(link_name_is_hashed_from_16_bytes_on)
{
	char link[IDENT_LINK_MAX];
	ident_link("exact15-len", "abc", link);
	CHECK_STR(link, "exact15-len.abc");
	ident_link("exact15-len", "abcd", link);
	CHECK_STR(link, "BP9aDfevnh4Yk_M");
	/* The length counts before anything is taken out, and in bytes. */
	ident_link("a b c d e", "f g h i", link);
	CHECK_STR(link, "FWkZjtr39RfwfrU");
	ident_link("\xc3\xa4\xc3\xa4\xc3\xa4", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", link);
	CHECK_STR(link, "\xc3\xa4\xc3\xa4\xc3\xa4.\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	ident_link("\xc3\xa4\xc3\xa4\xc3\xa4", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4z", link);
	CHECK_STR(link, "zdTYq1OA-a8w-kY");
}

TEST(link_name_leaves_out_what_cannot_be_printed)
{
	static const struct {
		const char *machine, *connection, *expected;
	} rows[] = {
		{ "sp ace", "c/d", "space.cd" },
		{ "a\tb\nc", "d\x7f\x01", "abc.d" },
		{ "a,b", "'\"%$", "a,b.'\"%$" },
		{ "nbsp\xc2\xa0", "x", "nbsp.x" },
		{ "nel\xc2\x85", "x", "nel.x" },
		{ "em\xe2\x80\x83", "x", "em.x" },
		{ "ideo\xe3\x80\x80", "x", "ideo.x" },
		{ "shy\xc2\xad", "x", "shy.x" },
		{ "zwj\xe2\x80\x8d", "x", "zwj.x" },
		{ "bom\xef\xbb\xbf", "x", "bom.x" },
		{ "pua\xee\x80\x80", "x", "pua.x" },
		{ "tag\xf3\xa0\x80\x81", "x", "tag.x" },
		{ "no\xef\xbf\xbf", "x", "no.x" },
		{ "smile\xf0\x9f\x98\x80", "x", "smile\xf0\x9f\x98\x80.x" },
		{ "e\xcc\x81", "x", "e\xcc\x81.x" },
		{ "rep\xef\xbf\xbd", "x", "rep\xef\xbf\xbd.x" },
		{ "bad\xff", "\xc3", "bad\xef\xbf\xbd.\xef\xbf\xbd" },
		{ "", "", "." },
		{ " /", "/ ", "." },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char link[IDENT_LINK_MAX];
		ident_link(rows[i].machine, rows[i].connection, link);
		CHECK_STR(link, rows[i].expected);
	}
	/* The longest there can be. */
	char link[IDENT_LINK_MAX];
	ident_link("\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff\xff\xff", link);
	CHECK_INT(strlen(link), 14 * 3 + 1);
}

TEST(wwn_forms)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "0x5525400908FE6258", "0x5525400908FE6258" },
		{ "5525400908fe6258", "0x5525400908FE6258" },
		{ "55:25:40:09:08:fe:62:58", "0x5525400908FE6258" },
		{ "0x55:25:4009:08fe62:58:", "0x5525400908FE6258" },
		{ "0:x5525400908FE6258", "0x5525400908FE6258" },
		{ ":::5525400908FE6258", "0x5525400908FE6258" },
		{ "1000000000000000", "0x1000000000000000" },
		{ "2000000000000000", "0x2000000000000000" },
		{ "c000000000000000", "0xC000000000000000" },
		{ "D000000000000000", "0xD000000000000000" },
		{ "e000000000000000", "0xE000000000000000" },
		{ "0xffffffffffffffff", "0xFFFFFFFFFFFFFFFF" },
		{ "60000000000000010000000000000002", "0x60000000000000010000000000000002" },
		{ "0x6fffffffffffffff:ffffffffffffffff", "0x6FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char wwn[IDENT_WWN_MAX] = "untouched";
		CHECK_INT(wwn_parse(rows[i][0], wwn, NULL), 0);
		CHECK_STR(wwn, rows[i][1]);
	}
}

TEST(wwn_of_another_form_is_refused)
{
	static const char *const rows[] = {
		":",
		"0x",
		"x",
		"0X5525400908FE6258",
		"0x0x5525400908FE6258",
		"0x5525400908FE625",
		"0x5525400908FE62580",
		"0x5525400908FE625G",
		" 5525400908FE6258",
		"5525400908FE6258 ",
		"55-25-40-09-08-FE-62-58",
		"0000000000000000",
		"0525400908FE6258",
		"3525400908FE6258",
		"4525400908FE6258",
		"7525400908FE6258",
		"8525400908FE6258",
		"9525400908FE6258",
		"a525400908FE6258",
		"b525400908FE6258",
		"6525400908FE6258",
		"55254009080000005525400908000000",
		"6000000000000001000000000000000",
		"600000000000000100000000000000020",
		"6000000000000001000000000000000200",
		"0x600000000000000100000000000000021234567890123456789012345678901234567890",
		"\xef\xbc\x95\x35\x32\x35\x34\x30\x30\x39\x30\x38\x46\x45\x36\x32",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char wwn[IDENT_WWN_MAX] = "untouched";
		struct error err = {};
		if (wwn_parse(rows[i], wwn, &err) != -EINVAL || strcmp(wwn, "untouched") != 0)
			TEST_FAIL("wwn_parse(\"%s\") took it", rows[i]);
		CHECK(strstr(err.text, rows[i]) != NULL);
	}
	struct error err = {};
	char wwn[IDENT_WWN_MAX];
	CHECK_INT(wwn_parse("0x12", wwn, &err), -EINVAL);
	CHECK_STR(err.text, "expected a World Wide Name: 16 hex digits that begin with 1, 2, 5, C, "
			    "D, E or F, "
			    "or 32 that begin with 6, found \"0x12\"");
}

TEST(random_identifiers_have_the_form_and_differ)
{
	uint8_t uuid[2][16], mac_bytes[6];
	char mac[2][MAC_TEXT_MAX], wwn[2][IDENT_WWN_MAX], again[IDENT_WWN_MAX];
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(ident_random_uuid(uuid[i], NULL), 0);
		CHECK_INT(uuid[i][6] >> 4, 4);
		CHECK_INT(uuid[i][8] >> 6, 2);
		CHECK_INT(ident_random_mac(mac[i], NULL), 0);
		CHECK(!strncmp(mac[i], "52:54:00:", 9));
		CHECK_INT(parse_mac(mac[i], mac_bytes), 0);
		CHECK_INT(ident_random_wwn(wwn[i], NULL), 0);
		CHECK(!strncmp(wwn[i], "0x5525400", 9));
		CHECK_INT(wwn_parse(wwn[i], again, NULL), 0);
		CHECK_STR(again, wwn[i]);
	}
	/* 24 bits may be equal once in a while: with a third one, the chance is 1 in 10^14. */
	CHECK(memcmp(uuid[0], uuid[1], 16) != 0);
	CHECK(strcmp(wwn[0], wwn[1]) != 0);
	char third[MAC_TEXT_MAX];
	CHECK_INT(ident_random_mac(third, NULL), 0);
	CHECK(strcmp(mac[0], mac[1]) != 0 || strcmp(mac[0], third) != 0);
}
TEST_MAIN()
