/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The only file that knows jansson. Numbers are read as doubles: the resource limits of a
 * config.json go up to 2^64-1, which jansson's own integers refuse.
 */
#include "hook/tree.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>
#include <sys/random.h>

#define KEY_MAX 253U                 /* what a message shows of a key: a whole annotation prefix */
#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here every whole number is a double */

void tree_seed(void) {
        size_t seed = 0; /* 0 lets jansson choose, and open /dev/urandom for it */

        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
                seed = 0;
        json_object_seed(seed);
}

/* jansson says where decoding failed, but not in which member: the last `"key":` before that place.
 */
static size_t key_before(const char *text, size_t position, const char **ret_key) {
        for (size_t end = position; end-- > 1;) {
                if (text[end] != ':' || text[end - 1] != '"')
                        continue;
                for (size_t start = end - 1; start-- > 0;) {
                        if (text[start] != '"')
                                continue;
                        *ret_key = text + start + 1;
                        return end - 2 - start;
                }
        }
        return 0;
}

static int fail_at(
        const char *name, const char *text, size_t size, const json_error_t *where, Error *error) {
        const char *key = "";
        size_t length = 0;

        if (where->position > 0 && (size_t)where->position <= size)
                length = key_before(text, (size_t)where->position, &key);
        if (length > KEY_MAX)
                length = KEY_MAX;
        return error_set(error, ERROR_INPUT, 0, "%s:%d:%d: %s%s%.*s%s", name, where->line,
                where->column, where->text, length > 0 ? " (in the value of '" : "", (int)length,
                key, length > 0 ? "')" : "");
}

int tree_parse(const char *name, const char *text, size_t size, Tree *ret_tree, Error *error) {
        /* NULs are allowed here so that value_string() can refuse them by the name of their key */
        const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
        json_error_t where;
        json_t *root = json_loadb(text, size, flags, &where);

        if (root == NULL)
                return fail_at(name, text, size, &where, error);
        *ret_tree = (Tree){ .name = name, .root = root };
        return 0;
}

Tree tree_free(Tree tree) {
        json_decref(tree.root);
        return (Tree){ 0 };
}

Value tree_root(const Tree *tree) {
        return (Value){ .document = tree->name, .json = tree->root };
}

bool value_present(Value value) {
        return value.json != NULL && !json_is_null(value.json);
}

Value value_member(Value object, const char *key) {
        return (Value){ .document = object.document, .json = json_object_get(object.json, key) };
}

Value value_find(Value from, const char *path) {
        char key[KEY_MAX];

        for (;;) {
                size_t length = strcspn(path, ".");

                assert(length < sizeof(key));
                memcpy(key, path, length);
                key[length] = '\0';
                from = value_member(from, key);
                if (path[length] == '\0')
                        return from;
                path += length + 1;
        }
}

static const char *path_name(const char *path) {
        return path[0] != '\0' ? path : "the whole";
}

/* 1: there; 0: absent; -1: of another type. An empty path means `from` itself. */
static int find_typed(Value from, const char *path, json_type type, const char *expected,
        Value *ret_value, Error *error) {
        Value value = path[0] != '\0' ? value_find(from, path) : from;

        if (!value_present(value))
                return 0;
        if (json_typeof(value.json) != type)
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is not %s", value.document,
                        path_name(path), expected);
        *ret_value = value;
        return 1;
}

int value_string(Value from, const char *path, const char **ret_text, Error *error) {
        Value value = { 0 };
        int r = find_typed(from, path, JSON_STRING, "a string", &value, error);
        const char *text;

        if (r <= 0)
                return r;
        text = json_string_value(value.json);
        if (strlen(text) != json_string_length(value.json))
                return error_set(
                        error, ERROR_INPUT, 0, "%s: '%s' has a NUL in it", value.document, path);
        *ret_text = text;
        return 0;
}

int value_boolean(Value from, const char *path, bool *ret, Error *error) {
        Value value = path[0] != '\0' ? value_find(from, path) : from;

        if (!value_present(value))
                return 0;
        if (!json_is_boolean(value.json))
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is not true or false",
                        value.document, path);
        *ret = json_is_true(value.json);
        return 0;
}

int value_number(Value from, const char *path, uint64_t max, uint64_t *ret, Error *error) {
        Value value = { 0 };
        int r = find_typed(from, path, JSON_REAL, "a number", &value, error);
        double number;
        uint64_t whole;

        if (r <= 0)
                return r;
        number = json_real_value(value.json);
        if (number < 0)
                return error_set(
                        error, ERROR_INPUT, 0, "%s: '%s' is negative", value.document, path);
        whole = number > EXACT_MAX ? UINT64_MAX : (uint64_t)number;
        if (number <= EXACT_MAX && (double)whole != number)
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is not a whole number",
                        value.document, path);
        if (whole > max)
                return error_set(error, ERROR_INPUT, 0, "%s: '%s' is more than %llu",
                        value.document, path, (unsigned long long)max);
        *ret = whole;
        return 0;
}

int value_list(Value from, const char *path, Value *ret_list, Error *error) {
        int r = find_typed(from, path, JSON_ARRAY, "a list", ret_list, error);

        return r < 0 ? r : 0;
}

int value_object(Value from, const char *path, Value *ret_object, Error *error) {
        int r = find_typed(from, path, JSON_OBJECT, "an object", ret_object, error);

        return r < 0 ? r : 0;
}

size_t value_count(Value list) {
        return json_array_size(list.json);
}

Value value_at(Value list, size_t index) {
        return (Value){ .document = list.document, .json = json_array_get(list.json, index) };
}

bool value_next(Value object, void **iterator, const char **ret_key, Value *ret_value) {
        json_t *json =
                (json_t *)(uintptr_t)
                        object.json; /* jansson's iterator wants it writable, and only reads */

        *iterator =
                *iterator == NULL ? json_object_iter(json) : json_object_iter_next(json, *iterator);
        if (*iterator == NULL)
                return false;
        *ret_key = json_object_iter_key(*iterator);
        *ret_value =
                (Value){ .document = object.document, .json = json_object_iter_value(*iterator) };
        return true;
}
