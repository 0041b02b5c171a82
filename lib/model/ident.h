/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identifiers that are the same on every host and after every restart, because they follow from the
 * machine's id and name and the name of the thing: the guest's licences, network configuration and
 * disk mounts hang on them. Bit for bit those of the Go program.
 *
 *	struct ident id = { .machine_id = vm->uuid, .machine_name = vm->name };
 *	char mac[MAC_TEXT_MAX];
 *	ident_mac(&id, "lan", mac);
 *
 * Each is read from SHAKE128 over the machine's id (16 bytes in the order of the text), then its
 * name and some words that say what is wanted, each with its length in bytes before it (8 bytes,
 * big endian). Names may hold any byte but NUL and be of any length.
 */
#pragma once

#include <stdint.h>

#include "util/error.h"
#include "util/parse.h"

struct ident {
	const uint8_t *machine_id; /* 16 bytes; all zero if the machine has none */
	const char *machine_name;
};

/* Lower case, of the range 52:54:00 that QEMU's guests use. */
void ident_mac(const struct ident *id, const char *connection, char ret[MAC_TEXT_MAX]);

#define IDENT_WWN_MAX 35
/* "0x" and 16 upper-case hex digits: NAA 5, company 525400, 36 bits. */
void ident_wwn(const struct ident *id, const char *volume, char ret[IDENT_WWN_MAX]);

#define IDENT_SERIAL_MAX 27
/* 26 characters 0-9 A-V. */
void ident_serial(const struct ident *id, const char *volume, char ret[IDENT_SERIAL_MAX]);

/* The UUID (version 4) of a mediated device. */
void ident_device(const struct ident *id, const char *class_name, const char *device,
		uint8_t ret[16]);

/* The number of the group that may enter the machine's file system shares: 65536 or higher. */
uint32_t ident_group_id(const struct ident *id);
/* Its name, "machina-NAME". The caller frees it. */
char *ident_group_name(const char *machine_name);

/* The context identifier of its vsock(7) device: 65536 to 2^32 - 2. */
uint32_t ident_cid(const struct ident *id);

#define IDENT_LINK_MAX 46
/*
 * The network interface on the host: "MACHINE.CONNECTION" without slashes, spaces and unprintable
 * characters if that is of at most 15 bytes, else 15 characters A-Z a-z 0-9 - _ of its SHA3-224.
 * Does not depend on the machine's id. A byte that is not UTF-8 becomes U+FFFD, as in Go; only then
 * can the name be longer than the 15 bytes that the kernel takes.
 */
void ident_link(const char *machine_name, const char *connection, char ret[IDENT_LINK_MAX]);

/*
 * Read a World Wide Name: hex digits with ':' anywhere between them and "0x" before them; 8 bytes,
 * or 16 when the first digit is 6 (NAA, T10 SPC-4 7.8.6.6). @ret is "0x" and upper-case digits, or
 * "" for "", which means "none". Errors: EINVAL with a text that says which form is expected.
 */
MUST_CHECK int wwn_parse(const char *text, char ret[IDENT_WWN_MAX], struct error *err);

/* Random ones, from getrandom(2), for the commands that print them: UUID version 4, MAC, WWN. */
MUST_CHECK int ident_random_uuid(uint8_t ret[16], struct error *err);
MUST_CHECK int ident_random_mac(char ret[MAC_TEXT_MAX], struct error *err);
MUST_CHECK int ident_random_wwn(char ret[IDENT_WWN_MAX], struct error *err);
