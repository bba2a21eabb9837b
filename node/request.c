/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The token is read anew for each call, because the kubelet replaces it while we run. Only HTTPS,
 * only the cluster's authority, no redirects, no proxy, no netrc: the options say so one by one.
 */
#include "node/request.h"

#include "base/file.h"
#include "node/readiness.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_SIZE_MAX (64U * 1024U)
#define ANSWER_SIZE_MAX                                                                            \
        (8U * 1024U * 1024U) /* a node's object grows with its images; the API server itself takes \
                                3 MiB */
#define SECONDS_MAX 20L

typedef struct curl_slist Headers;

static Headers *headers_free(Headers *headers) {
        curl_slist_free_all(headers);
        return NULL;
}
DEFINE_CLEANUP(Headers *, headers_free);

static CURL *handle_free(CURL *handle) {
        curl_easy_cleanup(handle);
        return NULL;
}
DEFINE_CLEANUP(CURL *, handle_free);

Answer answer_free(Answer answer) {
        free(answer.body);
        return (Answer){ 0 };
}

int server_from_environment(char address[static 256], Server *ret_server, Error *error) {
        const char *host = getenv("KUBERNETES_SERVICE_HOST");
        const char *port = getenv("KUBERNETES_SERVICE_PORT");
        const char *bracket;
        int r;

        if (host == NULL || port == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "KUBERNETES_SERVICE_HOST is not set: this program runs in a pod");
        bracket = strchr(host, ':') != NULL ? "[" : "";
        r = snprintf(address, 256, "https://%s%s%s:%s", bracket, host,
                bracket[0] != '\0' ? "]" : "", port);
        if (r < 0 || r >= 256)
                return error_set(error, ERROR_INPUT, 0, "KUBERNETES_SERVICE_HOST is too long");
        *ret_server = (Server){ .address = address,
                .credentials = "/var/run/secrets/kubernetes.io/serviceaccount" };
        return 0;
}

/* curl's write callback: anything but the full size ends the transfer. */
static size_t take_bytes(char *bytes, size_t unit, size_t count, void *context) {
        Answer *answer = context;
        size_t size = unit * count;
        char *grown;

        if (size > ANSWER_SIZE_MAX - answer->size)
                return 0;
        grown = realloc(answer->body, answer->size + size + 1);
        if (grown == NULL)
                return 0;
        memcpy(grown + answer->size, bytes, size);
        answer->size += size;
        grown[answer->size] = '\0';
        answer->body = grown;
        return size;
}

static int add_header(Headers **headers, const char *name, const char *value) {
        cleanup_free char *line = NULL;
        Headers *grown;

        if (asprintf(&line, "%s: %s", name, value) < 0)
                return -1;
        grown = curl_slist_append(*headers, line);
        if (grown == NULL)
                return -1;
        *headers = grown;
        return 0;
}

static int make_headers(const Server *server, const char *type, Headers **headers, Error *error) {
        cleanup_free char *token = NULL;
        cleanup_free char *bearer = NULL;
        char path[PATH_MAX];
        size_t size;

        (void)snprintf(path, sizeof(path), "%s/token", server->credentials);
        if (file_read(AT_FDCWD, path, TOKEN_SIZE_MAX, &token, &size, error) < 0)
                return -1;
        token[strcspn(token, "\r\n")] = '\0';
        if (asprintf(&bearer, "Bearer %s", token) < 0 ||
                add_header(headers, "Authorization", bearer) < 0 ||
                add_header(headers, "Accept", "application/json") < 0 ||
                (type != NULL && add_header(headers, "Content-Type", type) < 0))
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the request");
        return 0;
}

static bool set_options(CURL *handle, const char *method, const char *url, const char *authority,
        const char *body) {
        return curl_easy_setopt(handle, CURLOPT_URL, url) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CAINFO, authority) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_TIMEOUT, SECONDS_MAX) == CURLE_OK &&
               curl_easy_setopt(handle, CURLOPT_USERAGENT, "navigator-node") == CURLE_OK &&
               (body == NULL || curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body) == CURLE_OK);
}

int server_ask(const Server *server, const char *method, const char *path, const char *type,
        const char *body, Answer *ret_answer, Error *error) {
        cleanup(handle_freep) CURL *handle = curl_easy_init();
        cleanup(headers_freep) Headers *headers = NULL;
        cleanup(answer_freep) Answer answer = { .body = calloc(1, 1) };
        char url[PATH_MAX], authority[PATH_MAX];
        CURLcode r;

        if (handle == NULL || answer.body == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the request");
        (void)snprintf(url, sizeof(url), "%s%s", server->address, path);
        (void)snprintf(authority, sizeof(authority), "%s/ca.crt", server->credentials);
        if (make_headers(server, type, &headers, error) < 0)
                return -1;
        if (!set_options(handle, method, url, authority, body) ||
                curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
                curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes) != CURLE_OK ||
                curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer) != CURLE_OK)
                return error_set(
                        error, ERROR_OS, 0, "this libcurl lacks an option that the request needs");
        r = curl_easy_perform(handle);
        if (r != CURLE_OK)
                return error_set(
                        error, ERROR_PEER, 0, "%s %s: %s", method, url, curl_easy_strerror(r));
        (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
        *ret_answer = take(answer, (Answer){ 0 });
        return 0;
}

int server_tell(const Server *server, const char *method, const char *path, const char *type,
        const char *body, int missing_ok, Answer *ret_answer, Error *error) {
        cleanup(answer_freep) Answer answer = { 0 };
        char message[ERROR_TEXT_MAX] = "";

        if (server_ask(server, method, path, type, body, &answer, error) < 0)
                return -1;
        if (missing_ok && answer.status == 404)
                return 1;
        if (answer.status < 200 || answer.status > 299) {
                readiness_status_message(answer.body, message, sizeof(message));
                return error_set(error,
                        answer.status == 401 || answer.status == 403 ? ERROR_DENIED : ERROR_PEER, 0,
                        "%s %s: HTTP %ld %s", method, path, answer.status, message);
        }
        *ret_answer = take(answer, (Answer){ 0 });
        return 0;
}
