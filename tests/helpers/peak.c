/* SPDX-License-Identifier: Apache-2.0 */

/*
 * test-peak COMMAND [ARGUMENT...]: runs it and ends with its exit code; what it used at most is the
 * only line on descriptor 3, in KiB. A program of its own, because a child's peak counts from its
 * fork: that of a large caller would hide the command's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct rusage used;
        pid_t child;
        int status;

        if (argc < 2)
                return 125;
        child = fork();
        if (child == 0) {
                (void)execvp(argv[1], argv + 1);
                _exit(125);
        }
        if (child < 0 || wait4(child, &status, 0, &used) < 0)
                return 125;
        dprintf(3, "%ld\n", used.ru_maxrss);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
