/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON Schema (draft 2020-12) from a field table, for editors.
 */
#pragma once

#include "json/jbind.h"

/* Returns a new object; the caller releases it with json_object_put(). */
struct json_object *jschema(const struct field *fields, const char *title, const char *description);
