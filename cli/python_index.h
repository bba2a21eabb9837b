/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Asks pip on this machine which Python indexes it uses: no index is written down in this program.
 */
#include "base/error.h"

#define PYTHON_INDEX_HOSTS_MAX 16U

typedef struct PythonIndex {
        char *hosts[PYTHON_INDEX_HOSTS_MAX + 1]; /* NULL-ended, owned: "name" or "name:port" */
        unsigned count;
} PythonIndex;

void python_index_donep(PythonIndex *index);

int python_index_ask(PythonIndex *ret_index, Error *error);
/* The hosts of the URLs in an answer of pip's. For tests. */
void python_index_read_config(PythonIndex *index, const char *answer);
void python_index_read_help(PythonIndex *index, const char *answer);
