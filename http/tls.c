/* SPDX-License-Identifier: Apache-2.0 */

/*
 * No renegotiation, no tickets and no session cache: a session is long and its handshake is not
 * what it waits for, and what is not kept cannot leak. SSL_CTX_set_read_ahead() is left off: with
 * libevent's bufferevents it makes transfers hang.
 */
#include "http/tls.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct Tls {
        SSL_CTX *context;
};

static int failed(Error *error, const char *what) {
        unsigned long code = ERR_get_error();
        char reason[160] = "no reason given";

        if (code != 0)
                ERR_error_string_n(code, reason, sizeof(reason));
        ERR_clear_error();
        return error_set(error, ERROR_INPUT, 0, "%s: %s", what, reason);
}

/* A key with a passphrase is refused instead of asking on a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *data) {
        return -1;
}

static int use_certificate(SSL_CTX *context, BIO *pem, Error *error) {
        X509 *certificate = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
        int used = certificate != NULL ? SSL_CTX_use_certificate(context, certificate) : 0;

        X509_free(certificate);
        if (used != 1)
                return failed(error, "cannot use the certificate");
        for (;;) {
                X509 *link = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);

                if (link == NULL)
                        break;
                if (SSL_CTX_add0_chain_cert(context, link) != 1) {
                        X509_free(link);
                        return failed(error, "cannot use the certificate's chain");
                }
        }
        ERR_clear_error(); /* the end of the file is reported as an error */
        return 0;
}

static int use_key(SSL_CTX *context, BIO *pem, Error *error) {
        EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
        int used = key != NULL ? SSL_CTX_use_PrivateKey(context, key) : 0;

        EVP_PKEY_free(key);
        if (used != 1 || SSL_CTX_check_private_key(context) != 1)
                return failed(error, "cannot use the key of the certificate");
        return 0;
}

/* HTTP/1.1 is what we speak. A client that offers only others is refused here, one that offers none
 * is taken at its word. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
        const unsigned char *in, unsigned in_size, void *data) {
        static const unsigned char ours[] = "\x08http/1.1";
        unsigned char *chosen = NULL;

        if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, in, in_size) !=
                OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL;
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
}

static int configure(SSL_CTX *context, Error *error) {
        if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
                SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
                SSL_CTX_set_num_tickets(context, 0) != 1)
                return failed(error, "cannot set up TLS");
        SSL_CTX_set_options(
                context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
        return 0;
}

static int load(SSL_CTX *context, BIO *certificate, BIO *key, Error *error) {
        if (certificate == NULL || key == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the certificate");
        if (use_certificate(context, certificate, error) < 0)
                return -1;
        return use_key(context, key, error);
}

int tls_new(const char *certificate, size_t certificate_size, const char *key, size_t key_size,
        Tls **ret_tls, Error *error) {
        cleanup(tls_freep) Tls *tls = calloc(1, sizeof(*tls));
        BIO *certificate_pem = BIO_new_mem_buf(certificate, (int)certificate_size);
        BIO *key_pem = BIO_new_mem_buf(key, (int)key_size);
        int r = -1;

        if (tls != NULL)
                tls->context = SSL_CTX_new(TLS_server_method());
        if (tls == NULL || tls->context == NULL)
                (void)failed(error, "cannot set up TLS");
        else if (configure(tls->context, error) == 0)
                r = load(tls->context, certificate_pem, key_pem, error);
        BIO_free(certificate_pem);
        BIO_free(key_pem);
        if (r == 0)
                *ret_tls = take_ptr(tls);
        return r;
}

Tls *tls_free(Tls *tls) {
        if (tls == NULL)
                return NULL;
        SSL_CTX_free(tls->context);
        free(tls);
        return NULL;
}

struct bufferevent *tls_accept(Tls *tls, struct event_base *loop, int fd) {
        SSL *ssl = SSL_new(tls->context);
        struct bufferevent *connection;

        if (ssl == NULL)
                return NULL;
        connection = bufferevent_openssl_socket_new(loop, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (connection == NULL) {
                SSL_free(ssl);
                return NULL;
        }
        /* A peer that closes without close_notify is an end like any other: what matters ends with
         * a Status or a Close frame. */
        bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
        return connection;
}

void tls_shutdown(struct bufferevent *connection) {
        SSL *ssl = bufferevent_openssl_get_ssl(connection);

        /* Once, without waiting for the answer: the caller goes on reading until the peer's end. */
        if (ssl != NULL && SSL_is_init_finished(ssl))
                (void)SSL_shutdown(ssl);
        ERR_clear_error();
}
