/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The key table: every key of a policy file, its type, its default and its words. It is the one
 * source of the parser (policy/read), of the JSON Schema that editors use (policy/schema) and of
 * the reference page and navigator-policy(5); a test keeps them equal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum KeyKind {
        KEY_TEXT = 1,
        KEY_SCALAR, /* text, or a plain number meant as text */
        KEY_BOOL,
        KEY_NUMBER,         /* minimum..maximum */
        KEY_CHOICE,         /* one of `choices` */
        KEY_TEXTS,          /* list of text */
        KEY_NUMBERS,        /* list of numbers */
        KEY_MATCHER,        /* text, or a map as in `section` */
        KEY_MAP,            /* one map as in `section` */
        KEY_MAPS,           /* list of such maps */
        KEY_NAMED,          /* map from names to such maps */
        KEY_NAMED_MATCHERS, /* map from names to matchers */
        KEY_ANYTHING,       /* never looked into */
} KeyKind;

typedef enum KeyEffect {
        KEY_ENFORCED = 1,
        KEY_ACCEPTED,   /* loads, has no effect here, and that is reported */
        KEY_INSPECTION, /* about reading requests: only where `protocol` asks for that */
        KEY_REFUSED,    /* loads only when it is empty */
} KeyEffect;

typedef struct KeySection KeySection;

typedef struct Key {
        const char *name;
        const char *former; /* an older spelling that is accepted; NULL */
        KeyKind kind;
        KeyEffect effect;
        bool required;
        size_t offset;              /* of the pointer in the section's draft */
        const char *const *choices; /* NULL-ended, in the order of the model's enumeration */
        uint32_t minimum, maximum;  /* of numbers */
        const char *pattern;        /* what each text matches, for editors: the parser has words */
        const KeySection *section;
        const char *initial; /* default, as the reference says it; NULL: none */
        const char *help;    /* whole sentences */
        const char *reason;  /* of KEY_ACCEPTED and KEY_REFUSED: why */
} Key;

struct KeySection {
        const char
                *title; /* of the reference page, and what messages call it: "filesystem_policy" */
        const char *help;
        const Key *keys;
        size_t count;
        size_t size; /* of the draft */
};

extern const KeySection keys_policy, keys_filesystem, keys_landlock, keys_process, keys_inference,
        keys_network, keys_binary, keys_endpoint, keys_rule, keys_allow, keys_deny, keys_matcher,
        keys_operation, keys_binding, keys_json_rpc, keys_mcp;

/* The key called so, or NULL. */
const Key *keys_find(const KeySection *section, const char *name);
/* The key that was probably meant by an unknown name, or NULL. */
const char *keys_guess(const KeySection *section, const char *name);
/* The same among a list of words. */
const char *keys_guess_word(const char *const *words, const char *name);
