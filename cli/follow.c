/* SPDX-License-Identifier: Apache-2.0 */

/*
 * inotify on the folder says when to look; a look now and then is for file systems where it does
 * not. What is done then does not depend on what it said: read to the end, and see whether the path
 * still names the file that is open.
 */
#include "cli/follow.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 1000
#define READ_SIZE ((size_t)16 * 1024)

typedef struct Follower {
        const FollowOptions *options;
        int file, notify, signals; /* owned; -1: none */
        char *line;                /* owned: the beginning of one, `size` of it */
        size_t size;
        bool skipping; /* the rest of a line that is too long */
        bool ended;    /* by who is told of lines */
} Follower;

#define FOLLOWER_NONE                                                                              \
        { .file = -1, .notify = -1, .signals = -1 }

static void follower_donep(Follower *follower) {
        follower->file = fd_close(follower->file);
        follower->notify = fd_close(follower->notify);
        follower->signals = fd_close(follower->signals);
        free(follower->line);
}

/* ---- lines ---- */

static void end_line(Follower *follower) {
        if (!follower->skipping && follower->size > 0)
                follower->ended = !follower->options->found(
                        follower->options->context, follower->line, follower->size);
        follower->size = 0;
        follower->skipping = false;
}

static void take_bytes(Follower *follower, const char *data, size_t size) {
        const char *end = data + size;

        while (data < end && !follower->ended) {
                const char *newline = memchr(data, '\n', (size_t)(end - data));
                const size_t part = (size_t)((newline != NULL ? newline : end) - data);

                if (follower->size + part > follower->options->longest)
                        follower->skipping = true;
                if (!follower->skipping) {
                        memcpy(follower->line + follower->size, data, part);
                        follower->size += part;
                }
                if (newline == NULL)
                        return;
                end_line(follower);
                data = newline + 1;
        }
}

/* 1 with data; 0 at the end; -1. */
static int read_some(Follower *follower, Error *error) {
        char data[READ_SIZE];
        ssize_t n = read(follower->file, data, sizeof(data));

        if (n < 0 && errno != EINTR)
                return error_set(
                        error, ERROR_OS, errno, "cannot read '%s'", follower->options->path);
        if (n > 0)
                take_bytes(follower, data, (size_t)n);
        return n != 0;
}

static int read_to_end(Follower *follower, Error *error) {
        int r;

        do
                r = read_some(follower, error);
        while (r > 0 && !follower->ended);
        return r;
}

/* ---- files ---- */

static int open_file(Follower *follower, Error *error) {
        follower->file = open(follower->options->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (follower->file < 0)
                return error_set(
                        error, ERROR_OS, errno, "cannot open '%s'", follower->options->path);
        return 0;
}

static bool was_replaced(const Follower *follower) {
        struct stat named, opened;

        return stat(follower->options->path, &named) == 0 && fstat(follower->file, &opened) == 0 &&
               (named.st_ino != opened.st_ino || named.st_dev != opened.st_dev);
}

static void begin_again(Follower *follower) {
        follower->size = 0;
        follower->skipping = false;
}

static int look(Follower *follower, Error *error) {
        struct stat status;
        int file;

        if (read_to_end(follower, error) < 0)
                return -1;
        if (fstat(follower->file, &status) == 0 &&
                status.st_size < lseek(follower->file, 0, SEEK_CUR)) {
                begin_again(follower);
                (void)lseek(follower->file, 0, SEEK_SET);
                return read_to_end(follower, error);
        }
        if (!was_replaced(follower))
                return 0;
        if (read_to_end(follower, error) < 0) /* what came between the two looks */
                return -1;
        file = follower->file;
        if (open_file(follower, error) < 0) {
                follower->file = file;
                return error->code == ENOENT ? 0 : -1;
        }
        (void)fd_close(file);
        begin_again(follower);
        return read_to_end(follower, error);
}

/* ---- waiting ---- */

static int watch(Follower *follower, Error *error) {
        const char *path = follower->options->path, *slash = strrchr(path, '/');
        cleanup_free char *folder =
                slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
        sigset_t signals;

        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGINT);
        (void)sigaddset(&signals, SIGTERM);
        if (folder == NULL || sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return error_set(error, ERROR_OS, errno, "cannot wait for lines");
        follower->signals = signalfd(-1, &signals, SFD_CLOEXEC);
        if (follower->signals < 0)
                return error_set(error, ERROR_OS, errno, "cannot wait for signals");
        follower->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        (void)inotify_add_watch(follower->notify, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
        return 0;
}

/* 1: there may be more; 0: a signal has come, or nobody reads any more. */
static int wait_for_more(Follower *follower, int input, int limit) {
        struct pollfd fds[] = {
                { .fd = follower->signals, .events = POLLIN },
                { .fd = follower->options->output }, /* POLLERR and POLLHUP come unasked */
                { .fd = input, .events = POLLIN },
        };
        char events[4096];

        (void)poll(fds, 3, limit);
        if (fds[0].revents != 0 || fds[1].revents != 0)
                return 0;
        while (read(follower->notify, events, sizeof(events)) > 0)
                continue;
        return 1;
}

static void tell_caught_up(const Follower *follower) {
        if (follower->options->caught_up != NULL)
                follower->options->caught_up(follower->options->context);
}

static int follow_file(Follower *follower, Error *error) {
        int r = open_file(follower, error);

        if (r == 0)
                r = read_to_end(follower, error);
        if (r == 0)
                tell_caught_up(follower);
        while (r == 0 && follower->options->wait && !follower->ended &&
                wait_for_more(follower, follower->notify, LOOK_MS) > 0)
                r = look(follower, error);
        return r;
}

static int follow_input(Follower *follower, Error *error) {
        int r = 1;

        if (follower->options->wait) /* nobody can say what of a pipe was there before */
                tell_caught_up(follower);
        follower->file = STDIN_FILENO;
        while (r > 0 && !follower->ended &&
                (!follower->options->wait || wait_for_more(follower, STDIN_FILENO, -1) > 0))
                r = read_some(follower, error);
        follower->file = -1;
        if (r == 0 && !follower->options->wait)
                tell_caught_up(follower);
        return r < 0 ? -1 : 0;
}

int follow(const FollowOptions *options, Error *error) {
        cleanup(follower_donep) Follower follower = FOLLOWER_NONE;
        int r;

        follower.options = options;
        follower.line = malloc(options->longest);
        if (follower.line == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot read lines");
        if (options->wait && watch(&follower, error) < 0)
                return -1;
        r = strcmp(options->path, "-") == 0 ? follow_input(&follower, error)
                                            : follow_file(&follower, error);
        if (r == 0 && !follower.ended)
                end_line(&follower); /* a last line without its newline */
        return r;
}
