/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Resize: `{"Width":100,"Height":30}`, as kubectl and others write it: any case, several behind one
 * another, the last one counts. */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* ERROR_PEER: not JSON, or no object with both numbers from 0 to 65535. */
int resize_parse(
        const char *text, size_t size, uint16_t *ret_columns, uint16_t *ret_rows, Error *error);
