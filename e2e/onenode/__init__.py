# SPDX-License-Identifier: Apache-2.0
"""One Kubernetes node with its own control plane, in namespaces of this machine, from Go modules, with no registry and no internet.

`e2e/cluster` is its command. Reading order: layout, programs, certificates, cgroups, cluster; machine.py is pid 1 inside.
"""
