/* SPDX-License-Identifier: Apache-2.0 */

/* The hook's socket. A peer that our pid namespace does not contain is made with a namespace of its
 * own for the test's reader. */
#include "sidecar/launcher/register.h"

#include "base/fd.h"
#include "base/pack.h"
#include "sidecar/launcher/listener.h"
#include "sidecar/wire/record.h"
#include "tests/helpers/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];

static int make_directory(void **state) {
        (void)strcpy(directory, "/tmp/navigator-register-XXXXXX");
        return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state) {
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/" RECORD_SOCKET_NAME, directory);
        (void)unlink(path);
        return rmdir(directory);
}

static int connect_to(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        (void)snprintf(
                address.sun_path, sizeof(address.sun_path), "%s/" RECORD_SOCKET_NAME, directory);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void send_magic(int fd, uint32_t magic) {
        uint8_t bytes[4];
        Packer packer = packer_in(bytes, sizeof(bytes));
        const int fds[2] = { STDIN_FILENO, STDERR_FILENO };

        pack_u32(&packer, magic);
        assert_int_equal(message_send(fd, bytes, sizeof(bytes), fds, 2), 0);
}

static void a_process_of_the_pod_is_sent_away(void **state) {
        Register registration = REGISTER_EMPTY;
        Error error;
        int fd;

        assert_int_equal(register_open(directory, &registration, &error), 0);
        fd = connect_to();
        assert_int_equal(register_accept(&registration, &error), -1);
        assert_int_equal(error.kind, ERROR_DENIED);
        (void)close(fd);
        registration = register_done(registration);
}

/* The launcher's part, run as pid 1 of a pid namespace: whoever connects from here is outside of
 * it. */
static int serve_inside(int ready, int wanted) {
        Register registration = REGISTER_EMPTY;
        struct pollfd waiting = { .events = POLLIN };
        int fds[MESSAGE_FDS_MAX];
        size_t count = 0;
        Error error;
        int r;

        if (register_open(directory, &registration, &error) < 0 || write(ready, "", 1) != 1)
                return 10;
        waiting.fd = registration.listener;
        (void)poll(&waiting, 1, 5000);
        if (register_accept(&registration, &error) < 0)
                return 11;
        waiting.fd = registration.connections[0];
        (void)poll(&waiting, 1, 5000);
        r = register_receive(&registration, 0, fds, &count, &error);
        if (registration.connections[0] != -1)
                return 12;
        if (r == 1 && count != 2)
                return 13;
        return r == wanted ? 0 : 14;
}

static void hand_over(uint32_t magic, int wanted) {
        int ready[2], status;
        char byte;
        pid_t middle;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        middle = fork();
        if (middle == 0) {
                pid_t inside;

                if (unshare(CLONE_NEWPID) < 0)
                        _exit(20);
                inside = fork();
                if (inside == 0)
                        _exit(serve_inside(ready[1], wanted));
                (void)waitpid(inside, &status, 0);
                _exit(WEXITSTATUS(status));
        }
        (void)close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)close(ready[0]);
        if (magic != 0) {
                int fd = connect_to();

                send_magic(fd, magic);
                (void)close(fd);
        } else {
                (void)close(connect_to());
        }
        assert_int_equal(waitpid(middle, &status, 0), middle);
        assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_node_is_heard(void **state) {
        if (geteuid() != 0)
                skip();
        hand_over(RECORD_MAGIC, 1);
        hand_over(RECORD_MAGIC + 1, -1);
        hand_over(0, 0);
}

static void late_connections_are_dropped(void **state) {
        Register registration = REGISTER_EMPTY;

        registration.connections[3] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        registration.deadlines[3] = 1000;
        register_drop_late(&registration, 999);
        assert_true(registration.connections[3] >= 0);
        register_drop_late(&registration, 1000);
        assert_int_equal(registration.connections[3], -1);
}

static void a_stale_socket_is_replaced(void **state) {
        Error error;
        int first = -1, second = -1;

        assert_int_equal(
                listener_open_unix(directory, RECORD_SOCKET_NAME, SOCK_SEQPACKET, &first, &error),
                0);
        (void)close(first);
        assert_int_equal(
                listener_open_unix(directory, RECORD_SOCKET_NAME, SOCK_SEQPACKET, &second, &error),
                0);
        (void)close(connect_to());
        (void)close(second);
        assert_int_equal(listener_open_unix("/nonexistent", "x", SOCK_STREAM, &first, &error), -1);
        assert_non_null(strstr(error.text, "/nonexistent"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_process_of_the_pod_is_sent_away),
                cmocka_unit_test(the_node_is_heard),
                cmocka_unit_test(late_connections_are_dropped),
                cmocka_unit_test(a_stale_socket_is_replaced),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
