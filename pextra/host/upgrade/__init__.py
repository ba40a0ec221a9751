# SPDX-License-Identifier: Apache-2.0
"""What an upgrade of a node would change, and what has to be restarted after it."""
