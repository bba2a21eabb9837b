/* SPDX-License-Identifier: Apache-2.0 */

#include "base/number.h"

bool number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_value) {
        uint64_t value = 0;

        if (size == 0 || (text[0] == '0' && size > 1))
                return false;
        for (size_t i = 0; i < size; i++) {
                unsigned digit = (unsigned)(unsigned char)text[i] - '0';

                if (digit > 9)
                        return false;
                if (__builtin_mul_overflow(value, 10U, &value) || __builtin_add_overflow(value, digit, &value))
                        return false;
        }
        if (value > max)
                return false;
        *ret_value = value;
        return true;
}
