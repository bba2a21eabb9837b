/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The caller's terminal while a session has it: raw, and given back as it was. */
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef struct ExecTerminal {
        bool raw;
        struct termios before;
} ExecTerminal;

/* Nothing happens when standard input is no terminal. */
void exec_terminal_take(ExecTerminal *terminal);
void exec_terminal_give_back(ExecTerminal *terminal);

/* The size as remotecommand wants it; false when there is none. */
bool exec_terminal_size(char *ret_json, size_t size);
