/* SPDX-License-Identifier: Apache-2.0 */

/* The key lives as long as this process: it is never written, and a restarted gateway has another.
 */
#include "sidecar/gateway/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALID_BEFORE_SECONDS 3600L             /* for a client whose clock is behind */
#define VALID_SECONDS (365L * 24L * 60L * 60L) /* longer than a pod lives */
#define HOST_NAME_SIZE 253U
#define SERIAL_BITS 159 /* RFC 5280: at most 20 octets, positive */

/* What is written between commas must not hold one. */
static bool is_host_name(const char *name) {
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-");

        return length > 0 && length <= HOST_NAME_SIZE && name[length] == '\0';
}

static bool add_extension(X509 *certificate, X509V3_CTX *context, int kind, const char *value) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, kind, value);
        bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

        X509_EXTENSION_free(extension);
        return added;
}

static bool set_serial(X509 *certificate) {
        BIGNUM *number = BN_new();
        bool set = number != NULL &&
                   BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

        BN_free(number);
        return set;
}

static bool set_name(X509 *certificate) {
        X509_NAME *subject = X509_get_subject_name(certificate);

        /* a common name holds 64 characters; the whole name stands among the alternatives */
        return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                       (const unsigned char *)"navigator", -1, -1, 0) == 1 &&
               X509_set_issuer_name(certificate, subject) == 1;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *name) {
        char alternatives[512];
        X509V3_CTX context;

        (void)snprintf(
                alternatives, sizeof(alternatives), "DNS:localhost,IP:127.0.0.1,DNS:%s", name);
        X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
        return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
               X509_gmtime_adj(X509_getm_notBefore(certificate), -VALID_BEFORE_SECONDS) != NULL &&
               X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_SECONDS) != NULL &&
               set_name(certificate) && X509_set_pubkey(certificate, key) == 1 &&
               add_extension(certificate, &context, NID_basic_constraints, "critical,CA:FALSE") &&
               add_extension(certificate, &context, NID_ext_key_usage, "serverAuth") &&
               add_extension(certificate, &context, NID_subject_alt_name, alternatives) &&
               X509_sign(certificate, key, EVP_sha256()) > 0;
}

/* The bytes of a memory BIO, malloc'ed; NULL without memory. */
static char *copy_text(BIO *text, size_t *ret_size) {
        char *bytes = NULL;
        long size = BIO_get_mem_data(text, &bytes);
        char *copy = size > 0 ? malloc((size_t)size + 1) : NULL;

        if (copy == NULL)
                return NULL;
        memcpy(copy, bytes, (size_t)size);
        copy[size] = '\0';
        *ret_size = (size_t)size;
        return copy;
}

static bool write_both(X509 *certificate, EVP_PKEY *key, char **ret_certificate,
        size_t *ret_certificate_size, char **ret_key, size_t *ret_key_size) {
        BIO *certificate_text = BIO_new(BIO_s_mem());
        BIO *key_text = BIO_new(BIO_s_secmem());
        bool written = certificate_text != NULL && key_text != NULL &&
                       PEM_write_bio_X509(certificate_text, certificate) == 1 &&
                       PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1;

        if (written) {
                *ret_certificate = copy_text(certificate_text, ret_certificate_size);
                *ret_key = copy_text(key_text, ret_key_size);
                written = *ret_certificate != NULL && *ret_key != NULL;
        }
        BIO_free(certificate_text);
        BIO_free(key_text);
        return written;
}

int certificate_make(const char *name, char **ret_certificate, size_t *ret_certificate_size,
        char **ret_key, size_t *ret_key_size, Error *error) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();
        bool made = is_host_name(name) && key != NULL && certificate != NULL &&
                    fill(certificate, key, name) &&
                    write_both(certificate, key, ret_certificate, ret_certificate_size, ret_key,
                            ret_key_size);

        X509_free(certificate);
        EVP_PKEY_free(key);
        if (!made)
                return error_set(error, ERROR_OS, 0, "cannot make a certificate for '%s'", name);
        return 0;
}
