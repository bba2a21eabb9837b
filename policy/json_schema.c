/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The key table as a JSON Schema. Draft 7 is what editors' language servers read best. Sections are
 * definitions; a section that is met is defined once, which also ends the recursion.
 */
#include "policy/json.h"

#include "policy/json_value.h"
#include "policy/keys.h"

#include <stdio.h>

typedef struct Schema {
        json_t *definitions; /* borrowed from the object that is made */
} Schema;

static json_t *section_json(Schema *schema, const KeySection *section);

static json_t *typed(const char *type) {
        json_t *object = json_object();

        value_set_text(object, "type", type);
        return object;
}

static json_t *reference_json(Schema *schema, const KeySection *section) {
        json_t *object = json_object();
        char place[128];

        if (json_object_get(schema->definitions, section->title) == NULL) {
                /* holds the place while the section is made */
                (void)json_object_set_new(schema->definitions, section->title, json_true());
                (void)json_object_set_new(
                        schema->definitions, section->title, section_json(schema, section));
        }
        (void)snprintf(place, sizeof(place), "#/definitions/%s", section->title);
        value_set_text(object, "$ref", place);
        return object;
}

static json_t *number_json(const Key *key) {
        json_t *object = typed("integer");

        (void)json_object_set_new(object, "minimum", json_integer(key->minimum));
        (void)json_object_set_new(object, "maximum", json_integer(key->maximum));
        return object;
}

static json_t *choices_json(const Key *key) {
        json_t *object = json_object(), *list = value_set_list(object, "enum");

        for (size_t i = 0; key->choices[i] != NULL; i++)
                (void)json_array_append_new(list, value_text(key->choices[i]));
        return object;
}

static json_t *list_json(json_t *item) {
        json_t *object = typed("array");

        (void)json_object_set_new(object, "items", item);
        return object;
}

static json_t *names_json(json_t *value) {
        json_t *object = typed("object");

        (void)json_object_set_new(object, "additionalProperties", value);
        return object;
}

static json_t *either_json(json_t *first, json_t *second) {
        json_t *object = json_object(), *list = value_set_list(object, "anyOf");

        (void)json_array_append_new(list, first);
        (void)json_array_append_new(list, second);
        return object;
}

static json_t *matcher_json(Schema *schema, const Key *key) {
        return either_json(typed("string"), reference_json(schema, key->section));
}

static json_t *empty_json(void) {
        json_t *object = typed("object");

        (void)json_object_set_new(object, "maxProperties", json_integer(0));
        return object;
}

static json_t *text_schema(const Key *key) {
        json_t *object = typed("string");

        if (key->pattern != NULL)
                value_set_text(object, "pattern", key->pattern);
        return object;
}

static json_t *kind_json(Schema *schema, const Key *key) {
        switch (key->kind) {
        case KEY_SCALAR:
                return either_json(text_schema(key), number_json(key));
        case KEY_BOOL:
                return typed("boolean");
        case KEY_NUMBER:
                return number_json(key);
        case KEY_CHOICE:
                return choices_json(key);
        case KEY_TEXTS:
                return list_json(text_schema(key));
        case KEY_NUMBERS:
                return list_json(number_json(key));
        case KEY_MATCHER:
                return matcher_json(schema, key);
        case KEY_MAP:
                return reference_json(schema, key->section);
        case KEY_MAPS:
                return list_json(reference_json(schema, key->section));
        case KEY_NAMED:
                return names_json(reference_json(schema, key->section));
        case KEY_NAMED_MATCHERS:
                return names_json(matcher_json(schema, key));
        case KEY_ANYTHING:
                return empty_json();
        case KEY_TEXT:
        default:
                return text_schema(key);
        }
}

static json_t *key_json(Schema *schema, const Key *key) {
        json_t *object = kind_json(schema, key), *described;

        if (json_object_get(object, "$ref") == NULL) {
                value_set_text(object, "description", key->help);
                return object;
        }
        /* draft 7 ignores what stands beside a $ref */
        described = json_object();
        value_set_text(described, "description", key->help);
        (void)json_array_append_new(value_set_list(described, "allOf"), object);
        return described;
}

static json_t *section_json(Schema *schema, const KeySection *section) {
        json_t *object = typed("object"), *properties = json_object(), *required = json_array();

        if (section->help != NULL)
                value_set_text(object, "description", section->help);
        value_set_bool(object, "additionalProperties", false);
        for (size_t i = 0; i < section->count; i++) {
                const Key *key = &section->keys[i];

                (void)json_object_set_new(properties, key->name, key_json(schema, key));
                if (key->former != NULL)
                        (void)json_object_set_new(properties, key->former, key_json(schema, key));
                if (key->required)
                        (void)json_array_append_new(required, value_text(key->name));
        }
        (void)json_object_set_new(object, "properties", properties);
        if (json_array_size(required) > 0)
                (void)json_object_set_new(object, "required", required);
        else
                json_decref(required);
        return object;
}

char *json_schema(void) {
        Schema schema = { .definitions = json_object() };
        json_t *object = section_json(&schema, &keys_policy), *whole = json_object();

        value_set_text(whole, "$schema", "http://json-schema.org/draft-07/schema#");
        value_set_text(whole, "title", "Navigator policy");
        (void)json_object_update(whole, object);
        json_decref(object);
        (void)json_object_set_new(whole, "definitions", schema.definitions);
        return value_finish(whole);
}
