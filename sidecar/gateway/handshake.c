/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/handshake.h"

#include <event2/buffer.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define KEY_SIZE 24U                                      /* base64 of 16 bytes */
#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 section 1.3 */
#define TOKEN_PREFIX "base64url.bearer.authorization.k8s.io."

bool handshake_wanted(const Head *head) {
        const char *upgrade = head_field(head, "upgrade");

        return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0 &&
               head_field_has(head, "connection", "upgrade");
}

/* One name of a comma-separated list; false at its end. */
static bool next_name(const char **list, const char **ret_name, size_t *ret_size) {
        const char *name = *list + strspn(*list, " \t,");
        size_t size = strcspn(name, " \t,");

        *list = name + size;
        *ret_name = name;
        *ret_size = size;
        return size > 0;
}

static bool is_token(const char *name, size_t size) {
        return size > strlen(TOKEN_PREFIX) && memcmp(name, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0;
}

const char *handshake_token(const Head *head, size_t *ret_size) {
        const char *list = head_field(head, "sec-websocket-protocol");
        const char *name;
        size_t size;

        while (list != NULL && next_name(&list, &name, &size))
                if (is_token(name, size)) {
                        *ret_size = size - strlen(TOKEN_PREFIX);
                        return name + strlen(TOKEN_PREFIX);
                }
        return NULL;
}

static int choose_protocol(
        const Head *head, const HandshakeProtocols *protocols, Handshake *handshake, Error *error) {
        const char *list = head_field(head, "sec-websocket-protocol");
        bool offered = false;
        const char *name;
        size_t size;

        while (list != NULL && next_name(&list, &name, &size)) {
                int protocol = protocols->find(name, size);

                offered = offered || !is_token(name, size);
                if (protocol == 0)
                        continue;
                handshake->protocol = protocol;
                handshake->name = name;
                handshake->name_size = size;
                return 0;
        }
        if (offered || protocols->unnamed == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "none of the offered WebSocket protocols is spoken here: %s",
                        protocols->names);
        handshake->protocol = protocols->unnamed;
        return 0;
}

static int make_accept(const char *key, char accept[static HANDSHAKE_ACCEPT_SIZE], Error *error) {
        unsigned char digest[EVP_MAX_MD_SIZE];
        char text[KEY_SIZE + sizeof(KEY_SUFFIX)];
        unsigned size = 0;

        memcpy(text, key, KEY_SIZE);
        memcpy(text + KEY_SIZE, KEY_SUFFIX, sizeof(KEY_SUFFIX));
        /* SHA-1 is what the RFC says; it proves that we speak WebSocket and protects nothing. */
        if (EVP_Digest(text, sizeof(text) - 1, digest, &size, EVP_sha1(), NULL) != 1)
                return error_set(error, ERROR_OS, 0, "cannot compute the WebSocket answer");
        (void)EVP_EncodeBlock((unsigned char *)accept, digest, (int)size);
        return 0;
}

int handshake_check(const Head *head, const HandshakeProtocols *protocols, Handshake *ret_handshake,
        Error *error) {
        const char *key = head_field(head, "sec-websocket-key");
        const char *version = head_field(head, "sec-websocket-version");
        Handshake handshake = { 0 };

        if (head->method != HEAD_GET || !handshake_wanted(head))
                return error_set(error, ERROR_INPUT, 0,
                        "sessions are WebSockets here, begun by GET: SPDY is not spoken. kubectl "
                        "speaks WebSocket for exec since 1.30, for port-forward since 1.31");
        if (version == NULL || strcmp(version, "13") != 0)
                return error_set(error, ERROR_INPUT, 0, "WebSocket version 13 is spoken here");
        if (key == NULL || strlen(key) != KEY_SIZE)
                return error_set(
                        error, ERROR_INPUT, 0, "Sec-WebSocket-Key is missing or not of 16 bytes");
        if (choose_protocol(head, protocols, &handshake, error) < 0)
                return -1;
        if (make_accept(key, handshake.accept, error) < 0)
                return -1;
        *ret_handshake = handshake;
        return 0;
}

int handshake_check_origin(const Head *head, Error *error) {
        const char *origin = head_field(head, "origin");
        const char *host = head_field(head, "host");
        const char *site;

        if (origin == NULL)
                return 0;
        site = strstr(origin, "://");
        if (site == NULL || host == NULL || strcasecmp(site + 3, host) != 0)
                return error_set(
                        error, ERROR_DENIED, 0, "a page of another origin may not open a session");
        return 0;
}

int handshake_write(struct evbuffer *output, const Handshake *handshake) {
        int n = evbuffer_add_printf(output,
                "HTTP/1.1 101 Switching Protocols\r\n"
                "Upgrade: websocket\r\n"
                "Connection: Upgrade\r\n"
                "Sec-WebSocket-Accept: %s\r\n",
                handshake->accept);

        if (n >= 0 && handshake->name_size > 0)
                n = evbuffer_add_printf(output, "Sec-WebSocket-Protocol: %.*s\r\n",
                        (int)handshake->name_size, handshake->name);
        return n < 0 || evbuffer_add(output, "\r\n", 2) != 0 ? -1 : 0;
}
