/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/pipes.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct Pipes {
        Pipe spare[PIPES_SPARE_MAX];
        unsigned spare_count;
        unsigned large_count;
};

Pipes *pipes_new(void) {
        return calloc(1, sizeof(Pipes));
}

static void pipe_close(Pipes *pipes, Pipe *pipe) {
        pipe->read_fd = fd_close(pipe->read_fd);
        pipe->write_fd = fd_close(pipe->write_fd);
        if (pipe->large)
                pipes->large_count--;
}

Pipes *pipes_free(Pipes *pipes) {
        while (pipes != NULL && pipes->spare_count > 0)
                pipe_close(pipes, &pipes->spare[--pipes->spare_count]);
        free(pipes);
        return NULL;
}

int pipes_take(Pipes *pipes, Pipe *ret_pipe) {
        Pipe made = PIPE_NONE;
        int fds[2];

        if (pipes->spare_count > 0) {
                *ret_pipe = pipes->spare[--pipes->spare_count];
                return 0;
        }
        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        made.read_fd = fds[0];
        made.write_fd = fds[1];
        if (pipes->large_count < PIPES_LARGE_MAX &&
                fcntl(made.write_fd, F_SETPIPE_SZ, PIPE_SIZE) >= 0) {
                made.large = 1;
                pipes->large_count++;
        }
        *ret_pipe = made;
        return 0;
}

void pipes_give_back(Pipes *pipes, Pipe *pipe) {
        if (pipe->read_fd < 0)
                return;
        if (pipe->held == 0 && pipes->spare_count < PIPES_SPARE_MAX)
                pipes->spare[pipes->spare_count++] = *pipe;
        else
                pipe_close(pipes, pipe);
        *pipe = PIPE_NONE;
}
