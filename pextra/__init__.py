# SPDX-License-Identifier: Apache-2.0
"""The platform's engine, as it is on every node. It knows no Ansible and no HTTP."""

VERSION = "0.2.0"
"""Version of the engine, reported as ``pce_version``."""
