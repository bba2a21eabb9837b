/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Asks pip on this machine which Python indexes it uses, and where these have their files: no host
 * of an index is written down in this program.
 */
#include "base/error.h"

#define PYTHON_INDEX_HOSTS_MAX 16U

typedef struct PythonIndex {
        char *hosts[PYTHON_INDEX_HOSTS_MAX + 1]; /* NULL-ended, owned: "name" or "name:port" */
        unsigned count;
} PythonIndex;

void python_index_donep(PythonIndex *index);

/* Needs pip >= 22.2 (--report) and the index itself: a dry run asks it for one package. */
int python_index_ask(PythonIndex *ret_index, Error *error);
/* The hosts of the URLs in an answer of pip's. For tests. */
void python_index_read_config(PythonIndex *index, const char *answer);
void python_index_read_help(PythonIndex *index, const char *answer);
void python_index_read_report(PythonIndex *index, const char *answer);
