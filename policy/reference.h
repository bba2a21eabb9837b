/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The keys of a policy file as Markdown, from the key table: the generated part of
 * docs/formats/policy.md. */
#include <stdio.h>

void reference_print(FILE *out);
