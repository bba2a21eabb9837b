/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Memory that a process which lives long and mostly waits need not hold. */

/*
 * Lets go of the pages of code and constants that are mapped now, of this program and its
 * libraries; what is needed again comes back from the page cache at the first touch. To be called
 * once, when the start is over: much of what it ran (relocation, OpenSSL's and libcurl's
 * initialisation, the compiler of seccomp filters) never runs again, and would stay in the
 * process's account. Nothing that was written to is touched, and nothing can fail that matters.
 */
void memory_let_go_of_start(void);
