/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/terminal.h"

#include <sys/ioctl.h>

void terminal_make_raw(int fd, TerminalMode *ret_before) {
        struct termios raw;

        *ret_before = (TerminalMode){ .changed = false };
        if (tcgetattr(fd, &ret_before->settings) < 0)
                return;
        raw = ret_before->settings;
        cfmakeraw(&raw);
        ret_before->changed = tcsetattr(fd, TCSADRAIN, &raw) == 0;
}

void terminal_restore(int fd, const TerminalMode *mode) {
        if (mode->changed)
                (void)tcsetattr(fd, TCSADRAIN, &mode->settings);
}

TerminalSize terminal_size(int fd) {
        struct winsize size = { 0 };

        (void)ioctl(fd, TIOCGWINSZ, &size);
        return (TerminalSize){ size.ws_col, size.ws_row };
}
