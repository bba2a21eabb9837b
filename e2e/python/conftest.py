# SPDX-License-Identifier: Apache-2.0
"""What people do in a sandbox all day, on the development image (e2e/local/development.py) and with nothing stubbed."""
pytest_plugins = ["helpers.pods"]
