# SPDX-License-Identifier: Apache-2.0
"""POL: the policy that acceptance rows run under unless they say otherwise. It is that of the example pod."""
from local.pod import EXAMPLES

POL = (EXAMPLES / "policy.yaml").read_text()
