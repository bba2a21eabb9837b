# SPDX-License-Identifier: Apache-2.0
"""The embedded default: our pods under podman, on this machine, with nothing shared with the machine's own podman.

The demo and the integration tests stand on this package. Reading order: progress, build, archive, images, development, engine, credentials, pod; then tour and demo.
"""
