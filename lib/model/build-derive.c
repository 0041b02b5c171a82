/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variables of patterns, and derived identifiers as texts of the machine. */
#include "model/build.h"

#include <string.h>

#include "util/parse.h"

/* "volume" stands first, so that the patterns of ports see all but it. */
#define FIRST_PORT_VAR 1

void build_vars(struct build *b)
{
	struct arena *arena = &b->vm->arena;
	const struct jpairs *own = &b->conf->vars;
	char *id = arena_alloc(arena, UUID_TEXT_MAX);
	format_uuid(b->vm->uuid, id);

	const struct var built_in[] = {
		{ "volume", "" },
		{ "machine-name", b->vm->name },
		{ "machine-description", b->vm->description },
		{ "machine-id", id },
	};
	b->n_vars = ARRAY_SIZE(built_in) + own->n;
	b->vars = arena_array(arena, b->n_vars, sizeof(*b->vars));
	memcpy(b->vars, built_in, sizeof(built_in));
	for (size_t i = 0; i < own->n; i++)
		b->vars[ARRAY_SIZE(built_in) + i] =
				(struct var){ own->items[i].key, own->items[i].value };
}

struct vars build_port_vars(const struct build *b)
{
	return (struct vars){ .rows = b->vars + FIRST_PORT_VAR, .n = b->n_vars - FIRST_PORT_VAR };
}

int build_expand(struct build *b, const char *pattern, const char *volume, struct buf *ret,
		struct error *err)
{
	b->vars[0].value = volume;
	return vars_expand(&(struct vars){ .rows = b->vars, .n = b->n_vars }, pattern, ret, err);
}

const char *build_derive_mac(struct build *b, const char *connection)
{
	char *text = arena_alloc(&b->vm->arena, MAC_TEXT_MAX);
	ident_mac(&b->ident, connection, text);
	return text;
}

const char *build_derive_wwn(struct build *b, const char *volume)
{
	char *text = arena_alloc(&b->vm->arena, IDENT_WWN_MAX);
	ident_wwn(&b->ident, volume, text);
	return text;
}

const char *build_derive_serial(struct build *b, const char *volume)
{
	char *text = arena_alloc(&b->vm->arena, IDENT_SERIAL_MAX);
	ident_serial(&b->ident, volume, text);
	return text;
}

const char *build_derive_device_id(struct build *b, const char *class_name, const char *device)
{
	uint8_t uuid[16];
	char *text = arena_alloc(&b->vm->arena, UUID_TEXT_MAX);
	ident_device(&b->ident, class_name, device, uuid);
	format_uuid(uuid, text);
	return text;
}

const char *build_derive_link(struct build *b, const char *connection)
{
	char *text = arena_alloc(&b->vm->arena, IDENT_LINK_MAX);
	ident_link(b->vm->name, connection, text);
	return text;
}

int build_wwn(struct build *b, const char *text, const char **ret, struct error *err)
{
	char *canonical = arena_alloc(&b->vm->arena, IDENT_WWN_MAX);
	int r = wwn_parse(text, canonical, err);
	if (r < 0)
		return r;
	*ret = canonical;
	return 0;
}
