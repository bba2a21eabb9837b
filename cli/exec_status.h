/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The Kubernetes Status that ends a session, or refuses it. */
#include <stddef.h>

/* The exit code of the program: 0 for Success, what the cause ExitCode says, or -1 where no program
 * ran; the message for people is then written. Text that is no Status is its own message. */
int exec_status_read(const char *json, size_t size, char *ret_message, size_t message_size);
