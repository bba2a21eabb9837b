/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A Policy as a flat record (base/pack.h): how the jailed parser, the hook's record, the launcher
 * and egress hand it on. docs/formats/policy-flat.md lists the fields.
 */
#include "base/error.h"
#include "base/pack.h"
#include "base/sha256.h"
#include "policy/policy.h"

#define POLICY_FLAT_MAGIC 0x32504e4eU /* "NNP2" */
/* A 256 KiB text never packs to more; a bounded policy carries its ceiling. */
#define POLICY_FLAT_SIZE_MAX ((size_t)2 * 1024 * 1024)

/* The packer is allowed to be nested in a larger record. */
void policy_pack(const Policy *policy, Packer *packer);

/* Copies: nothing of data is borrowed. Checks every bound and every enumeration, and that paths are
 * absolute and normal, so that whoever wrote the record cannot do worse than write another policy.
 * ERROR_PEER. */
int policy_unpack(const void *data, size_t size, Policy **ret_policy, Error *error);

/* The canonical hash: equal for policies that say the same, whatever their layout, comments and
 * order are. -1 without memory. */
int policy_hash(const Policy *policy, uint8_t ret_hash[static SHA256_SIZE]);
