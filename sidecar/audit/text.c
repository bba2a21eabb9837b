/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is not printable ASCII is escaped; what is not UTF-8 becomes U+FFFD, as jansson and others
 * would refuse such a line.
 */
#include "sidecar/audit/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xfffdU /* U+FFFD */

bool audit_text_append(AuditText *text, const char *more, size_t size) {
        if (text->size + size >= text->room)
                return false;
        memcpy(text->data + text->size, more, size);
        text->size += size;
        text->data[text->size] = '\0';
        return true;
}

bool audit_text_add(AuditText *text, const char *more) {
        return audit_text_append(text, more, strlen(more));
}

/* Decodes one character of *text (NUL-terminated). Overlong forms, surrogates and what lies above
 * U+10FFFF are no UTF-8 (RFC 3629). */
static uint32_t next_character(const unsigned char **text) {
        static const struct {
                unsigned char mask, lead, more;
                uint32_t least;
        } forms[] = {
                { 0x80, 0x00, 0, 0 },
                { 0xe0, 0xc0, 1, 0x80 },
                { 0xf0, 0xe0, 2, 0x800 },
                { 0xf8, 0xf0, 3, 0x10000 },
        };
        const unsigned char *at = *text;

        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                uint32_t character = at[0] & (unsigned char)~forms[i].mask;
                unsigned have = 0;

                if ((at[0] & forms[i].mask) != forms[i].lead)
                        continue;
                while (have < forms[i].more && (at[1 + have] & 0xc0) == 0x80)
                        character = character << 6 | (at[1 + have++] & 0x3f);
                if (have < forms[i].more || character < forms[i].least || character > 0x10ffff ||
                        (character >= 0xd800 && character < 0xe000))
                        break;
                *text = at + 1 + have;
                return character;
        }
        *text = at + 1;
        return REPLACEMENT;
}

static int escape(uint32_t character, char ret_text[static 13]) {
        if (character == '"' || character == '\\')
                return snprintf(ret_text, 13, "\\%c", (char)character);
        if (character >= 0x20 && character < 0x7f)
                return snprintf(ret_text, 13, "%c", (char)character);
        if (character < 0x10000)
                return snprintf(ret_text, 13, "\\u%04" PRIx32, character);
        character -= 0x10000;
        return snprintf(ret_text, 13, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (character >> 10),
                0xdc00 + (character & 0x3ff));
}

bool audit_text_add_string(AuditText *text, const char *value, size_t room, bool *cut) {
        const unsigned char *at = (const unsigned char *)value;
        size_t start = text->size;
        char escaped[13];

        if (text->size + 2 >= text->room)
                return false;
        (void)audit_text_add(text, "\"");
        while (*at != '\0') {
                size_t size = (size_t)escape(next_character(&at), escaped);

                if (text->size + size - start > room || text->size + size + 1 >= text->room) {
                        *cut = true;
                        break;
                }
                (void)audit_text_append(text, escaped, size);
        }
        return audit_text_add(text, "\"");
}
