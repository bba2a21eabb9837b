/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/certificate.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/file.h"
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_SIZE_MAX (256U * 1024U)

int certificate_open(const char *directory, Certificate *ret_certificate, Error *error) {
        Certificate certificate = CERTIFICATE_NONE;

        certificate.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (certificate.directory < 0)
                return error_set(error, ERROR_OS, errno,
                        "cannot open '%s', where the certificate should be", directory);
        *ret_certificate = certificate;
        return 0;
}

void certificate_close(Certificate *certificate) {
        certificate->directory = fd_close(certificate->directory);
}

int certificate_load(Certificate *certificate, Tls **ret_tls, Error *error) {
        cleanup_free char *chain = NULL;
        cleanup_free char *key = NULL;
        size_t chain_size, key_size;
        uint8_t digest[SHA256_SIZE];
        Sha256 hash;

        if (file_read(certificate->directory, "tls.crt", FILE_SIZE_MAX, &chain, &chain_size,
                    error) < 0 ||
                file_read(certificate->directory, "tls.key", FILE_SIZE_MAX, &key, &key_size,
                        error) < 0)
                return -1;
        sha256_begin(&hash);
        sha256_add(&hash, chain, chain_size);
        sha256_add(&hash, key, key_size);
        sha256_end(&hash, digest);
        if (memcmp(digest, certificate->digest, sizeof(digest)) == 0)
                return 0;
        if (tls_new(chain, chain_size, key, key_size, ret_tls, error) < 0)
                return -1;
        memcpy(certificate->digest, digest, sizeof(digest));
        return 1;
}
