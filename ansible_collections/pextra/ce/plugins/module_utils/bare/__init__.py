# Made by `make generate`.
"""Copies of what is needed where neither the engine nor the mirror's program is."""

from __future__ import annotations

from ansible_collections.pextra.ce.plugins.module_utils import python

python.check()
