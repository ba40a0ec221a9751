"""Mirror of Debian repositories for sites without internet: sync, publication, signed bundles."""

from __future__ import annotations

__version__ = "0.1.0"
