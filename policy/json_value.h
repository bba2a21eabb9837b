/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The values that our JSON is put together from. Private to policy/json, json_show and json_schema,
 * which with this are the files of policy/ that know jansson. Without memory a value is NULL, which
 * all of these take.
 */
#include <jansson.h>
#include <stdbool.h>

#include "policy/policy.h"

/* Text of a file is UTF-8; a message that was cut may end inside a character. */
json_t *value_text(const char *text);
void value_set_text(json_t *object, const char *key, const char *text);
void value_set_bool(json_t *object, const char *key, bool value);
/* "line" and "column", where an author wrote it. */
void value_set_place(json_t *object, PolicyPosition position);
/* A new list; borrowed from the object. */
json_t *value_set_list(json_t *object, const char *key);

/* "hash": the canonical one. */
void value_set_hash(json_t *object, const Policy *policy);
/* {"kind", "line", "column", "text"}; kind may be NULL. */
void value_add_message(json_t *list, const char *kind, PolicyPosition position, const char *text);
void value_set_findings(json_t *object, const Policy *policy);
/* {"path", "access", "origin", "must_exist", "line", "column"} */
json_t *value_path(const PolicyPath *path);

/* The object as indented text, malloc'ed; the object is gone. NULL without memory. */
char *value_finish(json_t *object);
