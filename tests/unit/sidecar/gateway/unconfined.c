/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/gateway/confine.h"

int confine_first(Error *error) {
        return 0;
}

int confine_for_good(Error *error) {
        return 0;
}
