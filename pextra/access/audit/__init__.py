# SPDX-License-Identifier: Apache-2.0
"""What makes an audit log one that cannot be changed unnoticed. All of it is pure.

- ``canonical``: the one text that a JSON value has, which is what is hashed and signed.
- ``chain``: rows, each sealed with the hash of the one before it.
- ``check``: what was done to a chain since: rows changed, removed, inserted, moved, its end cut.
- ``records``: what a node signs: how far it saw all chains, and up to where one was pruned.
"""
