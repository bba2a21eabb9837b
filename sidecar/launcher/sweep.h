/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a launcher makes sure of before it touches anything: that it is the only one, and that
 * nothing runs which an earlier one started.
 */
#include "base/error.h"

/* Fails (ERROR_DENIED) unless this is the oldest process of its mount namespace, which a
 * container's own first process is and one that somebody starts in the container afterwards is not.
 */
int sweep_refuse_second_launcher(int proc_fd, Error *error);

/* Ends every process in a network namespace that a launcher made. Returns once none is left. */
int sweep_end_leftovers(int proc_fd, Error *error);
