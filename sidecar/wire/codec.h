/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* For the codecs of this folder only: how a message begins and ends. */
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "sidecar/wire/wire.h"

Packer wire_begin(WireType type, uint32_t id);
/* Sends it and frees the packer: 0 or -errno. */
int wire_finish(int socket, Packer *packer, const int *fds, size_t fd_count);
/* -1 with ERROR_PEER. */
int wire_bad(Error *error, const char *what);
