/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A terminal has one descriptor for both ways, with one event for reading and one for writing;
 * pipes have one each. An output is finished when read says so: 0 on a pipe, EIO on a terminal
 * whose other side nobody has open.
 */
#include "sidecar/gateway/pipes.h"

#include "base/fd.h"
#include "sidecar/gateway/remotecommand.h"
#include "sidecar/gateway/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Once the 2 s are over: as much as an unprivileged user can make a pipe hold (fs.pipe-max-size),
 * so that a writer who never stops ends. */
#define DRAIN_LAST_MAX (1024U * 1024U)

static const struct timeval drain_limit = { .tv_sec = 2 };

typedef struct Output {
        Pipes *pipes;
        RemoteChannel channel;
        int fd; /* -1: finished, or never there */
        struct event *event;
} Output;

struct Pipes {
        Stream *stream; /* borrowed */
        const PipesEvents *events;
        void *owner;

        int terminal; /* owned by outputs[0] */
        Output outputs[2];
        bool output_stopped; /* the stream is full */

        int input; /* the terminal's, too */
        struct event *input_event;
        struct evbuffer *kept;
        uint8_t last; /* byte given to the terminal */
        bool input_ending;
        bool was_full;

        bool draining, told;
        bool last_round; /* the 2 s are over */
        size_t last_size;
        struct event *timer;
};

/* --- output --- */

static void tell_when_drained(Pipes *pipes) {
        if (!pipes->draining || pipes->told || pipes->outputs[0].fd >= 0 ||
                pipes->outputs[1].fd >= 0)
                return;
        pipes->told = true;
        (void)event_del(pipes->timer);
        pipes->events->drained(pipes->owner);
}

/* Not the terminal's descriptor: it still takes input and sizes. */
static void finish_output(Output *output) {
        (void)event_del(output->event);
        if (output->fd != output->pipes->terminal)
                (void)fd_close(output->fd);
        output->fd = -1;
}

static void stop_output(Pipes *pipes) {
        pipes->output_stopped = true;
        for (size_t i = 0; i < 2; i++)
                if (pipes->outputs[i].fd >= 0)
                        (void)event_del(pipes->outputs[i].event);
}

static void copy_output(Output *output) {
        Pipes *pipes = output->pipes;
        ssize_t n = stream_send_from(pipes->stream, (uint8_t)output->channel, output->fd);

        if (n > 0 && pipes->last_round)
                pipes->last_size += (size_t)n;
        if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR) ||
                (n == -EAGAIN && pipes->last_round) || pipes->last_size > DRAIN_LAST_MAX)
                finish_output(output);
        if (stream_is_full(pipes->stream))
                stop_output(pipes);
}

static void on_output(int fd, short what, void *data) {
        Output *output = data;
        Pipes *pipes = output->pipes;

        copy_output(output);
        tell_when_drained(pipes);
}

void pipes_resume_output(Pipes *pipes) {
        if (!pipes->output_stopped)
                return;
        pipes->output_stopped = false;
        for (size_t i = 0; i < 2; i++)
                if (pipes->outputs[i].fd >= 0)
                        (void)event_add(pipes->outputs[i].event, NULL);
        if (pipes->last_round)
                event_active(pipes->timer, EV_TIMEOUT, 1);
}

/* The 2 s are over: read on without waiting, as far as the stream takes it. */
static void on_timer(int fd, short what, void *data) {
        Pipes *pipes = data;

        pipes->last_round = true;
        for (size_t i = 0; i < 2; i++)
                while (pipes->outputs[i].fd >= 0 && !pipes->output_stopped)
                        copy_output(&pipes->outputs[i]);
        tell_when_drained(pipes);
}

void pipes_drain(Pipes *pipes) {
        pipes->draining = true;
        (void)event_add(pipes->timer, &drain_limit);
        if (pipes->outputs[0].fd < 0 && pipes->outputs[1].fd < 0)
                event_active(pipes->timer, EV_TIMEOUT, 1);
}

/* --- input --- */

static void close_input(Pipes *pipes) {
        if (pipes->input < 0)
                return;
        (void)event_del(pipes->input_event);
        (void)evbuffer_drain(pipes->kept, evbuffer_get_length(pipes->kept));
        if (pipes->input != pipes->terminal)
                (void)fd_close(pipes->input);
        pipes->input = -1;
}

/* What a person does with Ctrl-D: once at the start of a line, twice inside one. Line editors take
 * the same character in raw mode. */
static int add_end_of_file(Pipes *pipes) {
        struct termios settings;
        cc_t eof = 4;

        if (tcgetattr(pipes->terminal, &settings) == 0)
                eof = settings.c_cc[VEOF];
        if (eof == _POSIX_VDISABLE)
                return 0;
        if (pipes->last != '\n' && pipes->last != '\r' && pipes->last != '\0' &&
                evbuffer_add(pipes->kept, &eof, 1) != 0)
                return -1;
        return evbuffer_add(pipes->kept, &eof, 1);
}

