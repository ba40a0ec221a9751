# SPDX-License-Identifier: Apache-2.0
"""Debian packages and the bootable medium of pextra-ce, made from its source tree."""
