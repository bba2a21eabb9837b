/* SPDX-License-Identifier: Apache-2.0 */

/* What a process can still do once it has confined itself, each tried in a child of its own. */
#include "http/confine.h"

#include "base/fd.h"
#include "base/syscalls.h"
#include "tests/helpers/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define API_PORT 6443

static const ConfineNeeds alone = { .credentials = -1 };

/* Each returns 0 when it succeeded, else the errno. */
typedef int Attempt(void);

static int result(int r) {
        return r < 0 ? errno : 0;
}

static int open_passwd(void) {
        return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int open_credential(void) {
        return result(open("/etc/ssl/openssl.cnf", O_RDONLY | O_CLOEXEC));
}

static int write_credential(void) {
        return result(open("/etc/ssl/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int make_socket(void) {
        return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_local_socket(void) {
        return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_datagram_socket(void) {
        return result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int connect_to(uint16_t port) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connect_to_the_api(void) {
        int r = connect_to(API_PORT);

        return r == ECONNREFUSED ? 0 : r; /* nobody is there, but the kernel has asked */
}

static int connect_elsewhere(void) {
        return connect_to(1);
}

static int new_process(void) {
        return result(fork());
}

static int run_program(void) {
        char name[] = "/bin/true";
        char *arguments[] = { name, NULL };

        return result(execv(name, arguments));
}

static int executable_memory(void) {
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                               MAP_FAILED
                       ? errno
                       : 0;
}

static int plain_memory(void) {
        return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                               MAP_FAILED
                       ? errno
                       : 0;
}

static int push_input(void) {
        char c = 'x';

        return result(ioctl(0, TIOCSTI, &c));
}

static int trace(void) {
        return result(prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L));
}

/* 0 or an errno of the attempt; -N when signal N ended it; 255: it could not confine itself. */
static int attempt(const ConfineNeeds *needs, Attempt *what) {
        Error error;
        int status;
        pid_t child = fork();

        if (child == 0) {
                if (confine_for_good(needs, &error) < 0)
                        _exit(255);
                _exit(what());
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_alone(void **state) {
        assert_int_equal(attempt(&alone, plain_memory), 0);
        assert_int_equal(attempt(&alone, open_passwd), EPERM);
        assert_int_equal(attempt(&alone, make_socket), EPERM);
        assert_int_equal(attempt(&alone, new_process), -SIGSYS);
        assert_int_equal(attempt(&alone, run_program), -SIGSYS);
        assert_int_equal(attempt(&alone, executable_memory), -SIGSYS);
        assert_int_equal(attempt(&alone, push_input), -SIGSYS);
        assert_int_equal(attempt(&alone, trace), -SIGSYS);
}

/* The system calls it needs for asking the cluster are there; what they reach is Landlock's to say.
 */
static void test_with_a_cluster(void **state) {
        const ConfineNeeds needs = {
                .credentials = open("/etc/ssl", O_PATH | O_DIRECTORY | O_CLOEXEC), .port = API_PORT
        };

        assert_true(needs.credentials >= 0);
        assert_int_equal(attempt(&needs, open_credential), 0);
        assert_int_equal(attempt(&needs, write_credential), EACCES);
        assert_int_equal(attempt(&needs, open_passwd), EACCES);
        assert_int_equal(attempt(&needs, connect_to_the_api), 0);
        /* Ports are Landlock's business from version 4 on. */
        if (sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 4)
                assert_int_equal(attempt(&needs, connect_elsewhere), EACCES);
        assert_int_equal(attempt(&needs, make_local_socket), -SIGSYS);
        assert_int_equal(attempt(&needs, make_datagram_socket), -SIGSYS);
        assert_int_equal(attempt(&needs, new_process), -SIGSYS);
        (void)fd_close(needs.credentials);
}

/* A directory to read, and nobody to call. */
static void test_with_files_alone(void **state) {
        const ConfineNeeds needs = { .credentials =
                                             open("/etc/ssl", O_PATH | O_DIRECTORY | O_CLOEXEC) };

        assert_true(needs.credentials >= 0);
        assert_int_equal(attempt(&needs, open_credential), 0);
        assert_int_equal(attempt(&needs, write_credential), EACCES);
        assert_int_equal(attempt(&needs, open_passwd), EACCES);
        assert_int_equal(attempt(&needs, make_socket), EPERM);
        assert_int_equal(attempt(&needs, connect_to_the_api), EPERM);
        assert_int_equal(attempt(&needs, new_process), -SIGSYS);
        (void)fd_close(needs.credentials);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alone),
                cmocka_unit_test(test_with_a_cluster),
                cmocka_unit_test(test_with_files_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
