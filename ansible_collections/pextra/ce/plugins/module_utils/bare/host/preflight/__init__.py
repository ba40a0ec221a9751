# Copied from pextra/host/preflight/__init__.py by `make generate`: change it there.
# SPDX-License-Identifier: Apache-2.0
"""Whether a machine can become a node: what it is (``machine``), what is asked (``checks``).

A machine that is too old must still be told so: this package runs on Python 3.8 and newer, so
its values are named tuples (slotted data classes need 3.10) and it imports nothing heavier.
"""
