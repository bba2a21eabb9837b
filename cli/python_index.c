/* SPDX-License-Identifier: Apache-2.0 */

/*
 * pip says what is configured with `config list`, and its built-in default nowhere but in the help
 * of the option. Both are read, the default only when nothing else is configured. The pages of an
 * index may link to another host: a dry run's report says where the files themselves lie.
 */
#include "cli/python_index.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)256 * 1024)

void python_index_donep(PythonIndex *index) {
        while (index->count > 0)
                free(index->hosts[--index->count]);
}

/* "https://user:secret@host:8443/simple" -> "host:8443"; credentials are not for a policy. */
static char *host_of_url(const char *url) {
        bool plain = strncmp(url, "http://", 7) == 0;
        const char *host, *at;
        char *copy;
        size_t size;

        if (!plain && strncmp(url, "https://", 8) != 0)
                return NULL;
        host = url + (plain ? 7 : 8);
        size = strcspn(host, "/'\" )\n");
        at = memrchr(host, '@', size);
        if (at != NULL) {
                size -= (size_t)(at + 1 - host);
                host = at + 1;
        }
        if (size == 0)
                return NULL;
        if (memchr(host, ':', size) != NULL || !plain)
                return strndup(host, size);
        if (asprintf(&copy, "%.*s:80", (int)size, host) < 0)
                return NULL;
        return copy;
}

static void add_url(PythonIndex *index, const char *url) {
        char *host = index->count < PYTHON_INDEX_HOSTS_MAX ? host_of_url(url) : NULL;

        for (unsigned i = 0; host != NULL && i < index->count; i++)
                if (strcmp(index->hosts[i], host) == 0) {
                        free(host);
                        return;
                }
        if (host != NULL)
                index->hosts[index->count++] = host;
}

/* The URLs of one line; an extra-index-url may hold several. */
static void add_urls(PythonIndex *index, const char *line, size_t size) {
        char copy[1024];

        if (size >= sizeof(copy))
                return;
        memcpy(copy, line, size);
        copy[size] = '\0';
        if (strstr(copy, "index-url=") == NULL)
                return;
        for (const char *url = strstr(copy, "http"); url != NULL; url = strstr(url + 4, "http"))
                add_url(index, url);
}

void python_index_read_config(PythonIndex *index, const char *answer) {
        while (*answer != '\0') {
                size_t size = strcspn(answer, "\n");

                add_urls(index, answer, size);
                answer += size + (answer[size] == '\n');
        }
}

void python_index_read_help(PythonIndex *index, const char *answer) {
        static const char mark[] = "(default";
        const char *option = strstr(answer, "--index-url"), *standard;

        standard = option != NULL ? strstr(option, mark) : NULL;
        if (standard == NULL)
                return;
        standard += sizeof(mark) - 1;
        add_url(index, standard + strspn(standard, " \n"));
}

/* The first key only: the rest of the report is the packages' authors' text. */
void python_index_read_report(PythonIndex *index, const char *answer) {
        json_t *report = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
        json_t *package;
        size_t at;

        json_array_foreach(json_object_get(report, "install"), at, package) {
                json_t *origin = json_object_get(package, "download_info");
                const char *url = json_string_value(json_object_get(origin, "url"));

                if (url != NULL)
                        add_url(index, url);
        }
        json_decref(report);
}

static int start(char *const *command, int output, pid_t *ret_child) {
        posix_spawn_file_actions_t actions;
        int r = posix_spawn_file_actions_init(&actions);

        if (r != 0)
                return r;
        r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnp(ret_child, command[0], &actions, NULL, command, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
        return r;
}

/* Runs a program without a shell and takes what it says on stdout. */
static int ask(char *const *command, char **ret_answer, Error *error) {
        cleanup_free char *answer = NULL;
        int ends[2], status, r;
        size_t size;
        pid_t child;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(error, ERROR_OS, errno, "cannot make a pipe");
        cleanup_fd int read_end = ends[0];
        cleanup_fd int write_end = ends[1];

        r = start(command, write_end, &child);
        if (r != 0)
                return error_set(error, ERROR_OS, r,
                        "cannot run '%s'; name the hosts with --python-index", command[0]);
        (void)fd_close(take_fd(write_end));
        r = file_read_fd(read_end, command[0], ANSWER_MAX, &answer, &size, error);
        /* who has more to say than we take is stopped by the closed pipe */
        (void)fd_close(take_fd(read_end));
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return -1;
        if (status != 0)
                return error_set(error, ERROR_PEER, 0,
                        "'%s %s' failed; name the hosts with --python-index", command[0],
                        command[1]);
        *ret_answer = take_ptr(answer);
        return 0;
}

/* Of the index, as configured or else pip's own. */
static int ask_index(PythonIndex *index, Error *error) {
        static char pip[] = "pip", config[] = "config", list[] = "list", install[] = "install",
                    help[] = "--help";
        char *const ask_config[] = { pip, config, list, NULL };
        char *const ask_help[] = { pip, install, help, NULL };
        cleanup_free char *configured = NULL;
        cleanup_free char *standard = NULL;

        if (ask(ask_config, &configured, error) < 0)
                return -1;
        assert(configured != NULL);
        python_index_read_config(index, configured);
        if (index->count > 0)
                return 0;
        if (ask(ask_help, &standard, error) < 0)
                return -1;
        assert(standard != NULL);
        python_index_read_help(index, standard);
        if (index->count == 0)
                return error_set(error, ERROR_PEER, 0,
                        "pip does not say which index it uses; name the hosts with --python-index");
        return 0;
}

/* Of the files: pip is the one package that every index has. Nothing is installed. */
static int ask_files(PythonIndex *index, Error *error) {
        static char pip[] = "pip", install[] = "install", dry[] = "--dry-run", quiet[] = "--quiet",
                    whole[] = "--ignore-installed", alone[] = "--no-deps", report[] = "--report",
                    standard_output[] = "-", package[] = "pip";
        char *const command[] = { pip, install, dry, quiet, whole, alone, report, standard_output,
                package, NULL };
        cleanup_free char *answer = NULL;

        if (ask(command, &answer, error) < 0)
                return error_context(error, "cannot learn where the index has its files");
        assert(answer != NULL);
        python_index_read_report(index, answer);
        return 0;
}

int python_index_ask(PythonIndex *ret_index, Error *error) {
        if (ask_index(ret_index, error) < 0)
                return -1;
        return ask_files(ret_index, error);
}
