/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Prints how long decisions take by policies of unusual shape: many programs, patterns, ancestors,
 * policies for one host, ports, addresses, labels. */
void shapes_measure(void);
