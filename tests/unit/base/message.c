/* SPDX-License-Identifier: Apache-2.0 */

#include "base/message.h"

#include "base/fd.h"
#include "tests/helpers/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Pair {
        int left, right;
} Pair;

static Pair make_pair(void) {
        int ends[2];

        assert_int_equal(
                socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        return (Pair){ .left = ends[0], .right = ends[1] };
}

static void close_pair(Pair *pair) {
        pair->left = fd_close(pair->left);
        pair->right = fd_close(pair->right);
}

static unsigned open_descriptors(void) {
        DIR *directory = opendir("/proc/self/fd");
        unsigned count = 0;

        assert_non_null(directory);
        while (readdir(directory) != NULL)
                count++;
        (void)closedir(directory);
        return count;
}

static void carries_bytes_and_descriptors(void **state) {
        Pair pair = make_pair();
        int sent[2] = { open("/dev/null", O_RDONLY | O_CLOEXEC),
                open("/dev/zero", O_RDONLY | O_CLOEXEC) };
        int fds[MESSAGE_FDS_MAX];
        char data[16];
        size_t count = 9;
        struct stat a, b;

        assert_int_equal(message_send(pair.left, "hello", 5, sent, 2), 0);
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), 5);
        assert_memory_equal(data, "hello", 5);
        assert_int_equal(count, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
                assert_int_equal(fstat(fds[i], &a), 0);
                assert_int_equal(fstat(sent[i], &b), 0);
                assert_int_equal(a.st_rdev, b.st_rdev);
                (void)close(sent[i]);
        }
        message_close_fds(fds, count);
        assert_int_equal(fds[0], -1);
        close_pair(&pair);
}

static void keeps_messages_apart(void **state) {
        Pair pair = make_pair();
        int fds[MESSAGE_FDS_MAX];
        char data[16];
        size_t count;

        assert_int_equal(message_send(pair.left, "one", 3, NULL, 0), 0);
        assert_int_equal(message_send(pair.left, "three", 5, NULL, 0), 0);
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), 3);
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), 5);
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), -EAGAIN);
        close_pair(&pair);
}

/* Whoever sends too much must not leave descriptors behind in us. */
static void closes_what_it_refuses(void **state) {
        Pair pair = make_pair();
        unsigned before = open_descriptors();
        int fds[MESSAGE_FDS_MAX];
        char data[4];
        size_t count = 0;

        assert_int_equal(message_send(pair.left, "too long", 8, &pair.left, 1), 0);
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), -EMSGSIZE);
        assert_int_equal(open_descriptors(), before);
        close_pair(&pair);
}

static void sends_within_its_bounds(void **state) {
        static char large[MESSAGE_SIZE_MAX + 1];
        static char room[MESSAGE_SIZE_MAX];
        Pair pair = make_pair();
        int fds[MESSAGE_FDS_MAX], many[MESSAGE_FDS_MAX + 1];
        size_t count;

        for (size_t i = 0; i < MESSAGE_FDS_MAX + 1; i++)
                many[i] = pair.left;
        assert_int_equal(message_send(pair.left, large, 0, NULL, 0), -EMSGSIZE);
        assert_int_equal(message_send(pair.left, large, sizeof(large), NULL, 0), -EMSGSIZE);
        assert_int_equal(message_send(pair.left, large, 1, many, MESSAGE_FDS_MAX + 1), -EMSGSIZE);
        assert_int_equal(
                message_send(pair.left, large, MESSAGE_SIZE_MAX, many, MESSAGE_FDS_MAX), 0);
        assert_int_equal(
                message_receive(pair.right, room, sizeof(room), fds, &count), MESSAGE_SIZE_MAX);
        assert_int_equal(count, MESSAGE_FDS_MAX);
        message_close_fds(fds, count);
        close_pair(&pair);
}

static void a_dead_peer_is_an_answer(void **state) {
        Pair pair = make_pair();
        int fds[MESSAGE_FDS_MAX];
        char data[4];
        size_t count;

        pair.left = fd_close(pair.left);
        assert_int_equal(message_send(pair.right, "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
        assert_int_equal(message_receive(pair.right, data, sizeof(data), fds, &count), 0);
        close_pair(&pair);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(carries_bytes_and_descriptors),
                cmocka_unit_test(keeps_messages_apart),
                cmocka_unit_test(closes_what_it_refuses),
                cmocka_unit_test(sends_within_its_bounds),
                cmocka_unit_test(a_dead_peer_is_an_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
