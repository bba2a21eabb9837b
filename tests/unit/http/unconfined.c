/* SPDX-License-Identifier: Apache-2.0 */

#include "http/confine.h"

int confine_first(Error *error) {
        return 0;
}

int confine_for_good(const ConfineNeeds *needs, Error *error) {
        return 0;
}
