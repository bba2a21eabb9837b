/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Policies for tests, from text or from the files of tests/data. */
#include "base/cleanup.h"
#include "base/file.h"
#include "policy/parse.h"
#include "tests/helpers/unit.h"

#include <fcntl.h>
#include <string.h>

/* The policy of a text that has to be valid. */
static inline Policy *policy_of(const char *text) {
        Diagnostics diagnostics;
        Policy *policy = NULL;

        if (policy_parse(text, strlen(text), &policy, &diagnostics) < 0)
                fail_msg("%u:%u: %s", diagnostics.items[0].position.line,
                        diagnostics.items[0].position.column, diagnostics.items[0].text);
        return policy;
}

static inline Policy *policy_of_file(const char *path) {
        cleanup_free char *text = NULL;
        size_t size;
        Error error;

        if (file_read(AT_FDCWD, path, POLICY_TEXT_MAX, &text, &size, &error) < 0)
                fail_msg("%s", error.text);
        return policy_of(text);
}
