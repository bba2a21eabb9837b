/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Our own terminal, while it stands in for one in the sandbox: the line discipline there is the one
 * that counts. Where standard input is no terminal, nothing happens.
 */
#include <stdbool.h>
#include <termios.h>

typedef struct TerminalMode {
        bool changed;
        struct termios settings;
} TerminalMode;

typedef struct TerminalSize {
        unsigned short columns, rows; /* 0: unknown */
} TerminalSize;

void terminal_make_raw(int fd, TerminalMode *ret_before);
void terminal_restore(int fd, const TerminalMode *mode);
TerminalSize terminal_size(int fd);
