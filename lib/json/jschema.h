/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON Schema (draft 2020-12, json-schema.org) from a field table, for editors.
 *
 * It says of a file what jcheck() says, as far as a schema can: forms that a field_check decides
 * (a MAC address) are any string in it, and that a list must not have one name twice is not in it.
 * What the schema refuses, jcheck() refuses.
 */
#pragma once

#include "json/jbind.h"

/*
 * Returns a new object, with keys in the order of the table; the caller releases it with
 * json_object_put().
 *
 * @title, @description: of the format
 */
struct json_object *jschema(const struct field *fields, const char *title, const char *description);
