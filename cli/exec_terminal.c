/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/exec_terminal.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

void exec_terminal_take(ExecTerminal *terminal) {
        struct termios raw;

        *terminal = (ExecTerminal){ .raw = false };
        if (tcgetattr(STDIN_FILENO, &terminal->before) < 0)
                return;
        raw = terminal->before;
        cfmakeraw(&raw);
        terminal->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void exec_terminal_give_back(ExecTerminal *terminal) {
        if (terminal->raw)
                (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
        terminal->raw = false;
}

bool exec_terminal_size(char *ret_json, size_t size) {
        struct winsize window;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row == 0 ||
                window.ws_col == 0)
                return false;
        (void)snprintf(ret_json, size, "{\"Width\":%u,\"Height\":%u}", (unsigned)window.ws_col,
                (unsigned)window.ws_row);
        return true;
}
