/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What egress takes from itself before it hears anybody: new privileges, files (but those that the
 * resolver reads in /etc), programs, other processes, and every system call that moving bytes does
 * not need. Whoever takes this process over can make the connections it could make, and nothing
 * else.
 */
#include "base/error.h"

/* Once, after everything was set up. A part that the kernel has not got is a refusal. */
int confine(Error *error);