void pipes_flush(Pipes *pipes) {
        if (pipes->input < 0)
                return;
        while (evbuffer_get_length(pipes->kept) > 0) {
                int n = evbuffer_write(pipes->kept, pipes->input);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        break;
                if (n < 0) {
                        close_input(pipes); /* the program has closed its side, or ended */
                        return;
                }
        }
        if (evbuffer_get_length(pipes->kept) > 0)
                (void)event_add(pipes->input_event, NULL);
        else if (pipes->input_ending)
                close_input(pipes);
        pipes->was_full = pipes->was_full || pipes_is_full(pipes);
}

static void on_input_writable(int fd, short what, void *data) {
        Pipes *pipes = data;

        pipes_flush(pipes);
        if (!pipes->was_full || evbuffer_get_length(pipes->kept) > PIPES_INPUT_MAX / 2)
                return;
        pipes->was_full = false;
        pipes->events->room(pipes->owner);
}

int pipes_input(Pipes *pipes, const uint8_t *data, size_t size) {
        if (pipes->input < 0 || pipes->input_ending || size == 0)
                return 0;
        pipes->last = data[size - 1];
        return evbuffer_add(pipes->kept, data, size);
}

bool pipes_is_full(const Pipes *pipes) {
        return pipes->input >= 0 && evbuffer_get_length(pipes->kept) >= PIPES_INPUT_MAX;
}

void pipes_end_input(Pipes *pipes) {
        if (pipes->input < 0 || pipes->input_ending)
                return;
        if (pipes->terminal >= 0 && add_end_of_file(pipes) != 0)
                return;
        pipes->input_ending = true;
        pipes_flush(pipes);
}

void pipes_resize(Pipes *pipes, uint16_t columns, uint16_t rows) {
        const struct winsize size = { .ws_row = rows, .ws_col = columns };

        if (pipes->terminal >= 0)
                (void)ioctl(pipes->terminal, TIOCSWINSZ,
                        &size); /* the kernel signals the foreground job */
}

/* --- life --- */

static int watch_output(
        Pipes *pipes, struct event_base *loop, Output *output, RemoteChannel channel, int fd) {
        *output = (Output){ .pipes = pipes, .channel = channel, .fd = fd };
        if (fd < 0)
                return 0;
        output->event = event_new(loop, fd, EV_READ | EV_PERSIST, on_output, output);
        if (output->event == NULL || fd_set_nonblocking(fd) < 0)
                return -1;
        return event_add(output->event, NULL);
}

static int watch(Pipes *pipes, struct event_base *loop, int output, int errors) {
        int watched = watch_output(pipes, loop, &pipes->outputs[0], REMOTE_STDOUT, output);

        if (watch_output(pipes, loop, &pipes->outputs[1], REMOTE_STDERR, errors) < 0 || watched < 0)
                return -1;
        pipes->kept = evbuffer_new();
        pipes->timer = evtimer_new(loop, on_timer, pipes);
        if (pipes->kept == NULL || pipes->timer == NULL)
                return -1;
        if (pipes->input < 0)
                return 0;
        pipes->input_event = event_new(loop, pipes->input, EV_WRITE, on_input_writable, pipes);
        return pipes->input_event != NULL ? fd_set_nonblocking(pipes->input) : -1;
}

int pipes_new(struct event_base *loop, const PipesFds *fds, Stream *stream,
        const PipesEvents *events, void *owner, Pipes **ret_pipes, Error *error) {
        Pipes *pipes = calloc(1, sizeof(*pipes));
        bool is_terminal = fds->terminal >= 0;

        if (pipes == NULL) {
                (void)fd_close(fds->terminal);
                (void)fd_close(fds->input);
                (void)fd_close(fds->output);
                (void)fd_close(fds->errors);
                return error_set(error, ERROR_LIMIT, 0, "no memory for a session");
        }
        pipes->stream = stream;
        pipes->events = events;
        pipes->owner = owner;
        pipes->terminal = fds->terminal;
        pipes->input = is_terminal ? fds->terminal : fds->input;
        if (watch(pipes, loop, is_terminal ? fds->terminal : fds->output, fds->errors) < 0) {
                (void)pipes_free(pipes);
                return error_set(error, ERROR_LIMIT, 0, "no memory for a session");
        }
        *ret_pipes = pipes;
        return 0;
}

Pipes *pipes_free(Pipes *pipes) {
        if (pipes == NULL)
                return NULL;
        for (size_t i = 0; i < 2; i++) {
                if (pipes->outputs[i].event != NULL)
                        event_free(pipes->outputs[i].event);
                if (pipes->outputs[i].fd != pipes->terminal)
                        (void)fd_close(pipes->outputs[i].fd);
        }
        if (pipes->input_event != NULL)
                event_free(pipes->input_event);
        if (pipes->input != pipes->terminal)
                (void)fd_close(pipes->input);
        if (pipes->timer != NULL)
                event_free(pipes->timer);
        if (pipes->kept != NULL)
                evbuffer_free(pipes->kept);
        (void)fd_close(pipes->terminal);
        free(pipes);
        return NULL;
}
