/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libcurl says which sockets it waits for and until when; one event a socket and one timer do it.
 * The address is a number, so that no resolver and no thread is needed. The token is read anew for
 * each question, because the kubelet replaces it while we run.
 */
#include "sidecar/gateway/ask.h"

#include "base/file.h"
#include "sidecar/gateway/cluster.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define TOKEN_SIZE_MAX (64U * 1024U)
#define ANSWER_SIZE_MAX (1024U * 1024U)
#define TIMEOUT_MILLISECONDS 5000L
#define CONNECTIONS_MAX 4L /* kept open between questions; more questions wait their turn */

struct Question {
        TAILQ_ENTRY(Question) entry;
        Asker *asker;
        CURL *handle;
        struct curl_slist *headers;
        char *answer;
        size_t size;
        AskDone done;
        void *owner;
};

TAILQ_HEAD(QuestionList, Question);

struct Asker {
        struct event_base *loop;
        const Cluster *cluster;
        CURLM *multi;
        struct event *timer;
        struct QuestionList questions;
};

/* --- the loop --- */

static void finish(Question *question, CURLcode result) {
        AskDone done = question->done;
        void *owner = question->owner;
        char *answer = take_ptr(question->answer);
        long status = 0;

        if (result == CURLE_OK)
                (void)curl_easy_getinfo(question->handle, CURLINFO_RESPONSE_CODE, &status);
        (void)ask_cancel(question);
        done(owner, status, status != 0 && answer != NULL ? answer : "");
        free(answer);
}

/* A callback may ask, cancel or end everything but the asker itself. */
static void finish_ended(Asker *asker) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(asker->multi, &left)) != NULL) {
                CURLcode result = message->data.result;
                char *question = NULL;

                if (message->msg != CURLMSG_DONE ||
                        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &question) !=
                                CURLE_OK)
                        continue;
                finish((Question *)(void *)question, result);
        }
}

static void on_socket(int fd, short what, void *data) {
        Asker *asker = data;
        int running;

        (void)curl_multi_socket_action(asker->multi, fd,
                ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
                        ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0),
                &running);
        finish_ended(asker);
}

static void on_timer(int fd, short what, void *data) {
        Asker *asker = data;
        int running;

        (void)curl_multi_socket_action(asker->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        finish_ended(asker);
}

/* libcurl wants a socket watched, watched otherwise, or no longer. */
static int watch(CURL *handle, curl_socket_t fd, int what, void *data, void *socket_data) {
        struct event *event = socket_data;
        Asker *asker = data;
        short wanted = EV_PERSIST;

        if (event != NULL) {
                event_free(event);
                (void)curl_multi_assign(asker->multi, fd, NULL);
        }
        if (what == CURL_POLL_REMOVE)
                return 0;
        wanted = (short)(wanted | (what != CURL_POLL_OUT ? EV_READ : 0) |
                         (what != CURL_POLL_IN ? EV_WRITE : 0));
        event = event_new(asker->loop, fd, wanted, on_socket, asker);
        if (event == NULL || event_add(event, NULL) < 0)
                return -1;
        return curl_multi_assign(asker->multi, fd, event) == CURLM_OK ? 0 : -1;
}

static int set_timer(CURLM *multi, long milliseconds, void *data) {
        Asker *asker = data;
        const struct timeval when = { milliseconds / 1000, milliseconds % 1000 * 1000 };

        if (milliseconds < 0)
                return event_del(asker->timer);
        return event_add(asker->timer, &when);
}

/* --- one question --- */

static size_t take_bytes(char *bytes, size_t unit, size_t count, void *data) {
        Question *question = data;
        size_t size = unit * count;
        char *grown;

        if (size > ANSWER_SIZE_MAX - question->size)
                return 0;
        grown = realloc(question->answer, question->size + size + 1);
        if (grown == NULL)
                return 0;
        memcpy(grown + question->size, bytes, size);
        question->size += size;
        grown[question->size] = '\0';
        question->answer = grown;
        return size;
}

static bool add_header(Question *question, const char *name, const char *value) {
        struct curl_slist *grown;
        char *line;

        if (asprintf(&line, "%s: %s", name, value) < 0)
                return false;
        grown = curl_slist_append(question->headers, line);
        explicit_bzero(line, strlen(line));
        free(line);
        if (grown != NULL)
                question->headers = grown;
        return grown != NULL;
}

static bool add_headers(Question *question) {
        cleanup_free char *token = NULL;
        cleanup_free char *bearer = NULL;
        size_t size = 0;
        Error error;
        bool added;

        if (file_read(question->asker->cluster->credentials, "token", TOKEN_SIZE_MAX, &token, &size,
                    &error) < 0)
                return false;
        token[strcspn(token, "\r\n")] = '\0';
        if (asprintf(&bearer, "Bearer %s", token) < 0)
                return false;
        added = add_header(question, "Authorization", bearer) &&
                add_header(question, "Content-Type", "application/json") &&
                add_header(question, "Accept", "application/json");
        explicit_bzero(bearer, strlen(bearer));
        explicit_bzero(token, size);
        return added;
}

/* One by one what is allowed: HTTPS, the cluster's authority, no proxy, no redirect (the default),
 * no answer without end. */
static bool set_options(Question *question, const char *url, const char *body) {
        const Cluster *cluster = question->asker->cluster;
        struct curl_blob authority = { .data = cluster->authority, .len = cluster->authority_size };
        CURL *handle = question->handle;

        return curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
                       CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &authority) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CAINFO, NULL) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, TIMEOUT_MILLISECONDS) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_HTTPHEADER, question->headers) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_WRITEDATA, question) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_PRIVATE, question) == CURLE_OK;
}

