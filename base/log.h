/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Log lines for the operator, on stderr: "navigator-gateway: warning: ...". Only main functions, loop callbacks and deliverers log; a
 * library function returns an Error. Audit lines are another thing: sidecar/audit.
 */
#include "base/error.h"

typedef enum LogLevel { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

/* Call once from main. program is borrowed for the life of the process. */
void log_open(const char *program, LogLevel most);

/* One write(2), so that lines of several processes never mix. Control bytes become '?'. */
printf_like(2, 3) void log_line(LogLevel level, const char *format, ...);
/* Logs error->text behind what was being done, as an error; returns -1. */
printf_like(2, 3) int log_error(const Error *error, const char *format, ...);
