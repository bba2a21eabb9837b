/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml ends lines, and with them comments, at U+0085, U+2028 and U+2029; editors, diffs and web
 * pages show those as nothing. The characters that turn the direction of text reorder a line for
 * the eye only. Neither has a use in a policy.
 */
#include "policy/characters.h"

#include <stdbool.h>

/* First bytes of UTF-8 sequences, their sizes, and what the second byte may be: that excludes
 * overlong forms, surrogates and everything beyond U+10FFFF. */
static const struct {
        unsigned char first, last, size, second_first, second_last;
} sequences[] = {
        { 0x00, 0x7f, 1, 0, 0 },
        { 0xc2, 0xdf, 2, 0x80, 0xbf },
        { 0xe0, 0xe0, 3, 0xa0, 0xbf },
        { 0xe1, 0xec, 3, 0x80, 0xbf },
        { 0xed, 0xed, 3, 0x80, 0x9f },
        { 0xee, 0xef, 3, 0x80, 0xbf },
        { 0xf0, 0xf0, 4, 0x90, 0xbf },
        { 0xf1, 0xf3, 4, 0x80, 0xbf },
        { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

#define CONTROL "control characters are not allowed"
#define LINE_END                                                                                   \
        "this line separator is not allowed: it ends a line for the parser, but not for the eye"

static const struct {
        uint32_t first, last;
        const char *refusal;
} refused[] = {
        { 0x00, 0x00, "NUL bytes are not allowed" },
        { 0x01, 0x08, CONTROL },
        { 0x09, 0x09, "tabs are not allowed; use spaces" },
        { 0x0b, 0x0c, CONTROL },
        { 0x0e, 0x1f, CONTROL },
        { 0x7f, 0x84, CONTROL },
        { 0x85, 0x85, LINE_END },
        { 0x86, 0x9f, CONTROL },
        { 0x2028, 0x2029, LINE_END },
        { 0x202a, 0x202e, "characters that turn the direction of text are not allowed" },
        { 0x2066, 0x2069, "characters that turn the direction of text are not allowed" },
        { 0xfeff, 0xfeff, "a byte order mark is allowed only at the very beginning" },
        { 0xfffe, 0xffff, CONTROL },
};

/* What follows the second byte. */
static bool continues(const unsigned char *text, size_t size) {
        for (size_t i = 2; i < size; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return false;
        return true;
}

size_t character_read(const char *text, size_t left, uint32_t *ret_character) {
        const unsigned char *bytes = (const unsigned char *)text;
        size_t count = sizeof(sequences) / sizeof(*sequences), i = 0, size;
        uint32_t character;

        while (i < count && bytes[0] > sequences[i].last)
                i++;
        if (i == count || bytes[0] < sequences[i].first)
                return 0;
        size = sequences[i].size;
        if (size > 1 && (size > left || bytes[1] < sequences[i].second_first ||
                                bytes[1] > sequences[i].second_last || !continues(bytes, size)))
                return 0;
        character = size == 1 ? bytes[0] : bytes[0] & (0x7fU >> size);
        for (size_t at = 1; at < size; at++)
                character = character << 6 | (bytes[at] & 0x3fU);
        *ret_character = character;
        return size;
}

const char *character_refusal(uint32_t character) {
        for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
                if (character >= refused[i].first && character <= refused[i].last)
                        return refused[i].refusal;
        return NULL;
}
