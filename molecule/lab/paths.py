"""Where the lab keeps things; two environment variables move them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COLLECTIONS = REPOSITORY / ".cache/collections"
"""Where scripts/install-collection installs the collection from its tarball."""
CACHE = Path(os.environ.get("PEXTRA_LAB_CACHE", "/var/cache/pextra-ce-lab"))
"""Root file systems, which all labs share; each can be made again."""
LABS = Path(os.environ.get("PEXTRA_LAB_HOME", "/var/lib/pextra-ce-lab"))
"""One folder a lab."""

_CLONE = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:6]
"""Labs of another clone of the repository are other labs, also when they have the same name."""


def lab(name: str) -> Path:
    """A lab's folder."""
    return LABS / f"{name}-{_CLONE}"


def node(name: str, node: str) -> Path:
    """A node's folder: overlay, disks, console."""
    return lab(name) / "nodes" / node


def namespace(name: str) -> str:
    """A lab's network namespace."""
    return f"pextra-lab-{name}-{_CLONE}"


def control_group(name: str, node: str) -> str:
    """The control group of a node on the machine's kernel."""
    return f"{namespace(name)}.{node}"
