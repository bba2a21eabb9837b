# SPDX-License-Identifier: Apache-2.0
"""The rows of the acceptance list, a file a section."""
pytest_plugins = ["helpers.pods"]