Question *ask(Asker *asker, const char *path, const char *body, AskDone done, void *owner) {
        Question *question = calloc(1, sizeof(*question));
        char url[512];

        if (question == NULL)
                return NULL;
        question->asker = asker;
        question->done = done;
        question->owner = owner;
        TAILQ_INSERT_TAIL(&asker->questions, question, entry);
        (void)snprintf(url, sizeof(url), "%s%s", asker->cluster->address, path);
        question->handle = curl_easy_init();
        if (question->handle == NULL || !add_headers(question) ||
                !set_options(question, url, body) ||
                curl_multi_add_handle(asker->multi, question->handle) != CURLM_OK)
                return ask_cancel(question);
        return question;
}

Question *ask_cancel(Question *question) {
        if (question == NULL)
                return NULL;
        TAILQ_REMOVE(&question->asker->questions, question, entry);
        if (question->handle != NULL) {
                (void)curl_multi_remove_handle(question->asker->multi, question->handle);
                curl_easy_cleanup(question->handle);
        }
        curl_slist_free_all(question->headers);
        free(question->answer);
        free(question);
        return NULL;
}

/* --- life --- */

int asker_new(struct event_base *loop, const Cluster *cluster, Asker **ret_asker, Error *error) {
        cleanup(asker_freep) Asker *asker = calloc(1, sizeof(*asker));

        if (asker == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_set(error, ERROR_OS, ENOMEM, "cannot set up libcurl");
        TAILQ_INIT(&asker->questions);
        asker->loop = loop;
        asker->cluster = cluster;
        asker->timer = event_new(loop, -1, 0, on_timer, asker);
        asker->multi = curl_multi_init();
        if (asker->timer == NULL || asker->multi == NULL ||
                curl_multi_setopt(asker->multi, CURLMOPT_SOCKETFUNCTION, watch) != CURLM_OK ||
                curl_multi_setopt(asker->multi, CURLMOPT_SOCKETDATA, asker) != CURLM_OK ||
                curl_multi_setopt(asker->multi, CURLMOPT_TIMERFUNCTION, set_timer) != CURLM_OK ||
                curl_multi_setopt(asker->multi, CURLMOPT_TIMERDATA, asker) != CURLM_OK ||
                curl_multi_setopt(asker->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX) !=
                        CURLM_OK)
                return error_set(error, ERROR_OS, 0, "this libcurl lacks an option that is needed");
        *ret_asker = take_ptr(asker);
        return 0;
}

Asker *asker_free(Asker *asker) {
        if (asker == NULL)
                return NULL;
        while (!TAILQ_EMPTY(&asker->questions))
                (void)ask_cancel(TAILQ_FIRST(&asker->questions));
        (void)curl_multi_cleanup(asker->multi);
        if (asker->timer != NULL)
                event_free(asker->timer);
        free(asker);
        curl_global_cleanup();
        return NULL;
}
