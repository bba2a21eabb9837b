/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/bench/transport.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct Transport {
        int fd;
        SSL *tls; /* NULL on a unix socket */
};

int transport_connect_unix(const char *path, Error *error) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        cleanup_fd int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(
                        error, ERROR_INPUT, 0, "the path '%s' is too long for a socket", path);
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return error_set(error, ERROR_OS, errno, "cannot connect to '%s'", path);
        return take_fd(fd);
}

static int connect_port(uint16_t port, Error *error) {
        const struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;

        if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
                return error_set(error, ERROR_OS, errno, "cannot connect to port %u", port);
        return take_fd(fd);
}

int transport_open_unix(const char *path, Transport **ret_transport, Error *error) {
        Transport *transport = calloc(1, sizeof(*transport));

        if (transport == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot connect");
        transport->fd = transport_connect_unix(path, error);
        if (transport->fd < 0) {
                (void)transport_free(transport);
                return -1;
        }
        *ret_transport = transport;
        return 0;
}

int transport_trust(const char *certificate, TransportTrust **ret_trust, Error *error) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());

        if (context == NULL || SSL_CTX_load_verify_file(context, certificate) != 1) {
                SSL_CTX_free(context);
                return error_set(error, ERROR_INPUT, 0, "'%s' is no certificate to trust: %s",
                        certificate, ERR_reason_error_string(ERR_get_error()));
        }
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        *ret_trust = context;
        return 0;
}

TransportTrust *transport_trust_free(TransportTrust *trust) {
        SSL_CTX_free(trust);
        return NULL;
}

static int shake_hands(Transport *transport, TransportTrust *trust, Error *error) {
        transport->tls = SSL_new(trust);
        if (transport->tls == NULL || SSL_set_fd(transport->tls, transport->fd) != 1 ||
                SSL_connect(transport->tls) != 1)
                return error_set(error, ERROR_PEER, 0, "no TLS with the gateway: %s",
                        ERR_reason_error_string(ERR_get_error()));
        return 0;
}

int transport_open_tls(
        uint16_t port, TransportTrust *trust, Transport **ret_transport, Error *error) {
        Transport *transport = calloc(1, sizeof(*transport));

        if (transport == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot connect");
        transport->fd = connect_port(port, error);
        if (transport->fd < 0 || shake_hands(transport, trust, error) < 0) {
                (void)transport_free(transport);
                return -1;
        }
        *ret_transport = transport;
        return 0;
}

int transport_write(Transport *transport, const void *data, size_t size, Error *error) {
        int r;

        if (transport->tls != NULL)
                return SSL_write(transport->tls, data, (int)size) == (int)size
                               ? 0
                               : error_set(error, ERROR_PEER, errno, "the gateway takes no more");
        r = fd_write_full(transport->fd, data, size);
        return r < 0 ? error_set(error, ERROR_PEER, -r, "the gateway takes no more") : 0;
}

ssize_t transport_read(Transport *transport, void *data, size_t room, Error *error) {
        ssize_t n = transport->tls != NULL ? SSL_read(transport->tls, data, (int)room)
                                           : read(transport->fd, data, room);

        return n >= 0 ? n : error_set(error, ERROR_PEER, errno, "the gateway has gone");
}

Transport *transport_free(Transport *transport) {
        if (transport == NULL)
                return NULL;
        SSL_free(transport->tls);
        (void)fd_close(transport->fd);
        free(transport);
        return NULL;
}
