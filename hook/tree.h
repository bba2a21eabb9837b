/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Tree: a JSON text, read strictly. A repeated key is an error, so is a NUL in a string that is
 * used, so is a value of another type than its reader expects. Errors say "NAME:LINE:COLUMN: ..."
 * or "NAME: 'process.cwd' ...".
 *
 * A Value is a place in the tree: cheap, passed by value, valid as long as its text. Reading a
 * member of an absent value gives an absent value, so that a path needs one test at its end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct json_t;

typedef struct Value {
        const char *document;      /* borrowed: what messages call the text */
        const struct json_t *json; /* borrowed; NULL when absent or null */
} Value;

typedef struct Tree {
        const char *name;
        struct json_t *root; /* owned */
} Tree;

/* Draws the random seed of the hash tables; before a jail, in which jansson could not. */
void tree_seed(void);

/* `name` is borrowed for the life of the tree. The text must hold one object or list. ERROR_INPUT
 * names line and column. */
int tree_parse(const char *name, const char *text, size_t size, Tree *ret_tree, Error *error);
Tree tree_free(Tree tree);
DEFINE_CLEANUP(Tree, tree_free);

Value tree_root(const Tree *tree);
bool value_present(Value value);
/* The member of that very name (names with dots are one name). Absent when there is none, or
 * `object` is not an object. */
Value value_member(Value object, const char *key);
/* A dotted path of members: "process.user.uid". */
Value value_find(Value from, const char *path);

/* Readers: an absent value leaves *ret untouched; another type is ERROR_INPUT. Strings are borrowed
 * from the tree. */
int value_string(Value from, const char *path, const char **ret_text, Error *error);
int value_boolean(Value from, const char *path, bool *ret, Error *error);
/* Whole numbers from 0 to `max`. JSON knows only doubles: above 2^53 every number reads as
 * UINT64_MAX ("no limit"). */
int value_number(Value from, const char *path, uint64_t max, uint64_t *ret, Error *error);
/* The list or object itself; absent stays absent. */
int value_list(Value from, const char *path, Value *ret_list, Error *error);
int value_object(Value from, const char *path, Value *ret_object, Error *error);

/* Items of a list. */
size_t value_count(Value list);
Value value_at(Value list, size_t index);

/* Members of an object, in the order of the text: start with *iterator = NULL; false at the end.
 * The key ends at its NUL. */
bool value_next(Value object, void **iterator, const char **ret_key, Value *ret_value);
