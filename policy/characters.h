/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Characters of a policy file: UTF-8, and only what an editor shows as it is. A character that ends
 * a line for the parser and not on the screen would hide a rule behind a comment.
 */
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (left > 0), which goes to *ret_character; 0 when it is not UTF-8. */
size_t character_read(const char *text, size_t left, uint32_t *ret_character);

/* Why the character may not stand in a file, nor in a value; NULL when it may. Line ends are the
 * caller's to judge. */
const char *character_refusal(uint32_t character);
