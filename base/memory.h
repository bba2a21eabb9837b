/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Memory that a process which lives long and mostly waits need not hold. */

/*
 * Lets go of the pages of code and constants that are mapped now, of this program and its
 * libraries; what is needed again comes back from the page cache at the first touch (about 0.2 ms
 * for a session's worth). To be called when a start is over, and when work has ended that needs
 * code of its own: relocation, OpenSSL's initialisation and handshakes, the compiler of seccomp
 * filters would stay in the account of a process that waits. Nothing that was written to is
 * touched, and nothing can fail that matters.
 */
void memory_let_go_of_code(void);
