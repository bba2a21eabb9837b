/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What a new program must not inherit of our signals: ignored and blocked ones. 0, or -errno. */
int signals_reset(void);
