# SPDX-License-Identifier: Apache-2.0
"""Hashes of files and of folders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

CHUNK = 1 << 20


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Hash a file's content (hex).

    :param progress: is called with the number of bytes of each piece that was read.
    """
    total = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            total.update(piece)
            if progress is not None:
                progress(len(piece))
    return total.hexdigest()


def digest(*parts: str) -> str:
    """Hash some texts, in their order (hex)."""
    total = hashlib.sha256()
    for part in parts:
        total.update(f"{len(part)}:{part}".encode())
    return total.hexdigest()
