/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Decimal numbers, strictly: digits only; no sign, no blank, no leading zero (but "0"), nothing behind. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True and *ret_value when text (size bytes, no NUL needed) is a number of at most max. */
bool number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_value);
