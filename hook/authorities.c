/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Programs disagree about where trust comes from, and each of these variables replaces what its
 * readers would have trusted; so they name a bundle that has the image's authorities, too. What the
 * image wrote there is copied as bytes, back to where it came from, and read by nobody here.
 */
#include "hook/authorities.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define OWN_SIZE_MAX ((size_t)256 * 1024)
#define IMAGE_SIZE_MAX ((size_t)1024 * 1024) /* Debian's, with all of Mozilla's: 220 KiB */
#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"

#define OWN "=/etc/navigator/" AUTHORITIES_OWN
#define BUNDLE "=/etc/navigator/" AUTHORITIES_BUNDLE

const char *const authority_variables[] = {
        "SSL_CERT_FILE" BUNDLE, /* OpenSSL and what is built on it; Go; uv */
        "REQUESTS_CA_BUNDLE" BUNDLE,
        "CURL_CA_BUNDLE" BUNDLE,
        "GIT_SSL_CAINFO" BUNDLE,
        "NODE_EXTRA_CA_CERTS" OWN, /* these two add to what they were built with */
        "DENO_CERT" OWN,
        NULL,
};

/* Debian and Alpine; Fedora; SUSE; others that build OpenSSL with its own defaults. */
static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
};

int authorities_read(const Node *node, Authorities *ret_authorities, Error *error) {
        cleanup(authorities_freep) Authorities found = { 0 };
        Error reason = { 0 };

        if (file_read(AT_FDCWD, node->authorities, OWN_SIZE_MAX, &found.own, &found.own_size,
                    &reason) < 0) {
                if (reason.code == ENOENT)
                        return 0;
                *error = reason;
                return error_context(error, "the node's certificate authorities");
        }
        if (memmem(found.own, found.own_size, PEM_BEGIN, strlen(PEM_BEGIN)) == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "the node's certificate authorities: '%s' has no certificate in PEM",
                        node->authorities);
        *ret_authorities = take(found, (Authorities){ 0 });
        return 0;
}

int authorities_join(Authorities *authorities, const char *image, size_t size, Error *error) {
        char *bundle = malloc(size + 1 + authorities->own_size);

        if (bundle == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot join certificate authorities");
        if (size > 0) {
                memcpy(bundle, image, size);
                if (image[size - 1] != '\n')
                        bundle[size++] = '\n';
        }
        memcpy(bundle + size, authorities->own, authorities->own_size);
        authorities->bundle = bundle;
        authorities->bundle_size = size + authorities->own_size;
        return 0;
}

int authorities_extend(
        Authorities *authorities, const Rootfs *rootfs, const char *named, Error *error) {
        cleanup_free char *image = NULL;
        size_t size = 0;
        int r = ROOTFS_MISSING;

        if (authorities->own == NULL)
                return 0;
        if (named != NULL && named[0] == '/')
                r = rootfs_read(
                        rootfs, named, ROOTFS_ANYWHERE, IMAGE_SIZE_MAX, &image, &size, error);
        for (size_t i = 0; r == ROOTFS_MISSING && i < sizeof(places) / sizeof(*places); i++)
                r = rootfs_read(
                        rootfs, places[i], ROOTFS_ANYWHERE, IMAGE_SIZE_MAX, &image, &size, error);
        if (r < 0)
                return error_context(error, "the image's certificate authorities");
        return authorities_join(authorities, image, size, error);
}

Authorities authorities_free(Authorities authorities) {
        free(authorities.own);
        free(authorities.bundle);
        return (Authorities){ 0 };
}
